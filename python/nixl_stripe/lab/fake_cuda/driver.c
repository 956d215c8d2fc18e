// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0

/* libcuda.so.1 without a GPU: devices and contexts.
 *
 * The devices are the PCI addresses in FAKE_CUDA_GPUS ("0000:41:00.0,0000:51:00.0"). Like the real
 * driver, a thread has no current context until it asks for one; FAKE_CUDA_CONTEXT=current makes
 * device 0's primary context current in every thread from the start. Work on streams is done when
 * the call returns. No dma-buf, no fabric handles, no virtual memory management. */

#define _GNU_SOURCE
#include "driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICES = 16, MAX_DEPTH = 32 };

enum {
    ATTRIBUTE_PCI_BUS = 33,
    ATTRIBUTE_PCI_DEVICE = 34,
    ATTRIBUTE_UNIFIED_ADDRESSING = 41,
    ATTRIBUTE_PCI_DOMAIN = 50,
    ATTRIBUTE_COMPUTE_MAJOR = 75,
    ATTRIBUTE_COMPUTE_MINOR = 76,
};

typedef struct {
    int domain;
    int bus;
    int slot;
} pciAddress;

struct fakeContext {
    int device;
    int active;
};

static pciAddress devices[MAX_DEVICES];
static struct fakeContext contexts[MAX_DEVICES];
static int device_count;
static int always_current;
static __thread struct fakeContext *stack[MAX_DEPTH];
static __thread int depth;

__attribute__((constructor)) static void
readEnvironment(void) {
    const char *list = getenv("FAKE_CUDA_GPUS");
    while (list && *list && device_count < MAX_DEVICES) {
        unsigned domain, bus, slot;
        if (sscanf(list, "%x:%x:%x.0", &domain, &bus, &slot) != 3) {
            fprintf(stderr, "fake CUDA: FAKE_CUDA_GPUS: no PCI address at '%s'\n", list);
            abort();
        }
        contexts[device_count].device = device_count;
        devices[device_count++] = (pciAddress){(int)domain, (int)bus, (int)slot};
        list = strchr(list, ',');
        list = list ? list + 1 : NULL;
    }
    const char *context = getenv("FAKE_CUDA_CONTEXT");
    always_current = device_count && context && !strcmp(context, "current");
}

static int
isDevice(int device) {
    return device >= 0 && device < device_count;
}

struct fakeContext *
fakeCurrentContext(void) {
    if (depth) {
        return stack[depth - 1];
    }
    return always_current ? &contexts[0] : NULL;
}

struct fakeContext *
fakeContextOf(int device) {
    return &contexts[device];
}

int
fakeDeviceOf(const struct fakeContext *context) {
    return context->device;
}

CUresult
cuInit(unsigned flags) {
    (void)flags;
    return device_count ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}

CUresult
cuDriverGetVersion(int *version) {
    *version = 12080;
    return CUDA_SUCCESS;
}

CUresult
cuGetErrorString(CUresult error, const char **text) {
    switch (error) {
    case CUDA_SUCCESS:
        *text = "no error";
        break;
    case CUDA_ERROR_NOT_SUPPORTED:
        *text = "operation not supported by the fake driver";
        break;
    case CUDA_ERROR_INVALID_CONTEXT:
        *text = "invalid device context";
        break;
    default:
        *text = "error of the fake driver";
    }
    return CUDA_SUCCESS;
}

CUresult
cuGetErrorName(CUresult error, const char **text) {
    return cuGetErrorString(error, text);
}

CUresult
cuDeviceGetCount(int *count) {
    *count = device_count;
    return CUDA_SUCCESS;
}

CUresult
cuDeviceGet(CUdevice *device, int ordinal) {
    if (!isDevice(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *device = ordinal;
    return CUDA_SUCCESS;
}

CUresult
cuDeviceGetName(char *name, int length, CUdevice device) {
    if (!isDevice(device) || length < 1) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    snprintf(name, (size_t)length, "Fake GPU %d", device);
    return CUDA_SUCCESS;
}

CUresult
cuDeviceGetUuid(unsigned char *uuid, CUdevice device) {
    if (!isDevice(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    memset(uuid, 0x42, 16);
    uuid[15] = (unsigned char)device;
    return CUDA_SUCCESS;
}

CUresult
cuDeviceGetUuid_v2(unsigned char *uuid, CUdevice device) {
    return cuDeviceGetUuid(uuid, device);
}

CUresult
cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    if (!isDevice(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *bytes = (size_t)16 << 30;
    return CUDA_SUCCESS;
}

CUresult
cuDeviceGetPCIBusId(char *text, int length, CUdevice device) {
    if (!isDevice(device) || length < 13) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    const pciAddress *at = &devices[device];
    snprintf(text, (size_t)length, "%04X:%02X:%02X.0", at->domain, at->bus, at->slot);
    return CUDA_SUCCESS;
}

CUresult
cuDeviceGetByPCIBusId(CUdevice *device, const char *text) {
    unsigned domain, bus, slot;
    if (sscanf(text, "%x:%x:%x", &domain, &bus, &slot) != 3) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    for (int i = 0; i < device_count; ++i) {
        if (devices[i].domain == (int)domain && devices[i].bus == (int)bus &&
            devices[i].slot == (int)slot) {
            *device = i;
            return CUDA_SUCCESS;
        }
    }
    return CUDA_ERROR_INVALID_DEVICE;
}

CUresult
cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    if (!isDevice(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    switch (attribute) {
    case ATTRIBUTE_PCI_DOMAIN:
        *value = devices[device].domain;
        break;
    case ATTRIBUTE_PCI_BUS:
        *value = devices[device].bus;
        break;
    case ATTRIBUTE_PCI_DEVICE:
        *value = devices[device].slot;
        break;
    case ATTRIBUTE_UNIFIED_ADDRESSING:
        *value = 1;
        break;
    case ATTRIBUTE_COMPUTE_MAJOR:
        *value = 9;
        break;
    default: /* an ability, and this device has none */
        *value = 0;
    }
    return CUDA_SUCCESS;
}

CUresult
cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *active) {
    if (!isDevice(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *flags = 0;
    *active = always_current || contexts[device].active > 0;
    return CUDA_SUCCESS;
}

CUresult
cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    if (!isDevice(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    __atomic_add_fetch(&contexts[device].active, 1, __ATOMIC_RELAXED);
    *context = &contexts[device];
    return CUDA_SUCCESS;
}

CUresult
cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    if (!isDevice(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    __atomic_sub_fetch(&contexts[device].active, 1, __ATOMIC_RELAXED);
    return CUDA_SUCCESS;
}

CUresult
cuCtxGetCurrent(CUcontext *context) {
    *context = fakeCurrentContext();
    return CUDA_SUCCESS;
}

CUresult
cuCtxSetCurrent(CUcontext context) {
    if (depth) {
        --depth;
    }
    return context ? cuCtxPushCurrent_v2(context) : CUDA_SUCCESS;
}

CUresult
cuCtxPushCurrent_v2(CUcontext context) {
    if (!context || depth == MAX_DEPTH) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    stack[depth++] = context;
    return CUDA_SUCCESS;
}

CUresult
cuCtxPopCurrent_v2(CUcontext *context) {
    if (!depth) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    --depth;
    if (context) {
        *context = stack[depth];
    }
    return CUDA_SUCCESS;
}

CUresult
cuCtxGetDevice(CUdevice *device) {
    const struct fakeContext *context = fakeCurrentContext();
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    *device = context->device;
    return CUDA_SUCCESS;
}

CUresult
cuCtxGetFlags(unsigned *flags) {
    *flags = 0;
    return fakeCurrentContext() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult
cuCtxSetFlags(unsigned flags) {
    (void)flags;
    return fakeCurrentContext() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult
cuCtxGetId(CUcontext context, unsigned long long *id) {
    context = context ? context : fakeCurrentContext();
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    *id = (unsigned long long)context->device + 1;
    return CUDA_SUCCESS;
}

CUresult
cuCtxSynchronize(void) {
    return fakeCurrentContext() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult
cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags, int *status) {
    (void)version;
    (void)flags;
    static const char *const suffixes[] = {"_v3", "_v2", ""};
    Dl_info self;
    void *library = NULL;
    *function = NULL;
    if (dladdr((void *)readEnvironment, &self)) {
        library = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    }
    for (size_t i = 0; library && !*function && i < sizeof(suffixes) / sizeof(*suffixes); ++i) {
        char full[128];
        snprintf(full, sizeof(full), "%s%s", name, suffixes[i]);
        *function = dlsym(library, full);
    }
    if (library) {
        dlclose(library);
    }
    if (status) {
        *status = *function ? 0 : 1; /* CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND */
    }
    return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

CUresult
cuGetProcAddress(const char *name, void **function, int version, uint64_t flags) {
    return cuGetProcAddress_v2(name, function, version, flags, NULL);
}
