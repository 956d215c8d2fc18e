// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/key_budget.h"

#include "ucx/ucx_version.h"

#include <algorithm>

namespace nixlStripe {

std::size_t
keyConfigurationsOf(std::string_view ucx_version) {
    return isUcxSince(ucx_version, 1, 21) ? keyBudget::of_ucx_1_21 : keyBudget::of_old_ucx;
}

std::size_t
keyBudget::used() const {
    // Any kind of endpoint may see any key of the caller's own.
    return own_.size() * std::max<std::size_t>(kinds_.size(), 1) + narrowed_.size();
}

void
keyBudget::noteOwn(std::uint64_t domains, std::uint8_t memory_type, std::uint8_t device) {
    const std::lock_guard<std::mutex> lock(mutex_);
    own_.emplace(domains, memory_type, device);
}

bool
keyBudget::take(const std::string &endpoint_kind, std::uint64_t domains, std::uint8_t memory_type) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto configuration = std::make_tuple(endpoint_kind, domains, memory_type);
    if (narrowed_.count(configuration) != 0) {
        return true;
    }
    const bool is_single = (domains & (domains - 1)) == 0;
    const std::size_t limit = of_ucx_ - kept_free - (is_single ? 0 : kept_for_single_lanes);
    kinds_.insert(endpoint_kind);
    if (was_refused_ || used() >= limit) {
        return false;
    }
    narrowed_.insert(configuration);
    return true;
}

void
keyBudget::refused() {
    const std::lock_guard<std::mutex> lock(mutex_);
    was_refused_ = true;
}

} // namespace nixlStripe
