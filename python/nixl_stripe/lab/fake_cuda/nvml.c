// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0

/* libnvidia-ml.so.1 that says "driver not loaded": UCX's CUDA module needs the library to load, and
 * then lists GPUs through the driver alone. */

enum { NVML_ERROR_DRIVER_NOT_LOADED = 9 };

int
nvmlInit_v2(void) {
    return NVML_ERROR_DRIVER_NOT_LOADED;
}

int
nvmlShutdown(void) {
    return NVML_ERROR_DRIVER_NOT_LOADED;
}

const char *
nvmlErrorString(int error) {
    (void)error;
    return "driver not loaded (fake NVML)";
}
