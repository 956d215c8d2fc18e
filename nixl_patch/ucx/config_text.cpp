// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/config_text.h"

#include "ucx/values.h"

#include <algorithm>

namespace nixlStripe {
namespace {

    constexpr std::string_view prefix = "UCX_";
    constexpr std::string_view blanks = " \t\r\n";

    std::string_view
    trim(std::string_view text) {
        const std::size_t start = text.find_first_not_of(blanks);
        if (start == std::string_view::npos) {
            return {};
        }
        return text.substr(start, text.find_last_not_of(blanks) - start + 1);
    }

    template <typename consumer_t>
    void
    forEachPart(std::string_view text, char separator, consumer_t &&consume) {
        std::size_t pos = 0;
        while (pos <= text.size()) {
            const std::size_t end = std::min(text.find(separator, pos), text.size());
            consume(text.substr(pos, end - pos));
            pos = end + 1;
        }
    }

    std::string_view
    withoutPrefix(std::string_view key) {
        return key.substr(0, prefix.size()) == prefix ? key.substr(prefix.size()) : key;
    }

    /** "rxe0:1" of "# lane[0]:  9:rc_verbs/rxe0:1.0 md[5] -> ...": path 0 of that device. */
    std::string
    localDevice(std::string_view line) {
        line = line.substr(0, line.find(" md["));
        const std::size_t slash = line.find('/');
        const std::size_t dot = line.rfind('.');
        return slash == std::string_view::npos || dot == std::string_view::npos || dot < slash
                   ? std::string()
                   : std::string(line.substr(slash + 1, dot - slash - 1));
    }

} // namespace

std::map<std::string, std::string>
parseConfigText(std::string_view text) {
    std::map<std::string, std::string> settings;
    forEachPart(text, '\n', [&](std::string_view line) {
        const std::size_t equals = line.find('=');
        if (line.substr(0, prefix.size()) != prefix || equals == std::string_view::npos) {
            return;
        }
        if (const auto key = withoutPrefix(line.substr(0, equals)); !key.empty()) {
            settings.emplace(key, trim(line.substr(equals + 1)));
        }
    });
    return settings;
}

std::set<std::string>
parseContextDevices(std::string_view text) {
    std::set<std::string> devices;
    forEachPart(text, '\n', [&](std::string_view line) {
        const std::size_t marker = line.find(" -- ");
        if (line.find("resource") == std::string_view::npos || marker == std::string_view::npos) {
            return;
        }
        std::string_view resource = trim(line.substr(marker + 4));
        resource = resource.substr(0, resource.find_first_of(blanks));
        if (const std::size_t slash = resource.find('/'); slash != std::string_view::npos) {
            devices.emplace(resource.substr(slash + 1));
        }
    });
    return devices;
}

std::vector<rmaLane>
parseRmaLanes(std::string_view text) {
    constexpr std::string_view target = "-> md[";
    constexpr unsigned max_domains = 64;
    std::vector<rmaLane> lanes;
    bool is_readable = true;
    forEachPart(text, '\n', [&](std::string_view line) {
        if (line.find(" lane[") == std::string_view::npos ||
            line.find(" rma_bw#") == std::string_view::npos) {
            return;
        }
        const std::size_t start = line.find(target);
        const std::string_view rest =
            start == std::string_view::npos ? "" : line.substr(start + target.size());
        const std::size_t end = rest.find(']');
        const unsigned domain =
            end == std::string_view::npos
                ? max_domains
                : ucxCount(std::string(rest.substr(0, end))).value_or(max_domains);
        is_readable = is_readable && domain < max_domains;
        lanes.push_back({domain, localDevice(line)});
    });
    return is_readable && lanes.size() <= max_domains ? lanes : std::vector<rmaLane>();
}

std::map<std::string, std::string>
parseEngineConfig(std::string_view text) {
    std::map<std::string, std::string> settings;
    forEachPart(text, ',', [&](std::string_view entry) {
        if (const std::size_t equals = entry.find('='); equals != std::string_view::npos) {
            settings[std::string(withoutPrefix(trim(entry.substr(0, equals))))] =
                trim(entry.substr(equals + 1));
        }
    });
    return settings;
}

} // namespace nixlStripe
