// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0

/* libcuda.so.1 without a GPU: streams and events. */

#include "driver.h"

#include <stdlib.h>

/* Streams and events need an address of their own and nothing else. */
static CUresult
newHandle(void **handle) {
    *handle = malloc(1);
    return *handle ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult
cuStreamCreate(void **stream, unsigned flags) {
    (void)flags;
    return newHandle(stream);
}

CUresult
cuStreamDestroy_v2(void *stream) {
    free(stream);
    return CUDA_SUCCESS;
}

CUresult
cuStreamSynchronize(void *stream) {
    (void)stream;
    return CUDA_SUCCESS;
}

CUresult
cuStreamAddCallback(void *stream,
                    void (*callback)(void *, CUresult, void *),
                    void *data,
                    unsigned flags) {
    (void)flags;
    callback(stream, CUDA_SUCCESS, data);
    return CUDA_SUCCESS;
}

CUresult
cuEventCreate(void **event, unsigned flags) {
    (void)flags;
    return newHandle(event);
}

CUresult
cuEventDestroy_v2(void *event) {
    free(event);
    return CUDA_SUCCESS;
}

CUresult
cuEventQuery(void *event) {
    (void)event;
    return CUDA_SUCCESS;
}

CUresult
cuEventRecord(void *event, void *stream) {
    (void)event;
    (void)stream;
    return CUDA_SUCCESS;
}
