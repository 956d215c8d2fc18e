// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file libdl_stub.cpp
 * @brief The names of libdl.so.2 before glibc 2.34, with their versions (libdl.<machine>.map).
 *
 * Linked against and never loaded: at run time the system's own libdl.so.2 is.
 */
#define NIXL_STRIPE_STUB(name)                                                                     \
    extern "C" __attribute__((visibility("default"))) void name() {}

NIXL_STRIPE_STUB(dladdr)
NIXL_STRIPE_STUB(dladdr1)
NIXL_STRIPE_STUB(dlclose)
NIXL_STRIPE_STUB(dlerror)
NIXL_STRIPE_STUB(dlinfo)
NIXL_STRIPE_STUB(dlopen)
NIXL_STRIPE_STUB(dlsym)
