// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/engine_abi.h"

#include <cstring>

namespace nixlStripe::abi {
namespace {

    /** More than a process can have: a size that is none. */
    constexpr std::uint64_t absurd = std::uint64_t{1} << 47;

} // namespace

bool
isString(const void *text) {
    const char *self = static_cast<const char *>(text);
    std::uint64_t words[3] = {}; // where the text is, how long, room or the text itself
    std::memcpy(words, self, sizeof words);
    constexpr std::uint64_t in_place = 16;
    if (words[0] == reinterpret_cast<std::uintptr_t>(self + in_place)) {
        return words[1] < in_place;
    }
    return words[0] != 0 && words[1] <= words[2] && words[2] < absurd;
}

bool
isList(const metaList &list) {
    std::uint64_t words[3] = {}; // first, behind the last, behind the room
    std::memcpy(words, &list.items, sizeof words);
    return list.table != nullptr && words[0] <= words[1] && words[1] <= words[2] &&
           words[2] - words[0] < absurd && (words[1] - words[0]) % sizeof(metaDesc) == 0;
}

bool
isOptionalArgs(const optionalArgs &args) {
    unsigned char flag = 0;
    std::memcpy(&flag, &args.hasNotification, sizeof flag);
    return flag <= 1 && isString(&args.notification) && isString(&args.custom);
}

} // namespace nixlStripe::abi
