// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_PATH_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_PATH_H

#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Whether @p text is a PCI address as sysfs writes it: "0000:1b:00.0" (domains of 4 digits up). */
bool isPciAddress(std::string_view text);

/** The PCI part of a sysfs path. */
struct pciPath {
    std::string root;                   /**< "pci0000:16"; "" when the path does not tell */
    std::vector<std::string> functions; /**< from the root port down to the device */
};

/**
 * @brief The last run of PCI addresses in a path, and the host bridge in front of it.
 *
 * "devices/pci0000:16/0000:16:01.0/0000:17:00.0/net/eth0" gives the two functions. A run within a
 * run (drives behind Intel VMD: `.../pci10000:e0/10000:e0:06.0`) counts by its own host bridge.
 */
pciPath parsePciPath(std::string_view path);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_PATH_H
