// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Datagrams of RDMA netlink made by hand, whole, cut short and lying about their lengths.
#include "counters/netlink_wire.h"
#include "counters/rdma_netlink.h"
#include "counters/rdma_processes.h"
#include "counters/rdma_wire.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>

namespace nixlStripe {
namespace {

    template <typename Item>
    std::string
    raw(Item value) {
        return std::string(reinterpret_cast<const char *>(&value), sizeof value);
    }

    std::string
    padded(std::string bytes) {
        bytes.resize((bytes.size() + 3) / 4 * 4);
        return bytes;
    }

    std::string
    attribute(std::uint16_t type, const std::string &value) {
        const auto length = static_cast<std::uint16_t>(4 + value.size());
        return padded(raw(length) + raw(type) + value);
    }

    std::string
    text(std::uint16_t type, const std::string &value) {
        return attribute(type, value + '\0');
    }

    std::string
    message(std::uint16_t type, std::uint32_t sequence, const std::string &body) {
        const auto length = static_cast<std::uint32_t>(16 + body.size());
        return padded(raw(length) + raw(type) + raw(std::uint16_t{0}) + raw(sequence) +
                      raw(std::uint32_t{0}) + body);
    }

    std::string
    counter(const std::string &name, std::uint64_t value) {
        return attribute(81, text(82, name) + attribute(83, raw(value)));
    }

    /** A counter with an index, as optional ones have, and padding between. */
    std::string
    optionalCounter(const std::string &name, std::uint64_t value) {
        return attribute(81,
                         attribute(94, raw(std::uint32_t{7})) + text(82, name) + attribute(0, "") +
                             attribute(83, raw(value)));
    }

    std::string
    statistics() {
        constexpr std::uint16_t nested = 0x8000;
        return attribute(1, raw(std::uint32_t{3})) + attribute(3, raw(std::uint32_t{1})) +
               attribute(80 | nested,
                         counter("rx_write_requests", 5) +
                             optionalCounter("rdma_tx_bytes", 1ULL << 40));
    }

    std::string
    pair(std::uint32_t number, std::uint32_t pid, std::uint32_t sent) {
        return attribute(20,
                         attribute(3, raw(std::uint32_t{1})) + attribute(21, raw(number)) +
                             attribute(26, raw(std::uint8_t{2})) + attribute(24, raw(sent)) +
                             attribute(23, raw(std::uint32_t{9})) + attribute(28, raw(pid)));
    }

    std::string
    pairs() {
        const std::string kernel =
            attribute(20, attribute(21, raw(std::uint32_t{1})) + text(29, "ib_core"));
        return attribute(1, raw(std::uint32_t{3})) +
               attribute(19, kernel + pair(17, 4242, 1536) + pair(18, 4243, 0xffffff));
    }

    /** Every reader on any bytes: as in a fuzzer, nothing may be read outside of them. */
    void
    readAll(std::string_view bytes) {
        netlinkMessages messages(bytes);
        std::size_t count = 0;
        while (const auto item = messages.next()) {
            ++count;
            item->isDone();
            item->errorCode();
            parseRdmaDevice(item->body);
            parseRdmaPort(item->body);
            parseRdmaStatistics(item->body);
            parseQueuePairs(item->body);
        }
        EXPECT_LE(count, bytes.size() / 16);
        // A body alone too, so that lengths of messages need not be right.
        parseRdmaDevice(bytes);
        parseRdmaPort(bytes);
        EXPECT_LE(parseRdmaStatistics(bytes).size(), bytes.size() / 16);
        EXPECT_LE(parseQueuePairs(bytes).size(), bytes.size() / 8);
    }

} // namespace

TEST(netlinkWire, aRequestIsWhatTheKernelReads) {
    netlinkRequest request(0x1411, 0x301, 7);
    request.attribute(1, 3).attribute(3, 1);
    EXPECT_EQ(request.bytes(),
              raw(std::uint32_t{32}) + raw(std::uint16_t{0x1411}) + raw(std::uint16_t{0x301}) +
                  raw(std::uint32_t{7}) + raw(std::uint32_t{0}) +
                  attribute(1, raw(std::uint32_t{3})) + attribute(3, raw(std::uint32_t{1})));
}

TEST(netlinkWire, messagesFollowOneAnother) {
    const std::string bytes = message(5121, 9, "body") + message(3, 9, raw(0));
    netlinkMessages messages(bytes);
    const auto first = messages.next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, 5121);
    EXPECT_EQ(first->sequence, 9U);
    EXPECT_EQ(first->body, "body");
    const auto second = messages.next();
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->isDone());
    EXPECT_FALSE(messages.next());
    EXPECT_FALSE(messages.isBroken());
}

TEST(netlinkWire, lengthsThatDoNotFitEndTheWalk_badFlow) {
    for (const std::uint32_t length : {0U, 15U, 21U, 0xffffffffU}) {
        std::string bytes = message(5121, 9, "body");
        bytes.replace(0, 4, raw(length));
        netlinkMessages messages(bytes);
        EXPECT_FALSE(messages.next()) << length;
        EXPECT_TRUE(messages.isBroken()) << length;
        EXPECT_FALSE(messages.next()) << length;
    }
    for (const unsigned number : {0U, 3U, 9U, 0xffffU}) {
        const auto length = static_cast<std::uint16_t>(number);
        std::string bytes = attribute(1, "abcd");
        bytes.replace(0, 2, raw(length));
        EXPECT_FALSE(netlinkAttributes(bytes).next()) << length;
    }
}

TEST(netlinkWire, refusalsAreErrnosAndAcknowledgementsAreNone) {
    const auto code = [](const std::string &body) {
        const std::string bytes = message(2, 1, body);
        return netlinkMessages(bytes).next()->errorCode();
    };
    EXPECT_EQ(code(raw(std::int32_t{0})), 0);
    EXPECT_EQ(code(raw(std::int32_t{-EPERM})), EPERM);
    EXPECT_EQ(code("ab"), EBADMSG);
    EXPECT_EQ(code(raw(std::int32_t{1})), EBADMSG);
    EXPECT_EQ(code(raw(std::int32_t{-2147483647 - 1})), EBADMSG);
}

TEST(netlinkWire, valuesThatAreTooShortAreNone_badFlow) {
    netlinkAttribute item;
    item.value = "abc";
    EXPECT_EQ(item.u8(), 'a');
    EXPECT_FALSE(item.u32());
    EXPECT_FALSE(item.u64());
    EXPECT_EQ(item.text(), "abc");
    item.value = std::string_view("ab\0cd", 5);
    EXPECT_EQ(item.text(), "ab");
}

TEST(rdmaWire, aDeviceHasANameAnIndexAndPorts) {
    const auto device =
        parseRdmaDevice(attribute(1, raw(std::uint32_t{3})) + text(2, "mlx5_0") +
                        attribute(3, raw(std::uint32_t{2})) + attribute(200, "unknown"));
    ASSERT_TRUE(device);
    EXPECT_EQ(device->name, "mlx5_0");
    EXPECT_EQ(device->index, 3U);
    EXPECT_EQ(device->ports, 2U);
}

TEST(rdmaWire, halfADeviceIsNone_badFlow) {
    EXPECT_FALSE(parseRdmaDevice(attribute(1, raw(std::uint32_t{3}))));
    EXPECT_FALSE(parseRdmaDevice(text(2, "mlx5_0")));
    EXPECT_FALSE(parseRdmaDevice(attribute(1, "ab") + text(2, "mlx5_0")));
    const auto odd = parseRdmaDevice(attribute(1, raw(std::uint32_t{3})) + text(2, "a\x1b[2J") +
                                     attribute(3, raw(0xffffffffU)));
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->name, "a\\x1b[2J"); // no escape sequence reaches a terminal
    EXPECT_EQ(odd->ports, 0U);
}

TEST(rdmaWire, aPortSaysItsInterfaceOnlyInItsOwnNamespace) {
    const std::string state = attribute(12, raw(std::uint8_t{4}));
    EXPECT_EQ(parseRdmaPort(state).state, 4U);
    EXPECT_EQ(parseRdmaPort(state).netdev, "");
    const rdmaPort port =
        parseRdmaPort(state + attribute(50, raw(std::uint32_t{8})) + text(51, "rail0"));
    EXPECT_EQ(port.netdev, "rail0");
    EXPECT_EQ(port.netdevIndex, 8U);
}

TEST(rdmaWire, statisticsByName) {
    const auto counts = parseRdmaStatistics(statistics());
    ASSERT_EQ(counts.size(), 2U);
    EXPECT_EQ(counts[0].name, "rx_write_requests");
    EXPECT_EQ(counts[0].value, 5U);
    EXPECT_EQ(counts[1].name, "rdma_tx_bytes");
    EXPECT_EQ(counts[1].value, 1ULL << 40);
}

TEST(rdmaWire, countersWithoutNameOrValueAreLeftOut_badFlow) {
    const std::string bytes =
        attribute(80,
                  attribute(81, text(82, "x")) + attribute(81, attribute(83, raw(1ULL))) +
                      attribute(81, text(82, "y") + attribute(83, "1234")) + counter("good", 1));
    const auto counts = parseRdmaStatistics(bytes);
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts[0].name, "good");
}

TEST(rdmaWire, countersAreAsManyAsAnyDriverHas_badFlow) {
    std::string entries;
    for (int i = 0; i < 3000; ++i) {
        entries += counter("c", 1);
    }
    EXPECT_EQ(parseRdmaStatistics(attribute(80, entries.substr(0, 60000))).size(), 2500U);
    std::string many;
    for (int i = 0; i < 10; ++i) {
        many += attribute(80, entries.substr(0, 60000));
    }
    EXPECT_EQ(parseRdmaStatistics(many).size(), 4096U);
}

TEST(rdmaWire, queuePairsWithTheirOwners) {
    const auto found = parseQueuePairs(pairs());
    ASSERT_EQ(found.size(), 3U);
    EXPECT_TRUE(found[0].isKernels);
    EXPECT_FALSE(found[0].sendPsn);
    EXPECT_EQ(found[1].number, 17U);
    EXPECT_EQ(found[1].pid, 4242U);
    EXPECT_EQ(found[1].type, 2U);
    EXPECT_EQ(found[1].port, 1U);
    EXPECT_EQ(found[1].sendPsn, 1536U);
    EXPECT_EQ(found[1].receivePsn, 9U);
    EXPECT_EQ(found[2].sendPsn, 0xffffffU);
}

TEST(rdmaWire, everyTruncationIsReadWithinItsBounds_badFlow) {
    const std::string whole = message(5137, 1, statistics()) + message(5130, 1, pairs());
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        // A copy of its own, so that a sanitizer sees a byte too many.
        const std::string cut(whole.data(), size);
        readAll(cut);
        readAll(std::string(whole.data() + whole.size() - size, size));
    }
}

TEST(rdmaWire, damagedBytesAreReadWithinTheirBounds_badFlow) {
    const std::string whole = message(5137, 1, statistics()) + message(5130, 1, pairs());
    std::mt19937 random(20); // the same bytes on each run
    for (int round = 0; round < 20000; ++round) {
        std::string bytes = whole;
        for (int hit = 0; hit < 3; ++hit) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        readAll(bytes);
    }
}

TEST(rdmaWire, attributesThatNestThemselvesEndSomewhere_badFlow) {
    std::string bytes;
    for (int depth = 0; depth < 3000; ++depth) {
        bytes = attribute(80, bytes);
    }
    readAll(bytes);
}

TEST(rdmaNetlink, whereThereIsNoRdmaItAnswersNothingAndSaysWhy) {
    rdmaNetlink netlink;
    if (!netlink.devices().empty()) {
        EXPECT_EQ(netlink.lastError(), "");
        EXPECT_FALSE(netlink.device("no such device"));
        return;
    }
    rdmaDevice nobody;
    nobody.index = 12345;
    EXPECT_FALSE(netlink.statistics(nobody, 1));
    const auto pairs = netlink.queuePairs(nobody);
    EXPECT_TRUE(!pairs || pairs->empty()); // a kernel with RDMA and no device answers with none
    EXPECT_FALSE(netlink.port(nobody, 1));
    EXPECT_NE(netlink.lastError(), "");
}

TEST(rdmaProcesses, aDeviceThatIsNotThereIsSaidSo_badFlow) {
    rdmaProcesses processes("no such device");
    EXPECT_TRUE(processes.look().empty());
    EXPECT_NE(processes.error(), "");
}

} // namespace nixlStripe
