// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file policies.h
 * @brief The policies of `stripe`: the one table behind parsing, help, docs and error texts.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_POLICIES_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_POLICIES_H

#include "policy/calibration.h"
#include "policy/usable.h"
#include "topology/machine.h"

#include <string_view>
#include <vector>

namespace nixlStripe {

/** Which GPU a choice of NICs depends on. */
enum class gpuNeed_t {
    NONE,
    WELCOME,   /**< one of the machine, or none: then it is host memory's choice */
    ANY,       /**< one of the machine */
    COMPETING, /**< one that NICs are dealt out to, competingGpus (fair.h) */
};

/** What a policy chooses by. */
struct policyScene {
    const machine &host;
    const gpu *target = nullptr;           /**< the GPU that gpuNeed says */
    const calibration *measured = nullptr; /**< of a machine that may be another; nullptr: none */
};

/** One policy. A new one is a row of policyTable() and its function. */
struct policyInfo {
    std::string_view word;
    gpuNeed_t gpuNeed;
    /**
     * Leaves of the usable NICs of the machine what the policy takes; the rest gets its reason.
     * The scene's GPU is nullptr only with NONE and WELCOME. No function:
     * striping is off.
     */
    void (*narrow)(const policyScene &scene, usableNics &usable);
    std::string_view meaning;      /**< one line, for docs and help */
    bool readsCalibration = false; /**< goes by what was measured, where something was */

    bool
    needsGpu() const {
        return gpuNeed == gpuNeed_t::ANY || gpuNeed == gpuNeed_t::COMPETING;
    }
};

/** Every policy, in the order of the documents. */
const std::vector<policyInfo> &policyTable();

/** The policy that is called @p word; nullptr when there is none. */
const policyInfo *findPolicy(std::string_view word);

/**
 * @brief Leaves the first @p count of @p usable: the nearest to @p target, then natural order.
 * @param target nullptr: natural order alone.
 */
void keepCount(const machine &host, const gpu *target, unsigned count, usableNics &usable);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_POLICIES_H
