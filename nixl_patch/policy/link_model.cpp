// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/link_model.h"

#include "policy/cables.h"
#include "policy/max_flow.h"
#include "policy/peer_rates.h"
#include "topology/distance.h"
#include "topology/pci_address.h"
#include "topology/pci_devices.h"
#include "topology/pcie_link.h"

#include <algorithm>
#include <array>

namespace nixlStripe {
namespace {

    constexpr unsigned bridge_class = 0x0604;

    /** Idle GPUs lower their link to this, and hwloc records the speed of the moment. */
    constexpr double resting_gtps = 2.5;

    /**
     * GPUs of Grace superchips (GH200, GB200, GB300; the list is that of Linux' nvgrace-gpu
     * driver). Their memory is part of the host's, at 450 GB/s through NVLink-C2C: the PCIe link
     * that they have as well carries none of it.
     */
    constexpr std::array<unsigned, 5> superchip_gpus = {0x2342, 0x2345, 0x2348, 0x2941, 0x31c2};

    double
    orUnlimited(double gbps) {
        return gbps > 0 ? gbps : flowNetwork::unlimited;
    }

    /** Functions of one card have one link; ports of a switch or root complex have their own. */
    std::string
    linkName(const pciNode &node) {
        const bool is_bridge = node.classCode >> 8U == bridge_class;
        return is_bridge ? node.address : cardOf(node.address);
    }

} // namespace

linkModel::linkModel(const machine &host, const std::string *gpu_pci)
    : host_(host)
    , peers_(peerRatesOf(host.cpu)) {
    for (const gpu &each : host.gpus) {
        const auto it = host.pci.find(each.pci);
        if (it != host.pci.end() && it->second.linkGtps <= resting_gtps) {
            resting_.insert({each.pci, it->second.parent});
        }
    }
    if (gpu_pci != nullptr && !isSuperchip(*gpu_pci)) {
        hasGpu_ = true;
        gpuPci_ = *gpu_pci;
        gpuSteps_ = stepsUp(gpuPci_);
        crossesCpus_ = isPlaceKnown(gpuPci_);
    }
}

bool
linkModel::isSuperchip(const std::string &gpu_pci) const {
    const auto it = host_.pci.find(gpu_pci);
    return it != host_.pci.end() && it->second.vendor == pci_vendor_nvidia &&
           std::count(superchip_gpus.begin(), superchip_gpus.end(), it->second.device) > 0;
}

/** Hardware has a root port above a GPU; a hypervisor's says something if NICs are below it too. */
bool
linkModel::isPlaceKnown(const std::string &gpu_pci) const {
    const pciPlace place = placeOf(host_, gpu_pci, unknown_numa);
    if (host_.isFlat || place.path.size() < 2) {
        return false;
    }
    const auto is_emulated = [](const pciNode *node) {
        return isEmulatedBridge(node->vendor, node->device);
    };
    if (std::none_of(place.path.begin(), place.path.end(), is_emulated)) {
        return true;
    }
    return std::any_of(host_.nics.begin(), host_.nics.end(), [&](const rdmaNic &nic) {
        return affinityBetween(host_, gpu_pci, nic.pci).distance <= distance_t::PXB;
    });
}

/** From the function to its root port; none where the machine has no such function. */
std::vector<linkModel::step>
linkModel::stepsUp(const std::string &pci) const {
    std::vector<step> steps;
    const pciPlace place = placeOf(host_, pci, unknown_numa);
    for (auto it = place.path.rbegin(); it != place.path.rend(); ++it) {
        const pciNode &node = **it;
        std::string name = linkName(node);
        if (steps.empty() || steps.back().name != name) {
            const bool is_known = resting_.count(node.address) == 0;
            const double gbps = is_known ? pcieGbps(node.linkGtps, node.linkWidth) : 0;
            steps.push_back({std::move(name), orUnlimited(gbps)});
        }
    }
    return steps;
}

std::size_t
linkModel::link(const std::string &name, double gbps) {
    const auto [it, is_new] = byName_.try_emplace(name, rates_.size());
    if (is_new) {
        rates_.push_back(gbps);
    }
    return it->second;
}

/** What lies between the root port of the GPU and that of a NIC. */
void
linkModel::addCpus(const nicPort &at, modelledNic &nic) {
    nic.isPeer = true;
    nic.links.push_back(link("host bridge", peers_.hostBridge));
    const int here = placeOf(host_, gpuPci_, unknown_numa).numaNode;
    const int there = placeOf(host_, at.nic->pci, at.nic->numaNode).numaNode;
    if (here != there && here != unknown_numa && there != unknown_numa) {
        nic.links.push_back(link("node " + std::to_string(there), peers_.betweenNodes));
    }
}

std::size_t
linkModel::add(const nicPort &at, double measured_gbps) {
    const bool is_tcp = at.port == no_port; // which goes through host memory
    const std::vector<step> steps = stepsUp(at.nic->pci);
    std::size_t up = 0;
    std::size_t down = steps.size();
    while (up < gpuSteps_.size() && down == steps.size()) {
        const auto common = std::find_if(steps.begin(), steps.end(), [&](const step &each) {
            return each.name == gpuSteps_[up].name;
        });
        if (common == steps.end() || is_tcp) {
            ++up;
        } else {
            down = static_cast<std::size_t>(common - steps.begin());
        }
    }
    modelledNic nic;
    for (std::size_t i = 0; i < up; ++i) {
        nic.links.push_back(link("up " + gpuSteps_[i].name, gpuSteps_[i].gbps));
    }
    const bool leaves_root_port = hasGpu_ && down == steps.size() && !steps.empty();
    if (leaves_root_port && crossesCpus_ && !is_tcp) {
        addCpus(at, nic);
    }
    for (std::size_t i = down; i-- > 0;) {
        nic.links.push_back(link("down " + steps[i].name, steps[i].gbps));
    }
    nic.links.push_back(link("cable " + cableOf(host_, at), orUnlimited(at.rateGbps)));
    if (measured_gbps > 0) {
        nic.links.push_back(link("measured " + at.text(), measured_gbps));
    }
    nic.weight = carriedGbps(host_, at); // UCX divides by this, whatever was measured
    bestWeight_ = std::max(bestWeight_, nic.weight);
    nics_.push_back(std::move(nic));
    return nics_.size() - 1;
}

double
linkModel::weightOf(std::size_t nic) const {
    const double own = nics_[nic].weight;
    return own > 0 ? own : bestWeight_ > 0 ? bestWeight_ : 1;
}

double
linkModel::besideNear() const {
    return bestWeight_ > 0 ? peers_.besideNear : peers_.besideNear * peers_.hostBridge;
}

double
linkModel::ceiling(const std::vector<std::size_t> &set) const {
    flowNetwork network;
    const std::size_t memory = network.addNode();
    const std::size_t world = network.addNode();
    std::map<std::size_t, std::size_t> ends; // link -> node behind it; the one before it is next
    const auto joined = [&](std::size_t each) {
        const auto [it, is_new] = ends.try_emplace(each, 0);
        if (is_new) {
            it->second = network.addNode();
            network.addPipe(network.addNode(), it->second, rates_[each]);
        }
        return it->second;
    };
    for (const std::size_t place : set) {
        std::size_t from = memory;
        for (const std::size_t each : nics_[place].links) {
            const std::size_t end = joined(each);
            network.addPipe(from, end + 1, flowNetwork::unlimited);
            from = end;
        }
        network.addPipe(from, world, flowNetwork::unlimited);
    }
    return network.maxFlow(memory, world);
}

double
linkModel::evenRate(const std::vector<std::size_t> &set) const {
    std::vector<double> loads(rates_.size());
    double total = 0;
    bool any_near = false;
    bool any_peer = false;
    for (const std::size_t place : set) {
        total += weightOf(place);
        any_near = any_near || !nics_[place].isPeer;
        any_peer = any_peer || nics_[place].isPeer;
        for (const std::size_t each : nics_[place].links) {
            loads[each] += weightOf(place);
        }
    }
    // The part of their weights that all of them reach together.
    double part = bestWeight_ > 0 ? 1 : flowNetwork::unlimited;
    for (std::size_t each = 0; each < loads.size(); ++each) {
        if (loads[each] > 0) {
            part = std::min(part, rates_[each] / loads[each]);
        }
    }
    if (any_near && any_peer) {
        part = std::min(part, besideNear());
    }
    return set.empty() ? 0 : part * total;
}

} // namespace nixlStripe
