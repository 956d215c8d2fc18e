// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_PROCESS_SETTINGS_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_PROCESS_SETTINGS_H

#include "ucx/library.h"
#include "ucx/settings.h"

#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/**
 * @brief Options of UCS, which every UCX user of the process shares.
 */
class processSettings {
public:
    /**
     * @brief Sets the settings of scope PROCESS among @p settings; others are passed over.
     * @throws std::runtime_error naming key and value when this UCX refuses one; what was set
     *         before is put back.
     */
    processSettings(const ucxLibrary &ucx, const std::vector<ucxSetting> &settings);
    processSettings(const processSettings &) = delete;
    processSettings &operator=(const processSettings &) = delete;

    /** Puts the former values back unless keep() was called. */
    ~processSettings();

    /** The values stay for good. */
    void
    keep() {
        before_.clear();
    }

private:
    void putBack();

    const ucxLibrary &ucx_;
    std::vector<std::pair<std::string, std::string>> before_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_PROCESS_SETTINGS_H
