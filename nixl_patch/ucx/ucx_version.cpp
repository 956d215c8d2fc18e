// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/ucx_version.h"

#include <charconv>
#include <system_error>

namespace nixlStripe {

bool
isUcxSince(std::string_view version, unsigned major, unsigned minor) {
    const char *const end = version.data() + version.size();
    unsigned its_major = 0;
    unsigned its_minor = 0;
    const auto first = std::from_chars(version.data(), end, its_major);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.' ||
        std::from_chars(first.ptr + 1, end, its_minor).ec != std::errc()) {
        return false;
    }
    return its_major > major || (its_major == major && its_minor >= minor);
}

} // namespace nixlStripe
