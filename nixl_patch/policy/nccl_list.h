// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_NCCL_LIST_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_NCCL_LIST_H

#include "policy/device_spec.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/**
 * @brief A NIC list in the grammar of NCCL_IB_HCA: `[^][=]name[:port],...`.
 *
 * As in NCCL's user guide: `^` in front makes it a list of what not to use; `=` after that means
 * that the names are exact, without it each one is a prefix (`mlx5_1` takes mlx5_10 too); a port
 * left out means any. Unlike NCCL, which reads past mistakes, an entry that cannot be one is an
 * error, and spaces separate like commas do.
 */
struct ncclList {
    bool exclude = false; /**< `^` */
    bool exact = false;   /**< `=` */
    std::vector<deviceSpec> entries;

    /** The list as parseNcclList takes it, separated by commas. */
    std::string text() const;

    /** Whether @p entry speaks of the device @p name, whatever the port. */
    bool matchesName(const deviceSpec &entry, std::string_view name) const;

    /** Whether any entry speaks of port @p port of the device @p name; `^` is not applied. */
    bool matches(std::string_view name, unsigned port) const;

    /** Whether the list says `name` in full, so that it was meant and not merely caught. */
    bool spellsOut(std::string_view name) const;

    bool
    operator==(const ncclList &other) const {
        return exclude == other.exclude && exact == other.exact && entries == other.entries;
    }
};

/**
 * @brief Parses a NIC list.
 * @param key Parameter or variable the text came from; named in errors.
 * @param accepted What the key takes, for errors.
 * @throws std::invalid_argument naming key, value and @p accepted: no entry at all, a character
 *         that no device name has, a port that is not 1..255, or the same entry twice.
 */
ncclList parseNcclList(std::string_view key, std::string_view text, std::string_view accepted);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_NCCL_LIST_H
