// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_POLICIES_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_POLICIES_H

#include "policy/stripe_spec.h"
#include "policy/usable.h"
#include "topology/machine.h"

namespace nixlStripe {

/**
 * @brief Leaves of @p usable what the policy or count of @p spec takes; the rest gets its reason.
 * @param host The machine that @p usable is from.
 * @param target The GPU that counts, one of competingGpus(@p host) under `fair` and `auto`; nullptr
 *        only where @p spec needs none.
 */
void
applyPolicy(const machine &host, const stripeSpec &spec, const gpu *target, usableNics &usable);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_POLICIES_H
