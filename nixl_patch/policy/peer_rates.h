// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file peer_rates.h
 * @brief What CPUs carry of traffic between two PCIe devices, such as a GPU and a NIC.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_PEER_RATES_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_PEER_RATES_H

#include "topology/machine.h"

#include <limits>

namespace nixlStripe {

/**
 * Gbit/s, one way, of a GPU's traffic that no PCIe switch can turn round, but for besideNear. Host
 * memory pays none of this: its traffic ends in the CPU.
 */
struct peerRates {
    static constexpr double unlimited = std::numeric_limits<double>::infinity();

    /**
     * All that leaves a GPU's root port for other root ports.
     *
     * Measured on H100: a NIC across the host bridge carried 234 Gbit/s, two of them 117 each
     * (NVIDIA/nccl issue 2310). NCCL has no constant for it and lets no NIC across a host bridge
     * have GPU memory unless told to (src/graph/paths.cc, netGdrLevel = PATH_PXB).
     */
    double hostBridge = 234;

    /**
     * The part of its own rate that every NIC of a set carries, where some of the set are across
     * the host bridge and some are not.
     *
     * Measured on H100 with NICs of 400 Gbit/s: one near and one across the host bridge 70 each,
     * with heavy PFC (NVIDIA/nccl issue 2310); in another report four NICs of which one is near
     * 60 each (240 Gbit/s, against 336 of the near one alone: kvcache-ai/Mooncake issue 813).
     */
    double besideNear = 70.0 / 400;

    /** Between two NUMA nodes. */
    double betweenNodes = unlimited;
};

/** The rates of a host with such CPUs. */
peerRates peerRatesOf(const cpuType &cpu);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_PEER_RATES_H
