// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/parameters.h"

#include "policy/calibration_file.h"
#include "policy/device_spec.h"
#include "policy/kill_switch.h"
#include "policy/metrics_path.h"
#include "policy/nic_loss.h"
#include "policy/rails.h"
#include "policy/stripe_spec.h"
#include "topology/cuda_gpu.h"
#include "topology/text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <locale>
#include <sstream>
#include <unistd.h>

namespace nixlStripe {
namespace {

    constexpr std::string_view min_rate_accepted =
        "a finite number >= 0 (Gbit/s), or '' for the rate of the NICs that carry most";
    constexpr std::string_view small_accepted = "'spread', 'off', or '' for what stripe implies";

    std::string
    variableOf(std::string key) {
        std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
            return static_cast<char>(std::toupper(c));
        });
        return std::string(variable_prefix) + key;
    }

    std::vector<parameterInfo>
    makeTable() {
        std::vector<parameterInfo> table = {
            {parameter_t::MAX_RMA_RAILS,
             "max_rma_rails",
             acceptedRails(),
             "NICs per RMA operation; 'auto' is the size of the NIC set, '' the stock behaviour",
             [](std::string_view key, const std::string &text) { parseRails(key, text); }},
            {parameter_t::STRIPE,
             "stripe",
             acceptedStripe(),
             "which NICs; implies max_rma_rails=auto and the settings that make UCX use them all",
             [](std::string_view key, const std::string &text) { parseStripe(key, text); }},
            {parameter_t::STRIPE_GPU,
             "stripe_gpu",
             std::string(gpu_accepted),
             "GPU whose affinity counts; '' is the calling thread's current CUDA context",
             [](std::string_view key, const std::string &text) { checkGpuText(key, text); }},
            {parameter_t::STRIPE_MIN_RATE_GBPS,
             "stripe_min_rate_gbps",
             std::string(min_rate_accepted),
             "usable NICs have at least this port rate in Gbit/s; '' is the rate of the NICs that "
             "carry most",
             [](std::string_view key, const std::string &text) { parseMinRate(key, text); }},
            {parameter_t::STRIPE_CALIBRATION,
             "stripe_calibration",
             std::string(calibration_accepted),
             "what `nixl-stripe tune` measured, for stripe=best; '' is "
             "nixl-stripe/calibration below XDG_CONFIG_HOME or ~/.config, then below /etc",
             [](std::string_view key, const std::string &text) {
                 checkCalibrationPath(key, text);
             }},
            {parameter_t::STRIPE_SMALL,
             "stripe_small",
             std::string(small_accepted),
             "buffers too small for UCX to divide evenly: 'spread' (what stripe implies) moves "
             "each through one NIC, the least used of its batch (RDMA); 'off' leaves all of them "
             "to the first NICs",
             [](std::string_view key, const std::string &text) { parseSmall(key, text); }},
            {parameter_t::STRIPE_METRICS,
             "stripe_metrics",
             std::string(metrics_path_accepted),
             "file into which the process writes, every two seconds, what each agent planned and "
             "handed to UCX for each NIC, for `nixl-stripe export --agents`",
             [](std::string_view key, const std::string &text) { checkMetricsPath(key, text); }},
            {parameter_t::ON_NIC_LOSS,
             "on_nic_loss",
             std::string(nic_loss_accepted),
             "what happens when a NIC dies in a transfer: 'error' as in stock NIXL; 'failover' "
             "lets UCX send again what was lost (UCX >= 1.22, RDMA, both ends; not offered yet); "
             "'resume' sends the rest again through a second backend on the NICs that are left "
             "(UCX >= 1.22, TCP, the peer may be stock); 'auto' is 'resume' over "
             "TCP where this NIXL can, else 'error'",
             [](std::string_view key, const std::string &text) { parseNicLoss(key, text); }},
            {parameter_t::DEVICE_LIST,
             "device_list",
             std::string(device_list_accepted),
             "explicit devices, verified to exist, network interfaces too; wins over stripe's "
             "choice",
             [](std::string_view key, const std::string &text) { parseDeviceList(key, text); }},
        };
        for (parameterInfo &info : table) {
            info.variable = variableOf(info.key);
            info.isInStock = info.id == parameter_t::DEVICE_LIST;
        }
        return table;
    }

    /** @return @p name's text in @p values; "" where it has none. */
    std::string
    textOf(const std::string &name, const std::map<std::string, std::string> &values) {
        const auto it = values.find(name);
        return it == values.end() ? "" : it->second;
    }

} // namespace

environment_t
processEnvironment() {
    environment_t snapshot;
    for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        const std::string_view name = text.substr(0, equals);
        if (equals != std::string_view::npos &&
            (name.substr(0, 4) == "UCX_" ||
             name.substr(0, variable_prefix.size()) == variable_prefix ||
             name == "NCCL_TOPO_FILE" || name == "HOME" || name == "XDG_CONFIG_HOME" ||
             name == kill_switch || name == experiments_variable)) {
            snapshot.emplace(name, text.substr(equals + 1));
        }
    }
    return snapshot;
}

const std::vector<parameterInfo> &
parameterTable() {
    // Never destroyed: an engine may be made while the process ends.
    static const auto &table = *new std::vector<parameterInfo>(makeTable());
    return table;
}

parameterSet::parameterSet()
    : parameterSet({}, {}) {}

parameterSet::parameterSet(const std::map<std::string, std::string> &parameters,
                           const environment_t &environment) {
    const bool is_disabled = !disabledBy(environment).empty();
    for (const parameterInfo &info : parameterTable()) {
        parameterValue value = {is_disabled ? "" : textOf(info.key, parameters), info.key, false};
        if (!is_disabled && !value.isSet()) {
            value.text = textOf(info.variable, environment);
            value.isOfVariable = value.isSet();
            value.origin = value.isSet() ? info.variable : info.key;
        }
        if (value.isSet()) {
            info.check(value.origin, value.text);
        }
        values_.push_back(std::move(value));
    }
}

bool
parameterSet::anySet() const {
    for (const parameterValue &value : values_) {
        if (value.isSet()) {
            return true;
        }
    }
    return false;
}

std::optional<bool>
parseSmall(std::string_view key, const std::string &text) {
    if (text.empty()) {
        return std::nullopt;
    }
    if (text != "spread" && text != "off") {
        refuse(key, text, "", small_accepted);
    }
    return text == "spread";
}

double
parseMinRate(std::string_view key, const std::string &text) {
    // Not strtod: it follows the host program's locale and takes hexadecimal, "nan" and "inf".
    std::istringstream stream(text);
    stream.imbue(std::locale::classic());
    double rate = 0;
    const bool decimal = text.find_first_not_of("0123456789.eE+-") == std::string::npos;
    if (!decimal || !(stream >> rate) || !stream.eof() || !std::isfinite(rate) || rate < 0) {
        refuse(key, text, "", min_rate_accepted);
    }
    return rate;
}

} // namespace nixlStripe
