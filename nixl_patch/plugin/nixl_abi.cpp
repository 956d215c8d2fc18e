// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/nixl_abi.h"

#include <cstring>

namespace nixlStripe::abi {

bool
hasKnownLayout(const initParams *params) {
    const char *type = reinterpret_cast<const char *>(params) + offsetof(initParams, type);
    const char *text = nullptr;
    std::size_t size = 0;
    std::memcpy(&text, type, sizeof text);
    std::memcpy(&size, type + sizeof text, sizeof size);
    constexpr std::size_t in_place = sizeof text + sizeof size;
    return text == type + in_place && size == 3 && std::memcmp(text, "UCX", 4) == 0;
}

} // namespace nixlStripe::abi
