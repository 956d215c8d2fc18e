// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_HOSTS_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_HOSTS_H

#include "topology/machine.h"
#include "topology/normalize.h"

#include <string>
#include <vector>

namespace nixlStripe {

/** Builds small machines for tests, one line a device. */
class hostBuilder {
public:
    /** A bridge, or with @p root a root port of that host bridge. */
    hostBuilder &
    bridge(const std::string &address,
           const std::string &parent,
           const std::string &root = "",
           double gtps = 32,
           unsigned width = 16) {
        pciNode node;
        node.address = address;
        node.parent = parent;
        node.root = root;
        node.classCode = 0x060400;
        node.linkGtps = gtps;
        node.linkWidth = width;
        host_.pci[address] = node;
        return *this;
    }

    hostBuilder &
    gpuAt(const std::string &address,
          const std::string &parent,
          int numa,
          gpuVendor_t vendor = gpuVendor_t::NVIDIA) {
        function(address, parent, numa, 0x030200);
        gpu each;
        each.pci = address;
        each.vendor = vendor;
        each.numaNode = numa;
        host_.gpus.push_back(each);
        return *this;
    }

    hostBuilder &
    nic(const std::string &name,
        const std::string &address,
        const std::string &parent,
        int numa,
        double rate_gbps = 400) {
        if (!address.empty()) {
            function(address, parent, numa, 0x020700);
        }
        rdmaNic each;
        each.name = name;
        each.pci = address;
        each.numaNode = numa;
        port at;
        at.state = portState_t::ACTIVE;
        at.linkLayer = linkLayer_t::INFINIBAND;
        at.rateGbps = rate_gbps;
        each.ports.push_back(at);
        each.access = access_t::YES;
        host_.nics.push_back(each);
        return *this;
    }

    /** The NIC added last, to be changed. */
    rdmaNic &
    last() {
        return host_.nics.back();
    }

    machine
    build() {
        host_.source = "test";
        machine copy = host_;
        normalize(copy);
        return copy;
    }

private:
    void
    function(const std::string &address, const std::string &parent, int numa, unsigned class_code) {
        pciNode node;
        node.address = address;
        node.parent = parent;
        node.numaNode = numa;
        node.classCode = class_code;
        node.linkGtps = 32;
        node.linkWidth = 16;
        host_.pci[address] = node;
    }

    machine host_;
};

/** @p count InfiniBand NICs mlx5_0... without a PCI tree. */
inline machine
plainHost(unsigned count, double rate_gbps = 400) {
    hostBuilder builder;
    for (unsigned i = 0; i < count; ++i) {
        builder.nic("mlx5_" + std::to_string(i), "", "", 0, rate_gbps);
    }
    return builder.build();
}

/** Switches with @p gpus GPUs and @p nics NICs each; half of the switches on either NUMA node. */
inline machine
switchedHost(unsigned switches, unsigned gpus, unsigned nics) {
    hostBuilder builder;
    char text[32];
    const auto address = [&](unsigned bus, unsigned device) {
        std::snprintf(text, sizeof(text), "0000:%02x:%02x.0", bus, device);
        return std::string(text);
    };
    unsigned number = 0;
    for (unsigned i = 0; i < switches; ++i) {
        const unsigned bus = 0x10 * (i + 1);
        const int numa = i < (switches + 1) / 2 ? 0 : 1;
        const std::string top = address(bus, 1);
        const std::string upstream = address(bus + 1, 0);
        builder.bridge(top, "", "pci0000:" + std::to_string(10 + i)).bridge(upstream, top);
        for (unsigned k = 0; k < gpus + nics; ++k) {
            const std::string down = address(bus + 2, k);
            builder.bridge(down, upstream);
            if (k < gpus) {
                builder.gpuAt(address(bus + 3 + k, 0), down, numa);
            } else {
                builder.nic(
                    "mlx5_" + std::to_string(number++), address(bus + 3 + k, 0), down, numa);
            }
        }
    }
    return builder.build();
}

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_HOSTS_H
