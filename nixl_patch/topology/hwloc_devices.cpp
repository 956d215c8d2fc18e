// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/hwloc_devices.h"

#include "topology/sysfs_text.h"

#include <iterator>
#include <set>
#include <utility>

namespace nixlStripe {
namespace {

    std::set<unsigned>
    portNumbers(const xmlElement &object) {
        constexpr std::string_view prefix = "Port";
        constexpr std::string_view suffix = "State";
        std::set<unsigned> numbers;
        for (const xmlElement &child : object.children) {
            const std::string_view key = child.text("name");
            if (child.name != "info" || key.size() <= prefix.size() + suffix.size() ||
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
    readPort(const xmlElement &object, unsigned number) {
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
        const auto state = parseNumber(objectInfo(object, prefix + "State"));
        if (state && *state < std::size(states)) {
            item.state = states[*state];
        }
        const auto lid = parseNumber(objectInfo(object, prefix + "LID"));
        item.lid = lid && *lid <= 0xffff ? static_cast<unsigned>(*lid) : 0;
        for (unsigned index = 0; index < most_gids; ++index) {
            std::string gid = objectInfo(object, prefix + "GID" + std::to_string(index));
            if (gid.empty()) {
                break;
            }
            if (gid.find_first_not_of("0:") != std::string::npos) {
                item.gids.push_back(std::move(gid));
            }
        }
        return item;
    }

    /** The interface beside an RDMA device: the one of the same port, or the only one. */
    std::string
    netdevOf(const xmlElement &function, bool types_are_bits, unsigned number) {
        std::vector<std::string> names;
        for (const xmlElement &child : function.children) {
            if (!isObject(child, "OSDev") ||
                osDeviceKind(child, types_are_bits) != osDevice_t::NETWORK) {
                continue;
            }
            if (parseNumber(objectInfo(child, "Port")) == number) {
                return std::string(child.text("name"));
            }
            names.emplace_back(child.text("name"));
        }
        return names.size() == 1 ? names.front() : "";
    }

} // namespace

bool
isObject(const xmlElement &element, std::string_view type) {
    return element.name == "object" && element.text("type") == type;
}

std::string
objectInfo(const xmlElement &object, std::string_view key) {
    for (const xmlElement &child : object.children) {
        if (child.name == "info" && child.text("name") == key) {
            return std::string(child.text("value"));
        }
    }
    return "";
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

std::vector<port>
readPorts(const xmlElement &object,
          const xmlElement *function,
          bool types_are_bits,
          linkLayer_t layer) {
    std::set<unsigned> numbers = portNumbers(object);
    if (numbers.empty()) {
        numbers.insert(1);
    }
    std::vector<port> ports;
    for (const unsigned number : numbers) {
        port item = readPort(object, number);
        item.linkLayer = item.lid != 0 ? linkLayer_t::INFINIBAND : layer;
        item.netdev = function == nullptr ? "" : netdevOf(*function, types_are_bits, number);
        ports.push_back(std::move(item));
    }
    return ports;
}

} // namespace nixlStripe
