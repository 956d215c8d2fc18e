// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file measured_best.h
 * @brief `stripe=best` where a calibration has measured the sets of NICs.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_MEASURED_BEST_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_MEASURED_BEST_H

#include "policy/calibration.h"
#include "policy/usable.h"

#include <string>

namespace nixlStripe {

/**
 * @brief Leaves of @p usable the set that carried most; of sets within 1 % the one of fewest NICs.
 *
 * A set of which some NICs cannot be used now counts with the rest of them, each with the part of
 * the rate that it had: without the others it carries no less.
 *
 * @param memory PCI address of the GPU whose memory it is, "" = host memory.
 * @return False, and nothing is left out, where no set of these NICs was measured.
 */
bool keepMeasuredBest(const calibration &measured, const std::string &memory, usableNics &usable);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_MEASURED_BEST_H
