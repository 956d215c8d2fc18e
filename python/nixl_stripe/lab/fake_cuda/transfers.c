// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0

/* libcuda.so.1 without a GPU: memory, what a pointer is, and copies. */

#include "driver.h"
#include "memory.h"

#include <string.h>

enum {
    POINTER_CONTEXT = 1,
    POINTER_MEMORY_TYPE = 2,
    POINTER_DEVICE_POINTER = 3,
    POINTER_BUFFER_ID = 7,
    POINTER_IS_MANAGED = 8,
    POINTER_DEVICE_ORDINAL = 9,
    POINTER_RANGE_START = 11,
    POINTER_RANGE_SIZE = 12,
    POINTER_MAPPED = 13,
    POINTER_ALLOWED_HANDLE_TYPES = 14,
    POINTER_MEMPOOL_HANDLE = 17,
};

enum { MEMORY_TYPE_DEVICE = 2, NO_DEVICE = -2 };

CUresult
cuMemAlloc_v2(CUdeviceptr *address, size_t size) {
    CUcontext context = fakeCurrentContext();
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    *address = fakeMemoryAllocate(size, fakeDeviceOf(context));
    return *address ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult
cuMemFree_v2(CUdeviceptr address) {
    /* UCX replaces the first five bytes by a jump and must find instructions there that it can
     * move: a large frame begins with one of seven. Without this hook it has no registration cache,
     * and then copies host memory over one NIC. */
    volatile char frame[256];
    frame[0] = 0;
    (void)frame[0];
    return fakeMemoryFree(address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult
cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *size, CUdeviceptr address) {
    fakeAllocation found;
    if (!fakeMemoryFind(address, &found)) {
        return CUDA_ERROR_NOT_FOUND;
    }
    if (base) {
        *base = found.base;
    }
    if (size) {
        *size = found.size;
    }
    return CUDA_SUCCESS;
}

/* Writes one attribute of `address`; `found` is NULL for memory that is not the device's. The
 * widths are those that the driver writes. */
static CUresult
describe(void *value, int attribute, CUdeviceptr address, const fakeAllocation *found) {
    switch (attribute) {
    case POINTER_CONTEXT:
        *(CUcontext *)value = found ? fakeContextOf(found->device) : NULL;
        return CUDA_SUCCESS;
    case POINTER_MEMORY_TYPE:
        *(unsigned *)value = found ? MEMORY_TYPE_DEVICE : 0;
        return CUDA_SUCCESS;
    case POINTER_DEVICE_POINTER:
        *(CUdeviceptr *)value = found ? address : 0;
        return CUDA_SUCCESS;
    case POINTER_BUFFER_ID:
        *(uint64_t *)value = found ? found->id : 0;
        return CUDA_SUCCESS;
    case POINTER_IS_MANAGED:
        *(unsigned *)value = 0;
        return CUDA_SUCCESS;
    case POINTER_DEVICE_ORDINAL:
        *(int *)value = found ? found->device : NO_DEVICE;
        return CUDA_SUCCESS;
    case POINTER_RANGE_START:
        *(CUdeviceptr *)value = found ? found->base : 0;
        return CUDA_SUCCESS;
    case POINTER_RANGE_SIZE:
        *(size_t *)value = found ? found->size : 0;
        return CUDA_SUCCESS;
    case POINTER_MAPPED:
        *(unsigned char *)value = found != NULL;
        return CUDA_SUCCESS;
    case POINTER_ALLOWED_HANDLE_TYPES:
        *(uint64_t *)value = 0;
        return CUDA_SUCCESS;
    case POINTER_MEMPOOL_HANDLE:
        *(void **)value = NULL;
        return CUDA_SUCCESS;
    default:
        return CUDA_ERROR_NOT_SUPPORTED;
    }
}

CUresult
cuPointerGetAttribute(void *value, int attribute, CUdeviceptr address) {
    fakeAllocation found;
    if (!fakeMemoryFind(address, &found)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return describe(value, attribute, address, &found);
}

/* Unlike the singular form this succeeds for any address: memory that is not the device's gets
 * "nothing" in each attribute. UCX tells host memory from device memory by that. */
CUresult
cuPointerGetAttributes(unsigned count, const int *attributes, void **values, CUdeviceptr address) {
    fakeAllocation found;
    int known = fakeMemoryFind(address, &found);
    for (unsigned i = 0; i < count; ++i) {
        describe(values[i], attributes[i], address, known ? &found : NULL);
    }
    return CUDA_SUCCESS;
}

CUresult
cuPointerSetAttribute(const void *value, int attribute, CUdeviceptr address) {
    (void)value;
    (void)attribute;
    fakeAllocation found;
    return fakeMemoryFind(address, &found) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult
cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t size) {
    memmove((void *)to, (const void *)from, size);
    return CUDA_SUCCESS;
}

CUresult
cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t size, void *stream) {
    (void)stream;
    return cuMemcpy(to, from, size);
}

CUresult
cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size, void *stream) {
    (void)stream;
    return cuMemcpy(to, from, size);
}

CUresult
cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t size) {
    return cuMemcpy(to, (CUdeviceptr)from, size);
}

CUresult
cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t size) {
    return cuMemcpy((CUdeviceptr)to, from, size);
}

CUresult
cuMemsetD8_v2(CUdeviceptr to, unsigned char byte, size_t size) {
    memset((void *)to, byte, size);
    return CUDA_SUCCESS;
}

CUresult
cuMemHostRegister_v2(void *address, size_t size, unsigned flags) {
    (void)address;
    (void)size;
    (void)flags;
    return CUDA_SUCCESS;
}

CUresult
cuMemHostUnregister(void *address) {
    (void)address;
    return CUDA_SUCCESS;
}

CUresult
cuMemHostGetDevicePointer_v2(CUdeviceptr *device, void *host, unsigned flags) {
    (void)flags;
    *device = (CUdeviceptr)host;
    return CUDA_SUCCESS;
}

/* Packing an IPC key must succeed even though nobody on another machine ever opens it. */
CUresult
cuIpcGetMemHandle(void *handle, CUdeviceptr address) {
    fakeAllocation found;
    memset(handle, 0, 64);
    return fakeMemoryFind(address, &found) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/* What callers must be able to link to, and what a plain old device does not do. Each returns
 * before it looks at an argument, so the argument lists do not matter. */
#define UNSUPPORTED(function)                                                                      \
    CUresult function(void) {                                                                      \
        return CUDA_ERROR_NOT_SUPPORTED;                                                           \
    }

UNSUPPORTED(cuIpcOpenMemHandle_v2)
UNSUPPORTED(cuIpcCloseMemHandle)
UNSUPPORTED(cuMemAddressFree)
UNSUPPORTED(cuMemAddressReserve)
UNSUPPORTED(cuMemAllocAsync)
UNSUPPORTED(cuMemAllocFromPoolAsync)
UNSUPPORTED(cuMemAllocManaged)
UNSUPPORTED(cuMemAllocPitch_v2)
UNSUPPORTED(cuMemCreate)
UNSUPPORTED(cuMemExportToShareableHandle)
UNSUPPORTED(cuMemFreeAsync)
UNSUPPORTED(cuMemFreeHost)
UNSUPPORTED(cuMemGetAllocationGranularity)
UNSUPPORTED(cuMemGetAllocationPropertiesFromHandle)
UNSUPPORTED(cuMemGetHandleForAddressRange)
UNSUPPORTED(cuMemImportFromShareableHandle)
UNSUPPORTED(cuMemMap)
UNSUPPORTED(cuMemPoolDestroy)
UNSUPPORTED(cuMemPoolExportPointer)
UNSUPPORTED(cuMemPoolExportToShareableHandle)
UNSUPPORTED(cuMemPoolImportFromShareableHandle)
UNSUPPORTED(cuMemPoolImportPointer)
UNSUPPORTED(cuMemPoolSetAccess)
UNSUPPORTED(cuMemRangeGetAttribute)
UNSUPPORTED(cuMemRelease)
UNSUPPORTED(cuMemRetainAllocationHandle)
UNSUPPORTED(cuMemSetAccess)
UNSUPPORTED(cuMemUnmap)
UNSUPPORTED(cuModuleGetGlobal_v2)
UNSUPPORTED(cuLibraryGetGlobal)
