// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_READER_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_READER_H

#include "topology/machine.h"
#include "topology/xml.h"

#include <string>

namespace nixlStripe {

/**
 * @brief Every element of NCCL's topology as it stands: all `<pci>` in `pci`, devices in file
 * order, nothing normalised.
 * @throws std::invalid_argument as readNccl().
 */
machine readNcclElements(const xmlElement &root, const std::string &source);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NCCL_READER_H
