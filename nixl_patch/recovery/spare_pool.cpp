// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/spare_pool.h"

#include <algorithm>

namespace nixlStripe {

std::vector<std::shared_ptr<spareEngine>>
sparePool::living() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::shared_ptr<spareEngine>> found;
    for (const auto &each : spares_) {
        if (auto spare = each.lock()) {
            found.push_back(std::move(spare));
        }
    }
    spares_.assign(found.begin(), found.end());
    return found;
}

std::shared_ptr<spareEngine>
sparePool::on(const std::vector<std::string> &nics, const spareEngine *failed) {
    for (auto &spare : living()) {
        if (spare->nics() == nics && spare.get() != failed) {
            return spare;
        }
    }
    auto made = std::make_shared<spareEngine>(table_, maker_, memory_, nics);
    const std::lock_guard<std::mutex> lock(mutex_);
    spares_.push_back(made);
    return made;
}

void
sparePool::forget(void *metadata) {
    for (const auto &spare : living()) {
        spare->forget(metadata);
    }
    memory_.remove(metadata);
}

} // namespace nixlStripe
