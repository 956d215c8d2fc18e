// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/text.h"

namespace nixlStripe {

void
append(std::string &list, std::string_view item, std::string_view separator) {
    if (!list.empty()) {
        list += separator;
    }
    list += item;
}

std::string
quoted(std::string_view text) {
    std::string result = "'";
    result += text;
    result += "'";
    return result;
}

std::string
assignment(std::string_view key, std::string_view value) {
    return std::string(key) + "=" + quoted(value);
}

std::string
refusalText(std::string_view key,
            std::string_view value,
            std::string_view reason,
            std::string_view accepted) {
    std::string text = assignment(key, value) + ": ";
    text += reason;
    if (!accepted.empty()) {
        text += reason.empty() ? "accepted: " : "; accepted: ";
        text += accepted;
    }
    return text;
}

} // namespace nixlStripe
