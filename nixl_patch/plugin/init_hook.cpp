// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/init_hook.h"

#include "plugin/import_slot.h"
#include "plugin/operation_hooks.h"
#include "topology/never_destroyed.h"
#include "topology/source.h"
#include "topology/text.h"
#include "ucx/forecast.h"
#include "ucx/settings.h"
#include "ucx/values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr const char *hooked_function = "ucp_init_version";

    /**
     * UCX prints a value into a buffer of 128 bytes, of which it gives its own functions 127: of a
     * longer one 126 characters can be read, or one more where a list is cut behind a comma.
     */
    constexpr std::size_t printed_bytes = 126;

    /** Whether UCX has @p given, as far as it can print it; checkDevices() sees the rest. */
    bool
    isReadBack(const std::string &given, const std::string &printed) {
        const std::optional<double> time = ucxTime(given); // "5s" is printed as "5000000.00us"
        constexpr double nanosecond = 1e-9;
        if (const std::optional<double> now = ucxTime(printed);
            time && now && std::abs(*time - *now) < nanosecond) {
            return true;
        }
        return given == printed ||
               (printed.size() >= printed_bytes && given.compare(0, printed.size(), printed) == 0);
    }

    std::unique_ptr<contextStage>
    failoverOf(const void *context, bool is_gated) {
        try {
            return operationHooks::failoverFor(context, is_gated);
        } catch (const std::exception &reason) {
            throw std::runtime_error(
                refusalText("on_nic_loss", "failover", reason.what(), "'error', 'auto'"));
        }
    }

    thread_local initRequest *current_request = nullptr;

    /** Lives as long as the process: the stock plugin may call through the slot at any time. */
    std::unique_ptr<ucxLibrary> &
    hookedUcx() {
        static neverDestroyed<std::unique_ptr<ucxLibrary>> library;
        return *library;
    }

} // namespace

initRequest::initRequest(const stripePlan &plan)
    : plan_(plan)
    , outer_(current_request) {
    current_request = this;
}

initRequest::~initRequest() {
    current_request = outer_;
}

void
initRequest::apply(const ucxLibrary &ucx, void *config) {
    const auto known = ucx.settings(config);
    for (const ucxSetting &setting : plan_.settings) {
        if (setting.scope == scope_t::PROCESS) {
            continue; // processSettings holds those
        }
        if (known.count(setting.key) == 0 && !setting.isTransports) {
            unknown_settings_.push_back(setting.key);
            continue;
        }
        const ucsStatus_t status = ucx.modify(config, setting.key, setting.value);
        if (status != ucs_ok) {
            throw std::runtime_error("UCX " + ucx.version() + " rejects " +
                                     assignment(setting.key, setting.value) + ": " +
                                     ucx.statusText(status));
        }
    }
    if (plan_.rails != 0 && known.count("MAX_RMA_RAILS") == 0) {
        throw std::runtime_error("UCX " + ucx.version() + " has no MAX_RMA_RAILS");
    }
}

void
initRequest::readBack(const ucxLibrary &ucx, const void *config) {
    const auto now = ucx.settings(config);
    for (const ucxSetting &setting : plan_.settings) {
        const auto it = now.find(setting.key);
        if (setting.scope == scope_t::CONTEXT && it != now.end() &&
            !isReadBack(setting.value, it->second)) {
            throw std::runtime_error("UCX " + ucx.version() + " was given " +
                                     assignment(setting.key, setting.value) + " and reads back " +
                                     quoted(it->second));
        }
    }
    capacityRequest capacity = plan_.capacity;
    if (const auto it = now.find("TLS"); it != now.end()) {
        capacity.tls = it->second; // a ucx.conf's too; UCX ends a longer value than it can print
    }
    const bool is_whole = capacity.tls.size() < printed_bytes;
    if (const std::string reason = whyTooMany(capacityOf(capacity)); is_whole && !reason.empty()) {
        throw std::runtime_error(reason);
    }
    if (const auto it = now.find("MIN_RMA_CHUNK_SIZE"); it != now.end()) {
        min_chunk_ = it->second;
    }
    for (const settingRule &rule : settingTable()) {
        if (const auto it = now.find(std::string(rule.key)); it != now.end()) {
            settings_[it->first] = it->second;
        }
    }
}

/** Small buffers that are not spread are a loss, no error; nullptr then. */
std::unique_ptr<contextStage>
initRequest::spreadSmall(const ucxLibrary &ucx, const void *context) {
    spread_problem_ = operationHooks::problem();
    if (!spread_problem_.empty()) {
        return nullptr;
    }
    const std::optional<double> chunk = ucxChunk(min_chunk_);
    if (!chunk || !std::isfinite(*chunk)) {
        spread_problem_ = min_chunk_.empty() ? "UCX " + ucx.version() + " has no MIN_RMA_CHUNK_SIZE"
                                             : "MIN_RMA_CHUNK_SIZE is " + quoted(min_chunk_);
        return nullptr;
    }
    return operationHooks::smallSpreadFor(context, static_cast<std::size_t>(*chunk));
}

std::unique_ptr<contextStage>
initRequest::keepBook() {
    book_.reset();
    book_problem_ = operationHooks::problem();
    if (!book_problem_.empty()) {
        return nullptr;
    }
    std::map<std::string, double> rates;
    for (const lanePort &port : lanePorts(readMachine("/sys"), std::nullopt)) {
        rates[port.device] = port.bandwidth;
    }
    // Without the setting, as in UCX before 1.20, a buffer is divided whatever its size.
    const double chunk = ucxChunk(min_chunk_).value_or(0);
    const std::size_t bytes = std::isfinite(chunk) ? static_cast<std::size_t>(chunk)
                                                   : std::numeric_limits<std::size_t>::max();
    auto book = std::make_shared<account>(rates, bytes, plan_.rails);
    book_ = book;
    return std::make_unique<accountStage>(std::move(book));
}

void
initRequest::openPath(const ucxLibrary &ucx, const void *context) {
    operationPath::stages_t stages;
    requests_t requests = requests_t::LEFT_ALONE;
    if (plan_.spreadsSmall) {
        stages.push_back(spreadSmall(ucx, context));
    }
    if (plan_.metrics.isSet()) {
        stages.push_back(keepBook());
    }
    if (plan_.onNicLoss == nicLoss_t::FAILOVER) {
        stages.push_back(failoverOf(context, plan_.isGated));
        requests = plan_.isGated ? requests_t::GATED : requests_t::LEFT_ALONE;
    }
    stages.erase(std::remove(stages.begin(), stages.end(), nullptr), stages.end());
    if (!stages.empty()) {
        stages_.reset(); // of an earlier context, which may have had the same address
        stages_ = std::make_unique<openStages>(context, std::move(stages), requests);
    }
}

void
initRequest::checkDevices(const ucxLibrary &ucx, const void *context) {
    if (plan_.devices.empty()) {
        return;
    }
    const std::set<std::string> opened = ucx.devices(context);
    std::string missing;
    for (const std::string &device : plan_.devices) {
        if (opened.count(device) == 0) {
            append(missing, device);
        }
    }
    if (missing.empty()) {
        return;
    }
    throw std::runtime_error("UCX did not open " + missing + "; it opened: " + joined(opened) +
                             " (is UCX_TLS too narrow, or the device down?)");
}

ucsStatus_t
initRequest::init(const ucxLibrary &ucx,
                  unsigned major,
                  unsigned minor,
                  const void *params,
                  void *config,
                  void **context) {
    was_reached_ = true;
    // Nothing may be thrown through UCX's inline function into NIXL: status and text instead.
    try {
        if (config == nullptr) {
            throw std::runtime_error("NIXL initialises UCX without a configuration");
        }
        apply(ucx, config);
        readBack(ucx, config);
    } catch (const std::exception &problem) {
        error_ = problem.what();
        return ucs_err_invalid_param;
    }
    const ucsStatus_t status = ucx.initVersion()(major, minor, params, config, context);
    if (status != ucs_ok) {
        error_ = "UCX " + ucx.version() +
                 " does not initialise with these settings: " + ucx.statusText(status);
        return status;
    }
    try {
        checkDevices(ucx, *context);
        openPath(ucx, *context);
    } catch (const std::exception &problem) {
        error_ = problem.what();
        ucx.cleanup(*context);
        *context = nullptr;
        return ucs_err_no_device;
    }
    return ucs_ok;
}

namespace {

    ucsStatus_t
    hookedInit(
        unsigned major, unsigned minor, const void *params, const void *config, void **context) {
        const ucxLibrary &ucx = initHook::ucx();
        if (current_request == nullptr) {
            return ucx.initVersion()(major, minor, params, config, context);
        }
        // The stock plugin owns this configuration, fills it in and releases it: ours to change.
        return current_request->init(
            ucx, major, minor, params, const_cast<void *>(config), context);
    }

} // namespace

void
initHook::install(void *stock) {
    importSlots slots = findImport(stock, hooked_function);
    const auto real = reinterpret_cast<ucpInitVersion_t>(slots.target());
    if (real == hookedInit) {
        return;
    }
    hookedUcx() = std::make_unique<ucxLibrary>(real); // before the first call can come
    slots.redirect(reinterpret_cast<void *>(&hookedInit));
    operationHooks::find(stock, *hookedUcx());
}

const ucxLibrary &
initHook::ucx() {
    return *hookedUcx();
}

} // namespace nixlStripe
