// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/peer_rates.h"

namespace nixlStripe {
namespace {

    /**
     * What NCCL takes for the link between two NUMA nodes, in GB/s: the constants that end in
     * QPI_BW, ZPI_BW, AMD_BW, P9_BW and ARM_BW of src/graph/topo.h, for the CPUs that
     * ncclTopoGetInterCpuBw and ncclTopoAddCpu of src/graph/topo.cc tell apart.
     */
    double
    gigabytesBetweenNodes(const cpuType &cpu) {
        constexpr unsigned core = 6; // the family of every Intel CPU that has GPUs beside it
        constexpr unsigned emerald_rapids = 0xcf;
        constexpr unsigned sapphire_rapids = 0x8f;
        constexpr unsigned skylake = 0x55;
        switch (cpu.kind) {
        case cpuKind_t::INTEL:
            return cpu.family != core             ? 6
                   : cpu.model >= emerald_rapids  ? 40
                   : cpu.model >= sapphire_rapids ? 22
                   : cpu.model >= skylake         ? 10
                                                  : 6;
        case cpuKind_t::AMD:
            return 16;
        case cpuKind_t::ZHAOXIN:
            return cpu.family == 7 && cpu.model == 0x5b ? 9 : 6; // Yongfeng
        case cpuKind_t::POWER:
            return 32;
        case cpuKind_t::ARM:
            return 6;
        case cpuKind_t::UNKNOWN:
            break;
        }
        return peerRates::unlimited;
    }

} // namespace

peerRates
peerRatesOf(const cpuType &cpu) {
    constexpr double bits = 8;
    peerRates rates;
    rates.betweenNodes = gigabytesBetweenNodes(cpu) * bits;
    return rates;
}

} // namespace nixlStripe
