// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file sysfs_text.h
 * @brief What the kernel's attribute texts mean. Pure functions; garbage means "unknown".
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_TEXT_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_TEXT_H

#include "topology/machine.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** A whole number, decimal or with 0x in front; nothing else may follow. */
std::optional<std::uint64_t> parseNumber(std::string_view text);

/** `numa_node`: 0..1023 (what Linux can have), anything else is unknown_numa. */
int parseNumaNode(std::string_view text);

/** `online` of NUMA nodes: "0-1,8" gives 0, 1, 8; nothing from garbage. */
std::vector<int> parseNumaList(std::string_view text);

/**
 * @brief The number in front of a rate or speed: "400 Gb/sec (4X NDR)", "16.0 GT/s PCIe".
 * @return 0 for no number, or one that no link has (above 100000).
 */
double parseRate(std::string_view text);

/** "4: ACTIVE". */
portState_t parsePortState(std::string_view text);

/** "InfiniBand", "Ethernet"; EFA says "Unspecified", which only its driver's name tells apart. */
linkLayer_t parseLinkLayer(std::string_view text, std::string_view driver);

/** A GID of 8 groups that is not zero. */
bool isGid(std::string_view text);

/** Whether a GID is a link-local address (fe80::/64, what the kernel makes of a MAC address). */
bool isLinkLocal(std::string_view gid);

/** "b859:9f03:00ff:0010" as it is; "" for a GUID of zeros and for what is none. */
std::string knownGuid(std::string_view text);

/** "5: LinkUp" gives "LinkUp". */
std::string parsePhysicalState(std::string_view text);

/** Value of a line "KEY=value" of a `uevent` file, "" without one. */
std::string ueventValue(std::string_view text, std::string_view key);

/** A device's name for people and JSON: bytes that are not printable ASCII become \\xNN. */
std::string printable(std::string_view name);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_SYSFS_TEXT_H
