// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/selection.h"

#include "policy/ceiling.h"
#include "policy/fair.h"
#include "policy/policies.h"
#include "policy/rails.h"
#include "policy/stripe_spec.h"
#include "policy/tcp_nics.h"
#include "policy/usable.h"
#include "topology/pci_address.h"
#include "topology/pcie_link.h"
#include "topology/text.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nixlStripe {
namespace {

    /** "mlx5_0, mlx5_1" or "none". */
    std::string
    listed(const std::vector<std::string> &names) {
        constexpr std::size_t shown = 64; // a message is one line that a person can read
        if (names.size() > shown) {
            const std::vector<std::string> first(names.begin(), names.begin() + shown);
            return joined(first) + ", and " + std::to_string(names.size() - shown) + " more";
        }
        return names.empty() ? "none" : joined(names);
    }

    std::string
    deviceNames(const machine &host) {
        std::vector<std::string> names;
        for (const rdmaNic &nic : host.nics) {
            names.push_back(nic.name);
        }
        return listed(names);
    }

    std::string
    gpuAddresses(const machine &host) {
        std::vector<std::string> addresses;
        for (const gpu &each : host.gpus) {
            addresses.push_back(each.pci);
        }
        return listed(addresses);
    }

    bool
    hasPort(const rdmaNic &nic, unsigned number) {
        return std::any_of(nic.ports.begin(), nic.ports.end(), [&](const port &at) {
            return at.number == number;
        });
    }

    /** What is odd about an entry of a list on @p host; "" when nothing is. */
    std::string
    whyUnknown(const machine &host, const ncclList &list, const deviceSpec &entry) {
        std::vector<std::string> caught;
        bool has_port = false;
        for (const rdmaNic &nic : host.nics) {
            if (list.matchesName(entry, nic.name)) {
                caught.push_back(nic.name);
                has_port = has_port || !entry.port || hasPort(nic, *entry.port);
            }
        }
        if (caught.empty()) {
            return "no device is called '" + entry.name +
                   (list.exact ? "'" : "' or begins with that");
        }
        return has_port ? "" : joined(caught) + " has no port " + std::to_string(*entry.port);
    }

    /** @throws std::invalid_argument on an entry of a list that speaks of nothing on @p host. */
    void
    checkList(const machine &host, const ncclList &list, const stripeRequest &request) {
        for (const deviceSpec &entry : list.entries) {
            const std::string reason = whyUnknown(host, list, entry);
            if (!reason.empty() && !list.exclude) {
                refuse(request.stripeKey,
                       request.stripe,
                       reason + "; devices here: " + deviceNames(host),
                       acceptedStripe());
            }
        }
    }

    std::vector<std::string>
    listWarnings(const machine &host, const ncclList &list, const stripeRequest &request) {
        const std::string source = assignment(request.stripeKey, request.stripe) + ": ";
        std::vector<std::string> warnings;
        for (const deviceSpec &entry : list.entries) {
            const std::string reason = whyUnknown(host, list, entry);
            if (!reason.empty()) {
                warnings.push_back(source + reason + "; devices here: " + deviceNames(host));
            }
            std::vector<std::string> others;
            bool is_name = false;
            for (const rdmaNic &nic : host.nics) {
                if (nic.name == entry.name) {
                    is_name = true;
                } else if (list.matchesName(entry, nic.name)) {
                    others.push_back(nic.name);
                }
            }
            if (is_name && !others.empty()) {
                warnings.push_back(source + "'" + entry.name +
                                   "' is a prefix, as in NCCL_IB_HCA, and stands for " +
                                   joined(others) +
                                   " too; '=' in front of the list makes "
                                   "names exact");
            }
        }
        return warnings;
    }

    std::vector<const gpu *>
    everyGpu(const machine &host) {
        std::vector<const gpu *> all;
        for (const gpu &each : host.gpus) {
            all.push_back(&each);
        }
        return all;
    }

    /** The GPU that counts; nullptr when none is known and none is needed. */
    const gpu *
    findGpu(const machine &host, const stripeSpec &spec, const stripeRequest &request) {
        const std::string have = "GPUs here: " + gpuAddresses(host);
        if (!request.gpuPci) {
            if (spec.needsGpu()) {
                throw std::invalid_argument(
                    assignment(request.stripeKey, request.stripe) +
                    " needs a GPU and none is known: set " + request.gpuKey +
                    " to a CUDA ordinal or a PCI address, or create the backend when a CUDA "
                    "context is current; 'all', a count or a list need no GPU; " +
                    have);
            }
            return nullptr;
        }
        const std::string address = normalPciAddress(*request.gpuPci).value_or(*request.gpuPci);
        const bool competes = spec.gpuNeed() == gpuNeed_t::COMPETING;
        for (const gpu *each : competes ? competingGpus(host) : everyGpu(host)) {
            if (each->pci == address) {
                return each;
            }
        }
        if (spec.usesGpu()) {
            refuse(request.gpuKey,
                   *request.gpuPci,
                   "no GPU of this machine (" + host.source + ") has that address; " + have,
                   "");
        }
        return nullptr;
    }

    /** "8 GT/s x4": of a NIC that its port's rate could fill more of. */
    std::string
    linkText(const pciNode &node) {
        return rateText(node.linkGtps) + " GT/s x" + std::to_string(node.linkWidth);
    }

    /** The narrowest link above a NIC's own that carries less than @p gbps; nullptr = none. */
    const pciNode *
    narrowAbove(const machine &host, const nicPort &at, double gbps) {
        const pciNode *found = nullptr;
        auto it = host.pci.find(at.nic->pci);
        for (std::size_t steps = 0; it != host.pci.end() && steps < host.pci.size(); ++steps) {
            it = host.pci.find(it->second.parent);
            const double link = it == host.pci.end() ? 0 : linkGbps(host, it->first);
            if (link > 0 && link < gbps) {
                found = &it->second;
                gbps = link;
            }
        }
        return found;
    }

    /** UCX sees a NIC's own link alone, and gives it as much as the others. */
    void
    warnOfNarrowWays(const machine &host, usableNics &usable) {
        std::vector<std::string> texts;
        for (const nicPort &at : usable.ports) {
            const double carried = carriedGbps(host, at);
            if (const pciNode *narrow = narrowAbove(host, at, carried)) {
                texts.push_back(at.text() + ": the PCIe link of " + narrow->address +
                                " above it (" + linkText(*narrow) + ") carries " +
                                rateText(std::round(linkGbps(host, narrow->address))) + " of " +
                                rateText(std::round(carried)) +
                                " Gbit/s, which UCX does not see: what comes through it holds the "
                                "set up; check the slot and the link's state, or leave the NIC "
                                "out");
            }
        }
        if (texts.size() < usable.ports.size()) { // else it is how the machine is built
            usable.warnings.insert(usable.warnings.end(), texts.begin(), texts.end());
        }
    }

    /** UCX goes by the lesser of port and PCIe link, and so do these. */
    void
    warnOfSlowLanes(const machine &host, usableNics &usable) {
        double best = 0;
        bool is_one_whole = false;
        for (const nicPort &at : usable.ports) {
            best = std::max(best, carriedGbps(host, at));
            is_one_whole = is_one_whole || carriedGbps(host, at) >= at.rateGbps;
        }
        for (const nicPort &at : usable.ports) {
            const double carried = carriedGbps(host, at);
            if (carried > 0 && carried * lane_ratio < best) {
                usable.warnings.push_back(at.text() + " (" + rateText(carried) +
                                          " Gbit/s) is more than 4 times slower than the fastest "
                                          "NIC of the set (" +
                                          rateText(best) +
                                          "): UCX will not use both (MULTI_LANE_MAX_RATIO)");
            } else if (carried > 0 && carried < at.rateGbps && is_one_whole) {
                usable.warnings.push_back(
                    at.text() + ": its PCIe link (" + linkText(host.pci.at(at.nic->pci)) +
                    ") carries " + rateText(std::round(carried)) + " of its port's " +
                    rateText(at.rateGbps) +
                    " Gbit/s: it gets a smaller part; check its slot and the link's state");
            }
        }
    }

    std::string
    whyNone(const std::map<std::string, std::string> &excluded) {
        constexpr std::size_t shown = 8; // a container host can have hundreds of interfaces
        if (excluded.empty()) {
            return ", there is no RDMA device";
        }
        std::string text;
        std::size_t count = 0;
        for (const auto &[name, reason] : excluded) {
            if (count++ < shown) {
                append(text, name + ": " + reason, "; ");
            }
        }
        if (count > shown) {
            append(text, "and " + std::to_string(count - shown) + " more", "; ");
        }
        return " (" + text + ")";
    }

    std::string
    tcpWarning(const selection &chosen, const stripeRequest &request) {
        return assignment(request.stripeKey, request.stripe) +
               ": there is no RDMA device; network interfaces are taken, for TCP: " +
               joined(chosen.devices);
    }

    selection
    resultOf(const machine &host, usableNics usable, const stripeRequest &request) {
        if (usable.ports.size() > max_rails) {
            throw std::invalid_argument(assignment(request.stripeKey, request.stripe) +
                                        " selects " + std::to_string(usable.ports.size()) +
                                        " NICs, UCX has " + std::to_string(max_rails) +
                                        " lanes: name fewer, or give a count");
        }
        warnOfSlowLanes(host, usable);
        warnOfNarrowWays(host, usable);
        if (usable.ports.empty()) {
            usable.warnings.push_back(assignment(request.stripeKey, request.stripe) +
                                      ": no usable NIC on " + host.source +
                                      whyNone(usable.excluded) + "; nothing is changed");
        }
        selection result;
        for (const nicPort &at : usable.ports) {
            result.devices.push_back(at.text());
        }
        result.active = !result.devices.empty();
        result.excluded = std::move(usable.excluded);
        result.excludedBy = std::move(usable.excludedBy);
        result.warnings = std::move(usable.warnings);
        result.areMeasured = usable.areMeasured;
        return result;
    }

    const ncclList *
    listOf(const stripeSpec &spec) {
        return spec.kind == stripeSpec::kind_t::LIST ? &spec.list : nullptr;
    }

    void
    narrow(const policyScene &scene, const stripeSpec &spec, usableNics &usable) {
        switch (spec.kind) {
        case stripeSpec::kind_t::POLICY:
            return spec.policy->narrow(scene, usable);
        case stripeSpec::kind_t::COUNT:
            return keepCount(scene.host, scene.target, spec.count, usable);
        case stripeSpec::kind_t::LIST:
            return; // findUsable has done it all
        }
    }

    selection
    select(const machine &host,
           const stripeSpec &spec,
           const stripeRequest &request,
           const refusals_t *refused) {
        const ncclList *list = listOf(spec);
        if (list) {
            checkList(host, *list, request);
        }
        const gpu *target = findGpu(host, spec, request);
        usableNics usable =
            findUsable(host, {list, request.minRateGbps, request.minRateKey, refused});
        narrow({host, target, request.measured.get()}, spec, usable);
        if (list) {
            const std::vector<std::string> more = listWarnings(host, *list, request);
            usable.warnings.insert(usable.warnings.begin(), more.begin(), more.end());
        }
        return resultOf(host, std::move(usable), request);
    }

} // namespace

bool
needsGpu(std::string_view stripe) {
    return parseStripe("stripe", stripe).needsGpu();
}

selection
selectNics(const machine &host, const stripeRequest &request) {
    return selectNics(host, parseStripe(request.stripeKey, request.stripe), request);
}

selection
selectNics(const machine &host, const stripeSpec &spec, const stripeRequest &request) {
    if (request.minRateGbps &&
        !(*request.minRateGbps >= 0 && std::isfinite(*request.minRateGbps))) {
        refuse(request.minRateKey,
               rateText(*request.minRateGbps),
               "",
               "a finite number >= 0 (Gbit/s)");
    }
    if (spec.isOff()) {
        return {};
    }
    if (!usesTcp(host)) {
        return select(host, spec, request, nullptr);
    }
    const tcpNics tcp = asTcpNics(host);
    selection chosen = select(tcp.host, spec, request, &tcp.refused);
    if (chosen.active) {
        chosen.warnings.push_back(tcpWarning(chosen, request));
    }
    return chosen;
}

void
checkStripe(const machine &host, const stripeSpec &spec, const stripeRequest &request) {
    if (const ncclList *list = listOf(spec)) {
        checkList(usesTcp(host) ? asTcpNics(host).host : host, *list, request);
    }
}

} // namespace nixlStripe
