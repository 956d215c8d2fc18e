// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_DEVICE_SPEC_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_DEVICE_SPEC_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** A device as a user names it: `mlx5_0`, `mlx5_0:1`, `eth0`. */
struct deviceSpec {
    std::string name;
    std::optional<unsigned> port; /**< 1..255, as written behind the colon */

    /** `name` or `name:port`, the spelling that was parsed. */
    std::string text() const;

    bool
    operator==(const deviceSpec &other) const {
        return name == other.name && port == other.port;
    }
};

/** What `device_list` takes, for errors and docs. */
constexpr std::string_view device_list_accepted =
    "device names with an optional :port, separated by commas and/or spaces, e.g. 'mlx5_0:1, "
    "mlx5_1', ''";

/**
 * @brief Parses names with optional `:port`, separated by commas and/or white space.
 * @param key Parameter or variable the text came from; named in errors.
 * @param text The list; empty gives an empty result.
 * @throws std::invalid_argument naming key, value and what is accepted: a character that no device
 *         name has, an empty name, a port that is not 1..255, the same entry twice (`d` and `d:1`
 *         are two different entries, since a port left out is for the caller to fill in), or
 *         separators and nothing else.
 */
std::vector<deviceSpec> parseDeviceList(std::string_view key, std::string_view text);

/**
 * @brief The same for a list that is part of a larger grammar.
 * @param text The whole value, for errors.
 * @param entries The part of it that holds the entries.
 * @param accepted What the key takes, for errors.
 * @return Empty where there are only separators.
 * @throws std::invalid_argument as parseDeviceList otherwise.
 */
std::vector<deviceSpec> parseDeviceEntries(std::string_view key,
                                           std::string_view text,
                                           std::string_view entries,
                                           std::string_view accepted);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_DEVICE_SPEC_H
