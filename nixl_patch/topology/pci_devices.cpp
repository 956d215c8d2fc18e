// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/pci_devices.h"

namespace nixlStripe {

std::optional<gpuVendor_t>
gpuVendorOf(unsigned class_code, unsigned vendor, unsigned device) {
    constexpr unsigned class_vga = 0x0300;
    constexpr unsigned class_3d = 0x0302;
    constexpr unsigned class_display_other = 0x0380; // MI100, MI200
    constexpr unsigned class_accelerator = 0x1200;   // MI300
    constexpr unsigned first_rocm_device = 0x6700;   // servers' ATI VGAs (ES1000: 0x515e) are below
    const unsigned kind = class_code >> 8;
    const bool is_display = kind == class_vga || kind == class_3d;
    if (vendor == pci_vendor_nvidia && is_display) {
        return gpuVendor_t::NVIDIA;
    }
    const bool is_server_vga = device != 0 && device < first_rocm_device;
    if (vendor == pci_vendor_amd && !is_server_vga &&
        (is_display || kind == class_display_other || kind == class_accelerator)) {
        return gpuVendor_t::AMD;
    }
    return std::nullopt;
}

bool
isEmulatedBridge(unsigned vendor, unsigned device) {
    constexpr unsigned amazon_bridge = 0x0200;
    constexpr unsigned vendor_redhat = 0x1b36;
    const bool is_qemu =
        vendor == vendor_redhat && (device == 0x0001 || device == 0x0009 || device == 0x000b ||
                                    device == 0x000c || device == 0x000e);
    return is_qemu || (vendor == pci_vendor_amazon && device == amazon_bridge);
}

bool
isEfa(unsigned vendor, unsigned device) {
    return vendor == pci_vendor_amazon && (device & 0xfff0u) == 0xefa0u;
}

linkLayer_t
linkLayerOf(unsigned class_code, unsigned vendor, unsigned device) {
    if (isEfa(vendor, device)) {
        return linkLayer_t::EFA;
    }
    switch (class_code >> 8) {
    case 0x0207:
        return linkLayer_t::INFINIBAND;
    case 0x0200:
        return linkLayer_t::ETHERNET;
    default:
        return linkLayer_t::UNKNOWN;
    }
}

} // namespace nixlStripe
