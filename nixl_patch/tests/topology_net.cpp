// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/sysfs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>

using namespace nixlStripe;

namespace {

namespace fs = std::filesystem;

/** A sysfs with network interfaces only. */
class NetInterfaces : public testing::Test {
protected:
    void
    SetUp() override {
        root_ = fs::temp_directory_path() / ("nixl-stripe-net-" + std::to_string(::getpid()));
        fs::create_directories(root_ / "class/net");
    }

    void
    TearDown() override {
        fs::remove_all(root_);
    }

    fs::path
    add(const std::string &name, unsigned arp_type, const std::string &uevent = "") {
        const fs::path where = root_ / "class/net" / name;
        fs::create_directories(where);
        write(where / "type", std::to_string(arp_type));
        write(where / "operstate", "up");
        write(where / "flags", "0x1003");
        write(where / "speed", "10000");
        write(where / "uevent", uevent + "INTERFACE=" + name + "\nIFINDEX=7");
        return where;
    }

    static void
    write(const fs::path &file, const std::string &text) {
        std::ofstream(file) << text << "\n";
    }

    netInterface
    read(const std::string &name) const {
        for (const netInterface &each : readSysfs(root_.string()).netInterfaces) {
            if (each.name == name) {
                return each;
            }
        }
        throw std::runtime_error("no interface " + name);
    }

    fs::path root_;
};

} // namespace

TEST_F(NetInterfaces, kinds) {
    add("lo", 772);
    add("veth0", 1);
    add("eth0.5", 1, "DEVTYPE=vlan\n");
    add("tun0", 65534);
    fs::create_directories(add("docker0", 1, "DEVTYPE=bridge\n") / "bridge");
    fs::create_directories(add("bond0", 1, "DEVTYPE=bond\n") / "bonding");
    add("vxlan0", 1, "DEVTYPE=vxlan\n");
    write(add("tap0", 1) / "tun_flags", "0x1002");
    fs::create_directories(add("ib0", 32) / "device");
    fs::create_directories(add("eth0", 1) / "device");
    const std::map<std::string, netKind_t> expected = {{"lo", netKind_t::LOOPBACK},
                                                       {"veth0", netKind_t::ETHERNET},
                                                       {"eth0.5", netKind_t::ETHERNET},
                                                       {"tun0", netKind_t::TUNNEL},
                                                       {"docker0", netKind_t::BRIDGE},
                                                       {"bond0", netKind_t::BOND},
                                                       {"vxlan0", netKind_t::TUNNEL},
                                                       {"tap0", netKind_t::TUNNEL},
                                                       {"ib0", netKind_t::INFINIBAND},
                                                       {"eth0", netKind_t::ETHERNET}};
    for (const auto &[name, kind] : expected) {
        EXPECT_EQ(read(name).kind, kind) << name;
        EXPECT_EQ(read(name).isVirtual, name != "ib0" && name != "eth0") << name;
        EXPECT_EQ(read(name).address, address_t::UNKNOWN) << name;
    }
}

TEST_F(NetInterfaces, theSpeedOfVirtualOnesIsMadeUp) {
    add("veth0", 1);
    fs::create_directories(add("bond0", 1) / "bonding");
    fs::create_directories(add("eth0", 1) / "device");
    EXPECT_EQ(read("veth0").rateGbps, 0);
    EXPECT_EQ(read("bond0").rateGbps, 10);
    EXPECT_EQ(read("eth0").rateGbps, 10);
}

TEST(LiveNetInterfaces, addressesAreKnown) {
    const machine host = readSysfs("/sys");
    ASSERT_TRUE(host.isLive);
    const auto lo = std::find_if(host.netInterfaces.begin(),
                                 host.netInterfaces.end(),
                                 [](const netInterface &each) { return each.name == "lo"; });
    ASSERT_NE(lo, host.netInterfaces.end());
    EXPECT_EQ(lo->kind, netKind_t::LOOPBACK);
    EXPECT_TRUE(lo->isVirtual);
    for (const netInterface &each : host.netInterfaces) {
        EXPECT_NE(each.address, address_t::UNKNOWN) << each.name;
    }
}
