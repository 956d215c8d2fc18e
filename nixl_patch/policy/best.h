// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file best.h
 * @brief `stripe=best`: the set of NICs that carries most, never worse than the best NIC alone.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_BEST_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_BEST_H

#include "policy/policies.h"

namespace nixlStripe {

/**
 * @brief Leaves of @p usable the set that carries most when UCX divides each buffer over it
 *        (linkModel::evenRate); the rest gets its reason, with numbers.
 *
 * Of sets that carry the same the one of fewest NICs is taken, then that of the nearest ones, then
 * that of the GPU's own share of the host's NICs (dealNics), so that GPUs of one switch do not all
 * take its first NIC. Where a NIC does not tell its port's rate, the one of most near NICs is taken
 * instead, and every NIC where no rate of anything is known.
 *
 * With NICs of one rate and paths that form a tree, as PCIe has them, no set carries more; with
 * other ones no set does that differs by one NIC.
 *
 * What was measured on this machine (whyNotOf) beats what its links say: sets that were measured
 * from this memory (keepMeasuredBest), else what each NIC carried alone from host memory. A
 * calibration that does not hold for it is not used, and a warning says why.
 *
 * @param scene Its GPU's memory it is; nullptr: host memory. Where the machine has GPUs and none is
 *        known, a warning says that it is host memory.
 */
void keepBest(const policyScene &scene, usableNics &usable);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_BEST_H
