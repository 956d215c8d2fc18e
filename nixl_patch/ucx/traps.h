// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file traps.h
 * @brief The one table of settings of the user's own that undo striping, and what fixes each.
 *
 * The plan respects what a user set himself, so these win over it: plugin, doctor and verify all
 * name them from here.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_TRAPS_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_TRAPS_H

#include "policy/parameters.h"
#include "topology/machine.h"
#include "ucx/transports.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** What decides whether a value hurts. */
struct trapFacts {
    unsigned nicCount = 0;       /**< NICs that a transfer should use; below 2 nothing is lost */
    bool usesTcp = false;        /**< network interfaces are among them */
    bool usesRdma = false;       /**< RDMA devices are among them */
    bool hasGpu = false;         /**< GPU memory may be moved */
    double rateRatio = 1;        /**< rate of the fastest of them over that of the slowest */
    bool choosesDevices = false; /**< the plan sets NET_DEVICES, so that the user's is overridden */
    bool choosesRails = false;   /**< the plan sets MAX_RMA_RAILS, likewise */
    /** RDMA NICs among them: what UCX_TLS must admit. Empty: any NIC that UCX knows may be meant.
     */
    std::vector<rdmaNic> nics;
    /** Every name of each device that UCX could open, for NET_DEVICES. Empty: they are not known.
     */
    std::vector<std::vector<std::string>> openable;

    /** Of `openable`, how many a value of UCX_NET_DEVICES leaves; of unknown ones, how many it
        names, and where it says only which not, all. */
    std::size_t opened(const std::string &net_devices) const;

    /** What UCX has for these NICs, each kind once. */
    std::vector<const nicTransports *> transports() const;

    /** Those of transports() that a value of UCX_TLS leaves nothing that carries RMA; where any NIC
        may be meant, all of them or none. */
    std::vector<const nicTransports *> unmoved(const std::string &tls) const;
};

/** How a value may be misspelt so that UCX takes it for something else. */
enum class spelling_t { FREE, DEVICES, WORDS };

struct trapRule {
    std::string_view key;    /**< without UCX_ */
    std::string_view when;   /**< values that hurt, for docs */
    std::string_view effect; /**< what is lost */
    std::string_view fix;    /**< what to do beyond taking the setting away; "" = that is all */
    bool (*hurts)(const std::string &value, const trapFacts &facts);
    /** Where the fix depends on the NICs, in place of `fix`; nullptr = it does not. */
    std::string (*fixFor)(const std::string &value, const trapFacts &facts) = nullptr;
    spelling_t spelling = spelling_t::FREE; /**< of a list: its respelt() value is looked at too */
};

/** A setting that undoes striping in one given case. */
struct trap {
    std::string key; /**< as the user wrote it: "UCX_RNDV_THRESH", or of engine_config without */
    std::string value;
    std::string effect;
    std::string fix; /**< one line: what to do */

    /** "UCX_RNDV_THRESH='8k': <effect>; <fix>" */
    std::string text() const;
};

const std::vector<trapRule> &trapTable();

/**
 * @brief The traps among a user's own settings, in the order of the table.
 *
 * @param environment Variables with their prefix; those that UCX reads from a ucx.conf too.
 * @param engine_config Settings of NIXL's parameter, without UCX_. A variable of the same name
 * wins.
 */
std::vector<trap> findTraps(const environment_t &environment,
                            const std::map<std::string, std::string> &engine_config,
                            const trapFacts &facts);

/** Whether any setting of the table is set at all, to whatever value. */
bool haveTrapKeys(const environment_t &environment,
                  const std::map<std::string, std::string> &engine_config);

/**
 * @brief What @p host says: kinds and rates of @p devices ("name:port"; empty: all of the host),
 * GPU.
 *
 * Counts and choices are the caller's to fill in.
 */
trapFacts trapFactsOf(const machine &host, const std::vector<std::string> &devices);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_TRAPS_H
