// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/distance.h"
#include "topology/names.h"
#include "topology/normalize.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    /** Adds a chain of functions below a host bridge. */
    void
    addChain(machine &host,
             const std::string &root,
             const std::vector<std::string> &chain,
             int numa_node) {
        std::string parent;
        for (const std::string &address : chain) {
            pciNode node;
            node.address = address;
            node.parent = parent;
            node.root = root;
            node.numaNode = numa_node;
            host.pci.emplace(address, node);
            parent = address;
        }
    }

    distance_t
    between(const machine &host, const std::string &a, const std::string &b) {
        const affinity there = affinityBetween(host, a, b);
        const affinity back = affinityBetween(host, b, a);
        EXPECT_EQ(there.distance, back.distance);
        EXPECT_EQ(there.commonDepth, back.commonDepth);
        return there.distance;
    }

    /** Two sockets; on the first a switch with a switch below one of its ports. */
    machine
    twoSockets() {
        machine host;
        host.numaNodes = {0, 1};
        addChain(host, "pci0", {"port", "up", "down0", "gpu"}, 0);
        addChain(host, "pci0", {"port", "up", "down1", "nic"}, 0);
        addChain(host, "pci0", {"port", "up", "down2", "up2", "down3", "far"}, 0);
        addChain(host, "pci0", {"port2", "beside"}, 0);
        addChain(host, "pci1", {"port3", "node"}, 0);
        addChain(host, "pci2", {"port4", "other"}, 1);
        addChain(host, "pci3", {"port5", "lost"}, unknown_numa);
        return host;
    }

} // namespace

TEST(distance, isNamedAsNcclDoes) {
    const machine host = twoSockets();
    EXPECT_EQ(between(host, "gpu", "nic"), distance_t::PIX);
    EXPECT_EQ(between(host, "gpu", "far"), distance_t::PXB);
    EXPECT_EQ(between(host, "gpu", "beside"), distance_t::PHB);
    EXPECT_EQ(between(host, "gpu", "node"), distance_t::NODE);
    EXPECT_EQ(between(host, "gpu", "other"), distance_t::SYS);
    EXPECT_STREQ(distanceName(distance_t::PXB), "PXB");
}

TEST(distance, ofFunctionsOfOneCardIsPix) {
    machine host;
    addChain(host, "pci0", {"port", "card.0"}, 0);
    addChain(host, "pci0", {"port", "card.1"}, 0);
    EXPECT_EQ(between(host, "card.0", "card.1"), distance_t::PIX);
    EXPECT_EQ(between(host, "card.0", "card.0"), distance_t::PIX);
}

TEST(distance, takesADeeperCommonPathForNearer) {
    const machine host = twoSockets();
    const affinity pix = affinityBetween(host, "gpu", "nic");
    const affinity pxb = affinityBetween(host, "gpu", "far");
    const affinity phb = affinityBetween(host, "gpu", "beside");
    EXPECT_EQ(pix.commonDepth, 3U);
    EXPECT_EQ(phb.commonDepth, 1U);
    EXPECT_TRUE(isNearer(pix, pxb));
    EXPECT_FALSE(isNearer(pxb, pix));
    EXPECT_TRUE(isNearer({distance_t::PXB, 4}, {distance_t::PXB, 3}));
    EXPECT_FALSE(isNearer(pix, pix));
}

TEST(distance, takesNoUnknownNumaNodeForTheSame) {
    machine host = twoSockets();
    addChain(host, "pci4", {"port6", "lost too"}, unknown_numa);
    EXPECT_EQ(between(host, "gpu", "lost"), distance_t::SYS);
    EXPECT_EQ(between(host, "lost too", "lost"), distance_t::SYS);
    EXPECT_EQ(between(host, "gpu", "not there"), distance_t::SYS);
    host.numaNodes = {0};
    EXPECT_EQ(between(host, "lost too", "lost"), distance_t::NODE);
    EXPECT_EQ(between(host, "gpu", "not there"), distance_t::NODE);
}

TEST(distance, countsAWholeSwitchAsItsTwoPorts) {
    machine host; // NCCL's XML: one node a switch, no host bridges
    host.numaNodes = {0, 1};
    addChain(host, "", {"switch", "gpu"}, 0);
    addChain(host, "", {"switch", "nic"}, 0);
    addChain(host, "", {"switch", "switch2", "far"}, 0);
    addChain(host, "", {"switch3", "cpu"}, 0);
    addChain(host, "", {"switch4", "other"}, 1);
    for (auto &[address, node] : host.pci) {
        node.isWholeSwitch = address.rfind("switch", 0) == 0;
    }
    EXPECT_EQ(between(host, "gpu", "nic"), distance_t::PIX);
    EXPECT_EQ(between(host, "gpu", "far"), distance_t::PXB);
    EXPECT_EQ(between(host, "gpu", "cpu"), distance_t::PHB);
    EXPECT_EQ(between(host, "gpu", "other"), distance_t::SYS);
}

TEST(distance, ofDevicesWithoutPciGoesByNumaNode) {
    machine host = twoSockets();
    gpu accelerator;
    accelerator.pci = "gpu";
    rdmaNic soft;
    soft.numaNode = 0;
    EXPECT_EQ(affinityBetween(host, accelerator, soft).distance, distance_t::NODE);
    soft.numaNode = 1;
    EXPECT_EQ(affinityBetween(host, accelerator, soft).distance, distance_t::SYS);
    soft.numaNode = unknown_numa;
    EXPECT_EQ(affinityBetween(host, accelerator, soft).distance, distance_t::SYS);
    soft.pci = "nic";
    EXPECT_EQ(affinityBetween(host, accelerator, soft).distance, distance_t::PIX);
}

TEST(distance, endsOnParentsInACircle) {
    machine host;
    addChain(host, "pci0", {"a", "b"}, 0);
    addChain(host, "pci0", {"c"}, 0);
    host.pci.at("a").parent = "b";
    between(host, "a", "b");
    between(host, "a", "c");
}

TEST(normalize, sortsAsPeopleDo) {
    machine host;
    for (const char *name : {"mlx5_10", "mlx5_2"}) {
        host.nics.emplace_back().name = name;
    }
    host.nics.front().ports.resize(2);
    host.nics.front().ports.front().number = 2;
    for (const char *address : {"10000:01:00.0", "0001:01:00.0", "0000:02:00.0"}) {
        host.gpus.emplace_back().pci = address;
    }
    host.numaNodes = {1, 0, 1};
    normalize(host);
    EXPECT_EQ(host.nics.front().name, "mlx5_2");
    EXPECT_EQ(host.nics.back().ports.front().number, 1U);
    EXPECT_EQ(host.gpus.front().pci, "0000:02:00.0");
    EXPECT_EQ(host.gpus.back().pci, "10000:01:00.0");
    EXPECT_EQ(host.numaNodes, (std::vector<int>{0, 1}));
}

TEST(normalize, inheritsNumaNodesDownwards) {
    machine host;
    addChain(host, "pci0", {"port", "up", "nic"}, unknown_numa);
    host.pci.at("port").numaNode = 3;
    host.nics.emplace_back().pci = "nic";
    normalize(host);
    EXPECT_EQ(host.nics.front().numaNode, 3);
    EXPECT_EQ(host.numaNodes, (std::vector<int>{3}));
}

TEST(normalize, cutsParentsThatAreMissingOrInACircle) {
    machine host;
    addChain(host, "pci0", {"a", "b", "c"}, 0);
    host.pci.at("a").parent = "c";
    addChain(host, "pci0", {"self"}, 0);
    host.pci.at("self").parent = "self";
    addChain(host, "pci0", {"orphan"}, 0);
    host.pci.at("orphan").parent = "gone";
    normalize(host);
    EXPECT_EQ(host.pci.at("self").parent, "");
    EXPECT_EQ(host.pci.at("orphan").parent, "");
    std::size_t tops = 0;
    for (const char *name : {"a", "b", "c"}) {
        tops += host.pci.at(name).parent.empty() ? 1U : 0U;
    }
    EXPECT_EQ(tops, 1U);
}

TEST(normalize, callsAMachineFlatOnlyWhenNothingTellsItsPairsApart) {
    machine host;
    addChain(host, "pci0", {"gpu"}, unknown_numa);
    addChain(host, "pci0", {"nic"}, unknown_numa);
    host.gpus.emplace_back().pci = "gpu";
    normalize(host);
    EXPECT_FALSE(host.isFlat) << "no NIC, nothing to tell apart";
    host.nics.emplace_back().pci = "nic";
    host.nics.emplace_back().pci = "elsewhere";
    host.nics.back().name = "second";
    normalize(host);
    EXPECT_FALSE(host.isFlat) << "one NIC shares the GPU's host bridge, one does not";
    host.nics.pop_back();
    normalize(host);
    EXPECT_TRUE(host.isFlat);
    host.gpus.front().numaNode = 0;
    normalize(host);
    EXPECT_FALSE(host.isFlat);
}

TEST(names, areThoseOfTheKernel) {
    EXPECT_STREQ(linkLayerName(linkLayer_t::INFINIBAND), "InfiniBand");
    EXPECT_STREQ(linkLayerName(linkLayer_t::UNKNOWN), "unknown");
    EXPECT_STREQ(portStateName(portState_t::ACTIVE), "ACTIVE");
    EXPECT_STREQ(accessName(access_t::NO_NODE), "no node");
    EXPECT_STREQ(gpuVendorName(gpuVendor_t::AMD), "AMD");
}

} // namespace nixlStripe
