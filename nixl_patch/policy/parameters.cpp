// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/parameters.h"

#include <cmath>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace nixlStripe {

environment_t
processEnvironment() {
    environment_t snapshot;
    for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        const std::string_view name = text.substr(0, equals);
        if (equals != std::string_view::npos &&
            (name.substr(0, 4) == "UCX_" || name.substr(0, 9) == "NIXL_UCX_" ||
             name == "NCCL_TOPO_FILE")) {
            snapshot.emplace(name, text.substr(equals + 1));
        }
    }
    return snapshot;
}

parameterSet::parameterSet()
    : parameterSet({}, {}) {}

parameterSet::parameterSet(const std::map<std::string, std::string> &parameters,
                           const environment_t &environment) {
    for (const parameterInfo &info : parameter_table) {
        parameterValue &value = values_[static_cast<std::size_t>(info.id)];
        value.origin = info.key;
        if (const auto it = parameters.find(std::string(info.key));
            it != parameters.end() && !it->second.empty()) {
            value.text = it->second;
            continue;
        }
        if (const auto it = environment.find(std::string(info.variable));
            it != environment.end() && !it->second.empty()) {
            value.text = it->second;
            value.origin = info.variable;
        }
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
        throw std::invalid_argument(std::string(key) + "='" + text +
                                    "': accepted: 'spread', 'off', or '' for what stripe implies");
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
        throw std::invalid_argument(std::string(key) + "='" + text +
                                    "': accepted: a finite number >= 0 (Gbit/s), or '' for the "
                                    "fastest rate present");
    }
    return rate;
}

} // namespace nixlStripe
