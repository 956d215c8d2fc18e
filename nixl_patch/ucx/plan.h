// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file plan.h
 * @brief From parameters, environment and machine to NICs, rails and UCX settings: the one function
 *        that the plugin and Python both call.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_PLAN_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_PLAN_H

#include "policy/calibration_file.h"
#include "policy/nic_loss.h"
#include "policy/parameters.h"
#include "topology/machine.h"
#include "ucx/capacity.h"
#include "ucx/settings.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {

/** Everything that a plan depends on. The two functions are called only when they are needed. */
struct planInputs {
    parameterSet parameters;
    environment_t environment;
    /** Settings in NIXL's `engine_config` of the same backend, without UCX_. */
    std::map<std::string, std::string> engineConfig;
    bool isSpare = false; /**< for a backend that goes on with the NICs that another one has left */
    std::string noResume; /**< see nicLossFacts */
    std::function<machine()> readHost;
    /**
     * PCI address for a `stripe_gpu` value, which came from the parameter or variable `key`.
     * @return nothing when the value is "" and no CUDA context is current.
     */
    std::function<std::optional<std::string>(const std::string &key, const std::string &text)>
        findGpu;
    /** Only for a policy that goes by measurements. */
    calibrationReader_t readCalibrationAt = readCalibrationFile;
};

struct stripePlan {
    bool active = false; /**< false: nothing was asked for, or no NIC is usable; stock behaviour */
    bool isStriped = false;    /**< `stripe` is in force: all settings, not only what was named */
    bool spreadsSmall = false; /**< buffers that UCX cannot divide evenly take turns at the NICs */
    parameterValue metrics;    /**< `stripe_metrics`, also where `active` is false */
    nicLoss_t onNicLoss = nicLoss_t::ERROR; /**< what is in force; never AUTO */
    bool choosesNicLoss = false;            /**< AUTO was asked for */
    bool isGated = true; /**< with FAILOVER: nothing counts as complete before all of it is */
    std::vector<std::string>
        devices;        /**< for NET_DEVICES, in order; empty: devices are left alone */
    unsigned rails = 0; /**< MAX_RMA_RAILS; 0: left alone */
    std::optional<std::string> gpuPci;             /**< GPU whose affinity counted */
    std::map<std::string, std::string> excluded;   /**< NIC -> reason */
    std::map<std::string, std::string> excludedBy; /**< NIC -> rule, as in selection */
    std::shared_ptr<const calibration> measured;   /**< what was gone by; none: nullptr */
    std::vector<ucxSetting> settings;              /**< what will be applied */
    std::vector<std::string> warnings;             /**< for the user, one line each */
    capacityRequest capacity;                      /**< what is opened, for capacityOf */
    std::vector<std::string> kept; /**< settings of the user's own that were respected */
    /** UCX_MODULES that leaves out what this host has no use for, see unusedModules(); or "". */
    std::string modules;
};

/**
 * @brief UCX_MODULES without the modules that load the system's libefa and librdmacm.
 *
 * NIXL's wheels bundle neither of the two. The system's come with a second libibverbs and a second
 * libnl-route beside the wheel's own, and the process then dies in a destructor of libnl-route when
 * it exits. NIXL connects by worker addresses, never through the RDMA connection manager, and
 * without an EFA the first has nothing to open.
 *
 * @return "" where @p host has an EFA, which needs its library.
 */
std::string unusedModules(const machine &host);

/**
 * @brief Works out a plan.
 *
 * Precedence per key: backend parameter, then NIXL_UCX_<KEY>, then UCX_<KEY>, then stock. A number
 * in `max_rma_rails` beats UCX_MAX_RMA_RAILS, `auto` (also the one that `stripe` implies) respects
 * it. NET_DEVICES of a plan beats UCX_NET_DEVICES. What is overridden stands in one warning. Every
 * other setting that the user made himself (UCX_<KEY>, engine_config) is respected and reported.
 *
 * @throws std::invalid_argument naming key, value and what is accepted: a bad value, a device that
 *         does not exist, a GPU that is needed and not known, an engine_config entry that
 *         contradicts a parameter, more rails than max_rails.
 */
stripePlan makePlan(const planInputs &inputs);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_PLAN_H
