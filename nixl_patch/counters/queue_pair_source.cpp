// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/nic_sources.h"
#include "counters/queue_pairs.h"
#include "counters/verbs_port.h"

#include <algorithm>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr const char *packets_out = "sent_pkts";
    constexpr const char *packets_in = "rcvd_pkts";

    std::vector<queuePair>
    ofPorts(std::vector<queuePair> pairs, const std::vector<unsigned> &ports) {
        const auto other = [&ports](const queuePair &pair) {
            return pair.port != 0 &&
                   std::find(ports.begin(), ports.end(), pair.port) == ports.end();
        };
        pairs.erase(std::remove_if(pairs.begin(), pairs.end(), other), pairs.end());
        return pairs;
    }

    /** Adds up, read by read, what the queue pairs of a device have moved. */
    class queuePairSource : public counterSource {
    public:
        queuePairSource(sourceInfo info, nicPlace nic)
            : counterSource(std::move(info))
            , nic_(std::move(nic))
            , packets_(nic_.place, nic_.device, "") {}

        nicReading
        read() override {
            rdmaNetlink &netlink = nic_.place->netlink;
            const auto device = netlink.device(nic_.device);
            const auto pairs = device ? netlink.queuePairs(*device) : std::nullopt;
            nicReading reading;
            if (!pairs) {
                reading.out = {{std::nullopt}};
                reading.in = {{std::nullopt}};
                return reading;
            }
            tracker_.look(ofPorts(*pairs, nic_.ports));
            addDirections();
            reading.out = {{sum_.out}};
            reading.in = {{sum_.in}};
            return reading;
        }

    private:
        std::uint64_t
        packets(const char *name) {
            std::uint64_t sum = 0;
            for (const unsigned port : nic_.ports) {
                const counterSlot slot{counterSlot::from_t::NETLINK, port, name};
                sum += packets_.read(slot).value_or(0);
            }
            return sum;
        }

        void
        addDirections() {
            packets_.refresh();
            const std::uint64_t sent = packets(packets_out);
            const std::uint64_t received = packets(packets_in);
            const packetTotals total = tracker_.total();
            const packetTotals moved{total.asked - last_.asked, total.answered - last_.answered};
            const packetDirections gained = splitPackets(
                moved, counterAdvance(sent_, sent), counterAdvance(received_, received));
            sum_.out += gained.out;
            sum_.in += gained.in;
            last_ = total;
            sent_ = sent;
            received_ = received;
        }

        nicPlace nic_;
        slotReader packets_;
        packetTracker tracker_;
        packetTotals last_;
        packetDirections sum_;
        count_t sent_;
        count_t received_;
    };

} // namespace

sourceAnswer
queuePairCounters(const nicPlace &nic) {
    if (!nic.isSoftware || !nic.place->isLive) {
        return {nullptr,
                nic.place->isLive ? "packet sequence numbers of hardware are not known to be live"
                                  : "queue pairs are of this machine"};
    }
    const std::string node = "/dev/infiniband/" + nic.uverbs;
    const unsigned mtu = nic.uverbs.empty() ? 0 : activeMtu(node, nic.ports.front());
    if (mtu == 0) {
        return {nullptr, node + " does not tell the port's MTU, with which packets are bytes"};
    }
    sourceInfo info;
    info.name = "queue-pairs";
    info.kind = evidence_t::INFERRED;
    info.unit = mtu;
    info.where = "RDMA netlink, packet sequence numbers of " + nic.device + " times its MTU of " +
                 std::to_string(mtu);
    info.blind = "packets that are not full count as full; which of a queue pair's packets came "
                 "and which went but by the NIC's packets; queue pairs that end between two looks";
    auto source = std::make_shared<queuePairSource>(std::move(info), nic);
    source->read(); // what was moved before belongs to nobody who asks now
    return {std::move(source), ""};
}

} // namespace nixlStripe
