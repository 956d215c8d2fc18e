// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** Keys to remote memory as UCX packs them; they come from the peer. */
#include "fuzz.h"
#include "ucx/packed_key.h"

#include <algorithm>
#include <memory>

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace nixlStripe;
    // A copy of its own: reading one byte too many is seen.
    const std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[size]);
    std::copy_n(data, size, bytes.get());
    if (!packedKey::describes(bytes.get(), size)) {
        return 0;
    }
    const packedKey key(bytes.get());
    claim(key.size() <= size);
    for (unsigned domain = 0; domain < 64; ++domain) {
        const std::uint64_t wanted = std::uint64_t(1) << domain;
        const auto narrowed = key.narrowedTo(wanted);
        claim(!narrowed || (key.domains() & wanted) != 0);
        if (narrowed) {
            claim(packedKey::describes(narrowed->data(), narrowed->size()));
            claim(packedKey(narrowed->data()).domains() == wanted);
        }
    }
    return 0;
}
