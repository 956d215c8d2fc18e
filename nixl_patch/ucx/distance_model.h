// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file distance_model.h
 * @brief What UCX believes of the way between a GPU and a NIC: the model behind its lane selection.
 *
 * Read in UCX's source (src/ucs/sys/topo/base/topo.c, 1.21 to 1.23) and checked against what UCX
 * reports and NICs count (docs/why-two-nics.md).
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_DISTANCE_MODEL_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_DISTANCE_MODEL_H

#include "topology/machine.h"

#include <map>
#include <string>
#include <string_view>

namespace nixlStripe {

/** UCX's kinds of distance between two PCI functions. */
enum class ucxDistance_t {
    NEAR, /**< a bridge in common, or nothing known of one of them: no limit */
    PHB,  /**< the same host bridge: min(3500, 19200 / hops) MiB/s */
    NODE, /**< other host bridges of one NUMA node: 17000 MiB/s */
    SYS,  /**< other NUMA nodes, or none known: 220 MiB/s */
};

/** "near", "phb", "node", "sys": UCX's own words in DISTANCE_BW. */
std::string_view distanceWord(ucxDistance_t distance);

/** @throws std::invalid_argument on another word. */
ucxDistance_t distanceOfWord(std::string_view word);

struct ucxPath {
    ucxDistance_t distance = ucxDistance_t::NEAR;
    unsigned hops = 0; /**< steps of both PCI paths below the common part; counts for PHB */
};

/**
 * @brief The way between two PCI functions as UCX sees it.
 *
 * Not NCCL's distance: sharing any bridge, even a root port, counts as near, and unknown NUMA
 * nodes as different ones.
 *
 * @param a, b PCI addresses; one that @p host does not list is near to everything.
 */
ucxPath pathBetween(const machine &host, const std::string &a, const std::string &b);

/** Estimates of bandwidth and latency, from the settings that change them. */
class distanceModel {
public:
    /**
     * @param settings UCX settings without UCX_: DISTANCE_BW, DISTANCE_LAT, TOPO_PRIO. Values that
     *        UCX refuses (such as "inf", or "sys:" alone) leave its defaults, as they do there.
     */
    explicit distanceModel(const std::map<std::string, std::string> &settings);

    /** Bytes/s; infinite for NEAR. */
    double bandwidth(const ucxPath &path) const;

    /** Seconds. */
    double latency(const ucxPath &path) const;

private:
    bool is_off_;                           /**< TOPO_PRIO=default: everything is near */
    std::map<std::string, double> bytes_;   /**< by distanceWord, where not "auto" */
    std::map<std::string, double> seconds_; /**< by distanceWord */
};

/**
 * @brief What UCX rates an RDMA port at, bytes/s: wire speed less headers, at most its PCIe link.
 * @return 0 when @p host knows neither.
 */
double portBandwidth(const machine &host, const rdmaNic &nic, const port &at);

/**
 * @brief The same for TCP over a network interface.
 *
 * An unknown speed counts as 100 Mbit/s there, and no interface for more than 2200 MiB/s.
 */
double interfaceBandwidth(const netInterface &each);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_DISTANCE_MODEL_H
