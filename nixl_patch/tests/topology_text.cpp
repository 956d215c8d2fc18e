// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/natural_order.h"
#include "topology/pci_path.h"
#include "topology/sysfs_text.h"
#include "topology/text.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace nixlStripe {

using strings = std::vector<std::string>;

TEST(sysfsText, numbersAreDecimalOrHexadecimalAndNothingElse) {
    EXPECT_EQ(parseNumber("0"), 0U);
    EXPECT_EQ(parseNumber("0x1f"), 31U);
    EXPECT_EQ(parseNumber("18446744073709551615"), 18446744073709551615U);
    for (const char *bad :
         {"", "-1", "0x", "1 ", " 1", "1x", "0xg", "18446744073709551616", "\xff"}) {
        EXPECT_FALSE(parseNumber(bad)) << bad;
    }
}

TEST(sysfsText, numaNodesOutsideOfWhatLinuxHasAreUnknown) {
    EXPECT_EQ(parseNumaNode("0"), 0);
    EXPECT_EQ(parseNumaNode("1023"), 1023);
    for (const char *bad : {"-1", "1024", "4294967295", "", "node0"}) {
        EXPECT_EQ(parseNumaNode(bad), unknown_numa) << bad;
    }
}

TEST(sysfsText, numaListsHaveRanges) {
    EXPECT_EQ(parseNumaList("0"), (std::vector<int>{0}));
    EXPECT_EQ(parseNumaList("0-2,8"), (std::vector<int>{0, 1, 2, 8}));
    for (const char *bad : {"", "x", "0-", "-1", "0,,x", "0-99999999", "1-0"}) {
        EXPECT_TRUE(parseNumaList(bad).empty() || std::string(bad) == "0-") << bad;
    }
}

TEST(sysfsText, ratesAreTheNumberInFront) {
    EXPECT_DOUBLE_EQ(parseRate("400 Gb/sec (4X NDR)"), 400);
    EXPECT_DOUBLE_EQ(parseRate("2.5 Gb/sec (1X SDR)"), 2.5);
    EXPECT_DOUBLE_EQ(parseRate("16.0 GT/s PCIe"), 16);
    for (const char *bad : {"",
                            "Unknown",
                            "-1",
                            "inf",
                            "nan",
                            "100001 Gb/sec",
                            ".5",
                            "99999999999999999999999999999999999999999999999999"}) {
        EXPECT_DOUBLE_EQ(parseRate(bad), 0) << bad;
    }
}

TEST(sysfsText, portStatesAreTheKernelsNumbers) {
    EXPECT_EQ(parsePortState("1: DOWN"), portState_t::DOWN);
    EXPECT_EQ(parsePortState("2: INIT"), portState_t::INIT);
    EXPECT_EQ(parsePortState("3: ARMED"), portState_t::ARMED);
    EXPECT_EQ(parsePortState("4: ACTIVE"), portState_t::ACTIVE);
    EXPECT_EQ(parsePortState("5: ACTIVE_DEFER"), portState_t::ACTIVE_DEFER);
    for (const char *bad : {"", "0: NOP", "6: ?", "ACTIVE", "44: ACTIVE"}) {
        EXPECT_EQ(parsePortState(bad), portState_t::UNKNOWN) << bad;
    }
}

TEST(sysfsText, linkLayerOfEfaComesFromItsDriver) {
    EXPECT_EQ(parseLinkLayer("InfiniBand", "mlx5_core"), linkLayer_t::INFINIBAND);
    EXPECT_EQ(parseLinkLayer("Ethernet", "mlx5_core"), linkLayer_t::ETHERNET);
    EXPECT_EQ(parseLinkLayer("Unspecified", "efa"), linkLayer_t::EFA);
    EXPECT_EQ(parseLinkLayer("Unspecified", "mlx5_core"), linkLayer_t::UNKNOWN);
}

TEST(sysfsText, gidsHaveEightGroupsAndAreNotZero) {
    EXPECT_TRUE(isGid("0000:0000:0000:0000:0000:ffff:c0a8:0001"));
    for (const char *bad : {"",
                            "0000:0000:0000:0000:0000:0000:0000:0000",
                            "0000:0000:0000:0000:0000:ffff:c0a8:001",
                            "0000:0000:0000:0000:0000:ffff:c0a8:00011",
                            "0000:0000:0000:0000:0000:ffff:c0a8-0001",
                            "g000:0000:0000:0000:0000:ffff:c0a8:0001"}) {
        EXPECT_FALSE(isGid(bad)) << bad;
    }
}

TEST(sysfsText, physicalStateIsTheWord) {
    EXPECT_EQ(parsePhysicalState("3: Disabled"), "Disabled");
    EXPECT_EQ(parsePhysicalState("5"), "");
}

TEST(sysfsText, ueventLinesAreFoundByTheirWholeKey) {
    const std::string text = "DRIVER=efa\nPCI_ID=1D0F:EFA1\nODD\nEMPTY=";
    EXPECT_EQ(ueventValue(text, "DRIVER"), "efa");
    EXPECT_EQ(ueventValue(text, "PCI_ID"), "1D0F:EFA1");
    for (const char *missing : {"PCI", "ID", "ODD", "EMPTY", ""}) {
        EXPECT_EQ(ueventValue(text, missing), "") << missing;
    }
}

TEST(sysfsText, namesBecomePrintable) {
    EXPECT_EQ(printable("mlx5_bond_0"), "mlx5_bond_0");
    EXPECT_EQ(printable("a\xff\n\\"), "a\\xff\\x0a\\x5c");
}

TEST(pciPath, addressesAreThoseOfSysfs) {
    for (const char *good : {"0000:1b:00.0", "10000:e1:1f.7", "ffffffff:00:00.0"}) {
        EXPECT_TRUE(isPciAddress(good)) << good;
    }
    for (const char *bad : {"",
                            "1b:00.0",
                            "000:1b:00.0",
                            "0000:1B:00.0",
                            "0000:1b:20.0",
                            "0000:1b:00.8",
                            "0000:1b:00.0 ",
                            "0000-1b:00.0",
                            "pci0000:1b",
                            "123456789:00:00.0"}) {
        EXPECT_FALSE(isPciAddress(bad)) << bad;
    }
}

TEST(pciPath, hasHostBridgeAndFunctions) {
    const pciPath path =
        parsePciPath("../../devices/pci0000:16/0000:16:01.0/0000:17:00.0/virtio2/net/eth0");
    EXPECT_EQ(path.root, "pci0000:16");
    EXPECT_EQ(path.functions, (strings{"0000:16:01.0", "0000:17:00.0"}));
}

TEST(pciPath, ofDevicesBehindVmdStartsAtTheirOwnHostBridge) {
    const pciPath path = parsePciPath(
        "devices/pci0000:e0/0000:e0:05.5/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme");
    EXPECT_EQ(path.root, "pci10000:e0");
    EXPECT_EQ(path.functions, (strings{"10000:e0:06.0", "10000:e1:00.0"}));
}

TEST(pciPath, ofVirtualDevicesIsEmpty) {
    for (const char *text : {"", "/", "../../devices/virtual/net/lo", "a//b"}) {
        EXPECT_TRUE(parsePciPath(text).functions.empty()) << text;
        EXPECT_EQ(parsePciPath(text).root, "");
    }
}

TEST(pciPath, withoutAHostBridgeHasNoRoot) {
    const pciPath path = parsePciPath("../../../0000:17:00.0");
    EXPECT_EQ(path.root, "");
    EXPECT_EQ(path.functions, (strings{"0000:17:00.0"}));
}

TEST(naturalOrder, comparesNumbersAsNumbers) {
    strings names = {"mlx5_10", "mlx5_2", "a", "mlx5_02", "mlx5_1", ""};
    std::sort(names.begin(), names.end(), naturalLess);
    EXPECT_EQ(names.front(), "");
    EXPECT_EQ(names.back(), "mlx5_10");
    EXPECT_TRUE(naturalLess("x9", "x99999999999999999999999999"));
    EXPECT_NE(naturalLess("x01", "x1"), naturalLess("x1", "x01"));
    EXPECT_FALSE(naturalLess("x1", "x1"));
}

TEST(text, whatATerminalObeysIsAnEscape) {
    EXPECT_EQ(onOneLine("a\x1b[2J\r\nb\x7f"), "a\\x1b[2J\\x0d\\x0ab\\x7f");
    EXPECT_EQ(onOneLine("a\u009b2Jb"), "a\\x9b2Jb"); // the one character for ESC [
    EXPECT_EQ(onOneLine("a\x9b"), "a\\x9b");         // the same where text is Latin-1
    EXPECT_EQ(onOneLine("a\u202eb\u200bc\u2028"), "a\\u202eb\\u200bc\\u2028");
    EXPECT_EQ(onOneLine("\xc0\x9b\xff\xe2\x80"), "\\xc0\\x9b\\xff\\xe2\\x80"); // no UTF-8
    EXPECT_EQ(onOneLine(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(quoted("\u0085"), "'\\x85'");
}

TEST(text, whatCanBeReadStaysAsItIs) {
    for (const char *plain : {"", "mlx5_0:1", "\u00fc\u00e9 \u65e5\u672c \u2500", "\U0001f4bf"}) {
        EXPECT_EQ(onOneLine(plain), plain);
    }
}

} // namespace nixlStripe
