// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_PROCESS_SETTINGS_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_PROCESS_SETTINGS_H

#include "ucx/library.h"
#include "ucx/settings.h"

#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief Options of UCS, which every UCX user of the process shares, in force for a while.
 *
 * UCX reads them while a worker is made, at each new connection and at the first transfer of each
 * kind, so an object has to live as long as its engine. Several objects may live at once, on
 * several threads: the first one to set an option remembers what was there, the last one puts it
 * back.
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
    ~processSettings();

private:
    void release();

    const ucxLibrary &ucx_;
    std::vector<std::string> held_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_PROCESS_SETTINGS_H
