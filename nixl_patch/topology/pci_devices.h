// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file pci_devices.h
 * @brief What PCI class and vendor numbers say about a function; the same for every source.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_DEVICES_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_DEVICES_H

#include "topology/machine.h"

#include <optional>

namespace nixlStripe {

constexpr unsigned pci_vendor_nvidia = 0x10de;
constexpr unsigned pci_vendor_amd = 0x1002;
constexpr unsigned pci_vendor_amazon = 0x1d0f;
constexpr unsigned pci_vendor_virtio = 0x1af4;

/**
 * @brief Whose GPU a function is: NVIDIA's display classes, AMD's and its accelerators (MI300).
 * @return nothing for a function that is no GPU: a BMC's display, an NVSwitch, an ATI server VGA.
 */
std::optional<gpuVendor_t> gpuVendorOf(unsigned class_code, unsigned vendor, unsigned device);

/**
 * @brief A bridge that a hypervisor makes up for its guest: Amazon's and QEMU's.
 *
 * Its link is made up as well. Above four EFAs of 100 Gbit/s and a GPU a p5.48xlarge shows 8 GT/s
 * x16, 126 Gbit/s, and yet all of them reach their rate.
 */
bool isEmulatedBridge(unsigned vendor, unsigned device);

/** An Elastic Fabric Adapter of any generation. */
bool isEfa(unsigned vendor, unsigned device);

/** What an RDMA function's links speak: EFA, InfiniBand, Ethernet, or UNKNOWN by its class alone.
 */
linkLayer_t linkLayerOf(unsigned class_code, unsigned vendor, unsigned device);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_DEVICES_H
