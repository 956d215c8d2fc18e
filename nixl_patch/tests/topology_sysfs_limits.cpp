// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** A sysfs that is a copy can hold anything: too much is refused by name, the rest is read. */
#include "tests/errors.h"
#include "tests/sysfs_tree.h"
#include "topology/folder.h"
#include "topology/limits.h"
#include "topology/sysfs.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>

namespace {

using namespace nixlStripe;
namespace fs = std::filesystem;

TEST(sysfsLimits, tooManyInterfacesOrNicsAreRefused) {
    sysfsTree tree;
    tree.addTwoSockets();
    const fs::path nets = fs::path(tree.root()) / "class/net";
    fs::create_directories(nets);
    for (std::size_t i = 0; i <= max_net_interfaces; ++i) {
        fs::create_directory(nets / ("veth" + std::to_string(i)));
    }
    expectIn("more than 8192 network interfaces", textOfError([&] { readSysfs(tree.root()); }));
    fs::remove_all(nets);
    EXPECT_EQ(readSysfs(tree.root()).nics.size(), 2u);
    for (std::size_t i = 0; i <= max_nics; ++i) {
        fs::create_directory(fs::path(tree.root()) / "class/infiniband" / std::to_string(i));
    }
    expectIn("more than 4096 RDMA NICs", textOfError([&] { readSysfs(tree.root()); }));
}

TEST(sysfsLimits, bridgesAboveOneAnotherAreCounted) {
    const auto chain = [](std::size_t bridges) {
        std::string path = "pci0000:00";
        for (std::size_t i = 0; i < bridges; ++i) {
            char part[32];
            std::snprintf(part, sizeof part, "/0000:%02zx:01.0", i);
            path += part;
        }
        return path + "/0000:f0:00.0";
    };
    sysfsTree tree;
    tree.nic(tree.function(chain(max_pci_depth), 0x020700, 0x15b3), "mlx5_0");
    EXPECT_EQ(readSysfs(tree.root()).pci.size(), max_pci_depth + 1);
    sysfsTree deeper;
    deeper.nic(deeper.function(chain(max_pci_depth + 1), 0x020700, 0x15b3), "mlx5_0");
    expectIn("more than 64 PCI functions above one another",
             textOfError([&] { readSysfs(deeper.root()); }));
}

/** Links let few entries stand for many; the budget of looks ends it all the same. */
TEST(sysfsLimits, looksAreCounted) {
    sysfsTree tree;
    tree.addTwoSockets();
    const std::string root = tree.root();
    {
        const lookBudget enough(root, 100);
        EXPECT_EQ(folder(root).sub("class/infiniband").list().size(), 2u);
    }
    const lookBudget few(root, 2);
    const folder top(root);
    const std::string error = textOfError([&] { top.sub("class/infiniband").list(); });
    expectIn(root + ": more than 2 files and names to look at (now at '", error);
}

/** FIFOs, endless files, loops and folders where files should be: unknown, never a wait. */
TEST(sysfsLimits, whatIsNoFileReadsAsUnknown) {
    sysfsTree tree;
    tree.addTwoSockets();
    const fs::path port = fs::path(tree.root()) / "class/infiniband/mlx5_0/ports/1";
    const auto replace = [&port](const char *name) {
        fs::remove_all(port / name);
        return port / name;
    };
    ASSERT_EQ(::mkfifo(replace("state").c_str(), 0600), 0);
    fs::create_symlink("/dev/zero", replace("rate"));
    fs::create_symlink("link_layer", replace("link_layer"));
    fs::create_directory(replace("lid"));
    const machine host = readSysfs(tree.root());
    ASSERT_EQ(host.nics.size(), 2u);
    const struct port &read = host.nics.front().ports.at(0);
    EXPECT_EQ(read.state, portState_t::UNKNOWN);
    EXPECT_EQ(read.rateGbps, 0);
    EXPECT_EQ(read.linkLayer, linkLayer_t::UNKNOWN);
    EXPECT_EQ(read.lid, 0u);
    EXPECT_EQ(host.nics.back().ports.at(0).state, portState_t::ACTIVE);
}

} // namespace
