// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_FAKE_CUDA_MEMORY_H
#define NIXL_STRIPE_FAKE_CUDA_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** A piece of "device memory": pages of host memory that the fake driver claims for a device. */
typedef struct {
    uintptr_t base;
    size_t size;
    uint64_t id; /**< never used twice in a process, like CU_POINTER_ATTRIBUTE_BUFFER_ID */
    int device;
} fakeAllocation;

/** Returns the address of `size` new bytes that belong to `device`, 0 when memory or table is full.
 */
uintptr_t fakeMemoryAllocate(size_t size, int device);

/** Copies the allocation that `address` lies in to `out`; returns 0 when there is none. */
int fakeMemoryFind(uintptr_t address, fakeAllocation *out);

/** Frees the allocation that starts at `address`; returns 0 when there is none. */
int fakeMemoryFree(uintptr_t address);

#endif
