// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_PACKED_BYTES_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_PACKED_BYTES_H

#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

namespace nixlStripe::testing {

using bytes_t = std::vector<std::uint8_t>;

/** A key of UCX's form for @p keys by domain; @p behind: the device, unknown as a rule, and
 *  distances. */
inline bytes_t
packed(const std::map<unsigned, bytes_t> &keys, const bytes_t &behind = {0xff}) {
    std::uint64_t domains = 0;
    for (const auto &[domain, key] : keys) {
        domains |= std::uint64_t{1} << domain;
    }
    bytes_t bytes(sizeof domains + 1);
    std::memcpy(bytes.data(), &domains, sizeof domains);
    for (const auto &[domain, key] : keys) {
        bytes.push_back(static_cast<std::uint8_t>(key.size()));
        bytes.insert(bytes.end(), key.begin(), key.end());
    }
    bytes.insert(bytes.end(), behind.begin(), behind.end());
    return bytes;
}

/** Four NICs and a domain of the host's own memory. */
inline const std::map<unsigned, bytes_t> &
fourNics() {
    static const auto &keys = *new std::map<unsigned, bytes_t>{{0, {}},
                                                               {5, {5, 5, 5, 5, 5, 5, 5, 5}},
                                                               {6, {6, 6, 6, 6, 6, 6, 6, 6}},
                                                               {7, {7, 7, 7, 7, 7, 7, 7, 7}},
                                                               {63, {8, 8, 8, 8, 8, 8, 8, 8}}};
    return keys;
}

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_PACKED_BYTES_H
