// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file physical_ports.h
 * @brief Which devices are of one physical port, and which of them stands for it.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_PHYSICAL_PORTS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_PHYSICAL_PORTS_H

#include "policy/usable_rules.h"

#include <string>
#include <vector>

namespace nixlStripe {

/** The PCI function whose port a device uses; "" = none is known. */
const std::string &functionOf(const rdmaNic &nic);

/** The bond whose RoCE LAG device @p nic is; "" = it is none. */
std::string bondOfDevice(const rdmaNic &nic);

/** A software device (Soft-RoCE), which hangs off an interface. */
bool isSoftware(const rdmaNic &nic);

/**
 * @brief One device for each physical port.
 *
 * Of one port are a function, its virtual and scalable functions, and Soft-RoCE on its interface; a
 * RoCE LAG device and all that for each port of its bond. Of those that peers reach best one
 * stands for the port: hardware before software, the function itself before its virtual ones, then
 * the lowest PCI address.
 */
std::vector<std::string> judgeSharedPort(const scene &at, candidates &nics);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_PHYSICAL_PORTS_H
