// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nic_sources.h
 * @brief The sources of one NIC, each tried by itself.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_NIC_SOURCES_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_NIC_SOURCES_H

#include "counters/slots.h"
#include "counters/sources.h"

#include <string>
#include <vector>

namespace nixlStripe {

/** What is known of a NIC before its counters are looked for. */
struct nicPlace {
    place_t place;
    std::string device;          /**< RDMA device, "" = an interface was named */
    std::vector<unsigned> ports; /**< those that count */
    std::string interface; /**< below the device, or the one that was named; "" = none to be had */
    std::string noInterface; /**< why there is none */
    bool isSoftware = false; /**< the kernel itself moves the data (Soft-RoCE) */
    std::string uverbs;      /**< uverbs0; "" = unknown */
};

sourceAnswer portCounters(const nicPlace &nic);
sourceAnswer driverCounters(const nicPlace &nic);
sourceAnswer netlinkCounters(const nicPlace &nic);
sourceAnswer ethtoolCounters(const nicPlace &nic);
sourceAnswer interfaceCounters(const nicPlace &nic);

/** Soft-RoCE's packets by queue pair times the MTU of its port. */
sourceAnswer queuePairCounters(const nicPlace &nic);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_NIC_SOURCES_H
