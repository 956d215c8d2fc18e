// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file resuming.h
 * @brief Engines with on_nic_loss=resume: how they and their spares are made.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_RESUMING_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_RESUMING_H

#include "plugin/nixl_abi.h"
#include "recovery/resume_engine.h"
#include "ucx/plan.h"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace nixlStripe {

/** How a backend is created and destroyed: the plugin's own way, without resuming. */
struct backendMaker {
    std::function<abi::engine *(abi::initParams *)> make;
    std::function<void(abi::engine *)> destroy;
};

/**
 * @brief What NIXL handed to create_engine, kept for a second engine.
 *
 * NIXL's struct is longer than is known (nixl_abi.h): behind the members that are, it holds
 * numbers alone, which are kept as they are. problem() looks whether they can be those.
 */
class initCopy {
public:
    explicit initCopy(const abi::initParams &init);

    /** Why the struct cannot be kept; "" when it can. */
    static std::string problem(const abi::initParams &init);

    /** Makes an engine that differs by @p params alone. */
    abi::engine *make(const backendMaker &maker, abi::params_t params) const;

    const abi::params_t &
    params() const {
        return params_;
    }

    const std::string &
    agent() const {
        return agent_;
    }

private:
    /** NIXL 1.4 and 1.5, whose struct it is. */
    static constexpr std::size_t size = 96;
    static constexpr std::size_t known = sizeof(abi::initParams);

    const std::string agent_;
    const std::string type_;
    const abi::params_t params_;
    std::array<unsigned char, size - known> behind_{};
};

/**
 * @brief Why engines of this NIXL cannot resume, as far as it shows before one is made; "" they
 * may.
 * @param given Backend parameters.
 */
std::string resumeProblem(const abi::initParams &init,
                          const abi::params_t &given,
                          const std::string &ucx_version);

/** @throws std::invalid_argument saying that `resume`, asked for by its name, cannot be had. */
[[noreturn]] void refuseToResume(const std::string &problem);

/**
 * @brief Makes @p engine resume its transfers for as long as the answer lives.
 * @param stock Handle of the stock plugin.
 * @param init What the engine was made from.
 * @param losses Where it is written down that transfers went on without a NIC.
 * @throws std::runtime_error saying why it cannot; then it is as it was.
 */
std::unique_ptr<resumeEngine> resumingOf(void *stock,
                                         abi::engine *engine,
                                         const abi::initParams &init,
                                         const stripePlan &plan,
                                         backendMaker maker,
                                         std::shared_ptr<lossBook> losses);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_RESUMING_H
