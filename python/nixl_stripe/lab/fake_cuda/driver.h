// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_FAKE_CUDA_DRIVER_H
#define NIXL_STRIPE_FAKE_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/* Names and numbers of the CUDA driver interface that callers were compiled against. */

typedef enum {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_OUT_OF_MEMORY = 2,
    CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101,
    CUDA_ERROR_INVALID_CONTEXT = 201,
    CUDA_ERROR_NOT_FOUND = 500,
    CUDA_ERROR_NOT_SUPPORTED = 801,
} CUresult;

typedef int CUdevice;
typedef uintptr_t CUdeviceptr;
typedef struct fakeContext *CUcontext;

/** Returns the calling thread's current context, NULL when it has none. */
CUcontext fakeCurrentContext(void);

/** Returns the primary context of a device that exists. */
CUcontext fakeContextOf(int device);

/** Returns the device of a context. */
int fakeDeviceOf(const struct fakeContext *context);

CUresult cuCtxPushCurrent_v2(CUcontext context);

#endif
