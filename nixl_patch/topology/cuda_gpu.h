// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file cuda_gpu.h
 * @brief From what a user calls a GPU to its PCI address, with CUDA's own numbering.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_CUDA_GPU_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_CUDA_GPU_H

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace nixlStripe {

/** The name under which the CUDA driver's library is opened at run time. */
constexpr const char *cuda_library = "libcuda.so.1";

/** What `stripe_gpu` takes, for errors and docs. */
constexpr std::string_view gpu_accepted =
    "a CUDA ordinal (0, 1, ...), a PCI address such as 0000:1b:00.0, or '' (the calling thread's "
    "current CUDA context)";

/** An ordinal was given and CUDA cannot be asked: no driver here, or it does not start. */
class cudaUnavailable : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/**
 * @brief PCI address of the GPU whose CUDA context is current in the calling thread.
 *
 * Touches nothing: the driver is not loaded when the process has not loaded it, and no context is
 * made. Right after `import torch` there is none; the first allocation on a GPU makes it.
 * @param library For tests.
 * @return Nothing when there is no driver in the process or no current context.
 */
std::optional<std::string> currentCudaGpu(const char *library = cuda_library);

/**
 * @brief Whether @p text is written as a GPU can be, without asking CUDA whether there is one.
 * @throws std::invalid_argument naming key, value and what is accepted.
 */
void checkGpuText(std::string_view key, std::string_view text);

/**
 * @brief PCI address of a GPU given as a CUDA ordinal ("0", as CUDA_VISIBLE_DEVICES numbers them)
 *        or as a PCI address, in sysfs' spelling.
 *
 * An ordinal initialises the CUDA driver in this process (cuInit) and makes no context; a PCI
 * address needs no CUDA at all.
 * @param key Parameter or variable the text came from; named in errors.
 * @throws std::invalid_argument naming key, value and what is accepted: neither of the two, or an
 *         ordinal that CUDA does not have; cudaUnavailable for an ordinal without a CUDA driver.
 */
std::string
findGpuPci(std::string_view key, std::string_view text, const char *library = cuda_library);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_CUDA_GPU_H
