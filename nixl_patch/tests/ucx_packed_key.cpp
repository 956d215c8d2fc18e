// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The key to remote memory as UCX packs it, and the lanes that UCX tells of.
#include "packed_bytes.h"
#include "ucx/config_text.h"
#include "ucx/packed_key.h"

#include <gtest/gtest.h>
#include <string>

namespace nixlStripe::testing {
namespace {

    constexpr std::uint64_t
    domain(unsigned number) {
        return std::uint64_t{1} << number;
    }

    TEST(PackedKey, isNarrowedToSomeDomains) {
        const bytes_t bytes = packed(fourNics());
        const packedKey key(bytes.data());
        EXPECT_EQ(key.size(), bytes.size() - 1);
        EXPECT_EQ(key.domains(), 0x80000000000000e1U);
        EXPECT_EQ(key.narrowedTo(domain(6)), packed({{6, fourNics().at(6)}}));
        EXPECT_EQ(key.narrowedTo(domain(63)), packed({{63, fourNics().at(63)}}));
        EXPECT_EQ(key.narrowedTo(domain(0)), packed({{0, {}}}));
        EXPECT_EQ(key.narrowedTo(domain(5) | domain(63)),
                  packed({{5, fourNics().at(5)}, {63, fourNics().at(63)}}));
        EXPECT_EQ(key.narrowedTo(key.domains()), bytes);
    }

    TEST(PackedKey, isNotNarrowedToWhatItLacks) {
        const bytes_t bytes = packed(fourNics());
        const packedKey key(bytes.data());
        for (const std::uint64_t absent :
             {std::uint64_t{0}, domain(1), domain(62), domain(5) | domain(8)}) {
            EXPECT_FALSE(key.narrowedTo(absent).has_value()) << absent;
        }
    }

    TEST(PackedKey, memoryTypeIsKept) {
        bytes_t bytes = packed(fourNics());
        bytes[8] = 1;
        EXPECT_EQ(packedKey(bytes.data()).memoryType(), 1);
        EXPECT_EQ(packedKey(bytes.data()).narrowedTo(domain(5))->at(8), 1);
    }

    TEST(PackedKey, formIsCheckedWhereTheSizeIsKnown) {
        const bytes_t bytes = packed(fourNics());
        EXPECT_TRUE(packedKey::describes(bytes.data(), bytes.size()));
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(packedKey::describes(bytes.data(), size)) << size;
        }
        const bytes_t on_a_gpu = packed(fourNics(), {0, 1, 2, 3, 4, 5, 6, 7, 8});
        EXPECT_TRUE(packedKey::describes(on_a_gpu.data(), on_a_gpu.size()));
        const bytes_t torn = packed(fourNics(), {0xff, 0});
        EXPECT_FALSE(packedKey::describes(torn.data(), torn.size()));
        const bytes_t longer = packed(fourNics(), bytes_t(1000, 0));
        EXPECT_FALSE(packedKey::describes(longer.data(), longer.size())) << "another form";
    }

    TEST(PackedKey, aKeyOfNoDomainSaysNothing) {
        for (const bytes_t &behind : {bytes_t{}, bytes_t{0xff}, bytes_t(30, 1)}) {
            const bytes_t tcp = packed({}, behind);
            EXPECT_TRUE(packedKey::isEmpty(tcp.data(), tcp.size())) << behind.size();
        }
        const bytes_t bytes = packed(fourNics());
        EXPECT_FALSE(packedKey::isEmpty(bytes.data(), bytes.size()));
        EXPECT_FALSE(packedKey::isEmpty(bytes.data(), 8)) << "no key is that short";
    }

    TEST(RmaLanes, areReadFromUcxsDescription) {
        const auto lanes = parseRmaLanes(
            "#\n# UCP endpoint \n#               peer: <no debug data>\n"
            "#                 lane[0]:  9:rc_verbs/rxe0:1.0 md[5]       -> md[7]/ib/sysdev[0] "
            "seg 4294967295 rma_bw#1 am\n"
            "#                 lane[1]: 11:rc_mlx5/mlx5_1:1.0 md[6]      -> md[12]/ib/sysdev[1] "
            "rma_bw#0\n"
            "#                 lane[4]: 10:ud_verbs/rxe0:1.0 md[5]       -> md[5]/ib/sysdev[0] "
            "keepalive wireup\n");
        ASSERT_EQ(lanes.size(), 2U);
        EXPECT_EQ(lanes[0].domain, 7U);
        EXPECT_EQ(lanes[0].device, "rxe0:1");
        EXPECT_EQ(lanes[1].domain, 12U);
        EXPECT_EQ(lanes[1].device, "mlx5_1:1");
        EXPECT_TRUE(parseRmaLanes("").empty());
    }

    TEST(RmaLanes, aLineThatCannotBeReadSpoilsThemAll) {
        const std::string good = "# lane[0]: 9:rc/rxe0 md[5] -> md[5]/ib rma_bw#0\n";
        ASSERT_EQ(parseRmaLanes(good).size(), 1U);
        EXPECT_EQ(parseRmaLanes(good)[0].device, "") << "no path index: not in the known form";
        for (const char *bad : {"# lane[1]: 9:rc/rxe1 md[5] rma_bw#1\n",
                                "# lane[1]: 9:rc/rxe1 -> md[x]/ib rma_bw#1\n",
                                "# lane[1]: 9:rc/rxe1 -> md[64]/ib rma_bw#1\n",
                                "# lane[1]: 9:rc/rxe1 -> md[6 rma_bw#1"}) {
            EXPECT_TRUE(parseRmaLanes(good + bad).empty()) << bad;
        }
        std::string many;
        for (int lane = 0; lane < 65; ++lane) {
            many += good;
        }
        EXPECT_TRUE(parseRmaLanes(many).empty()) << "more than UCX has";
    }

} // namespace
} // namespace nixlStripe::testing
