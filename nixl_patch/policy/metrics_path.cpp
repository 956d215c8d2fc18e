// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/metrics_path.h"

#include "topology/text.h"

namespace nixlStripe {
namespace {

    constexpr std::string_view ending = ".prom";
    constexpr std::size_t max_length = 1024;

    bool
    endsAsItShould(std::string_view path) {
        const std::size_t name = path.rfind('/') + 1;
        return path.size() - name > ending.size() &&
               path.substr(path.size() - ending.size()) == ending;
    }

} // namespace

std::string
metricsPath(std::string_view key,
            const std::string &text,
            std::string_view process,
            std::string_view host) {
    if (text.empty()) {
        return "";
    }
    if (text.front() != '/' || text.size() > max_length || !endsAsItShould(text) ||
        text.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
        refuse(key, text, "", metrics_path_accepted);
    }
    std::string path;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            path += text[i];
            continue;
        }
        const char what = ++i < text.size() ? text[i] : '\0';
        if (what == 'p') {
            path += process;
        } else if (what == 'h') {
            path += host;
        } else if (what == '%') {
            path += '%';
        } else {
            refuse(key, text, "", metrics_path_accepted);
        }
    }
    return path;
}

void
checkMetricsPath(std::string_view key, const std::string &text) {
    metricsPath(key, text, "1", "host");
}

} // namespace nixlStripe
