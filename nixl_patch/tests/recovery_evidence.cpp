// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Parts of a resume without an engine: pieces, connections, evidence, what may still arrive.
#include "recovery/engine_abi.h"
#include "recovery/late_bytes.h"
#include "recovery/memory_book.h"
#include "recovery/nic_evidence.h"
#include "recovery/piece_book.h"
#include "recovery/tcp_sockets.h"

#include <chrono>
#include <cstring>
#include <gtest/gtest.h>

namespace nixlStripe {
namespace {

    using namespace std::chrono_literals;

    constexpr std::size_t mib = std::size_t{1} << 20;

    std::vector<abi::metaDesc>
    items(const std::vector<std::size_t> &sizes, std::uintptr_t start) {
        std::vector<abi::metaDesc> all;
        for (const std::size_t bytes : sizes) {
            all.push_back({start, bytes, 0, nullptr});
            start += bytes + 64;
        }
        return all;
    }

    /** Goes through all pieces. @return their sizes; each byte must come once, in order. */
    std::vector<std::size_t>
    piecesOf(const std::vector<std::size_t> &sizes, std::size_t most_items = SIZE_MAX) {
        const auto whole = items(sizes, 1000);
        pieceBook book(whole, items(sizes, 5000), most_items);
        std::vector<std::size_t> found;
        std::size_t item = 0;
        std::size_t offset = 0;
        while (!book.isDone()) {
            const pieceLists lists = book.next();
            EXPECT_TRUE(pieceBook::matches(lists.local, lists.remote));
            found.push_back(0);
            for (std::size_t i = 0; i < lists.local.size(); ++i) {
                EXPECT_EQ(lists.local[i].address, whole.at(item).address + offset);
                EXPECT_EQ(lists.remote[i].address, lists.local[i].address + 4000);
                offset += lists.local[i].bytes;
                found.back() += lists.local[i].bytes;
                if (offset == whole[item].bytes) {
                    ++item;
                    offset = 0;
                }
            }
            EXPECT_EQ(book.isLast(), item == whole.size());
            book.arrived();
        }
        EXPECT_EQ(item, whole.size());
        return found;
    }

    tcpSocket
    connection(const std::string &address, unsigned retransmits, unsigned probes = 0) {
        return {address, 1, 10, retransmits, probes, 5};
    }

    nicLook
    look(const tcpSockets_t &own, std::chrono::milliseconds at) {
        return {nicEvidence::time_t(at),
                {{"r0", true}, {"r1", true}},
                own,
                {{"A0", "r0"}, {"A1", "r1"}, {"LO", "lo"}},
                true};
    }

    const std::string table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                              "retrnsmt   uid  timeout "
                              "inode\n"
                              "   0: 01014D0A:C9E9 02014D0A:DA81 01 0001872A:00000000 01:00000012 "
                              "00000002     0        1 "
                              "77 1 00000000c75f8f0b 100 0 0 10 0\n"
                              "   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 "
                              "00000000     0        0 "
                              "632 1 00000000c75f8f0b 100 0 0 10 0\n"
                              "   2: 01014D0A:B669 02014D0A:86A1 06 00000000:00000000 03:0000176A "
                              "00000000     0        0 "
                              "0 3 00000000c75f8f0b\n"
                              "   3: 01014D0A:B66A 02014D0A:86A1 01 0000zz00:00000000 03:0000176A "
                              "00000000     0        0 "
                              "0 3 0\n"
                              "   4: short\n";

} // namespace

TEST(ResumeParts, piecesAreLargeAndFew) {
    EXPECT_EQ(piecesOf({100}), (std::vector<std::size_t>{100}));
    EXPECT_EQ(piecesOf({4 * mib}), (std::vector<std::size_t>{4 * mib}));
    EXPECT_EQ(piecesOf({4 * mib + 1}), (std::vector<std::size_t>{4 * mib, 1}));
    EXPECT_EQ(piecesOf({3 * mib, 3 * mib, 3 * mib}),
              (std::vector<std::size_t>{4 * mib, 4 * mib, mib}));
    EXPECT_EQ(piecesOf(std::vector<std::size_t>(3000, 4096)).size(), 3U);
    EXPECT_EQ(piecesOf({1024 * mib}).size(), pieceBook::most_pieces);
    EXPECT_EQ(piecesOf({4 * mib, 0, 4 * mib}).size(), 2U);
    EXPECT_EQ(piecesOf({0, 0}).size(), 1U);
}

TEST(ResumeParts, aPieceHasOnlySoManyDescriptors) {
    const std::vector<std::size_t> small(3000, 4096);
    const std::vector<std::size_t> found = piecesOf(small, pieceBook::most_reads);
    ASSERT_EQ(found.size(), 24U);
    EXPECT_EQ(found.front(), 128U * 4096);
    EXPECT_EQ(found.back(), 56U * 4096);
    EXPECT_EQ(piecesOf({8, 8, 8, 8}, 2), (std::vector<std::size_t>{16, 16}));
    EXPECT_EQ(piecesOf({5 * mib, 8, 8}, 2), (std::vector<std::size_t>{4 * mib, mib + 8, 8}))
        << "a part of one is one";
}

TEST(ResumeParts, listsOfDifferentSizesAreNoTransferBadFlow) {
    EXPECT_FALSE(pieceBook::matches({}, {}));
    EXPECT_FALSE(pieceBook::matches(items({1, 2}, 0), items({1}, 0)));
    EXPECT_FALSE(pieceBook::matches(items({1, 2}, 0), items({2, 1}, 0)));
}

TEST(ResumeParts, connectionsAreReadAsTheKernelPrintsThem) {
    tcpSockets_t sockets;
    parseTcpSockets(table, sockets);
    ASSERT_EQ(sockets.size(), 2U) << "neither one that listens nor what is no line";
    const tcpSocket &stuck = sockets.at("01014D0A:C9E9-02014D0A:DA81");
    EXPECT_EQ(stuck.localAddress, "01014D0A");
    EXPECT_EQ(stuck.unacked, 0x1872aU);
    EXPECT_EQ(stuck.retransmits, 2U);
    EXPECT_EQ(stuck.probes, 1U);
    EXPECT_EQ(stuck.inode, 77U);
    EXPECT_FALSE(isOver(stuck));
    EXPECT_TRUE(isOver(sockets.at("01014D0A:B669-02014D0A:86A1")));
}

TEST(ResumeParts, anyTextIsTakenBadFlow) {
    for (std::size_t cut = 0; cut < table.size(); ++cut) {
        tcpSockets_t sockets;
        parseTcpSockets(std::string_view(table).substr(cut), sockets);
        parseTcpSockets(std::string_view(table).substr(0, cut), sockets);
        EXPECT_LE(sockets.size(), 6U);
    }
}

TEST(ResumeParts, whatIsNotAnsweredAtTwoLooksSpeaksAgainstItsNic) {
    nicEvidence evidence;
    const tcpSockets_t stuck = {{"a", connection("A0", 0)}, {"b", connection("A1", 2)}};
    evidence.add(look({{"a", connection("A0", 0)}, {"b", connection("A1", 1)}}, 0ms));
    evidence.add(look(stuck, 100ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(100ms)), "");
    evidence.add(look(stuck, 200ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(200ms)), nicEvidence::no_answer);
    EXPECT_EQ(evidence.against("r0", nicEvidence::time_t(200ms)), "");
    // The kernel gives it up; another connection of the same NIC to this host itself is there.
    evidence.add(look({{"c", connection("A1", 0)}}, 900ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(900ms)), nicEvidence::no_answer);
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(900ms) + nicEvidence::memory + 1ms), "")
        << "it is not remembered for ever";
}

TEST(ResumeParts, theEndOfAConnectionThatWasSentAgainOnceSpeaksAgainstItsNic) {
    nicEvidence evidence;
    evidence.add(look({{"a", connection("A0", 0)}, {"b", connection("A1", 1)}}, 0ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(0ms)), "");
    evidence.add(look({}, 100ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(100ms)), nicEvidence::no_answer);
    EXPECT_EQ(evidence.against("r0", nicEvidence::time_t(100ms)), "") << "it was closed";
}

TEST(ResumeParts, aConnectionThatWasAnsweredOrNotLookedAtMayEndBadFlow) {
    nicEvidence evidence;
    evidence.add(look({{"b", connection("A1", 1)}}, 0ms));
    nicLook idle = look({}, 100ms);
    idle.hasOwn = false;
    evidence.add(idle);
    evidence.add(look({}, 200ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(200ms)), "");
    evidence.add(look({{"b", connection("A1", 1)}}, 300ms));
    evidence.add(look({{"b", connection("A1", 0)}}, 400ms));
    evidence.add(look({}, 500ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(500ms)), "");
}

TEST(ResumeParts, aLateAnswerClearsTheNicBadFlow) {
    nicEvidence evidence;
    for (int i = 0; i < 3; ++i) {
        evidence.add(look({{"b", connection("A1", 3)}}, i * 100ms));
    }
    evidence.add(look({{"b", connection("A1", 0)}}, 300ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(300ms)), "");
}

TEST(ResumeParts, aProbeWithoutAnswerAndACarrierThatIsGoneAreEvidence) {
    nicEvidence evidence;
    const tcpSockets_t waits = {{"b", connection("A1", 0, 1)}, {"c", connection("LO", 9)}};
    evidence.add(look(waits, 0ms));
    evidence.add(look(waits, 100ms));
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(100ms)), nicEvidence::no_answer);
    nicLook down = look({}, 200ms);
    down.up["r0"] = false;
    evidence.add(down);
    EXPECT_EQ(evidence.against("r0", nicEvidence::time_t(60s)), nicEvidence::no_carrier);
    evidence.add(look({}, 300ms));
    EXPECT_EQ(evidence.against("r0", nicEvidence::time_t(300ms)), "");
    EXPECT_EQ(evidence.against("lo", nicEvidence::time_t(100ms)), "") << "nobody asked for it";
}

TEST(ResumeParts, whoIsNotEvenRefusedSpeaksAgainstItsNic) {
    nicEvidence evidence;
    tcpSocket asks = connection("A1", 0);
    asks.state = 2;
    for (const unsigned again : {0U, 0U, 0U, 1U, 1U}) {
        EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(0ms)), "");
        asks.retransmits = again;
        evidence.add(look({{"a", asks}}, 0ms));
    }
    EXPECT_EQ(evidence.against("r1", nicEvidence::time_t(0ms)), nicEvidence::no_answer);
}

TEST(ResumeParts, lateBytesAreOverOnceEachConnectionWasSeenEmpty) {
    lateBytes late;
    const lateBytes::time_t start(1h);
    EXPECT_FALSE(late.isKnown());
    late.add({{"a", connection("A0", 0)}, {"b", connection("A1", 0)}}, start);
    EXPECT_TRUE(late.isKnown());
    tcpSocket empty = connection("A0", 0);
    empty.unacked = 0;
    EXPECT_FALSE(late.isOver({{"a", empty}, {"b", connection("A1", 0)}}, start + 1s));
    EXPECT_TRUE(late.isOver({{"a", connection("A0", 0)}}, start + 1s))
        << "what a has now is of a later transfer";
    EXPECT_FALSE(late.isTooLate(start + lateBytes::limit));
    EXPECT_TRUE(late.isTooLate(start + lateBytes::limit + 1ms));
}

TEST(ResumeParts, packetsOutliveTheirConnectionBadFlow) {
    lateBytes late;
    const lateBytes::time_t start(1h);
    late.add({{"a", connection("A0", 0)}}, start);
    EXPECT_FALSE(late.isOver({}, start + lateBytes::packet_life - 1ms));
    EXPECT_TRUE(late.isOver({}, start + lateBytes::packet_life));
}

TEST(ResumeParts, memoryFitsWhereItIsKnown) {
    memoryBook book;
    int mine = 0;
    int theirs = 0;
    book.add(&mine, {{1000, 100, 0, ""}, 0, ""});
    book.add(&theirs, {{1000, 100, 2, "key"}, 0, "peer"});
    EXPECT_TRUE(book.fits({{1000, 100, 0, &mine}, {1099, 1, 0, &mine}}, ""));
    EXPECT_TRUE(book.fits({{1000, 100, 2, &theirs}}, "peer"));
    EXPECT_FALSE(book.fits({{1000, 100, 2, &theirs}}, "other"));
    EXPECT_FALSE(book.fits({{1000, 100, 0, &theirs}}, "peer")) << "another device";
    EXPECT_FALSE(book.fits({{999, 10, 0, &mine}}, ""));
    EXPECT_FALSE(book.fits({{1050, 51, 0, &mine}}, ""));
    EXPECT_FALSE(book.fits({{1000, ~std::size_t{0}, 0, &mine}}, ""));
    book.remove(&mine);
    EXPECT_FALSE(book.fits({{1000, 1, 0, &mine}}, ""));
}

TEST(ResumeParts, layoutsAreLookedAtBeforeTheyAreReliedUponBadFlow) {
    const std::string small = "x";
    const std::string large(100, 'x');
    EXPECT_TRUE(abi::isString(&small));
    EXPECT_TRUE(abi::isString(&large));
    const std::uint64_t wrong[4] = {0x1000, 20, 10, 0};
    EXPECT_FALSE(abi::isString(wrong)) << "longer than its room";
    const std::uint64_t none[4] = {0, 0, 0, 0};
    EXPECT_FALSE(abi::isString(none));
    abi::metaList list = {nullptr, 0, {}};
    EXPECT_FALSE(abi::isList(list)) << "no table";
    list.table = &list;
    EXPECT_TRUE(abi::isList(list));
    abi::optionalArgs args;
    EXPECT_TRUE(abi::isOptionalArgs(args));
    const unsigned char flag = 7;
    std::memcpy(&args.hasNotification, &flag, 1);
    EXPECT_FALSE(abi::isOptionalArgs(args));
}

} // namespace nixlStripe
