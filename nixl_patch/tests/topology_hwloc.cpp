// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/distance.h"
#include "topology/hwloc.h"
#include "topology/pci_address.h"
#include "topology/pci_devices.h"
#include "topology/pcie_link.h"

#include <gtest/gtest.h>
#include <map>
#include <stdexcept>
#include <string>

namespace {

using namespace nixlStripe;

machine
real(const std::string &name) {
    return readHwloc(std::string(TEST_DATA) + "/topologies/" + name + ".xml");
}

machine
fromText(const std::string &body, const std::string &version = "2.0") {
    const std::string text = "<topology version='" + version + "'><object type='Machine'>" + body +
                             "</object></topology>";
    return machineFromHwloc(parseXml(text, "test.xml"), "test.xml");
}

std::map<std::string, int>
distances(const machine &host, const gpu &accelerator) {
    std::map<std::string, int> count;
    for (const rdmaNic &nic : host.nics) {
        ++count[distanceName(affinityBetween(host, accelerator, nic).distance)];
    }
    return count;
}

using counts_t = std::map<std::string, int>;

TEST(hwloc, p5HasFourNicsBehindTheSwitchOfEachGpu) {
    const machine host = real("hwloc-aws-p5.48xl");
    ASSERT_EQ(host.nics.size(), 32u);
    ASSERT_EQ(host.gpus.size(), 8u);
    EXPECT_EQ(host.numaNodes, (std::vector<int>{0, 1}));
    EXPECT_FALSE(host.isFlat);
    EXPECT_FALSE(host.isLive);
    for (const gpu &accelerator : host.gpus) {
        EXPECT_EQ(distances(host, accelerator), (counts_t{{"PIX", 4}, {"NODE", 12}, {"SYS", 16}}));
        EXPECT_EQ(accelerator.vendor, gpuVendor_t::NVIDIA);
        EXPECT_EQ(accelerator.model, "NVIDIA H100 80GB HBM3");
    }
    EXPECT_EQ(host.gpus[0].pci, "0000:53:00.0");
    EXPECT_EQ(host.gpus[0].numaNode, 0);
    EXPECT_EQ(host.gpus[7].numaNode, 1);
    EXPECT_EQ(host.nics.front().name, "rdmap79s0");
    EXPECT_EQ(host.nics.back().name, "rdmap201s0");
    const rdmaNic &first = host.nics.front();
    EXPECT_EQ(first.pci, "0000:4f:00.0");
    ASSERT_EQ(first.ports.size(), 1u);
    EXPECT_EQ(first.ports[0].linkLayer, linkLayer_t::EFA);
    EXPECT_EQ(first.ports[0].state, portState_t::UNKNOWN);
    EXPECT_EQ(first.ports[0].rateGbps, 0);
    EXPECT_EQ(first.access, access_t::UNKNOWN);
    const pciNode &function = host.pci.at("0000:4f:00.0");
    EXPECT_EQ(function.parent, "0000:46:01.0");
    EXPECT_EQ(function.root, "pci0000:44");
    EXPECT_EQ(function.device, 0xefa1u);
    EXPECT_EQ(host.pci.at("0000:53:00.0").linkGtps, 32);
    EXPECT_EQ(host.pci.at("0000:53:00.0").linkWidth, 16u);
    // NVMe drives and their bridges are no part of the machine.
    EXPECT_EQ(host.pci.count("0000:54:00.0"), 0u);
}

TEST(hwloc, p4dHasOneNicForTwoGpusAtEachHostBridge) {
    const machine host = real("hwloc-aws-p4d.24xl");
    ASSERT_EQ(host.nics.size(), 4u);
    ASSERT_EQ(host.gpus.size(), 8u);
    EXPECT_EQ(host.netInterfaces.size(), 4u);
    for (const gpu &accelerator : host.gpus) {
        EXPECT_EQ(distances(host, accelerator), (counts_t{{"PHB", 1}, {"NODE", 1}, {"SYS", 2}}));
    }
}

TEST(hwloc, p3dnIsFlatAndItsDisplayIsNoGpu) {
    const machine host = real("hwloc-aws-p3dn.24xl");
    // hwloc hung an OpenCL device on the display of the hypervisor (0000:00:03.0).
    ASSERT_EQ(host.gpus.size(), 8u);
    EXPECT_EQ(host.gpus.front().pci, "0000:00:16.0");
    ASSERT_EQ(host.nics.size(), 1u);
    EXPECT_EQ(host.nics[0].numaNode, unknown_numa);
    EXPECT_EQ(host.numaNodes, (std::vector<int>{0, 1}));
    EXPECT_TRUE(host.isFlat);
}

TEST(hwloc, g6HasOneNicOfItsOwnRoot) {
    const machine host = real("hwloc-aws-g6.48xl");
    ASSERT_EQ(host.gpus.size(), 8u);
    ASSERT_EQ(host.nics.size(), 1u);
    EXPECT_EQ(host.nics[0].name, "rdmap150s0");
    EXPECT_EQ(distances(host, host.gpus.front()), (counts_t{{"NODE", 1}}));
    EXPECT_EQ(distances(host, host.gpus.back()), (counts_t{{"SYS", 1}}));
}

class bothVersions : public testing::TestWithParam<const char *> {};

TEST_P(bothVersions, giveTheSameMachine) {
    const machine second = real(std::string("hwloc-aws-") + GetParam());
    const machine first = real(std::string("hwloc1-aws-") + GetParam());
    EXPECT_EQ(first.numaNodes, second.numaNodes);
    ASSERT_EQ(first.nics.size(), second.nics.size());
    for (std::size_t i = 0; i < first.nics.size(); ++i) {
        EXPECT_EQ(first.nics[i].name, second.nics[i].name);
        EXPECT_EQ(first.nics[i].pci, second.nics[i].pci);
        EXPECT_EQ(first.nics[i].numaNode, second.nics[i].numaNode);
    }
    ASSERT_EQ(first.gpus.size(), second.gpus.size());
    for (std::size_t i = 0; i < first.gpus.size(); ++i) {
        EXPECT_EQ(first.gpus[i].pci, second.gpus[i].pci);
        EXPECT_EQ(first.gpus[i].model, second.gpus[i].model);
        EXPECT_EQ(distances(first, first.gpus[i]), distances(second, second.gpus[i]));
    }
    ASSERT_EQ(first.pci.size(), second.pci.size());
    for (const auto &[address, node] : first.pci) {
        const pciNode &other = second.pci.at(address);
        EXPECT_EQ(node.parent, other.parent);
        EXPECT_EQ(node.root, other.root);
        EXPECT_EQ(node.numaNode, other.numaNode) << address;
        EXPECT_EQ(node.classCode, other.classCode);
        EXPECT_EQ(node.linkGtps, other.linkGtps);
    }
}

INSTANTIATE_TEST_SUITE_P(aws, bothVersions, testing::Values("p3dn.24xl", "p4d.24xl", "p5.48xl"));

const char *const infiniband =
    "<object type='Bridge' bridge_type='0-1' bridge_pci='0003:[10-11]'>"
    "<object type='PCIDev' pci_busid='0003:11:00.0' pci_type='0207 [15b3:1021] [15b3:0001] 00' "
    "pci_link_speed='63.015385'>"
    "<object type='OSDev' name='ib0' osdev_type='2'><info name='Port' value='1'/></object>"
    "<object type='OSDev' name='ib1' osdev_type='2'><info name='Port' value='2'/></object>"
    "<object type='OSDev' name='mlx5_0' osdev_type='3'>"
    "<info name='Port2State' value='4'/><info name='Port2LID' value='0x1f'/>"
    "<info name='Port1State' value='1'/><info name='Port1LID' value='0x0'/>"
    "<info name='Port1GID0' value='0000:0000:0000:0000:0000:0000:0000:0000'/>"
    "<info name='Port2GID0' value='fe80:0000:0000:0000:0c42:a103:0000:0001'/>"
    "</object></object></object>";

TEST(hwloc, readsPortsAndTheirInterfaces) {
    const machine host = fromText(infiniband);
    ASSERT_EQ(host.nics.size(), 1u);
    const std::vector<port> &ports = host.nics[0].ports;
    ASSERT_EQ(ports.size(), 2u);
    EXPECT_EQ(ports[0].number, 1u);
    EXPECT_EQ(ports[0].state, portState_t::DOWN);
    EXPECT_FALSE(ports[0].hasGid);
    EXPECT_EQ(ports[0].netdev, "ib0");
    EXPECT_EQ(ports[1].state, portState_t::ACTIVE);
    EXPECT_EQ(ports[1].lid, 0x1fu);
    EXPECT_TRUE(ports[1].hasGid);
    EXPECT_EQ(ports[1].netdev, "ib1");
    EXPECT_EQ(ports[1].linkLayer, linkLayer_t::INFINIBAND);
    EXPECT_EQ(host.pci.at("0003:11:00.0").root, "pci0003:10");
}

TEST(hwloc, version3WritesTypesAsBits) {
    const std::string device = "<object type='PCIDev' pci_busid='0000:04:00.0' pci_type='0207 "
                               "[15b3:1011] [0000:0000] 06 00'><object type='OSDev' name='mlx5_0' "
                               "osdev_type='TYPE'/></object>";
    const auto with = [&](const char *type) {
        std::string text = device;
        return text.replace(text.find("TYPE"), 4, type);
    };
    EXPECT_EQ(fromText(with("32"), "3.0").nics.size(), 1u);
    EXPECT_EQ(fromText(with("48"), "3.0").nics.size(), 1u); // a network device as well
    EXPECT_EQ(fromText(with("16"), "3.0").netInterfaces.size(), 1u);
    EXPECT_EQ(fromText(with("3"), "3.0").nics.size(), 0u);
    EXPECT_EQ(fromText(with("32"), "2.0").nics.size(), 0u);
}

std::string
package(const std::string &inside) {
    return "<object type='Package' cpuset='0xff'>" + inside + infiniband + "</object>";
}

TEST(hwloc, numaNodeOfAPackage) {
    const std::string dram = "<object type='NUMANode' os_index='2' cpuset='0xff'/>";
    const std::string hbm = "<object type='NUMANode' os_index='1' cpuset='0xff' subtype='HBM'/>";
    const std::string unnamed = "<object type='NUMANode' os_index='4' cpuset='0xff'/>";
    const std::string half = "<object type='NUMANode' os_index='5' cpuset='0x0f'/>";
    const std::string other_half = "<object type='NUMANode' os_index='6' cpuset='0xf0'/>";
    EXPECT_EQ(fromText(package(dram)).nics[0].numaNode, 2);
    EXPECT_EQ(fromText(package(hbm + dram)).nics[0].numaNode, 2);
    EXPECT_EQ(fromText(package(unnamed + dram)).nics[0].numaNode, 2);
    EXPECT_EQ(fromText(package(half + other_half)).nics[0].numaNode, unknown_numa);
    EXPECT_EQ(fromText(package("")).nics[0].numaNode, unknown_numa);
    EXPECT_EQ(fromText(package(half + other_half)).numaNodes, (std::vector<int>{5, 6}));
    // One node of the whole machine is everybody's.
    EXPECT_EQ(fromText(dram + package("")).nics[0].numaNode, 2);
}

TEST(hwloc, softwareDevicesHaveNoFunction) {
    const machine host = fromText("<object type='OSDev' name='rxe0' osdev_type='3'/>"
                                  "<object type='OSDev' name='' osdev_type='3'/>");
    ASSERT_EQ(host.nics.size(), 1u);
    EXPECT_EQ(host.nics[0].pci, "");
    EXPECT_TRUE(host.pci.empty());
}

TEST(hwloc, garbageInAttributesMeansUnknown) {
    const machine host = fromText(
        "<object type='Bridge' bridge_type='0-1' bridge_pci='nonsense'>"
        "<object type='PCIDev' pci_busid='zz' pci_type='0302 [10de:2330]'/>"
        "<object type='PCIDev' pci_busid='0000:01:00.0' pci_type='02' pci_link_speed='fast'>"
        "<object type='OSDev' name='mlx5_0' osdev_type='3'><info name='PortXState' value='4'/>"
        "<info name='Port1State' value='99'/><info/></object></object></object>");
    EXPECT_TRUE(host.gpus.empty());
    ASSERT_EQ(host.nics.size(), 1u);
    ASSERT_EQ(host.nics[0].ports.size(), 1u);
    EXPECT_EQ(host.nics[0].ports[0].state, portState_t::UNKNOWN);
    EXPECT_EQ(host.pci.at("0000:01:00.0").linkWidth, 0u);
    EXPECT_EQ(host.pci.at("0000:01:00.0").root, "");
}

TEST(hwloc, otherDocumentsAreRefused) {
    for (const char *text : {"<system version='1'/>",
                             "<topology/>",
                             "<topology><object type='Package'/></topology>"}) {
        try {
            machineFromHwloc(parseXml(text, "x.xml"), "x.xml");
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument &error) {
            EXPECT_EQ(std::string(error.what()).rfind("x.xml: no hwloc topology", 0), 0u);
        }
    }
}

TEST(pcieLink, payloadsOfRealLinks) {
    const auto is = [](double payload, double gtps, unsigned width) {
        const pcieLink link = linkFromPayload(payload);
        EXPECT_EQ(link.gtps, gtps) << payload;
        EXPECT_EQ(link.width, width) << payload;
    };
    is(0.25, 2.5, 1);
    is(2.0, 2.5, 8);
    is(4.0, 2.5, 16);
    is(15.753846, 8, 16);
    is(31.507692, 16, 16);
    is(63.015385, 32, 16);
    is(121.0, 64, 16);
    is(0, 0, 0);
    is(5.123, 0, 0);
    is(-1, 0, 0);
}

TEST(pciAddress, parts) {
    const auto address = parsePciAddress("00010000:E1:1f.7");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->domain, 0x10000u);
    EXPECT_EQ(address->bus, 0xe1u);
    EXPECT_EQ(address->device, 0x1fu);
    EXPECT_EQ(address->function, 7u);
    EXPECT_EQ(address->text(), "10000:e1:1f.7");
    EXPECT_FALSE(parsePciAddress("0000:1b:00.8"));
}

TEST(pciDevices, whatIsAGpu) {
    EXPECT_EQ(gpuVendorOf(0x030200, 0x10de, 0x2330), gpuVendor_t::NVIDIA);
    EXPECT_EQ(gpuVendorOf(0x030000, 0x10de, 0x2204), gpuVendor_t::NVIDIA);
    EXPECT_EQ(gpuVendorOf(0x068000, 0x10de, 0x22a3), std::nullopt); // NVSwitch
    EXPECT_EQ(gpuVendorOf(0x120000, 0x1002, 0x74a1), gpuVendor_t::AMD);
    EXPECT_EQ(gpuVendorOf(0x038000, 0x1002, 0x740c), gpuVendor_t::AMD);
    EXPECT_EQ(gpuVendorOf(0x030000, 0x1002, 0x515e), std::nullopt); // ES1000
    EXPECT_EQ(gpuVendorOf(0x030000, 0x1a03, 0x2000), std::nullopt); // a BMC
    EXPECT_EQ(gpuVendorOf(0x030000, 0x1d0f, 0x1111), std::nullopt);
}

TEST(pciDevices, whatALinkSpeaks) {
    EXPECT_EQ(linkLayerOf(0x020000, 0x1d0f, 0xefa2), linkLayer_t::EFA);
    EXPECT_EQ(linkLayerOf(0x020000, 0x1d0f, 0xec20), linkLayer_t::ETHERNET);
    EXPECT_EQ(linkLayerOf(0x020700, 0x15b3, 0x1021), linkLayer_t::INFINIBAND);
    EXPECT_EQ(linkLayerOf(0x028000, 0x15b3, 0x1021), linkLayer_t::UNKNOWN);
}

std::string
functionXml(const std::string &bus,
            const std::string &model,
            const std::string &name,
            const std::string &card) {
    return "<object type='PCIDev' pci_busid='" + bus + "' pci_type='0207 [15b3:101b] [0:0] 00'>" +
           "<info name='PCIDevice' value='" + model + "'/><object type='OSDev' name='" + name +
           "' osdev_type='3'><info name='SysImageGUID' value='" + card +
           "'/><info name='Port1State' value='4'/></object></object>";
}

TEST(hwloc, aVirtualFunctionIsOfTheFunctionBeforeItOnItsCard) {
    const std::string card = "0001:0203:0405:0607";
    const std::string vf = "ConnectX Family mlx5Gen Virtual Function";
    const machine host = fromText(functionXml("0000:1a:00.0", "MT28908", "mlx5_0", card) +
                                  functionXml("0000:1a:00.1", "MT28908", "mlx5_1", card) +
                                  functionXml("0000:1a:00.4", vf, "mlx5_2", card) +
                                  functionXml("0000:2a:00.4", vf, "mlx5_3", "0001:0203:0405:0608") +
                                  functionXml("0000:3a:00.4", vf, "mlx5_4", ""));
    ASSERT_EQ(host.nics.size(), 5U);
    EXPECT_EQ(host.nics[1].physicalFunction, "");
    EXPECT_TRUE(host.nics[2].isVirtualFunction);
    EXPECT_EQ(host.nics[2].physicalFunction, "0000:1a:00.1");
    EXPECT_EQ(host.nics[3].physicalFunction, "") << "of a card that is not here";
    EXPECT_EQ(host.nics[4].physicalFunction, "") << "of an unknown card";
}

} // namespace
