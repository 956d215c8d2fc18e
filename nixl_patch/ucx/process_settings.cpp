// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/process_settings.h"

#include <stdexcept>

namespace nixlStripe {

processSettings::processSettings(const ucxLibrary &ucx, const std::vector<ucxSetting> &settings)
    : ucx_(ucx) {
    for (const ucxSetting &setting : settings) {
        if (setting.scope != scope_t::PROCESS) {
            continue;
        }
        const std::string before = ucx.globalOption(setting.key);
        if (const ucsStatus_t status = ucx.setGlobalOption(setting.key, setting.value);
            status != ucs_ok) {
            putBack();
            throw std::runtime_error("UCX " + ucx.version() + " rejects " + setting.key + "='" +
                                     setting.value + "': " + ucx.statusText(status));
        }
        before_.emplace_back(setting.key, before);
    }
}

processSettings::~processSettings() {
    putBack();
}

void
processSettings::putBack() {
    for (const auto &[key, value] : before_) {
        ucx_.setGlobalOption(key, value);
    }
}

} // namespace nixlStripe
