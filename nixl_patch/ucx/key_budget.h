// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file key_budget.h
 * @brief How many more kinds of keys a UCX worker takes.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_KEY_BUDGET_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_KEY_BUDGET_H

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace nixlStripe {

/**
 * @brief How many key configurations a worker of that UCX keeps (UCP_WORKER_MAX_RKEY_CONFIG).
 * @param ucx_version "1.23.0"; one that cannot be read counts as old.
 */
std::size_t keyConfigurationsOf(std::string_view ucx_version);

/**
 * @brief Plans the key configurations of one UCX worker.
 *
 * A worker keeps one for each combination of an endpoint's configuration, memory domains, memory
 * type and device that a key has come with, up to a limit, for as long as it lives. A key that
 * would need one more is refused, the caller's own too: so keys that are narrowed for one lane take
 * no more than leaves room for those, and keys for several lanes, which only shorten the time of
 * one lone buffer, fewer still. Thread-safe.
 */
class keyBudget {
public:
    /** Up to UCX 1.20; with 1.21 the index has 16 bits and the limit is 65535. */
    static constexpr std::size_t of_old_ucx = 128;
    static constexpr std::size_t of_ucx_1_21 = 65535;
    /** What stays free for keys of the caller's own that come later. */
    static constexpr std::size_t kept_free = 16;
    /** With 32 NICs one kind of endpoint and memory takes 32; this many are left to others. */
    static constexpr std::size_t kept_for_single_lanes = 64;

    /** @param of_ucx See keyConfigurationsOf. */
    explicit keyBudget(std::size_t of_ucx)
        : of_ucx_(of_ucx) {}

    /** A key of the caller's own came. @p device: its byte in the packed key. */
    void noteOwn(std::uint64_t domains, std::uint8_t memory_type, std::uint8_t device);

    /**
     * @brief Takes room for a narrowed key.
     * @param endpoint_kind What endpoints of the same configuration have in common.
     * @return false: there is none left.
     */
    bool take(const std::string &endpoint_kind, std::uint64_t domains, std::uint8_t memory_type);

    /** UCX refused a key: from now on there is no room for others. */
    void refused();

private:
    std::size_t used() const;

    const std::size_t of_ucx_;
    mutable std::mutex mutex_;
    bool was_refused_ = false;
    std::set<std::string> kinds_;
    std::set<std::tuple<std::uint64_t, std::uint8_t, std::uint8_t>> own_;
    std::set<std::tuple<std::string, std::uint64_t, std::uint8_t>> narrowed_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_KEY_BUDGET_H
