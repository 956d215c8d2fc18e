// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file cpu_type.h
 * @brief Which CPUs a host has, as far as it matters for traffic between PCIe devices.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_CPU_TYPE_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_CPU_TYPE_H

#include "topology/machine.h"

#include <string_view>

namespace nixlStripe {

/**
 * @brief The CPU of sysfs' `devices/system/cpu/modalias`, "cpu:type:x86,ven0000fam0006mod008F:...".
 *
 * The numbers of vendors are the kernel's X86_VENDOR_* (arch/x86/include/asm/processor.h). UNKNOWN
 * from any other text.
 */
cpuType cpuFromModalias(std::string_view text);

/**
 * @brief The CPU of the words that NCCL's topology file and hwloc use.
 * @param arch "x86_64", "arm64", "ppc64"; hwloc: "aarch64", "ppc64le"; "" = unknown.
 * @param vendor "GenuineIntel", "AuthenticAMD", "  Shanghai  ", as CPUID has them.
 * @param family, model Decimal, as in /proc/cpuinfo; "" = unknown.
 */
cpuType cpuFromWords(std::string_view arch,
                     std::string_view vendor,
                     std::string_view family,
                     std::string_view model);

/** "intel", "amd", "zhaoxin", "arm", "power" or "unknown". */
const char *cpuKindName(cpuKind_t kind);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_CPU_TYPE_H
