// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/calibration.h"

#include "policy/tcp_nics.h"
#include "topology/cpu_type.h"
#include "topology/text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace nixlStripe {
namespace {

    std::string
    modelText(const machine &host, const std::string &pci) {
        const auto it = host.pci.find(pci);
        if (it == host.pci.end() || it->second.vendor == 0) {
            return "";
        }
        char text[32];
        std::snprintf(text, sizeof text, "%04x:%04x", it->second.vendor, it->second.device);
        return text;
    }

    template <class Items, class Name>
    auto
    findNamed(const Items &items, const std::string &name, Name name_of) -> decltype(items.data()) {
        const auto it = std::find_if(
            items.begin(), items.end(), [&](const auto &each) { return name_of(each) == name; });
        return it == items.end() ? nullptr : &*it;
    }

    const measuredNic *
    findNic(const calibration &measured, const std::string &device) {
        return findNamed(measured.nics, device, [](const measuredNic &each) -> const std::string & {
            return each.device;
        });
    }

    const measuredGpu *
    findMeasuredGpu(const calibration &measured, const std::string &pci) {
        return findNamed(measured.gpus, pci, [](const measuredGpu &each) -> const std::string & {
            return each.pci;
        });
    }

    std::string
    cpuText(const cpuType &cpu) {
        return std::string(cpuKindName(cpu.kind)) + " " + std::to_string(cpu.family) + " " +
               std::to_string(cpu.model);
    }

    std::string
    orDash(const std::string &text) {
        return text.empty() ? "-" : text;
    }

    /** "0000:18:00.0 15b3:1021 400 Gbit/s", for messages. */
    std::string
    nicText(const measuredNic &nic) {
        std::string text = orDash(nic.pci) + " " + orDash(nic.model);
        append(text, nic.rateGbps > 0 ? rateText(nic.rateGbps) + " Gbit/s" : "unknown rate", " ");
        return text;
    }

    measuredNic
    nicOf(const machine &host, const nicPort &at) {
        return {at.text(), at.nic->pci, modelText(host, at.nic->pci), at.rateGbps};
    }

    bool
    isSameRate(double a, double b) {
        return std::abs(a - b) <= rate_tolerance * std::max(a, b);
    }

    /** What a NIC that can be used was when it was measured; "" = the same. */
    std::string
    whyNicDiffers(const calibration &measured, const machine &host, const nicPort &at) {
        const measuredNic now = nicOf(host, at);
        const measuredNic *then = findNic(measured, now.device);
        if (then == nullptr) {
            return now.device + " was not measured";
        }
        const bool is_same = then->pci == now.pci && then->model == now.model &&
                             isSameRate(then->rateGbps, now.rateGbps);
        return is_same ? "" : now.device + " is " + nicText(now) + ", it was " + nicText(*then);
    }

} // namespace

double
measuredSet::gbps() const {
    return readGbps > 0 ? std::min(writeGbps, readGbps) : writeGbps;
}

bool
calibration::knows(const std::string &memory) const {
    return std::any_of(
        sets.begin(), sets.end(), [&](const measuredSet &each) { return each.memory == memory; });
}

const measuredSet *
calibration::find(const std::string &memory, std::vector<std::string> devices) const {
    std::sort(devices.begin(), devices.end());
    const auto it = std::find_if(sets.begin(), sets.end(), [&](const measuredSet &each) {
        return each.memory == memory && each.devices == devices;
    });
    return it == sets.end() ? nullptr : &*it;
}

double
calibration::most(const std::string &memory, const std::vector<std::string> &devices) const {
    std::vector<std::string> wanted = devices;
    std::sort(wanted.begin(), wanted.end());
    double least = std::numeric_limits<double>::infinity();
    for (const measuredSet &each : sets) {
        if (each.memory == memory &&
            std::includes(wanted.begin(), wanted.end(), each.devices.begin(), each.devices.end())) {
            least = std::min(least, each.gbps() / static_cast<double>(each.devices.size()));
        }
    }
    return least * static_cast<double>(devices.size());
}

calibration
calibrationOf(const machine &host, const std::vector<std::string> &devices) {
    const machine seen = usesTcp(host) ? asTcpNics(host).host : host;
    calibration made;
    made.source = host.source;
    made.cpu = host.cpu;
    for (const std::string &device : devices) {
        for (const rdmaNic &nic : seen.nics) {
            for (const port &each : nic.ports) {
                const nicPort at = {&nic, each.number, each.rateGbps};
                if (at.text() == device && findNic(made, device) == nullptr) {
                    made.nics.push_back(nicOf(seen, at));
                }
            }
        }
        if (findNic(made, device) == nullptr) {
            throw std::invalid_argument("no device of " + host.source + " is called " +
                                        quoted(device));
        }
    }
    for (const gpu &each : host.gpus) {
        made.gpus.push_back({each.pci, modelText(host, each.pci)});
    }
    return made;
}

double
measuredAlone(const calibration *measured, const nicPort &at) {
    const measuredSet *alone = measured == nullptr ? nullptr : measured->find("", {at.text()});
    return alone == nullptr ? 0 : alone->gbps();
}

std::string
whyNotOf(const calibration &measured, const machine &host, const std::vector<nicPort> &ports) {
    if (cpuText(measured.cpu) != cpuText(host.cpu)) {
        return "the CPUs are " + cpuText(host.cpu) + ", they were " + cpuText(measured.cpu);
    }
    for (const gpu &each : host.gpus) {
        const measuredGpu *then = findMeasuredGpu(measured, each.pci);
        const std::string now = modelText(host, each.pci);
        if (then == nullptr || then->model != now) {
            return "GPU " + each.pci + " (" + orDash(now) + ") was " +
                   (then == nullptr ? "not there" : orDash(then->model));
        }
    }
    for (const nicPort &at : ports) {
        std::string reason = whyNicDiffers(measured, host, at);
        if (!reason.empty()) {
            return reason;
        }
    }
    return "";
}

} // namespace nixlStripe
