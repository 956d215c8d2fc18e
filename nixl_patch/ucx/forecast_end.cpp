// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/forecast_end.h"

#include "ucx/transports.h"
#include "ucx/values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace nixlStripe {
namespace {

    constexpr double unlimited = std::numeric_limits<double>::infinity();
    constexpr double mib = 1 << 20;
    constexpr double assumed_bandwidth = 50e9; /**< 400 Gbit/s, where no port's rate is known */

    const forecastSetting &
    knownSetting(std::string_view key) {
        const auto &table = forecastSettings();
        const auto it = std::find_if(table.begin(), table.end(), [&](const forecastSetting &each) {
            return each.key == key;
        });
        if (it == table.end()) {
            throw std::logic_error(std::string(key) + " is not in forecastSettings()");
        }
        return *it;
    }

    double
    fastestKnown(const laneEnd &end) {
        double known = 0;
        for (const lanePort &each : end.ports) {
            known = std::max(known, each.isRdma ? each.bandwidth : 0);
        }
        return known;
    }

} // namespace

std::string
deviceName(const std::string &device) {
    return device.substr(0, device.find(':'));
}

std::string
speedText(double bytes) {
    if (std::isinf(bytes)) {
        return "unlimited";
    }
    char text[48];
    if (bytes >= 1024 * mib) {
        std::snprintf(text, sizeof(text), "%.1f GiB/s", bytes / 1024 / mib);
    } else {
        std::snprintf(text, sizeof(text), "%.0f MiB/s", bytes / mib);
    }
    return text;
}

const std::vector<forecastSetting> &
forecastSettings() {
    static const auto &table = *new std::vector<forecastSetting>{
        {"DISTANCE_BW", ""},  // distanceModel knows the defaults of
        {"DISTANCE_LAT", ""}, // these two and
        {"MAX_COMPONENT_MDS", "16"},
        {"MAX_HCA_PER_GPU", "inf"},
        {"MAX_RMA_RAILS", "1"},
        {"MAX_RNDV_RAILS", "2"},
        {"MIN_RMA_CHUNK_SIZE", "8k"},
        {"MULTI_LANE_MAX_RATIO", "4"},
        {"NET_DEVICES", "all"},
        {"RMA_PPLN_ENABLE", "n"},
        {"SINGLE_NET_DEVICE", "n"},
        {"TLS", "all"},
        {"TOPO_PRIO", ""}, // of this one
    };
    return table;
}

endSettings::endSettings(const std::map<std::string, std::string> &values)
    : values_(values)
    , model_(values) {}

std::string
endSettings::text(std::string_view key) const {
    const forecastSetting &known = knownSetting(key);
    const auto it = values_.find(std::string(key));
    return it == values_.end() || it->second.empty() ? std::string(known.byDefault) : it->second;
}

double
endSettings::number(std::string_view key) const {
    const auto read = key == "MIN_RMA_CHUNK_SIZE" ? ucxChunk : ucxLimit;
    if (const std::optional<double> found = read(text(key))) {
        return *found;
    }
    // "auto" in the others means the default or no limit.
    return read(std::string(knownSetting(key).byDefault)).value_or(unlimited);
}

bool
endSettings::isOn(std::string_view key) const {
    return ucxBool(text(key)).value_or(false);
}

bool
endSettings::opens(const std::string &device) const {
    const ucxAllowList list(text("NET_DEVICES"));
    return list.admits({device, deviceName(device)});
}

bool
endSettings::hasTcp() const {
    return !admittedTransports(text("TLS"), {"tcp"}).empty();
}

endView::endView(const laneEnd &of, const char *role)
    : end(of)
    , settings(of.settings)
    , role_(role)
    , fallback_(fastestKnown(of) > 0 ? fastestKnown(of) : assumed_bandwidth) {}

double
endView::alone(std::size_t index) const {
    return port(index).bandwidth > 0 ? port(index).bandwidth : fallback_;
}

double
endView::wired(std::size_t index) const {
    const double way = end.hasContext ? settings.model().bandwidth(port(index).path) : unlimited;
    return std::min(alone(index), way);
}

double
endView::latency(std::size_t index) const {
    return end.hasContext ? settings.model().latency(port(index).path) : 0;
}

std::string
endView::limit(std::size_t index) const {
    const ucxPath &path = port(index).path;
    const double way = settings.model().bandwidth(path);
    if (alone(index) <= way) {
        return speedText(alone(index)) + " of the " + role_ + "'s " + port(index).device;
    }
    return speedText(way) + " (" + std::string(distanceWord(path.distance)) + ") to the " + role_ +
           "'s GPU";
}

} // namespace nixlStripe
