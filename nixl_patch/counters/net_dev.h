// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file net_dev.h
 * @brief Network interfaces of this process's own network namespace, whatever sysfs is mounted.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_NET_DEV_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_NET_DEV_H

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace nixlStripe {

/** What the kernel counted on an interface: bytes and frames. */
struct netDevCounts {
    std::uint64_t bytesIn = 0;
    std::uint64_t errorsIn = 0;
    std::uint64_t dropsIn = 0;
    std::uint64_t bytesOut = 0;
    std::uint64_t errorsOut = 0;
    std::uint64_t dropsOut = 0;
};

/** The interfaces of a /proc/net/dev; lines that are none are left out. Pure. */
std::map<std::string, netDevCounts> parseNetDev(std::string_view text);

/** This thread's interfaces; empty without /proc. */
std::map<std::string, netDevCounts> readNetDev();

/** Whether an interface of this namespace is up and has a carrier; none when it is not there. */
std::optional<bool> isInterfaceUp(const std::string &name);

/** MAC address of an interface of this namespace, six bytes; none when there is no such. */
std::optional<std::array<unsigned char, 6>> macOf(const std::string &name);

/**
 * @brief Whether a port's link-local GID is the one that RoCE makes of a MAC address (EUI-64).
 * @param gid As in sysfs: "fe80:0000:0000:0000:5054:00ff:fe12:3456".
 */
bool isGidOfMac(std::string_view gid, const std::array<unsigned char, 6> &mac);

/** The counters of its driver by name (`ethtool -S`), empty when it has none. */
std::map<std::string, std::uint64_t> readEthtool(const std::string &name);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_NET_DEV_H
