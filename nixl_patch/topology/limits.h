// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file limits.h
 * @brief How large a machine may be. Far above real hosts; whatever is larger is damage or an
 *        attack, and refusing it bounds the time of everything that comes after the reading.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_LIMITS_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_LIMITS_H

#include "topology/machine.h"

#include <cstddef>
#include <string>

namespace nixlStripe {

constexpr std::size_t max_gpus = 512;             /**< 16 GPUs with 32 virtual functions each */
constexpr std::size_t max_nics = 4096;            /**< 16 ports of 255 virtual functions */
constexpr std::size_t max_net_interfaces = 8192;  /**< a node with thousands of pods */
constexpr std::size_t max_ports = 16384;          /**< of all NICs together */
constexpr std::size_t max_gids = 65536;           /**< of all ports together */
constexpr std::size_t max_pci_functions = 65536;  /**< what one PCI domain can have */
constexpr std::size_t max_pci_depth = 64;         /**< bridges above a function; real: 10 */
constexpr std::size_t max_numa_node_count = 1024; /**< what Linux can have */

/** Paths opened, tested or listed in one reading of a sysfs; 32 NICs and 16 GPUs take 4000. */
constexpr std::size_t max_sysfs_looks = std::size_t(1) << 20;

/**
 * @brief Refuses a count that is over its limit.
 * @param source Where the machine is read from. @param what "NICs". @param limit One of the above.
 * @throws std::invalid_argument "source: more than <limit> <what>; ...".
 */
void checkCount(const std::string &source, const char *what, std::size_t count, std::size_t limit);

/**
 * @brief Refuses a machine that is over any of the limits above, depth apart.
 * @throws std::invalid_argument as checkCount().
 */
void checkSize(const machine &host);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_LIMITS_H
