// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/sysfs_tree.h"
#include "topology/distance.h"
#include "topology/sysfs.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace nixlStripe {

namespace fs = std::filesystem;

namespace {

    const rdmaNic &
    onlyNic(const machine &host) {
        EXPECT_EQ(host.nics.size(), 1U);
        return host.nics.at(0);
    }

    std::string
    card(sysfsTree &tree) {
        return tree.function("pci0000:00/0000:00:01.0", 0x020000, 0x15b3);
    }

} // namespace

TEST(sysfs, namesARootThatIsNotThere) {
    for (const char *bad : {"/no/such/root", "", "/dev/null"}) {
        try {
            readSysfs(bad);
            ADD_FAILURE() << bad;
        } catch (const std::invalid_argument &error) {
            EXPECT_NE(std::string(error.what()).find("'" + std::string(bad) + "'"),
                      std::string::npos)
                << error.what();
        }
    }
}

TEST(sysfs, ofNothingIsAnEmptyMachine) {
    const sysfsTree tree;
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(host.source, tree.root());
    EXPECT_TRUE(host.nics.empty() && host.gpus.empty() && host.pci.empty());
    EXPECT_FALSE(host.isLive);
    EXPECT_FALSE(host.isFlat);
}

TEST(sysfs, readsNicsGpusAndTheTreeThatJoinsThem) {
    sysfsTree tree;
    tree.addTwoSockets();
    const machine host = readSysfs(tree.root(), tree.dev());
    ASSERT_EQ(host.nics.size(), 2U);
    ASSERT_EQ(host.gpus.size(), 2U);
    EXPECT_EQ(host.numaNodes, (std::vector<int>{0, 1}));
    EXPECT_EQ(host.pci.size(), 12U);
    const rdmaNic &nic = host.nics[1];
    EXPECT_EQ(nic.pci, "0000:23:00.0");
    EXPECT_EQ(nic.numaNode, 1);
    EXPECT_EQ(nic.uverbs, "uverbs1");
    EXPECT_EQ(nic.access, access_t::YES);
    ASSERT_EQ(nic.ports.size(), 1U);
    EXPECT_EQ(nic.ports[0].state, portState_t::ACTIVE);
    EXPECT_EQ(nic.ports[0].linkLayer, linkLayer_t::INFINIBAND);
    EXPECT_DOUBLE_EQ(nic.ports[0].rateGbps, 400);
    EXPECT_EQ(nic.ports[0].lid, 31U);
    EXPECT_TRUE(nic.ports[0].hasGid);
    EXPECT_EQ(nic.ports[0].gids.size(), 1U);
    const pciNode &function = host.pci.at("0000:23:00.0");
    EXPECT_EQ(function.parent, "0000:22:00.0");
    EXPECT_EQ(function.root, "pci0000:20");
    EXPECT_DOUBLE_EQ(function.linkGtps, 32);
    EXPECT_EQ(function.linkWidth, 16U);
    EXPECT_EQ(affinityBetween(host, host.gpus[1], nic).distance, distance_t::PIX);
    EXPECT_EQ(affinityBetween(host, host.gpus[0], nic).distance, distance_t::SYS);
}

TEST(sysfs, doesWithoutUeventFiles) {
    sysfsTree tree;
    tree.addTwoSockets();
    for (const fs::path &path : tree.entries()) {
        if (path.filename() == "uevent") {
            fs::remove(path);
        }
    }
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(host.gpus.size(), 2U);
    EXPECT_EQ(host.pci.at("0000:13:00.0").classCode, 0x020700U);
    EXPECT_EQ(host.pci.at("0000:13:00.0").vendor, 0x15b3U);
}

TEST(sysfs, knowsAccessOnlyWhereDeviceNodesAreGiven) {
    sysfsTree tree;
    tree.nic(card(tree), "mlx5_0");
    EXPECT_EQ(onlyNic(readSysfs(tree.root())).access, access_t::UNKNOWN);
    EXPECT_EQ(onlyNic(readSysfs(tree.root(), tree.dev())).access, access_t::YES);
    fs::remove(fs::path(tree.dev()) / "infiniband/uverbs0");
    EXPECT_EQ(onlyNic(readSysfs(tree.root(), tree.dev())).access, access_t::NO_NODE);
}

TEST(sysfs, readsAllPortsInOrder) {
    sysfsTree tree;
    const std::string nic = tree.nic(card(tree), "mlx5_0");
    tree.port(nic, 10, "InfiniBand");
    tree.port(nic, 2, "Ethernet");
    tree.file(nic + "/ports/2/state", "1: DOWN");
    tree.file(nic + "/ports/2/phys_state", "3: Disabled");
    for (const char *odd : {"0", "256", "01", "x", "-1"}) {
        tree.file(nic + "/ports/" + odd + "/state", "4: ACTIVE");
    }
    const machine host = readSysfs(tree.root());
    const std::vector<port> &ports = onlyNic(host).ports;
    ASSERT_EQ(ports.size(), 3U);
    EXPECT_EQ(ports[1].number, 2U);
    EXPECT_EQ(ports[1].state, portState_t::DOWN);
    EXPECT_EQ(ports[1].physicalState, "Disabled");
    EXPECT_EQ(ports[2].number, 10U);
}

TEST(sysfs, findsGidsBehindSmallHoles) {
    sysfsTree tree;
    const std::string nic = tree.nic(card(tree), "mlx5_0");
    const std::string gids = nic + "/ports/1/gids/";
    for (int slot = 0; slot < 9; ++slot) {
        tree.file(gids + std::to_string(slot), "0000:0000:0000:0000:0000:0000:0000:0000");
    }
    EXPECT_FALSE(onlyNic(readSysfs(tree.root())).ports[0].hasGid);
    tree.file(gids + "3", "0000:0000:0000:0000:0000:ffff:c0a8:0001");
    tree.file(gids + "8", "0000:0000:0000:0000:0000:ffff:c0a8:0002");
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).ports[0].gids,
              (std::vector<std::string>{"0000:0000:0000:0000:0000:ffff:c0a8:0001"}));
}

TEST(sysfs, takesThePortsInterfaceFromItsGidsOrFromItsDevice) {
    sysfsTree tree;
    const std::string function = card(tree);
    const std::string nic = tree.nic(function, "mlx5_0");
    tree.port(nic, 1, "Ethernet");
    tree.port(nic, 2, "Ethernet");
    tree.file(tree.net(function, "eth0") + "/dev_port", "0");
    tree.file(tree.net(function, "eth1") + "/dev_port", "1");
    // a representor of a virtual function says dev_port 0 too
    tree.file(tree.net(function, "a_vf") + "/phys_port_name", "pf0vf0");
    tree.file(nic + "/ports/2/gid_attrs/ndevs/0", "bond0");
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).ports[0].netdev, "eth0");
    EXPECT_EQ(onlyNic(host).ports[1].netdev, "bond0");
}

TEST(sysfs, theInterfaceOfAPortIsOneThatIsHere) {
    sysfsTree tree;
    const std::string function = card(tree);
    const std::string nic = tree.nic(function, "mlx5_0");
    tree.port(nic, 1, "Ethernet");
    const std::string port = nic + "/ports/1/";
    const std::vector<std::string> gids = {"fe80:0000:0000:0000:0000:00ff:fe00:0001",
                                           "0000:0000:0000:0000:0000:ffff:c0a8:0001",
                                           "fe80:0000:0000:0000:0000:00ff:fe00:0002",
                                           "0000:0000:0000:0000:0000:ffff:0a0a:0001",
                                           "0000:0000:0000:0000:0000:ffff:0a0a:0002"};
    for (std::size_t slot = 0; slot < gids.size(); ++slot) {
        tree.file(port + "gids/" + std::to_string(slot), gids[slot]);
        tree.file(port + "gid_attrs/ndevs/" + std::to_string(slot), slot < 2 ? "eth0" : "net0");
    }
    EXPECT_EQ(onlyNic(readSysfs(tree.root())).ports[0].netdev, "eth0") << "none is known";
    tree.net("/devices/virtual", "net0");
    const machine pod = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(pod).ports[0].netdev, "net0");
    EXPECT_EQ(onlyNic(pod).ports[0].gidNetdevs,
              (std::vector<std::string>{"eth0", "eth0", "net0", "net0"}));
    tree.net(function, "eth0");
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).ports[0].netdev, "eth0");
    EXPECT_EQ(onlyNic(host).ports[0].gidNetdevs, (std::vector<std::string>{"eth0", "eth0"}));
}

TEST(sysfs, seesBondsButNotBridgesNorBondsOfIpoib) {
    sysfsTree tree;
    const std::string function = card(tree);
    const std::string nic = tree.nic(function, "mlx5_0");
    tree.port(nic, 1, "Ethernet");
    const std::string net = tree.net(function, "eth0");
    tree.net("devices/virtual", "master0");
    tree.link(net + "/master", "devices/virtual/net/master0");
    machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).bondMaster, "") << "a bridge";
    EXPECT_EQ(host.netInterfaces.at(0).master, "master0");
    tree.file("devices/virtual/net/master0/bonding/mode", "802.3ad 4");
    host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).bondMaster, "master0");
    tree.file(nic + "/ports/1/gid_attrs/ndevs/0", "master0");
    host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).bondMaster, "master0") << "RoCE LAG: the port's interface is the bond";
    tree.file(nic + "/ports/1/link_layer", "InfiniBand");
    host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).bondMaster, "");
    EXPECT_EQ(onlyNic(host).ports[0].netdev, "eth0");
}

TEST(sysfs, placesSoftRoceWhereItsInterfaceIs) {
    sysfsTree tree;
    const std::string function = card(tree);
    tree.file(function + "/numa_node", "1");
    tree.net(function + "/virtio0", "eth0");
    tree.port("devices/virtual/infiniband/rxe0", 1, "Ethernet");
    tree.link("class/infiniband/rxe0", "devices/virtual/infiniband/rxe0");
    tree.file("devices/virtual/infiniband/rxe0/parent", "eth0");
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).driver, "rdma_rxe");
    EXPECT_EQ(onlyNic(host).pci, "0000:00:01.0");
    EXPECT_EQ(onlyNic(host).numaNode, 1);
    EXPECT_EQ(onlyNic(host).uverbs, "");
    tree.file("devices/virtual/infiniband/rxe0/parent", "gone0");
    EXPECT_EQ(onlyNic(readSysfs(tree.root())).pci, "");
}

TEST(sysfs, tellsVirtualFunctions) {
    sysfsTree tree;
    const std::string physical = card(tree);
    const std::string function = tree.function("pci0000:00/0000:00:01.1", 0x020000, 0x15b3);
    tree.link(function + "/physfn", physical);
    tree.nic(function, "mlx5_0");
    const machine host = readSysfs(tree.root());
    EXPECT_TRUE(onlyNic(host).isVirtualFunction);
    EXPECT_EQ(onlyNic(host).physicalFunction, "0000:00:01.0");
    EXPECT_FALSE(onlyNic(host).physicalFunction.empty());
}

TEST(sysfs, takesOnlyGpusForGpus) {
    sysfsTree tree;
    tree.function("pci0000:00/0000:00:01.0", 0x030000, 0x1a03); // a BMC's VGA
    tree.function("pci0000:00/0000:00:02.0", 0x068000, 0x10de); // NVSwitch
    tree.function("pci0000:00/0000:00:03.0", 0x120000, 0x1da3); // another vendor's accelerator
    tree.function("pci0000:00/0000:00:04.0", 0x120000, 0x1002, 0x74a1);
    tree.function("pci0000:00/0000:00:05.0", 0x038000, 0x1002, 0x740c);
    tree.function("pci0000:00/0000:00:06.0", 0x030000, 0x10de);
    tree.function("pci0000:00/0000:00:07.0", 0x030000, 0x1002, 0x515e); // a server's own VGA
    const machine host = readSysfs(tree.root());
    ASSERT_EQ(host.gpus.size(), 3U);
    EXPECT_EQ(host.gpus[0].pci, "0000:00:04.0");
    EXPECT_EQ(host.gpus[0].vendor, gpuVendor_t::AMD);
    EXPECT_EQ(host.gpus[2].vendor, gpuVendor_t::NVIDIA);
    EXPECT_EQ(host.pci.size(), 3U) << "functions that do not matter are left out";
}

TEST(sysfs, readsACopyWhoseLinksBecameFolders) {
    sysfsTree tree;
    const std::string nic = "class/infiniband/mlx5_0";
    tree.port(nic, 1, "InfiniBand");
    tree.file(nic + "/device/uevent", "DRIVER=mlx5_core\nPCI_SLOT_NAME=0000:00:01.0");
    const std::string function = "bus/pci/devices/0000:00:01.0";
    tree.file(function + "/numa_node", "1");
    tree.file(function + "/class", "0x020700");
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).pci, "0000:00:01.0");
    EXPECT_EQ(onlyNic(host).driver, "mlx5_core");
    EXPECT_EQ(onlyNic(host).numaNode, 1);
    EXPECT_EQ(host.pci.at("0000:00:01.0").parent, "");
}

TEST(sysfs, takesNamesOfAnyBytesAndLength) {
    sysfsTree tree;
    const std::string function = card(tree);
    tree.nic(function, std::string(255, 'n'));
    tree.nic(function, "bad\xff name");
    const machine host = readSysfs(tree.root());
    ASSERT_EQ(host.nics.size(), 2U);
    EXPECT_EQ(host.nics[0].name, "bad\\xff name");
    EXPECT_EQ(host.nics[1].name.size(), 255U);
}

TEST(sysfs, doesNotWaitForAFifoNorReadForever) {
    sysfsTree tree;
    const std::string nic = tree.nic(card(tree), "mlx5_0");
    const fs::path port = fs::path(tree.root()) / nic / "ports/1";
    fs::remove(port / "state");
    ASSERT_EQ(::mkfifo((port / "state").c_str(), 0600), 0);
    std::ofstream(port / "rate") << std::string(1 << 20, '4');
    fs::remove(port / "lid");
    fs::create_symlink("/dev/zero", port / "lid");
    const machine host = readSysfs(tree.root());
    EXPECT_EQ(onlyNic(host).ports[0].state, portState_t::UNKNOWN);
    EXPECT_DOUBLE_EQ(onlyNic(host).ports[0].rateGbps, 0);
    EXPECT_EQ(onlyNic(host).ports[0].lid, 0U);
}

TEST(sysfs, readsTheOneThatRuns) {
    const machine host = readSysfs();
    EXPECT_TRUE(host.isLive);
    EXPECT_FALSE(host.netInterfaces.empty()) << "every Linux has lo";
}

namespace {

    using generator = std::mt19937;

    void
    replaceByFile(const fs::path &path, const std::string &text) {
        std::error_code ignored;
        fs::remove_all(path, ignored);
        std::ofstream(path, std::ios::binary) << text;
    }

    /** Does one bad thing to a random entry. */
    void
    damage(const fs::path &path, generator &random) {
        const std::vector<std::string> garbage = {"",
                                                  "-1",
                                                  "0x",
                                                  "\xff\xfe",
                                                  "99999999999999999999",
                                                  "4: ",
                                                  ": :",
                                                  "=\n=",
                                                  "%s%n",
                                                  std::string(8192, 'A'),
                                                  std::string("\0\0", 2),
                                                  "0000:00:00.0",
                                                  "../../../0000:00:00.0"};
        std::error_code ignored;
        switch (random() % 6) {
        case 0:
            fs::remove_all(path, ignored);
            break;
        case 1:
            replaceByFile(path, garbage[random() % garbage.size()]);
            break;
        case 2: // a loop of links
            fs::remove_all(path, ignored);
            fs::create_symlink(path.filename(), path, ignored);
            break;
        case 3: // up the tree: a loop of folders
            fs::remove_all(path, ignored);
            fs::create_symlink("../..", path, ignored);
            break;
        case 4:
            fs::remove_all(path, ignored);
            fs::create_directories(path, ignored);
            break;
        default:
            fs::remove_all(path, ignored);
            fs::create_symlink(garbage[random() % garbage.size()], path, ignored);
        }
    }

    class damagedSysfs : public testing::TestWithParam<unsigned> {};

} // namespace

TEST_P(damagedSysfs, isReadWithoutAComplaint) {
    generator random(GetParam());
    sysfsTree tree;
    tree.addTwoSockets();
    std::vector<fs::path> entries = tree.entries();
    for (unsigned i = 0; i < 1 + GetParam() % 12; ++i) {
        damage(entries[random() % entries.size()], random);
        const machine host = readSysfs(tree.root(), tree.dev());
        EXPECT_LE(host.nics.size(), entries.size());
        for (const gpu &accelerator : host.gpus) {
            EXPECT_EQ(host.pci.count(accelerator.pci), 1U);
            for (const rdmaNic &nic : host.nics) {
                affinityBetween(host, accelerator, nic);
            }
        }
        for (const auto &[address, node] : host.pci) {
            EXPECT_EQ(node.address, address);
            EXPECT_TRUE(node.parent.empty() || host.pci.count(node.parent) == 1U);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(seeds, damagedSysfs, testing::Range(0U, 40U));

} // namespace nixlStripe
