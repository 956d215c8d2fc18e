// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file forecast_end.h
 * @brief One end of a forecast: its settings with UCX's defaults, and how UCX rates its devices.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_END_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_END_H

#include "ucx/distance_model.h"
#include "ucx/forecast.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace nixlStripe {

/** UCX compares floating-point numbers like this: what differs by less counts as equal. */
constexpr double nearly_all = 1 - 1e-6;

/** "mlx5_0" of "mlx5_0:1". */
std::string deviceName(const std::string &device);

/** "21.5 GiB/s", "220 MiB/s", "unlimited". */
std::string speedText(double bytes);

/** Settings of one end, with UCX's defaults where there is none. */
class endSettings {
public:
    explicit endSettings(const std::map<std::string, std::string> &values);

    /** @param key One of forecastSettings(). */
    std::string text(std::string_view key) const;

    /** "8k", "4", "inf"; UCX's default for a text that is no number ("auto"). */
    double number(std::string_view key) const;

    bool isOn(std::string_view key) const;

    bool opens(const std::string &device) const;

    bool hasTcp() const;

    const distanceModel &
    model() const {
        return model_;
    }

private:
    const std::map<std::string, std::string> &values_;
    distanceModel model_;
};

/** Ports of one end by their index in laneEnd, as UCX rates them. */
class endView {
public:
    /** @param role "initiator" or "target". */
    endView(const laneEnd &end, const char *role);

    const lanePort &
    port(std::size_t index) const {
        return end.ports[index];
    }

    /** Bytes/s of the device by itself. */
    double alone(std::size_t index) const;

    /** What the device's address says: its own speed, or the way to the current GPU. */
    double wired(std::size_t index) const;

    double latency(std::size_t index) const;

    /** What limits wired(), for people: "220 MiB/s (sys) to the target's GPU". */
    std::string limit(std::size_t index) const;

    const laneEnd &end;
    const endSettings settings;

private:
    const char *role_;
    double fallback_; /**< where a device's own bandwidth is unknown */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_END_H
