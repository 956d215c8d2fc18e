// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/devices.h"

#include "policy/device_spec.h"
#include "policy/rails.h"
#include "topology/text.h"

#include <algorithm>

namespace nixlStripe {
namespace {

    template <typename item_t>
    const item_t *
    findByName(const std::vector<item_t> &items, std::string_view name) {
        const auto it = std::find_if(
            items.begin(), items.end(), [&](const item_t &item) { return item.name == name; });
        return it == items.end() ? nullptr : &*it;
    }

    std::string
    existingDevices(const machine &host) {
        std::vector<std::string> names;
        for (const rdmaNic &nic : host.nics) {
            names.push_back(nic.name);
        }
        for (const netInterface &interface : host.netInterfaces) {
            names.push_back(interface.name);
        }
        return names.empty() ? "there are none at all" : "there are: " + joined(names);
    }

    unsigned
    defaultPort(const rdmaNic &nic) {
        for (const port &candidate : nic.ports) {
            if (candidate.state == portState_t::ACTIVE) {
                return candidate.number;
            }
        }
        return nic.ports.empty() ? 1 : nic.ports.front().number;
    }

    bool
    hasPort(const rdmaNic &nic, unsigned number) {
        return std::any_of(nic.ports.begin(), nic.ports.end(), [&](const port &candidate) {
            return candidate.number == number;
        });
    }

    class resolver {
    public:
        resolver(std::string_view key, std::string_view text, const machine &host)
            : key_(key)
            , text_(text)
            , host_(host) {}

        std::string
        resolve(const deviceSpec &spec) const {
            if (const rdmaNic *nic = findByName(host_.nics, spec.name)) {
                if (spec.port && !nic->ports.empty() && !hasPort(*nic, *spec.port)) {
                    reject(spec.name + " has no port " + std::to_string(*spec.port));
                }
                return spec.name + ":" + std::to_string(spec.port.value_or(defaultPort(*nic)));
            }
            if (findByName(host_.netInterfaces, spec.name) == nullptr) {
                reject("there is no device " + quoted(spec.name) + "; " + existingDevices(host_));
            }
            if (spec.port) {
                reject(quoted(spec.name) + " is a network interface, which has no ports",
                       quoted(spec.name));
            }
            return spec.name;
        }

        [[noreturn]] void
        reject(const std::string &reason, const std::string &accepted = "") const {
            refuse(key_, text_, reason, accepted);
        }

    private:
        std::string key_;
        std::string text_;
        const machine &host_;
    };

} // namespace

std::vector<std::string>
resolveDeviceList(std::string_view key, std::string_view text, const machine &host) {
    const resolver names(key, text, host);
    std::vector<std::string> devices;
    for (const deviceSpec &spec : parseDeviceList(key, text)) {
        std::string device = names.resolve(spec);
        if (std::find(devices.begin(), devices.end(), device) != devices.end()) {
            names.reject(quoted(device) + " is there twice");
        }
        devices.push_back(std::move(device));
    }
    if (devices.size() > max_rails) {
        names.reject(std::to_string(devices.size()) + " devices, UCX has " +
                         std::to_string(max_rails) + " lanes",
                     "at most " + std::to_string(max_rails));
    }
    return devices;
}

bool
areNetInterfaces(const std::vector<std::string> &devices, const machine &host) {
    return std::none_of(devices.begin(), devices.end(), [&](const std::string &device) {
        return findByName(host.nics, device.substr(0, device.find(':'))) != nullptr;
    });
}

} // namespace nixlStripe
