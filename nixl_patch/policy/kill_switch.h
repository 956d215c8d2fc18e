// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_KILL_SWITCH_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_KILL_SWITCH_H

#include <map>
#include <string>

namespace nixlStripe {

/** The operator's switch: set, the patched plugin is the stock one, whatever else is given. */
constexpr const char *kill_switch = "NIXL_STRIPE_DISABLE";

/**
 * @brief Whether the kill switch is on, and how that is said.
 *
 * Off are "", "0", "false", "no" and "off" in any case. Everything else is on: a slip in an
 * emergency must not leave striping running.
 *
 * @param environment Variables by name.
 * @return "disabled by NIXL_STRIPE_DISABLE='1'", with what is accepted behind it for another word
 *         than "1", "true", "yes" and "on"; "" when the switch is off.
 */
std::string disabledBy(const std::map<std::string, std::string> &environment);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_KILL_SWITCH_H
