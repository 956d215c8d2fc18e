// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file cuda_module.h
 * @brief Whether UCX got its module for CUDA memory: without it GPU memory passes for host memory.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_CUDA_MODULE_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_CUDA_MODULE_H

#include <string>
#include <vector>

namespace nixlStripe {

/** Paths of every shared object of this process. */
std::vector<std::string> loadedObjects();

/**
 * @brief What to tell a user whose process has a CUDA driver and whose UCX cannot tell GPU memory.
 *
 * A wheel for CUDA 12 on a host with CUDA 13 only ends like this: libucm_cuda needs
 * libcudart.so.12, UCX leaves it out without a word, and registering GPU memory fails later.
 *
 * @param objects Paths of the shared objects that are loaded.
 * @return "" when there is nothing to tell.
 */
std::string cudaModuleProblem(const std::vector<std::string> &objects);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_CUDA_MODULE_H
