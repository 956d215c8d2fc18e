// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/cuda_module.h"

#include <algorithm>
#include <link.h>
#include <string_view>

namespace nixlStripe {
namespace {

    bool
    isNamed(const std::string &path, std::string_view prefix) {
        const std::size_t slash = path.rfind('/');
        const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
        return path.compare(start, prefix.size(), prefix) == 0;
    }

} // namespace

std::vector<std::string>
loadedObjects() {
    std::vector<std::string> paths;
    dl_iterate_phdr(
        [](dl_phdr_info *info, std::size_t, void *found) {
            static_cast<std::vector<std::string> *>(found)->emplace_back(info->dlpi_name);
            return 0;
        },
        &paths);
    return paths;
}

std::string
cudaModuleProblem(const std::vector<std::string> &objects) {
    const auto has = [&](std::string_view prefix) {
        return std::any_of(objects.begin(), objects.end(), [&](const std::string &path) {
            return isNamed(path, prefix);
        });
    };
    if (!has("libcuda.so") || has("libucm_cuda")) {
        return {};
    }
    return "UCX could not load its module libucm_cuda, so it takes GPU memory for host memory; "
           "install the CUDA runtime that this NIXL needs (libcudart.so.12 for nixl-cu12, .13 for "
           "nixl-cu13), or "
           "the NIXL wheel for your CUDA";
}

} // namespace nixlStripe
