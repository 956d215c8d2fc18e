// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/cuda_gpu.h"

#include "topology/pci_address.h"
#include "topology/text.h"

#include <charconv>
#include <cstdlib>
#include <dlfcn.h>
#include <stdexcept>

namespace nixlStripe {
namespace {

    /** The CUDA driver API's types, so that no CUDA header is needed to build. */
    using cuResult_t = int;
    using cuDevice_t = int;
    constexpr cuResult_t cuda_success = 0;

    /** The part of libcuda that is used here. Stays loaded: unloading a driver is asking for it. */
    struct cudaDriver {
        cuResult_t (*init)(unsigned) = nullptr;
        cuResult_t (*deviceGetCount)(int *) = nullptr;
        cuResult_t (*deviceGet)(cuDevice_t *, int) = nullptr;
        cuResult_t (*deviceGetPciBusId)(char *, int, cuDevice_t) = nullptr;
        cuResult_t (*ctxGetDevice)(cuDevice_t *) = nullptr;
        cuResult_t (*getErrorName)(cuResult_t, const char **) = nullptr;

        bool
        isComplete() const {
            return init && deviceGetCount && deviceGet && deviceGetPciBusId && ctxGetDevice;
        }

        std::string
        errorName(cuResult_t result) const {
            const char *name = nullptr;
            if (getErrorName && getErrorName(result, &name) == cuda_success && name) {
                return name;
            }
            return "CUDA error " + std::to_string(result);
        }

        std::optional<std::string>
        pciAddress(cuDevice_t device) const {
            char address[64] = "";
            if (deviceGetPciBusId(address, sizeof(address), device) != cuda_success) {
                return std::nullopt;
            }
            return normalPciAddress(address);
        }
    };

    template <class Function>
    void
    load(void *library, const char *name, Function &function) {
        function = reinterpret_cast<Function>(dlsym(library, name));
    }

    cudaDriver
    loadDriver(void *library) {
        cudaDriver driver;
        load(library, "cuInit", driver.init);
        load(library, "cuDeviceGetCount", driver.deviceGetCount);
        load(library, "cuDeviceGet", driver.deviceGet);
        load(library, "cuDeviceGetPCIBusId", driver.deviceGetPciBusId);
        load(library, "cuCtxGetDevice", driver.ctxGetDevice);
        load(library, "cuGetErrorName", driver.getErrorName);
        return driver;
    }

    template <class error_t = std::invalid_argument>
    [[noreturn]] void
    reject(std::string_view key, std::string_view text, const std::string &reason) {
        refuse<error_t>(key, text, reason, gpu_accepted);
    }

    int
    parseOrdinal(std::string_view key, std::string_view text) {
        int ordinal = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ordinal);
        if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
            ordinal < 0) {
            reject(key, text, "neither a CUDA ordinal nor a PCI address");
        }
        return ordinal;
    }

    std::string
    visibleDevices() {
        const char *visible = std::getenv("CUDA_VISIBLE_DEVICES");
        return visible ? ", " + assignment("CUDA_VISIBLE_DEVICES", visible) : "";
    }

    std::string
    addressOfOrdinal(std::string_view key, std::string_view text, int ordinal, const char *name) {
        void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
        const char *why = library ? nullptr : dlerror();
        const cudaDriver driver = library ? loadDriver(library) : cudaDriver();
        if (!driver.isComplete()) {
            reject<cudaUnavailable>(key,
                                    text,
                                    "an ordinal needs the CUDA driver and " + std::string(name) +
                                        " cannot be used here (" +
                                        (why ? why : "functions are missing") +
                                        "); give the PCI address instead");
        }
        int count = 0;
        cuDevice_t device = 0;
        cuResult_t result = driver.init(0);
        if (result == cuda_success) {
            result = driver.deviceGetCount(&count);
        }
        if (result != cuda_success) {
            reject<cudaUnavailable>(
                key, text, "CUDA does not start: " + driver.errorName(result) + visibleDevices());
        }
        if (ordinal >= count || driver.deviceGet(&device, ordinal) != cuda_success) {
            reject(key,
                   text,
                   "CUDA shows this process " + std::to_string(count) + " device(s)" +
                       visibleDevices());
        }
        const std::optional<std::string> address = driver.pciAddress(device);
        if (!address) {
            reject(key, text, "CUDA does not tell the PCI address of this device");
        }
        return *address;
    }

} // namespace

std::optional<std::string>
currentCudaGpu(const char *library) {
    void *loaded = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    const cudaDriver driver = loaded ? loadDriver(loaded) : cudaDriver();
    cuDevice_t device = 0;
    if (!driver.isComplete() || driver.ctxGetDevice(&device) != cuda_success) {
        return std::nullopt;
    }
    return driver.pciAddress(device);
}

void
checkGpuText(std::string_view key, std::string_view text) {
    if (!text.empty() && !normalPciAddress(text)) {
        parseOrdinal(key, text);
    }
}

std::string
findGpuPci(std::string_view key, std::string_view text, const char *library) {
    if (const auto address = normalPciAddress(text)) {
        return *address;
    }
    return addressOfOrdinal(key, text, parseOrdinal(key, text), library);
}

} // namespace nixlStripe
