// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/rdma_wire.h"

#include "counters/netlink_wire.h"
#include "topology/sysfs_text.h"

#include <cstddef>

namespace nixlStripe {
namespace {

    /** RDMA_NLDEV_ATTR_*, by number: headers of a build machine may be older than its kernel. */
    enum attribute_t : std::uint16_t {
        DEV_INDEX = 1,
        DEV_NAME = 2,
        PORT_INDEX = 3,
        PORT_STATE = 12,
        RES_QP = 19,
        RES_QP_ENTRY = 20,
        RES_LQPN = 21,
        RES_RQ_PSN = 23,
        RES_SQ_PSN = 24,
        RES_TYPE = 26,
        RES_PID = 28,
        RES_KERN_NAME = 29,
        NDEV_INDEX = 50,
        NDEV_NAME = 51,
        STAT_HWCOUNTERS = 80,
        STAT_HWCOUNTER_ENTRY = 81,
        STAT_HWCOUNTER_ENTRY_NAME = 82,
        STAT_HWCOUNTER_ENTRY_VALUE = 83,
    };

    constexpr std::size_t max_counters = 4096;
    constexpr std::size_t max_name = 128;
    constexpr std::uint32_t max_ports = 255;

    std::string
    nameOf(const netlinkAttribute &attribute) {
        return printable(attribute.text().substr(0, max_name));
    }

    std::optional<namedCount>
    parseCounter(std::string_view bytes) {
        namedCount result;
        std::optional<std::uint64_t> value;
        netlinkAttributes fields(bytes);
        while (const auto field = fields.next()) {
            if (field->type == STAT_HWCOUNTER_ENTRY_NAME) {
                result.name = nameOf(*field);
            } else if (field->type == STAT_HWCOUNTER_ENTRY_VALUE) {
                value = field->u64();
            }
        }
        if (result.name.empty() || !value) {
            return std::nullopt;
        }
        result.value = *value;
        return result;
    }

    std::optional<queuePair>
    parseQueuePair(std::string_view bytes) {
        queuePair result;
        std::optional<std::uint32_t> number;
        netlinkAttributes fields(bytes);
        while (const auto field = fields.next()) {
            switch (field->type) {
            case RES_LQPN:
                number = field->u32();
                break;
            case PORT_INDEX:
                result.port = field->u32().value_or(0);
                break;
            case RES_PID:
                result.pid = field->u32().value_or(0);
                break;
            case RES_KERN_NAME:
                result.isKernels = true;
                break;
            case RES_TYPE:
                result.type = field->u8().value_or(0);
                break;
            case RES_SQ_PSN:
                result.sendPsn = field->u32();
                break;
            case RES_RQ_PSN:
                result.receivePsn = field->u32();
                break;
            default:
                break;
            }
        }
        if (!number) {
            return std::nullopt;
        }
        result.number = *number;
        return result;
    }

} // namespace

std::optional<rdmaDevice>
parseRdmaDevice(std::string_view body) {
    rdmaDevice result;
    std::optional<std::uint32_t> index;
    netlinkAttributes fields(body);
    while (const auto field = fields.next()) {
        if (field->type == DEV_INDEX) {
            index = field->u32();
        } else if (field->type == DEV_NAME) {
            result.name = nameOf(*field);
        } else if (field->type == PORT_INDEX) {
            const std::uint32_t ports = field->u32().value_or(0);
            result.ports = ports <= max_ports ? ports : 0;
        }
    }
    if (result.name.empty() || !index) {
        return std::nullopt;
    }
    result.index = *index;
    return result;
}

rdmaPort
parseRdmaPort(std::string_view body) {
    rdmaPort result;
    netlinkAttributes fields(body);
    while (const auto field = fields.next()) {
        if (field->type == PORT_STATE) {
            result.state = field->u8().value_or(0);
        } else if (field->type == NDEV_INDEX) {
            result.netdevIndex = field->u32().value_or(0);
        } else if (field->type == NDEV_NAME) {
            result.netdev = nameOf(*field);
        }
    }
    return result;
}

std::vector<namedCount>
parseRdmaStatistics(std::string_view body) {
    std::vector<namedCount> result;
    netlinkAttributes fields(body);
    while (const auto field = fields.next()) {
        if (field->type != STAT_HWCOUNTERS) {
            continue;
        }
        netlinkAttributes entries(field->value);
        while (const auto entry = entries.next()) {
            auto counter =
                entry->type == STAT_HWCOUNTER_ENTRY ? parseCounter(entry->value) : std::nullopt;
            if (counter && result.size() < max_counters) {
                result.push_back(std::move(*counter));
            }
        }
    }
    return result;
}

std::vector<queuePair>
parseQueuePairs(std::string_view body) {
    std::vector<queuePair> result;
    netlinkAttributes fields(body);
    while (const auto field = fields.next()) {
        if (field->type != RES_QP) {
            continue;
        }
        netlinkAttributes entries(field->value);
        while (const auto entry = entries.next()) {
            if (entry->type == RES_QP_ENTRY) {
                if (const auto pair = parseQueuePair(entry->value)) {
                    result.push_back(*pair);
                }
            }
        }
    }
    return result;
}

} // namespace nixlStripe
