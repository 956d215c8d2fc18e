// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file fuzz.h
 * @brief What the libFuzzer targets share. A target takes any bytes: the readers may refuse them
 *        with std::invalid_argument; everything else that happens is a finding.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_FUZZ_FUZZ_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_FUZZ_FUZZ_H

#include "topology/machine.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace nixlStripe {

/** Stops with a stack, in which libFuzzer shows the line of the claim that does not hold. */
inline void
claim(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

/** Calls @p work; an input that it refuses is as good as one that it takes. */
template <typename Work>
void
allowRefusal(Work &&work) {
    try {
        std::forward<Work>(work)();
    } catch (const std::invalid_argument &refused) {
        claim(*refused.what() != '\0');
    }
}

/** Checks what other layers rely on, then makes a plan with every policy. */
void planEverything(const machine &host);

} // namespace nixlStripe

/** libFuzzer's entry, called with every input. */
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_FUZZ_FUZZ_H
