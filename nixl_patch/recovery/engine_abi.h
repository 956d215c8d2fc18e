// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file engine_abi.h
 * @brief What goes in and out of the virtual functions of the stock engine.
 *
 * Written down from the behaviour of the published wheels with UCX 1.22 and later (NIXL 1.4 to
 * 1.5), x86-64 and aarch64, libstdc++ with the C++11 ABI. The functions are found by their mangled
 * names, which hold the types of all arguments; the layouts of those types are looked at before
 * they are relied upon: see the is... functions.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENGINE_ABI_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENGINE_ABI_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nixlStripe::abi {

/** nixl_status_t: negative is an error. */
constexpr int status_done = 0;
constexpr int status_in_progress = 1;
constexpr int status_backend_error = -3;
constexpr int status_not_found = -4;
constexpr int status_repost_active = -7;
constexpr int status_unknown_error = -8;
constexpr int status_remote_disconnect = -10;
constexpr int status_canceled = -11;

/** nixl_xfer_op_t */
constexpr int op_read = 0;
constexpr int op_write = 1;

/** nixl_mem_t */
constexpr int memory_dram = 0;

/** nixlMetaDesc: memory, and what the engine knows of it. */
struct metaDesc {
    std::uintptr_t address;
    std::size_t bytes;
    std::uint64_t device;
    void *metadata;
};

static_assert(sizeof(metaDesc) == 32);

/** nixlDescList<nixlMetaDesc> */
struct metaList {
    void *table;        /**< of its virtual functions */
    std::uint64_t kind; /**< nixl_mem_t, and padding */
    std::vector<metaDesc> items;
};

static_assert(sizeof(metaList) == 40);

/** nixlBlobDesc: memory, with bytes that describe it (a packed key). */
struct blobDesc {
    std::uintptr_t address;
    std::size_t bytes;
    std::uint64_t device;
    std::string blob;
};

static_assert(sizeof(blobDesc) == 56);

/** nixlBackendOptionalArgs */
struct optionalArgs {
    std::string notification;
    bool hasNotification = false;
    std::string custom;
};

static_assert(sizeof(optionalArgs) == 72);

/** Whether a string has the form of libstdc++'s; no text is touched. */
bool isString(const void *text);

/** Whether the list holds whole descriptors. */
bool isList(const metaList &list);

bool isOptionalArgs(const optionalArgs &args);

} // namespace nixlStripe::abi

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENGINE_ABI_H
