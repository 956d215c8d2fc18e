// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nccl_environment.h
 * @brief Which topology file NCCL would use in this process.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_ENVIRONMENT_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_ENVIRONMENT_H

#include "topology/machine.h"

#include <functional>
#include <optional>
#include <string>

namespace nixlStripe {

/** Where topologyd of NVIDIA's virtual machines puts its file; NCCL looks there by itself. */
constexpr const char *nccl_default_topology = "/var/run/nvidia-topologyd/virtualTopology.xml";

struct ncclTopologyFile {
    std::string path;
    std::string
        namedBy; /**< for messages: "NCCL_TOPO_FILE=/x.xml in /etc/nccl.conf", or the path */
    bool isDefault = false; /**< nobody named it, so that its absence is nothing to speak of */
};

/** Value of a variable, nullptr when it is not set; std::getenv is one. */
using environment_t = std::function<const char *(const char *)>;

/**
 * @brief The file that NCCL would load, in its order: NCCL_TOPO_FILE in the environment, in the
 * file that NCCL_CONF_FILE names (else ~/.nccl.conf), in /etc/nccl.conf, then the default path.
 *
 * Cloud images set it in /etc/nccl.conf, which NCCL reads as if it were the environment.
 *
 * @param root Put in front of /etc and /var, "" on a real machine.
 * @return nothing when no file is named and the default one does not exist.
 */
std::optional<ncclTopologyFile> findNcclTopology(const environment_t &environment,
                                                 const std::string &root = "");

/**
 * @brief Lays the file over @p host that findNcclTopology() names for this process.
 *
 * A file that is missing or broken never stops a transfer: @p host stays as it is and gets a
 * warning that names variable and path (NCCL itself ignores a missing file in silence and fails on
 * a broken one). The same for a file that names none of the machine's devices.
 */
void
applyNcclEnvironment(machine &host, const environment_t &environment, const std::string &root = "");

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_ENVIRONMENT_H
