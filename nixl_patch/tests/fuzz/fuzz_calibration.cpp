// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** A calibration file: what is read is written and read the same, and `best` copes with it. */
#include "fuzz.h"
#include "policy/calibration.h"
#include "policy/ceiling.h"
#include "policy/selection.h"

#include <cmath>
#include <memory>
#include <string_view>

namespace {

using namespace nixlStripe;

/** A machine with what a calibration speaks of. */
machine
hostOf(const calibration &measured) {
    machine host;
    host.cpu = measured.cpu;
    for (const measuredNic &each : measured.nics) {
        rdmaNic nic;
        nic.name = each.device.substr(0, each.device.find(':'));
        nic.pci = each.pci;
        nic.access = access_t::YES;
        port at;
        at.state = portState_t::ACTIVE;
        at.linkLayer = linkLayer_t::INFINIBAND;
        at.rateGbps = each.rateGbps;
        nic.ports.push_back(at);
        host.nics.push_back(std::move(nic));
    }
    return host;
}

void
checkBest(const calibration &measured) {
    const machine host = hostOf(measured);
    stripeRequest request;
    request.stripe = "best";
    request.measured = std::make_shared<const calibration>(measured);
    allowRefusal([&] {
        const selection chosen = selectNics(host, request);
        const auto rate = evenGbps(host, chosen.devices, std::nullopt, &measured);
        claim(!rate || (std::isfinite(*rate) && *rate >= 0));
    });
}

} // namespace

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    allowRefusal([&] {
        const calibration measured = parseCalibration("input", text);
        const std::string written = calibrationText(measured);
        claim(calibrationText(parseCalibration("again", written)) == written);
        checkBest(measured);
    });
    return 0;
}
