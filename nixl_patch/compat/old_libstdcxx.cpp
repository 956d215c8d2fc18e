// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file old_libstdcxx.cpp
 * @brief What code that newer libstdc++ headers inline refers to, for the libstdc++ of GCC 8.
 *
 * Types, and so what an exception is caught as, stay those of the one shared libstdc++ of the
 * process: nothing of it is linked statically.
 */
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace std {

// GLIBCXX_3.4.29, since GCC 11.
[[noreturn]] void
__throw_bad_array_new_length() {
    throw bad_array_new_length();
}

// GLIBCXX_3.4.30, since GCC 12; only where _GLIBCXX_ASSERTIONS is defined.
[[noreturn]] void
__glibcxx_assert_fail(const char *file,
                      int line,
                      const char *function,
                      const char *condition) noexcept {
    std::fprintf(stderr, "%s:%d: %s: assertion '%s' failed.\n", file, line, function, condition);
    std::abort();
}

} // namespace std

// CXXABI_1.3.13, since GCC 11, whose headers inline the copy constructor and the destructor of
// exception_ptr that older ones call. Every libstdc++ still exports those two.
extern "C" {

void nixl_stripe_copy_exception_ptr(void *self, const void *other) __asm__(
    "_ZNSt15__exception_ptr13exception_ptrC1ERKS0_");
void
nixl_stripe_destroy_exception_ptr(void *self) __asm__("_ZNSt15__exception_ptr13exception_ptrD1Ev");

void
nixl_stripe_add_reference(void *self) __asm__("_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv");
void
nixl_stripe_add_reference(void *self) {
    static_assert(sizeof(std::exception_ptr) == sizeof(void *));
    void *copy = nullptr; // keeps its reference: it is never destroyed
    nixl_stripe_copy_exception_ptr(&copy, self);
}

void nixl_stripe_release(void *self) __asm__("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");
void
nixl_stripe_release(void *self) {
    nixl_stripe_destroy_exception_ptr(self);
    *static_cast<void **>(self) = nullptr;
}

} // extern "C"
