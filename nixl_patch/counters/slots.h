// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file slots.h
 * @brief Single counters of a NIC, wherever they are, and how they are read together.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_SLOTS_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_SLOTS_H

#include "counters/counter_names.h"
#include "counters/rdma_netlink.h"
#include "counters/reading.h"
#include "topology/folder.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

/** What all sources of a host share. */
struct counterPlace {
    explicit counterPlace(const std::string &path)
        : sysfs(path)
        , root(path)
        , isLive(path == "/sys") {}

    std::string sysfs;
    folder root;
    bool isLive; /**< this machine: whatever is not below the sysfs may be asked too */
    rdmaNetlink netlink;
};

using place_t = std::shared_ptr<counterPlace>;

/** Where one counter is. */
struct counterSlot {
    enum class from_t { FILE, NETLINK, INTERFACE, ETHTOOL };

    from_t from = from_t::FILE;
    unsigned port = 0; /**< of NETLINK */
    std::string name;  /**< path below the sysfs, or the counter's name */
};

using slots_t = std::vector<counterSlot>;

/** Reads slots of one NIC; each kind of place is asked once a read. */
class slotReader {
public:
    /** @param device RDMA device, "" = none. @param interface The one below it, "" = none. */
    slotReader(place_t place, std::string device, std::string interface)
        : place_(std::move(place))
        , device_(std::move(device))
        , interface_(std::move(interface)) {}

    /** Forgets what was read. */
    void refresh();

    count_t read(const counterSlot &slot);
    view_t read(const slots_t &slots);

    /** Those of @p slots that can be read. */
    slots_t readable(const slots_t &slots);

private:
    using counts_t = std::map<std::string, std::uint64_t>;

    const counts_t &statistics(unsigned port);
    const counts_t &interfaceCounts();
    const counts_t &ethtoolCounts();

    place_t place_;
    std::string device_;
    std::string interface_;
    std::optional<rdmaDevice> known_;
    std::map<unsigned, counts_t> statistics_;
    std::optional<counts_t> interfaceCounts_;
    std::optional<counts_t> ethtoolCounts_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_SLOTS_H
