// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/hwloc_devices.h"

#include "topology/sysfs_text.h"

#include <cstddef>
#include <iterator>
#include <set>
#include <utility>

namespace nixlStripe {
namespace {

    std::set<unsigned>
    portNumbers(const objectInfos &infos) {
        constexpr std::string_view prefix = "Port";
        constexpr std::string_view suffix = "State";
        std::set<unsigned> numbers;
        for (const auto &[key, value] : infos.all()) {
            if (key.size() <= prefix.size() + suffix.size() ||
                key.substr(0, prefix.size()) != prefix ||
                key.substr(key.size() - suffix.size()) != suffix) {
                continue;
            }
            const auto number =
                parseNumber(key.substr(prefix.size(), key.size() - prefix.size() - suffix.size()));
            if (number && *number >= 1 && *number <= 255) {
                numbers.insert(static_cast<unsigned>(*number));
            }
        }
        return numbers;
    }

    port
    readPort(const objectInfos &infos, unsigned number) {
        constexpr portState_t states[] = {portState_t::UNKNOWN,
                                          portState_t::DOWN,
                                          portState_t::INIT,
                                          portState_t::ARMED,
                                          portState_t::ACTIVE,
                                          portState_t::ACTIVE_DEFER};
        constexpr unsigned most_gids = 256;
        const std::string prefix = "Port" + std::to_string(number);
        port item;
        item.number = number;
        const auto state = parseNumber(infos.get(prefix + "State"));
        if (state && *state < std::size(states)) {
            item.state = states[*state];
        }
        const auto lid = parseNumber(infos.get(prefix + "LID"));
        item.lid = lid && *lid <= 0xffff ? static_cast<unsigned>(*lid) : 0;
        for (unsigned index = 0; index < most_gids; ++index) {
            const std::string_view gid = infos.get(prefix + "GID" + std::to_string(index));
            if (gid.empty()) {
                break;
            }
            if (gid.find_first_not_of("0:") != std::string_view::npos) {
                item.gids.emplace_back(gid);
            }
        }
        return item;
    }

} // namespace

bool
isObject(const xmlElement &element, std::string_view type) {
    return element.name == "object" && element.text("type") == type;
}

objectInfos::objectInfos(const xmlElement &object) {
    for (const xmlElement &child : object.children) {
        if (child.name == "info") {
            values_.emplace(child.text("name"), child.text("value"));
        }
    }
}

std::string_view
objectInfos::get(std::string_view key) const {
    const auto it = values_.find(key);
    return it == values_.end() ? std::string_view() : it->second;
}

osDevice_t
osDeviceKind(const xmlElement &object, bool types_are_bits) {
    constexpr std::uint64_t network_bit = 0x10;
    constexpr std::uint64_t openfabrics_bit = 0x20;
    const std::uint64_t type = parseNumber(object.text("osdev_type")).value_or(0);
    if (types_are_bits ? (type & openfabrics_bit) != 0 : type == 3) {
        return osDevice_t::OPENFABRICS;
    }
    return (types_are_bits ? (type & network_bit) != 0 : type == 2) ? osDevice_t::NETWORK
                                                                    : osDevice_t::OTHER;
}

hwlocFunction::hwlocFunction(const xmlElement &object, bool types_are_bits)
    : isVirtual_(objectInfos(object).get("PCIDevice").find("Virtual Function") !=
                 std::string_view::npos) {
    std::size_t interfaces = 0;
    for (const xmlElement &child : object.children) {
        if (!isObject(child, "OSDev") ||
            osDeviceKind(child, types_are_bits) != osDevice_t::NETWORK) {
            continue;
        }
        const std::string name(child.text("name"));
        if (const auto number = parseNumber(objectInfos(child).get("Port"))) {
            byPort_.emplace(*number, name);
        }
        only_ = ++interfaces == 1 ? name : "";
    }
}

std::string
hwlocFunction::interfaceOfPort(unsigned number) const {
    const auto it = byPort_.find(number);
    return it == byPort_.end() ? only_ : it->second;
}

std::vector<port>
readPorts(const xmlElement &object, const hwlocFunction &function, linkLayer_t layer) {
    const objectInfos infos(object);
    std::set<unsigned> numbers = portNumbers(infos);
    if (numbers.empty()) {
        numbers.insert(1);
    }
    std::vector<port> ports;
    for (const unsigned number : numbers) {
        port item = readPort(infos, number);
        item.linkLayer = item.lid != 0 ? linkLayer_t::INFINIBAND : layer;
        item.netdev = function.interfaceOfPort(number);
        ports.push_back(std::move(item));
    }
    return ports;
}

} // namespace nixlStripe
