// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/nic_sources.h"

#include <functional>
#include <utility>

namespace nixlStripe {
namespace {

    using from_t = counterSlot::from_t;

    constexpr const char *blind_to_owner = "whose bytes they are: all processes' are counted";

    struct nicSlots {
        std::vector<slots_t> out;
        std::vector<slots_t> in;
        slots_t errors;
        slots_t discards;
    };

    class slotSource : public counterSource {
    public:
        slotSource(sourceInfo info, slotReader reader, nicSlots slots)
            : counterSource(std::move(info))
            , reader_(std::move(reader))
            , slots_(std::move(slots)) {}

        nicReading
        read() override {
            reader_.refresh();
            nicReading reading;
            for (const slots_t &view : slots_.out) {
                reading.out.push_back(reader_.read(view));
            }
            for (const slots_t &view : slots_.in) {
                reading.in.push_back(reader_.read(view));
            }
            reading.errors = reader_.read(slots_.errors);
            reading.discards = reader_.read(slots_.discards);
            return reading;
        }

    private:
        slotReader reader_;
        nicSlots slots_;
    };

    std::string
    portFolder(const nicPlace &nic, unsigned port) {
        return "class/infiniband/" + nic.device + "/ports/" + std::to_string(port) + "/";
    }

    slots_t
    files(const nicPlace &nic, const std::string &kind, const names_t &names) {
        slots_t slots;
        for (const unsigned port : nic.ports) {
            for (const std::string &name : names) {
                slots.push_back({from_t::FILE, port, portFolder(nic, port) + kind + name});
            }
        }
        return slots;
    }

    slots_t
    named(from_t from, const std::vector<unsigned> &ports, const names_t &names) {
        slots_t slots;
        for (const unsigned port : ports) {
            for (const std::string &name : names) {
                slots.push_back({from, port, name});
            }
        }
        return slots;
    }

    /** The counters of frames of a device, by files and else by netlink. */
    slots_t
    frames(const nicPlace &nic, slotReader &reader, const names_t &names) {
        slots_t slots = reader.readable(files(nic, "counters/", names));
        const slots_t more = reader.readable(files(nic, "hw_counters/", names));
        slots.insert(slots.end(), more.begin(), more.end());
        if (slots.empty() && nic.place->isLive && !nic.device.empty()) {
            slots = reader.readable(named(from_t::NETLINK, nic.ports, names));
        }
        return slots;
    }

    using find_t = std::function<slots_t(const names_t &names)>;

    std::vector<slots_t>
    views(slotReader &reader, const std::vector<names_t> &sets, const find_t &find) {
        std::vector<slots_t> result;
        for (const names_t &names : sets) {
            slots_t slots = reader.readable(find(names));
            if (!slots.empty()) {
                result.push_back(std::move(slots));
            }
        }
        return result;
    }

    sourceAnswer
    answer(const nicPlace &nic,
           sourceInfo info,
           const byteNames &names,
           const find_t &find,
           const std::string &reason) {
        slotReader reader(nic.place, nic.device, nic.interface);
        nicSlots slots;
        slots.out = views(reader, names.out, find);
        slots.in = views(reader, names.in, find);
        if (slots.out.empty() || slots.in.empty()) {
            return {nullptr, reason};
        }
        slots.errors = frames(nic, reader, portErrorNames());
        slots.discards = frames(nic, reader, portDiscardNames());
        if (info.name == "netdev") {
            for (const char *way : {"tx_", "rx_"}) {
                const slots_t errors = find({std::string(way) + "errors"});
                const slots_t drops = find({std::string(way) + "dropped"});
                slots.errors.insert(slots.errors.end(), errors.begin(), errors.end());
                slots.discards.insert(slots.discards.end(), drops.begin(), drops.end());
            }
        }
        return {std::make_shared<slotSource>(std::move(info), std::move(reader), std::move(slots)),
                ""};
    }

    std::string
    portsText(const nicPlace &nic) {
        const std::string port = nic.ports.size() == 1 ? std::to_string(nic.ports.front()) : "*";
        return nic.place->sysfs + "/class/infiniband/" + nic.device + "/ports/" + port + "/";
    }

} // namespace

sourceAnswer
portCounters(const nicPlace &nic) {
    sourceInfo info;
    info.name = "sysfs";
    info.unit = 4; // InfiniBand counts in words
    info.where = portsText(nic) + "counters/port_{xmit,rcv}_data";
    info.blind = blind_to_owner;
    info.saturates = true;
    return answer(
        nic,
        info,
        portByteNames(),
        [&nic](const names_t &names) { return files(nic, "counters/", names); },
        info.where + " cannot be read (sysfs of another network namespace shows no counters)");
}

sourceAnswer
driverCounters(const nicPlace &nic) {
    sourceInfo info;
    info.name = "hw_counters";
    info.where = portsText(nic) + "hw_counters";
    info.blind = blind_to_owner;
    return answer(
        nic,
        info,
        driverByteNames(),
        [&nic](const names_t &names) { return files(nic, "hw_counters/", names); },
        info.where + " has no bytes");
}

sourceAnswer
netlinkCounters(const nicPlace &nic) {
    if (!nic.place->isLive) {
        return {nullptr, "RDMA netlink is not asked about another sysfs"};
    }
    sourceInfo info;
    info.name = "rdma-netlink";
    info.where = "RDMA netlink, statistics of " + nic.device;
    info.blind = blind_to_owner;
    const std::string link = nic.device + "/" + std::to_string(nic.ports.front());
    return answer(
        nic,
        info,
        driverByteNames(),
        [&nic](const names_t &names) { return named(from_t::NETLINK, nic.ports, names); },
        "RDMA netlink tells no bytes; where the driver can count them (mlx5), an administrator "
        "turns that on once: rdma statistic set link " +
            link + " optional-counters rdma_tx_bytes,rdma_rx_bytes");
}

sourceAnswer
ethtoolCounters(const nicPlace &nic) {
    if (nic.interface.empty() || !nic.place->isLive) {
        return {nullptr, nic.interface.empty() ? nic.noInterface : "ethtool is of this machine"};
    }
    sourceInfo info;
    info.name = "ethtool";
    info.where = "ethtool -S " + nic.interface;
    info.blind = blind_to_owner;
    return answer(
        nic,
        info,
        ethtoolByteNames(),
        [](const names_t &names) { return named(from_t::ETHTOOL, {0}, names); },
        info.where + " has no bytes of RDMA");
}

sourceAnswer
interfaceCounters(const nicPlace &nic) {
    if (nic.interface.empty()) {
        return {nullptr, nic.noInterface};
    }
    if (!nic.device.empty() && !nic.isSoftware) {
        return {nullptr, "the statistics of " + nic.interface + " miss what its hardware moves"};
    }
    sourceInfo info;
    info.name = "netdev";
    info.where = "statistics of " + nic.interface;
    info.blind = std::string(blind_to_owner) + "; what RDMA hardware moves by itself";
    const std::string folder = "class/net/" + nic.interface + "/statistics/";
    const bool live = nic.place->isLive;
    return answer(
        nic,
        info,
        interfaceByteNames(),
        [&folder, live](const names_t &names) {
            slots_t slots;
            for (const std::string &name : names) {
                slots.push_back(live ? counterSlot{from_t::INTERFACE, 0, name}
                                     : counterSlot{from_t::FILE, 0, folder + name});
            }
            return slots;
        },
        info.where + " cannot be read");
}

} // namespace nixlStripe
