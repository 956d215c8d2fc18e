// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_ERRORS_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_ERRORS_H

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>

namespace nixlStripe {

/** @return The text of the std::invalid_argument that @p call throws, "" when it throws none. */
template <typename call_t>
std::string
textOfError(call_t &&call) {
    try {
        std::forward<call_t>(call)();
    } catch (const std::invalid_argument &error) {
        return error.what();
    }
    return "";
}

inline void
expectIn(const std::string &part, const std::string &text) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
}

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_ERRORS_H
