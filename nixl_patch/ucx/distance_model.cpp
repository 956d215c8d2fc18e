// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/distance_model.h"

#include "topology/text.h"
#include "ucx/values.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr double mib = 1 << 20;
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    constexpr double bits_per_byte = 8;

    constexpr std::array<std::string_view, 4> words = {"near", "phb", "node", "sys"};

    /** Payload and headers of the largest packet, bytes (uct_ib_iface_get_bandwidth). */
    constexpr double ib_mtu = 4096;
    constexpr double infiniband_headers = 44;
    constexpr double roce_headers = 90;
    constexpr double tcp_headers = 40;
    constexpr double ethernet_headers = 38;

    /** PCIe generations as UCX has them: GT/s, bytes of header per 256 of payload. */
    struct pcieGeneration {
        double gtps;
        double header;
        double encoding;
    };
    constexpr std::array<pcieGeneration, 5> generations = {{{2.5, 24, 0.8},
                                                            {5, 24, 0.8},
                                                            {8, 26, 128.0 / 130},
                                                            {16, 26, 128.0 / 130},
                                                            {32, 26, 128.0 / 130}}};

    double
    pcieBandwidth(const pciNode &node) {
        constexpr double payload = 256;
        constexpr double control_ratio = 4;
        constexpr double control_bytes = 16;
        for (const pcieGeneration &each : generations) {
            if (node.linkGtps <= 0 || node.linkGtps / each.gtps > 1.01) {
                continue;
            }
            const double used =
                payload * control_ratio / ((payload + each.header) * control_ratio + control_bytes);
            return each.gtps * 1e9 / bits_per_byte * node.linkWidth * each.encoding * used;
        }
        return unlimited;
    }

    /** Bridges above a function and itself, top first. */
    std::vector<const pciNode *>
    stepsTo(const machine &host, const std::string &address) {
        std::vector<const pciNode *> steps;
        auto it = host.pci.find(address);
        while (it != host.pci.end() && steps.size() < host.pci.size()) {
            steps.insert(steps.begin(), &it->second);
            it = host.pci.find(it->second.parent);
        }
        return steps;
    }

    int
    numaOf(const std::vector<const pciNode *> &steps) {
        return steps.back()->numaNode;
    }

    /** "1000GBs": bytes/s; nothing when UCX would not take it. Its units are powers of 1024. */
    std::optional<double>
    parseBandwidth(const std::string &text) {
        const std::optional<leadingNumber> number = ucxNumber(text);
        if (!number) {
            return std::nullopt;
        }
        std::string_view rest(number->rest);
        double factor = 1;
        if (const std::size_t power = std::string_view("KMGT").find(rest.empty() ? ' ' : rest[0]);
            power != std::string_view::npos) {
            for (std::size_t i = 0; i <= power; ++i) {
                factor *= 1024;
            }
            rest.remove_prefix(1);
        }
        if (rest.empty() || (rest[0] != 'B' && rest[0] != 'b')) {
            return std::nullopt;
        }
        factor /= rest[0] == 'b' ? bits_per_byte : 1;
        rest.remove_prefix(1);
        if (!rest.empty() && rest != "s" && rest != "ps" && rest != "/s") {
            return std::nullopt;
        }
        return number->value * factor;
    }

    /**
     * UCS's key-value lists: "auto,sys:16500MBs". A value without a key is for the keys that are
     * not named; without one, all keys must be. "auto" gives no entry.
     *
     * @return nothing when UCX would not take the text.
     */
    template <typename parse_t>
    std::optional<std::map<std::string, double>>
    parseKeyed(const std::string &text, parse_t parse) {
        std::map<std::string, double> found;
        std::optional<std::optional<double>> fallback;
        std::size_t named = 0;
        std::size_t start = 0;
        while (start <= text.size()) {
            const std::size_t end = std::min(text.find(',', start), text.size());
            const std::string item = text.substr(start, end - start);
            start = end + 1;
            const std::size_t colon = item.find(':');
            const std::string value = item.substr(colon == std::string::npos ? 0 : colon + 1);
            const std::optional<double> number = parse(value);
            if (value != "auto" && !number) {
                return std::nullopt;
            }
            if (colon == std::string::npos) {
                fallback = number;
                continue;
            }
            const std::string key = item.substr(0, colon);
            if (key == "near" || std::find(words.begin(), words.end(), key) == words.end()) {
                return std::nullopt;
            }
            ++named;
            found.emplace(key, number.value_or(-1));
        }
        if (!fallback && named < words.size() - 1) {
            return std::nullopt;
        }
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (fallback && *fallback) {
                found.emplace(words[i], **fallback);
            }
        }
        for (auto it = found.begin(); it != found.end();) {
            it = it->second < 0 ? found.erase(it) : std::next(it);
        }
        return found;
    }

    std::string
    settingOr(const std::map<std::string, std::string> &settings,
              const std::string &key,
              const std::string &otherwise) {
        const auto it = settings.find(key);
        return it == settings.end() || it->second.empty() ? otherwise : it->second;
    }

} // namespace

std::string_view
distanceWord(ucxDistance_t distance) {
    return words[static_cast<std::size_t>(distance)];
}

ucxDistance_t
distanceOfWord(std::string_view word) {
    const auto it = std::find(words.begin(), words.end(), word);
    if (it == words.end()) {
        refuse("distance", word, "", joined(words));
    }
    return static_cast<ucxDistance_t>(it - words.begin());
}

ucxPath
pathBetween(const machine &host, const std::string &a, const std::string &b) {
    const auto left = stepsTo(host, a);
    const auto right = stepsTo(host, b);
    if (left.empty() || right.empty() || a == b || left.front() == right.front()) {
        return {};
    }
    const auto hops = static_cast<unsigned>(left.size() + right.size());
    if (!left.front()->root.empty() && left.front()->root == right.front()->root) {
        return {ucxDistance_t::PHB, hops};
    }
    const int node = numaOf(left);
    const bool is_same = node == numaOf(right) && node != unknown_numa;
    return {is_same ? ucxDistance_t::NODE : ucxDistance_t::SYS, hops};
}

distanceModel::distanceModel(const std::map<std::string, std::string> &settings)
    : is_off_(settingOr(settings, "TOPO_PRIO", "sysfs").rfind("default", 0) == 0)
    , seconds_({{"phb", 300e-9}, {"node", 300e-9}, {"sys", 500e-9}}) {
    if (auto given = parseKeyed(settingOr(settings, "DISTANCE_BW", "auto"), parseBandwidth)) {
        bytes_ = *given;
    }
    if (auto given = parseKeyed(settingOr(settings, "DISTANCE_LAT", ""), ucxTime)) {
        seconds_ = *given;
    }
}

double
distanceModel::bandwidth(const ucxPath &path) const {
    if (is_off_ || path.distance == ucxDistance_t::NEAR) {
        return unlimited;
    }
    if (const auto it = bytes_.find(std::string(distanceWord(path.distance))); it != bytes_.end()) {
        return it->second;
    }
    switch (path.distance) {
    case ucxDistance_t::PHB:
        return std::min(3500.0, 19200.0 / std::max(path.hops, 1U)) * mib;
    case ucxDistance_t::NODE:
        return 17000 * mib;
    default:
        return 220 * mib;
    }
}

double
distanceModel::latency(const ucxPath &path) const {
    const auto it = seconds_.find(std::string(distanceWord(path.distance)));
    return is_off_ || it == seconds_.end() ? 0 : it->second;
}

double
portBandwidth(const machine &host, const rdmaNic &nic, const port &at) {
    const double headers =
        at.linkLayer == linkLayer_t::INFINIBAND ? infiniband_headers : roce_headers;
    const double wire = at.rateGbps * 1e9 / bits_per_byte * ib_mtu / (ib_mtu + headers);
    const auto it = host.pci.find(nic.pci);
    const double link = it == host.pci.end() ? unlimited : pcieBandwidth(it->second);
    if (at.rateGbps > 0) {
        return std::min(wire, link);
    }
    return link == unlimited ? 0 : link;
}

double
interfaceBandwidth(const netInterface &each) {
    constexpr double unknown_speed_gbps = 0.1;
    const double rate = each.rateGbps > 0 ? each.rateGbps : unknown_speed_gbps;
    const double mtu = each.mtu > 0 ? each.mtu : 1500;
    constexpr double tcp_limit = 2200 * mib; // UCX's TCP_MAX_BW
    return std::min(rate * 1e9 / bits_per_byte * (mtu - tcp_headers) / (mtu + ethernet_headers),
                    tcp_limit);
}

} // namespace nixlStripe
