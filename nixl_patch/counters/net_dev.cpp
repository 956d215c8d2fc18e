// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/net_dev.h"

#include "topology/descriptor.h"
#include "topology/sysfs_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr std::size_t max_text = std::size_t{4} << 20; // some 30 000 interfaces
    constexpr unsigned max_ethtool = 1U << 16; // drivers with many queues have some thousand

    std::string_view
    nextWord(std::string_view &line) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        const std::string_view word = line.substr(0, line.find(' '));
        line.remove_prefix(word.size());
        return word;
    }

    /** Receive and transmit, eight columns each: bytes, packets, errs, drop, ... */
    std::optional<netDevCounts>
    parseCounts(std::string_view line) {
        std::array<std::uint64_t, 16> columns{};
        for (std::uint64_t &column : columns) {
            const auto value = parseNumber(nextWord(line));
            if (!value) {
                return std::nullopt;
            }
            column = *value;
        }
        netDevCounts counts;
        counts.bytesIn = columns[0];
        counts.errorsIn = columns[2];
        counts.dropsIn = columns[3];
        counts.bytesOut = columns[8];
        counts.errorsOut = columns[10];
        counts.dropsOut = columns[11];
        return counts;
    }

    class inetSocket {
    public:
        inetSocket()
            : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

        bool
        ask(unsigned long request, ifreq &what) const {
            return fd_.get() >= 0 && ::ioctl(fd_.get(), request, &what) == 0;
        }

    private:
        const descriptor fd_;
    };

    std::optional<ifreq>
    requestFor(const std::string &name) {
        ifreq request{};
        if (name.empty() || name.size() >= sizeof request.ifr_name) {
            return std::nullopt;
        }
        std::memcpy(request.ifr_name, name.data(), name.size());
        return request;
    }

    /** How many counters a driver has. */
    unsigned
    countOf(const inetSocket &socket, ifreq request) {
        std::array<std::uint64_t, 4> words{}; // the head and the one size that is asked for
        auto *head = reinterpret_cast<ethtool_sset_info *>(words.data());
        head->cmd = ETHTOOL_GSSET_INFO;
        head->sset_mask = std::uint64_t{1} << ETH_SS_STATS;
        request.ifr_data = reinterpret_cast<char *>(words.data());
        if (!socket.ask(SIOCETHTOOL, request) || head->sset_mask == 0) {
            return 0;
        }
        std::uint32_t size = 0;
        std::memcpy(&size, words.data() + sizeof *head / sizeof words[0], sizeof size);
        return size <= max_ethtool ? size : 0;
    }

} // namespace

std::map<std::string, netDevCounts>
parseNetDev(std::string_view text) {
    std::map<std::string, netDevCounts> result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        // Aliases have colons of their own; the last one is before the figures.
        const std::size_t colon = line.rfind(':');
        if (colon == std::string_view::npos) {
            continue;
        }
        std::string_view name = line.substr(0, colon);
        name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
        const auto counts = parseCounts(line.substr(colon + 1));
        if (counts && !name.empty()) {
            result.emplace(printable(name), *counts);
        }
    }
    return result;
}

std::map<std::string, netDevCounts>
readNetDev() {
    const descriptor file(::open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        return {};
    }
    std::string text;
    std::array<char, 16384> piece{};
    ssize_t got = 0;
    while (text.size() < max_text && (got = ::read(file.get(), piece.data(), piece.size())) > 0) {
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return parseNetDev(text);
}

std::optional<bool>
isInterfaceUp(const std::string &name) {
    auto request = requestFor(name);
    if (!request || !inetSocket().ask(SIOCGIFFLAGS, *request)) {
        return std::nullopt;
    }
    constexpr int wanted = IFF_UP | IFF_RUNNING;
    return (request->ifr_flags & wanted) == wanted;
}

std::optional<std::array<unsigned char, 6>>
macOf(const std::string &name) {
    auto request = requestFor(name);
    if (!request || !inetSocket().ask(SIOCGIFHWADDR, *request)) {
        return std::nullopt;
    }
    std::array<unsigned char, 6> mac{};
    std::memcpy(mac.data(), request->ifr_hwaddr.sa_data, mac.size());
    return mac;
}

bool
isGidOfMac(std::string_view gid, const std::array<unsigned char, 6> &mac) {
    std::array<char, 40> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "fe80:0000:0000:0000:%02x%02x:%02xff:fe%02x:%02x%02x",
                  mac[0] ^ 2, // the bit that says "universal" is turned over
                  mac[1],
                  mac[2],
                  mac[3],
                  mac[4],
                  mac[5]);
    return gid == text.data();
}

std::map<std::string, std::uint64_t>
readEthtool(const std::string &name) {
    const auto request = requestFor(name);
    const inetSocket socket;
    const unsigned count = request ? countOf(socket, *request) : 0;
    if (count == 0) {
        return {};
    }
    // Words, so that the kernel's structures at the front lie where they must.
    const auto words = [](std::size_t bytes) { return std::vector<std::uint64_t>(bytes / 8 + 2); };
    auto names = words(sizeof(ethtool_gstrings) + std::size_t{count} * ETH_GSTRING_LEN);
    auto values = words(sizeof(ethtool_stats) + std::size_t{count} * sizeof(std::uint64_t));
    auto *strings = reinterpret_cast<ethtool_gstrings *>(names.data());
    auto *stats = reinterpret_cast<ethtool_stats *>(values.data());
    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = ETH_SS_STATS;
    strings->len = count;
    stats->cmd = ETHTOOL_GSTATS;
    stats->n_stats = count;
    ifreq ask_names = *request;
    ifreq ask_values = *request;
    ask_names.ifr_data = reinterpret_cast<char *>(strings);
    ask_values.ifr_data = reinterpret_cast<char *>(stats);
    if (!socket.ask(SIOCETHTOOL, ask_names) || !socket.ask(SIOCETHTOOL, ask_values)) {
        return {};
    }
    std::map<std::string, std::uint64_t> result;
    const unsigned most = std::min({count, strings->len, stats->n_stats});
    const char *text = reinterpret_cast<const char *>(names.data()) + sizeof(ethtool_gstrings);
    const char *numbers = reinterpret_cast<const char *>(values.data()) + sizeof(ethtool_stats);
    for (unsigned i = 0; i < most; ++i) {
        const std::string_view label(text + std::size_t{i} * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
        std::uint64_t value = 0;
        std::memcpy(&value, numbers + std::size_t{i} * sizeof value, sizeof value);
        result.emplace(printable(label.substr(0, label.find('\0'))), value);
    }
    return result;
}

} // namespace nixlStripe
