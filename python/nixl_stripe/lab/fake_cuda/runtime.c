// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0

/* libcudart.so.12/.13 without a GPU: what UCX's memory hooks (libucm_cuda) look for. */

#include "driver.h"

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t size);
CUresult cuMemFree_v2(CUdeviceptr address);

int
cudaMalloc(void **address, size_t size) {
    return (int)cuMemAlloc_v2((CUdeviceptr *)address, size);
}

int
cudaFree(void *address) {
    return (int)cuMemFree_v2((CUdeviceptr)address);
}

#define UNSUPPORTED(function)                                                                      \
    int function(void) {                                                                           \
        return CUDA_ERROR_NOT_SUPPORTED;                                                           \
    }

UNSUPPORTED(cudaFreeAsync)
UNSUPPORTED(cudaFreeHost)
UNSUPPORTED(cudaGetSymbolAddress)
UNSUPPORTED(cudaGetSymbolSize)
UNSUPPORTED(cudaMallocAsync)
UNSUPPORTED(cudaMallocFromPoolAsync)
UNSUPPORTED(cudaMallocManaged)
UNSUPPORTED(cudaMallocPitch)
