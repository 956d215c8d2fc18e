// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_PASS_THROUGH_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_PASS_THROUGH_H

namespace nixlStripe {

/**
 * @brief Whether NIXL_STRIPE_DISABLE is on now (kill_switch.h); one line in the log says so.
 *
 * Asked before anything is hooked or wrapped, and before each engine: a process that sets the
 * variable late gets stock engines from then on.
 */
bool passesThrough();

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_PASS_THROUGH_H
