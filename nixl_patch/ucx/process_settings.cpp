// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/process_settings.h"

#include "topology/never_destroyed.h"
#include "topology/text.h"

#include <map>
#include <mutex>
#include <stdexcept>

namespace nixlStripe {
namespace {

    struct heldOption {
        unsigned users = 0;
        std::string before; /**< "" when this UCS could not say */
    };

    std::mutex held_mutex;

    std::map<std::string, heldOption> &
    heldOptions() {
        static neverDestroyed<std::map<std::string, heldOption>> options;
        return *options;
    }

} // namespace

processSettings::processSettings(const ucxLibrary &ucx, const std::vector<ucxSetting> &settings)
    : ucx_(ucx) {
    for (const ucxSetting &setting : settings) {
        if (setting.scope != scope_t::PROCESS) {
            continue;
        }
        const std::unique_lock<std::mutex> lock(held_mutex);
        const std::string before = ucx.globalOption(setting.key);
        const ucsStatus_t status = ucx.setGlobalOption(setting.key, setting.value);
        if (status == ucs_ok) {
            heldOption &option = heldOptions()[setting.key];
            if (option.users++ == 0) {
                option.before = before;
            }
            held_.push_back(setting.key);
            continue;
        }
        release();
        throw std::runtime_error("UCX " + ucx.version() + " rejects " +
                                 assignment(setting.key, setting.value) + ": " +
                                 ucx.statusText(status));
    }
}

processSettings::~processSettings() {
    const std::lock_guard<std::mutex> lock(held_mutex);
    release();
}

void
processSettings::release() {
    for (const std::string &key : held_) {
        heldOption &option = heldOptions()[key];
        if (--option.users == 0 && !option.before.empty()) {
            ucx_.setGlobalOption(key, option.before);
        }
    }
    held_.clear();
}

} // namespace nixlStripe
