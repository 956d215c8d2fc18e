// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/ceiling.h"

#include "policy/device_spec.h"
#include "policy/link_model.h"
#include "policy/max_flow.h"
#include "topology/pci_address.h"

#include <algorithm>
#include <stdexcept>

namespace nixlStripe {
namespace {

    void
    addDevice(const machine &host,
              const std::string &device,
              const calibration *measured,
              linkModel &model) {
        const auto add = [&](const nicPort &at) { model.add(at, measuredAlone(measured, at)); };
        const deviceSpec spec = parseDeviceList("device", device).at(0);
        for (const rdmaNic &nic : host.nics) {
            for (const port &at : nic.ports) {
                if (nic.name == spec.name && spec.port.value_or(at.number) == at.number) {
                    add({&nic, at.number, at.rateGbps});
                    return;
                }
            }
        }
        for (const netInterface &each : host.netInterfaces) {
            if (each.name == device) {
                rdmaNic stand_in;
                stand_in.name = each.name;
                stand_in.pci = each.pci;
                stand_in.numaNode = each.numaNode;
                add({&stand_in, no_port, each.rateGbps});
                return;
            }
        }
        throw std::invalid_argument("device '" + device + "' is not on " + host.source);
    }

    bool
    hasGpu(const machine &host, const std::string &address) {
        for (const gpu &each : host.gpus) {
            if (each.pci == address) {
                return true;
            }
        }
        return false;
    }

    /** The whole set's rate by one of the model's two measures. */
    std::optional<double>
    rateOf(const machine &host,
           const std::vector<std::string> &devices,
           const std::optional<std::string> &gpu_pci,
           const calibration *measured,
           double (linkModel::*measure)(const std::vector<std::size_t> &) const) {
        std::string source;
        if (gpu_pci) {
            source = normalPciAddress(*gpu_pci).value_or(*gpu_pci);
            if (!hasGpu(host, source)) {
                throw std::invalid_argument("GPU '" + *gpu_pci + "' is not on " + host.source);
            }
        }
        linkModel model(host, gpu_pci ? &source : nullptr);
        std::vector<std::size_t> set;
        for (const std::string &device : devices) {
            addDevice(host, device, measured, model);
            set.push_back(set.size());
        }
        const double gbps = (model.*measure)(set);
        return gbps == flowNetwork::unlimited ? std::nullopt : std::optional<double>(gbps);
    }

} // namespace

std::optional<double>
ceilingGbps(const machine &host,
            const std::vector<std::string> &devices,
            const std::optional<std::string> &gpu_pci) {
    return rateOf(host, devices, gpu_pci, nullptr, &linkModel::ceiling);
}

std::optional<double>
evenGbps(const machine &host,
         const std::vector<std::string> &devices,
         const std::optional<std::string> &gpu_pci,
         const calibration *measured) {
    const std::optional<double> modelled =
        rateOf(host, devices, gpu_pci, measured, &linkModel::evenRate);
    const std::string memory =
        gpu_pci ? normalPciAddress(*gpu_pci).value_or(*gpu_pci) : std::string();
    if (measured == nullptr || devices.empty()) {
        return modelled;
    }
    if (const measuredSet *same = measured->find(memory, devices)) {
        return same->gbps();
    }
    const double most = measured->most(memory, devices);
    const double least = std::min(most, modelled.value_or(flowNetwork::unlimited));
    return least == flowNetwork::unlimited ? std::nullopt : std::optional<double>(least);
}

} // namespace nixlStripe
