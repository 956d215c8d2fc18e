// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Pure parts: how far counters and sequence numbers went, and /proc/net/dev.
#include "counters/net_dev.h"
#include "counters/queue_pairs.h"
#include "counters/reading.h"
#include "counters/verbs_port.h"

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr std::uint64_t end_32 = std::uint64_t{1} << 32;

    queuePair
    pair(std::uint32_t number, std::uint32_t pid, std::uint32_t sent, std::uint32_t received = 0) {
        queuePair item;
        item.number = number;
        item.pid = pid;
        item.type = 2;
        item.sendPsn = sent;
        item.receivePsn = received;
        return item;
    }

} // namespace

TEST(reading, howFarACounterWent) {
    EXPECT_EQ(counterAdvance(5, 5), 0U);
    EXPECT_EQ(counterAdvance(5, 9), 4U);
    EXPECT_EQ(counterAdvance(end_32 - 10, 15), 25U);
    EXPECT_EQ(counterAdvance(~std::uint64_t{0}, 0), 1U);
    EXPECT_EQ(counterAdvance((end_32 << 1) + 5, 100), 100U);
    EXPECT_EQ(counterAdvance(1000, 10), 10U);
    EXPECT_EQ(counterAdvance(std::nullopt, 10), 0U);
    EXPECT_EQ(counterAdvance(10, std::nullopt), 0U);
}

TEST(reading, theLargestViewCountsInTheSourcesUnit) {
    sourceInfo source;
    source.unit = 4;
    nicReading before;
    before.out = {{0, 0}, {100}};
    before.in = {{7}};
    before.errors = {1, 1};
    nicReading after = before;
    after.out = {{10, 5}, {112}};
    after.in = {{8}};
    after.errors = {1, 4};
    const nicGain gain = gainBetween(source, before, after);
    EXPECT_EQ(gain.bytesOut, 60U);
    EXPECT_EQ(gain.bytesIn, 4U);
    EXPECT_EQ(gain.errors, 3U);
    EXPECT_EQ(gain.problem, "");
}

TEST(reading, countersThatWentAwayOrStandStillAreNoProof_badFlow) {
    sourceInfo source;
    source.saturates = true;
    nicReading before;
    before.out = {{end_32 - 1}};
    before.in = {{0}};
    EXPECT_NE(gainBetween(source, before, before).problem.find("stand still"), std::string::npos);
    source.saturates = false;
    EXPECT_EQ(gainBetween(source, before, before).problem, "");
    nicReading gone = before;
    gone.in = {{std::nullopt}};
    EXPECT_EQ(gainBetween(source, before, gone).problem, "its counters went away");
    EXPECT_EQ(gainBetween(source, before, nicReading{}).problem, "its counters went away");
}

TEST(reading, countersThatWereSetBackAreNoProof_badFlow) {
    const sourceInfo source;
    nicReading before;
    before.out = {{25 * end_32}};
    before.in = {{10}};
    nicReading after = before;
    after.out = {{end_32}};
    const nicGain gain = gainBetween(source, before, after);
    EXPECT_EQ(gain.bytesOut, end_32) << "what came after it";
    EXPECT_NE(gain.problem.find("set back"), std::string::npos);
    before.out = {{end_32 - 10}};
    after.out = {{15}};
    EXPECT_EQ(gainBetween(source, before, after).problem, "") << "it went over the end";
}

TEST(reading, evidenceHasAName) {
    EXPECT_STREQ(evidenceName(evidence_t::COUNTED), "counted");
    EXPECT_STREQ(evidenceName(evidence_t::INFERRED), "inferred");
    EXPECT_STREQ(evidenceName(evidence_t::INTENDED), "intended");
}

TEST(queuePairs, sequenceNumbersGoOverTheEndOf24Bits) {
    EXPECT_EQ(psnAdvance(10, 1546), 1536U);
    EXPECT_EQ(psnAdvance(0xfffff0, 16), 32U);
    EXPECT_EQ(psnAdvance(1000, 10), 10U);      // a new queue pair of the same number
    EXPECT_EQ(psnAdvance(0xff000000U, 1), 1U); // what is above 24 bits is not the kernel's
}

TEST(queuePairs, whatWasMovedBeforeTheFirstLookIsNotCounted) {
    packetTracker tracker;
    tracker.look({pair(1, 10, 5000)});
    EXPECT_EQ(tracker.total().asked, 0U);
    tracker.look({pair(1, 10, 5100, 7), pair(2, 10, 50)}); // the second was made meanwhile
    EXPECT_EQ(tracker.total().asked, 150U);
    EXPECT_EQ(tracker.total().answered, 7U);
}

TEST(queuePairs, processesAreToldApart) {
    packetTracker tracker;
    tracker.look({});
    tracker.look({pair(1, 10, 300), pair(2, 11, 100), pair(3, 11, 20)});
    tracker.look({pair(2, 11, 130), pair(4, 0, 5)}); // 10 has ended; 0 is nobody's here
    const auto &found = tracker.byProcess();
    EXPECT_EQ(found.at(10).asked, 300U);
    EXPECT_EQ(found.at(11).asked, 150U);
    EXPECT_EQ(found.at(0).asked, 5U);
    EXPECT_EQ(tracker.total().asked, 455U);
}

TEST(queuePairs, theKernelsOwnAndDatagramsAreNotCounted_badFlow) {
    queuePair kernel = pair(1, 0, 100);
    kernel.isKernels = true;
    queuePair datagram = pair(2, 10, 100);
    datagram.type = 4;
    queuePair silent = pair(3, 10, 0);
    silent.sendPsn.reset();
    packetTracker tracker;
    tracker.look({});
    tracker.look({kernel, datagram, silent});
    EXPECT_EQ(tracker.total().asked, 0U);
}

TEST(queuePairs, directionsAreToldByTheNicsPackets) {
    const packetTotals moved{1000, 0};
    EXPECT_EQ(splitPackets(moved, 1020, 20).out, 1000U);
    EXPECT_EQ(splitPackets(moved, 20, 1020).in, 1000U);
    const packetDirections both = splitPackets(moved, 750, 250);
    EXPECT_EQ(both.out, 750U);
    EXPECT_EQ(both.in, 250U);
    const packetDirections unknown = splitPackets({30, 20}, 0, 0);
    EXPECT_EQ(unknown.out, 30U);
    EXPECT_EQ(unknown.in, 20U);
}

TEST(netDev, interfacesWithTheirCounts) {
    const auto found = parseNetDev(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
        "    lo: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
        "rail0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 18446744073709551615\n"
        "eth0:1: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0");
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found.at("lo").bytesOut, 20U);
    EXPECT_EQ(found.at("eth0:1").bytesIn, 5U);
    const netDevCounts rail = found.at("rail0");
    EXPECT_EQ(rail.bytesIn, 1U);
    EXPECT_EQ(rail.errorsIn, 3U);
    EXPECT_EQ(rail.dropsIn, 4U);
    EXPECT_EQ(rail.bytesOut, 9U);
    EXPECT_EQ(rail.errorsOut, 11U);
    EXPECT_EQ(rail.dropsOut, 12U);
}

TEST(netDev, linesThatAreNoneAreLeftOut_badFlow) {
    for (const char *text : {"",
                             "\n\n\n",
                             ":",
                             "eth0:",
                             "eth0: 1 2 3",
                             ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
                             "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x",
                             "eth0: -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
                             "eth0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"}) {
        EXPECT_TRUE(parseNetDev(text).empty()) << text;
    }
}

TEST(netDev, thisProcessesOwn) {
    EXPECT_EQ(readNetDev().count("lo"), 1U);
    EXPECT_FALSE(isInterfaceUp("no such interface"));
    EXPECT_FALSE(isInterfaceUp(""));
    EXPECT_FALSE(isInterfaceUp(std::string(300, 'x')));
    EXPECT_TRUE(readEthtool("lo").empty());
    EXPECT_TRUE(readEthtool("no such interface").empty());
}

TEST(netDev, aGidTellsWhoseInterfaceItIs) {
    const std::array<unsigned char, 6> mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    EXPECT_TRUE(isGidOfMac("fe80:0000:0000:0000:5054:00ff:fe12:3456", mac));
    for (const char *bad : {"",
                            "fe80:0000:0000:0000:5054:00ff:fe12:3457",
                            "0000:0000:0000:0000:0000:ffff:0a4d:0001",
                            "fe80:0000:0000:0000:5254:00ff:fe12:3456"}) {
        EXPECT_FALSE(isGidOfMac(bad, mac)) << bad;
    }
    EXPECT_FALSE(macOf("no such interface"));
    const auto lo = macOf("lo");
    ASSERT_TRUE(lo);
    EXPECT_EQ(*lo, (std::array<unsigned char, 6>{}));
}

TEST(verbsPort, aNodeThatIsNoneHasNoMtu_badFlow) {
    EXPECT_EQ(activeMtu("/dev/null", 1), 0U); // takes commands and answers none
    EXPECT_EQ(activeMtu("/nonexistent", 1), 0U);
}

} // namespace nixlStripe
