// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file settings.h
 * @brief The one table of UCX settings that make every NIC carry data, and why each is there.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_SETTINGS_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_SETTINGS_H

#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Whom a setting reaches: one UCX context, or every UCX user of the process. */
enum class scope_t { CONTEXT, PROCESS };

/** Which end of a transfer must have it for its effect. */
enum class side_t { INITIATOR, TARGET, BOTH };

/** What the settings depend on. */
struct settingFacts {
    std::string netDevices; /**< "mlx5_0:1,mlx5_1:1" */
    unsigned nicCount = 0;
    unsigned rails = 0;           /**< 0: the rail count is not ours to set */
    unsigned rdmaDeviceCount = 0; /**< RDMA devices of the host, chosen or not */
    bool isTcpOnly = false;       /**< the NICs are network interfaces, not RDMA devices */
    bool cutsSmall = false;       /**< small buffers are to reach more NICs by being cut */
    bool failsOver = false;       /**< UCX is to send again what a dead NIC loses */
    bool resumes = false;         /**< a second backend is to */
};

/** Whose value wins where the user has set the same thing himself. */
enum class owner_t { PARAMETERS, USER };

/** One setting: everything that plan, peer comparison, doctor and docs know of it. */
struct settingRule {
    std::string_view key;
    std::string_view since; /**< first UCX that has it, "" = all; the loaded UCX decides */
    scope_t scope;
    side_t side;
    owner_t owner;
    bool isPerHost; /**< follows from a host's own NICs: may differ between the two ends */
    std::string_view reason;
    /** @return the value, "" where the facts do not call for the setting */
    std::string (*value)(const settingFacts &);
    std::string_view lack = {};   /**< what is missed where UCX has not got it; "" = nothing */
    bool isForGpuOverTcp = false; /**< and it is missed there only */
    /** A setting of UCX's transports: UCX takes it with the others, but does not list it. */
    bool isTransports = false;
    bool isForLoss = false; /**< it is about a lost NIC, and changes no lane */

    /** "all", ">= 1.21". */
    std::string versions() const;
};

/** A rule applied to facts. */
struct ucxSetting {
    std::string key; /**< without UCX_ */
    std::string value;
    scope_t scope = scope_t::CONTEXT;
    side_t side = side_t::BOTH;
    std::string reason;
    owner_t owner = owner_t::USER;
    bool isTransports = false;
};

const std::vector<settingRule> &settingTable();

/** The settings that @p facts call for, in the order of the table. */
std::vector<ucxSetting> settingsFor(const settingFacts &facts);

std::string_view scopeName(scope_t scope);

std::string_view sideName(side_t side);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_SETTINGS_H
