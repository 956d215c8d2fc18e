// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// A CUDA driver with FAKE_CUDA_DEVICES devices, of which FAKE_CUDA_CURRENT has a context.
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int success = 0;
constexpr int not_initialized = 3;
constexpr int no_device = 100;
constexpr int invalid_device = 101;
constexpr int invalid_context = 201;

bool is_initialized = false;

int
count() {
    const char *text = std::getenv("FAKE_CUDA_DEVICES");
    return text ? std::atoi(text) : 0;
}

} // namespace

extern "C" {

int
cuInit(unsigned) {
    is_initialized = count() > 0;
    return is_initialized ? success : no_device;
}

int
cuDeviceGetCount(int *result) {
    *result = count();
    return is_initialized ? success : not_initialized;
}

int
cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal < count() ? success : invalid_device;
}

int
cuDeviceGetPCIBusId(char *text, int size, int device) {
    std::snprintf(text, static_cast<std::size_t>(size), "0000:%02X:00.0", 0x1b + device);
    return success;
}

int
cuCtxGetDevice(int *device) {
    const char *current = std::getenv("FAKE_CUDA_CURRENT");
    if (!current) {
        return is_initialized ? invalid_context : not_initialized;
    }
    *device = std::atoi(current);
    return success;
}

int
cuGetErrorName(int error, const char **name) {
    *name = error == no_device ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_OTHER";
    return success;
}
}
