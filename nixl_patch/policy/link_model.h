// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file link_model.h
 * @brief The links between a memory and the NICs of its host, and what a set of NICs carries.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_LINK_MODEL_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_LINK_MODEL_H

#include "policy/peer_rates.h"
#include "policy/usable.h"
#include "topology/machine.h"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {

/** One device of a set: what UCX opens. */
struct modelledNic {
    std::vector<std::size_t> links; /**< from the memory to the cable, into linkModel::rates */
    double weight = 0;   /**< UCX's share is in proportion: port or own PCIe link; 0 = unknown */
    bool isPeer = false; /**< its traffic crosses a host bridge between two PCIe devices */
};

/**
 * @brief Which links the traffic of each NIC takes, from host memory or from one GPU.
 *
 * Links are the ports (one for devices of one cable), each PCIe link (one for the functions of a
 * card) and, where a GPU's traffic has to go through CPUs, their host bridge and the links between
 * NUMA nodes (peer_rates.h). A rate that the machine does not know limits nothing, nor does the
 * link of an idle GPU that has slowed it down.
 *
 * Host memory is everywhere: neither host bridges nor links between nodes count for it. Nor do they
 * for the GPU of a Grace superchip, whose memory is part of the host's; for network interfaces,
 * since TCP copies through host memory; and where the machine does not say how a GPU is joined to
 * its NICs (flat and emulated trees).
 */
class linkModel {
public:
    /**
     * @param host Must outlive this.
     * @param gpu_pci The GPU whose memory it is, of @p host; nullptr: host memory.
     */
    linkModel(const machine &host, const std::string *gpu_pci);

    /**
     * @brief Adds a device.
     * @param measured_gbps What it carried alone from host memory; 0 = not measured.
     * @return Its place, for the sets below; places count from 0.
     */
    std::size_t add(const nicPort &at, double measured_gbps = 0);

    const std::vector<modelledNic> &
    nics() const {
        return nics_;
    }

    /** Gbit/s of each link; `flowNetwork::unlimited` where nothing is known. */
    const std::vector<double> &
    rates() const {
        return rates_;
    }

    /** The most of their weights that NICs carry where some are isPeer and some are not. */
    double besideNear() const;

    /**
     * @brief The most that NICs can carry together: the maximum flow. `besideNear` is not counted,
     *        since traffic can be kept off the NICs that it slows down.
     * @return Gbit/s, or flowNetwork::unlimited.
     */
    double ceiling(const std::vector<std::size_t> &set) const;

    /**
     * @brief What NICs carry when UCX divides each buffer over them, in proportion to what it
     *        believes of each: as much as the one that is done last allows.
     * @return Gbit/s, or flowNetwork::unlimited. 0 for no NICs.
     */
    double evenRate(const std::vector<std::size_t> &set) const;

    /** The weight that counts for a NIC: its own, or that of the best one where it is unknown. */
    double weightOf(std::size_t nic) const;

private:
    /** One PCIe link on the way up from a function. */
    struct step {
        std::string name;
        double gbps;
    };

    bool isSuperchip(const std::string &gpu_pci) const;
    bool isPlaceKnown(const std::string &gpu_pci) const;
    std::vector<step> stepsUp(const std::string &pci) const;
    std::size_t link(const std::string &name, double gbps);
    void addCpus(const nicPort &at, modelledNic &nic);

    const machine &host_;
    peerRates peers_;
    bool hasGpu_ = false;      /**< whose PCIe links count */
    bool crossesCpus_ = false; /**< and so do the CPUs beyond them */
    std::string gpuPci_;
    std::vector<step> gpuSteps_;
    std::set<std::string> resting_; /**< both ends of links that idle GPUs slowed down */
    std::map<std::string, std::size_t> byName_;
    std::vector<double> rates_;
    std::vector<modelledNic> nics_;
    double bestWeight_ = 0;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_LINK_MODEL_H
