// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/sources.h"

#include "counters/net_dev.h"
#include "counters/nic_sources.h"
#include "counters/slots.h"
#include "topology/natural_order.h"
#include "topology/sysfs_text.h"

#include <algorithm>
#include <optional>
#include <set>

namespace nixlStripe {
namespace {

    constexpr unsigned port_is_active = 4;

    std::vector<std::string>
    inNaturalOrder(const std::set<std::string> &names) {
        std::vector<std::string> sorted(names.begin(), names.end());
        std::sort(sorted.begin(), sorted.end(), naturalLess);
        return sorted;
    }

    std::string
    listed(const std::set<std::string> &names) {
        std::string text;
        for (const std::string &name : inNaturalOrder(names)) {
            text += text.empty() ? "" : ", ";
            text += printable(name);
        }
        return text.empty() ? "none" : text;
    }

    /** Names that a path may hold, so that no given name leaves the folder. */
    bool
    isName(const std::string &name) {
        return !name.empty() && name != "." && name != ".." &&
               name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
    }

} // namespace

class counterHost::parts {
public:
    explicit parts(const std::string &sysfs)
        : place(std::make_shared<counterPlace>(sysfs)) {}

    std::set<std::string>
    devices() const {
        std::set<std::string> names;
        for (std::string &name : place->root.sub("class/infiniband").list()) {
            names.insert(std::move(name));
        }
        if (place->isLive) {
            for (const rdmaDevice &device : place->netlink.devices()) {
                names.insert(device.name);
            }
        }
        return names;
    }

    /** This namespace's, where that can be told: a sysfs may be of another. */
    std::set<std::string>
    interfaces() const {
        std::set<std::string> names;
        if (place->isLive) {
            for (const auto &item : readNetDev()) {
                names.insert(item.first);
            }
        }
        if (names.empty()) {
            for (std::string &name : place->root.sub("class/net").list()) {
                names.insert(std::move(name));
            }
        }
        names.erase("lo");
        names.erase("bonding_masters");
        return names;
    }

    std::vector<unsigned>
    portsOf(const std::string &device, const std::string &wanted) const {
        std::set<unsigned> ports;
        for (const std::string &name :
             place->root.sub("class/infiniband/" + device + "/ports").list()) {
            if (const auto number = parseNumber(name)) {
                ports.insert(static_cast<unsigned>(*number));
            }
        }
        if (ports.empty() && place->isLive) {
            const auto found = place->netlink.device(device);
            for (unsigned port = 1; found && port <= found->ports; ++port) {
                ports.insert(port);
            }
        }
        if (!wanted.empty()) {
            const auto number = parseNumber(wanted);
            const bool there = number && ports.count(static_cast<unsigned>(*number)) != 0;
            return there ? std::vector<unsigned>{static_cast<unsigned>(*number)}
                         : std::vector<unsigned>{};
        }
        return {ports.begin(), ports.end()};
    }

    /**
     * Whether one of the ports of @p device is active; nullopt when there is no such device. Asked
     * for each NIC every few seconds: netlink, whose answer grows with the number of devices, only
     * where sysfs says nothing.
     */
    std::optional<bool>
    hasActivePort(const std::string &device, const std::string &wanted) const {
        const folder where = place->root.sub("class/infiniband/" + device);
        std::optional<rdmaDevice> told;
        bool was_asked = false;
        const auto ask = [&]() -> const std::optional<rdmaDevice> & {
            if (!was_asked && place->isLive) {
                told = place->netlink.device(device);
            }
            was_asked = true;
            return told;
        };
        if (!where.isOpen() && !ask()) {
            return std::nullopt;
        }
        for (const unsigned number : portsOf(device, wanted)) {
            const std::string text = where.text("ports/" + std::to_string(number) + "/state");
            if (parsePortState(text) == portState_t::ACTIVE) {
                return true;
            }
            if (text.empty() && ask()) {
                const auto state = place->netlink.port(*told, number);
                if (state && state->state == port_is_active) {
                    return true;
                }
            }
        }
        return false;
    }

    nicPlace
    describe(const std::string &device, std::vector<unsigned> ports) const {
        nicPlace nic;
        nic.place = place;
        nic.device = device;
        nic.ports = std::move(ports);
        const folder where = place->root.sub("class/infiniband/" + device);
        nic.isSoftware = where.isOpen() && (where.has("parent") || !where.has("device"));
        findInterface(where, nic);
        const folder verbs = place->root.sub("class/infiniband_verbs");
        for (const std::string &name : verbs.list()) {
            if (verbs.text(name + "/ibdev") == device) {
                nic.uverbs = name;
            }
        }
        return nic;
    }

    place_t place;

private:
    /** Its GID table names it, Soft-RoCE's `parent` too. */
    void
    findInterface(const folder &where, nicPlace &nic) const {
        std::string name;
        std::vector<std::string> gids;
        for (const unsigned port : nic.ports) {
            const folder folder_of_port = where.sub("ports/" + std::to_string(port));
            const folder table = folder_of_port.sub("gid_attrs/ndevs");
            for (const std::string &slot : table.list()) {
                const std::string netdev = table.text(slot);
                if (!netdev.empty()) {
                    name = name.empty() ? netdev : name;
                    gids.push_back(folder_of_port.text("gids/" + slot));
                }
            }
        }
        name = name.empty() ? where.text("parent") : name;
        if (name.empty()) {
            nic.noInterface = "no network interface belongs to it";
        } else if (place->isLive && !isOwn(name, gids)) {
            nic.noInterface =
                "its interface " + printable(name) + " is in another network namespace";
        } else {
            nic.interface = name;
        }
    }

    /**
     * Whether the interface of that name in this network namespace is the one below a device: names
     * and numbers may be the same in two of them, and sysfs and netlink tell those of the device's.
     */
    static bool
    isOwn(const std::string &name, const std::vector<std::string> &gids) {
        const auto mac = macOf(name);
        return mac && (gids.empty() ||
                       std::any_of(gids.begin(), gids.end(), [&mac](const std::string &gid) {
                           return isGidOfMac(gid, *mac);
                       }));
    }
};

counterHost::counterHost(std::string sysfs)
    : parts_(std::make_shared<parts>(sysfs)) {}

counterHost::~counterHost() = default;

std::vector<std::string>
counterHost::devices() const {
    return inNaturalOrder(parts_->devices());
}

std::vector<std::string>
counterHost::nics() const {
    const std::set<std::string> names = parts_->devices();
    return inNaturalOrder(names.empty() ? parts_->interfaces() : names);
}

std::vector<sourceAnswer>
counterHost::sources(const std::string &nic) const {
    const std::string device = nic.substr(0, nic.find(':'));
    const std::string port = nic.size() > device.size() ? nic.substr(device.size() + 1) : "";
    const std::set<std::string> devices = parts_->devices();
    const std::set<std::string> interfaces = parts_->interfaces();
    if (isName(device) && devices.count(device) != 0) {
        std::vector<unsigned> ports = parts_->portsOf(device, port);
        if (ports.empty()) {
            return {{nullptr, "it has no port " + (port.empty() ? "at all" : printable(port))}};
        }
        const nicPlace place = parts_->describe(device, std::move(ports));
        return {portCounters(place),
                driverCounters(place),
                netlinkCounters(place),
                ethtoolCounters(place),
                interfaceCounters(place),
                queuePairCounters(place)};
    }
    if (isName(nic) && (interfaces.count(nic) != 0 || nic == "lo")) {
        nicPlace place;
        place.place = parts_->place;
        place.interface = nic;
        return {interfaceCounters(place)};
    }
    std::set<std::string> all = devices;
    all.insert(interfaces.begin(), interfaces.end());
    return {{nullptr, "no such device in " + parts_->place->sysfs + "; it has " + listed(all)}};
}

sourceAnswer
counterHost::best(const std::string &nic) const {
    const std::vector<sourceAnswer> answers = sources(nic);
    std::string reasons;
    for (const sourceAnswer &answer : answers) {
        if (answer.source) {
            return answer;
        }
        reasons += reasons.empty() ? "" : "; ";
        reasons += answer.reason;
    }
    const bool known = answers.size() > 1;
    return {nullptr,
            "NIC '" + printable(nic) + "': " +
                (known ? "its driver counts no bytes that can be seen here: " : "") + reasons};
}

bool
counterHost::isUp(const std::string &nic) const {
    const std::string device = nic.substr(0, nic.find(':'));
    const std::string port = nic.size() > device.size() ? nic.substr(device.size() + 1) : "";
    const place_t &place = parts_->place;
    if (isName(device)) {
        if (const auto up = parts_->hasActivePort(device, port)) {
            return *up;
        }
    }
    const auto up = place->isLive ? isInterfaceUp(nic) : std::nullopt;
    if (up || !isName(nic)) {
        return up.value_or(false);
    }
    const std::string state = place->root.text("class/net/" + nic + "/operstate");
    return state == "up" || state == "unknown";
}

} // namespace nixlStripe
