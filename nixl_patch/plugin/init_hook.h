// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file init_hook.h
 * @brief Stands between the stock plugin and ucp_init_version.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_INIT_HOOK_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_INIT_HOOK_H

#include "plugin/operation_hooks.h"
#include "ucx/account.h"
#include "ucx/library.h"
#include "ucx/plan.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/**
 * @brief One create_engine call's wishes, handed to the hook on the same thread.
 *
 * While an object of this class lives, ucp_init_version calls of its thread get the plan's settings
 * applied, read back, and the opened devices compared. Calls of other threads are not touched, so
 * several engines with different values can be created at once.
 */
class initRequest {
public:
    explicit initRequest(const stripePlan &plan);
    initRequest(const initRequest &) = delete;
    initRequest &operator=(const initRequest &) = delete;
    ~initRequest();

    /** Whether ucp_init_version was called, and through the hook. */
    bool
    wasReached() const {
        return was_reached_;
    }

    /** What went wrong in the hook; "" when nothing did. */
    const std::string &
    error() const {
        return error_;
    }

    /** Settings that the loaded UCX does not know and that were therefore left out. */
    const std::vector<std::string> &
    unknownSettings() const {
        return unknown_settings_;
    }

    /** What the context hands to UCX, where the plan asks for metrics; else nullptr. */
    const std::shared_ptr<const account> &
    book() const {
        return book_;
    }

    /** Why there is no book() although the plan asks for metrics; "" when there is one. */
    const std::string &
    bookProblem() const {
        return book_problem_;
    }

    /** Settings in force, of those that the plan or NIXL makes; without UCX_. */
    const std::map<std::string, std::string> &
    settingsInForce() const {
        return settings_;
    }

    /** Why small buffers are left to UCX although the plan spreads them; "" when they are not. */
    const std::string &
    spreadProblem() const {
        return spread_problem_;
    }

    /** What the context's operations go through, to be kept until its engine is destroyed. */
    std::unique_ptr<openStages>
    takeStages() {
        return std::move(stages_);
    }

    /**
     * What ucp_init_version does for this request: settings, read-back, the real call, devices.
     * @return UCX's status, or an error status with error() set; never throws.
     */
    ucsStatus_t init(const ucxLibrary &ucx,
                     unsigned major,
                     unsigned minor,
                     const void *params,
                     void *config,
                     void **context);

private:
    void apply(const ucxLibrary &ucx, void *config);
    void readBack(const ucxLibrary &ucx, const void *config);
    void checkDevices(const ucxLibrary &ucx, const void *context);
    void openPath(const ucxLibrary &ucx, const void *context);
    std::unique_ptr<contextStage> spreadSmall(const ucxLibrary &ucx, const void *context);
    std::unique_ptr<contextStage> keepBook();

    const stripePlan &plan_;
    initRequest *outer_; /**< the request that was current before: create_engine could nest */
    bool was_reached_ = false;
    std::string error_;
    std::vector<std::string> unknown_settings_;
    std::string min_chunk_; /**< as UCX prints it; "" where it has none */
    std::map<std::string, std::string> settings_;
    std::shared_ptr<const account> book_;
    std::string book_problem_;
    std::string spread_problem_;
    std::unique_ptr<openStages> stages_;
};

/** The redirected import of the stock plugin. There is one in a process: its slots are global. */
class initHook {
public:
    /**
     * @brief Redirects the stock plugin's ucp_init_version.
     * @param stock Handle of the stock plugin.
     * @throws std::runtime_error saying what was not found; then nothing was changed.
     */
    static void install(void *stock);

    /** The UCX that the stock plugin calls; valid after install(). */
    static const ucxLibrary &ucx();
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_INIT_HOOK_H
