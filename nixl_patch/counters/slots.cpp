// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/slots.h"

#include "counters/net_dev.h"
#include "topology/sysfs_text.h"

#include <utility>

namespace nixlStripe {
namespace {

    count_t
    find(const std::map<std::string, std::uint64_t> &counts, const std::string &name) {
        const auto found = counts.find(name);
        return found == counts.end() ? std::nullopt : count_t(found->second);
    }

} // namespace

void
slotReader::refresh() {
    statistics_.clear();
    interfaceCounts_.reset();
    ethtoolCounts_.reset();
}

count_t
slotReader::read(const counterSlot &slot) {
    switch (slot.from) {
    case counterSlot::from_t::NETLINK:
        return find(statistics(slot.port), slot.name);
    case counterSlot::from_t::INTERFACE:
        return find(interfaceCounts(), slot.name);
    case counterSlot::from_t::ETHTOOL:
        return find(ethtoolCounts(), slot.name);
    case counterSlot::from_t::FILE:
        break;
    }
    return parseNumber(place_->root.text(slot.name));
}

view_t
slotReader::read(const slots_t &slots) {
    view_t view;
    for (const counterSlot &slot : slots) {
        view.push_back(read(slot));
    }
    return view;
}

slots_t
slotReader::readable(const slots_t &slots) {
    slots_t found;
    for (const counterSlot &slot : slots) {
        if (read(slot)) {
            found.push_back(slot);
        }
    }
    return found;
}

const slotReader::counts_t &
slotReader::statistics(unsigned port) {
    const auto known = statistics_.find(port);
    if (known != statistics_.end()) {
        return known->second;
    }
    std::optional<std::vector<namedCount>> counts;
    if (known_) {
        counts = place_->netlink.statistics(*known_, port);
    }
    if (!counts) { // a device that was made anew has another index
        known_ = place_->netlink.device(device_);
        counts = known_ ? place_->netlink.statistics(*known_, port) : std::nullopt;
    }
    counts_t &result = statistics_[port];
    for (namedCount &count : counts.value_or(std::vector<namedCount>())) {
        result.emplace(std::move(count.name), count.value);
    }
    return result;
}

const slotReader::counts_t &
slotReader::interfaceCounts() {
    if (!interfaceCounts_) {
        interfaceCounts_.emplace();
        const auto all = readNetDev();
        const auto found = all.find(interface_);
        if (found != all.end()) {
            const netDevCounts &counts = found->second;
            *interfaceCounts_ = {
                {"tx_bytes", counts.bytesOut},
                {"rx_bytes", counts.bytesIn},
                {"tx_errors", counts.errorsOut},
                {"rx_errors", counts.errorsIn},
                {"tx_dropped", counts.dropsOut},
                {"rx_dropped", counts.dropsIn},
            };
        }
    }
    return *interfaceCounts_;
}

const slotReader::counts_t &
slotReader::ethtoolCounts() {
    if (!ethtoolCounts_) {
        ethtoolCounts_ = readEthtool(interface_);
    }
    return *ethtoolCounts_;
}

} // namespace nixlStripe
