// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nic_loss.h
 * @brief What happens when a NIC dies in a transfer: which answers there are, and which hold here.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_NIC_LOSS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_NIC_LOSS_H

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace nixlStripe {

/**
 * The variable that offers what is not proven yet, for tests and trials: words of
 * experimentTable(), separated by commas. Nothing in it takes effect by itself.
 */
constexpr const char *experiments_variable = "NIXL_STRIPE_EXPERIMENTAL";

enum class nicLoss_t {
    ERROR,    /**< as in stock NIXL: the transfer ends with an error */
    RESUME,   /**< unfinished parts go again, by a second backend */
    FAILOVER, /**< UCX sends again what was lost */
    AUTO      /**< the best that holds here */
};

constexpr std::string_view nic_loss_accepted =
    "'error', 'failover', 'resume', 'auto', or '' for 'error'";

/** "failover" */
std::string_view nicLossName(nicLoss_t mode);

/**
 * @brief Parses `on_nic_loss`.
 * @return nothing for "".
 * @throws std::invalid_argument naming key, value and what is accepted.
 */
std::optional<nicLoss_t> parseNicLoss(std::string_view key, const std::string &text);

/** Words of experiments_variable. */
namespace experiment {
    constexpr std::string_view failover = "failover";
    /** UCX fails a READ over TCP in this mode; a WRITE shows what the gate is for. */
    constexpr std::string_view failover_over_tcp = "failover-over-tcp";
    constexpr std::string_view failover_without_gate = "failover-without-gate";
} // namespace experiment

/**
 * @param text Of experiments_variable; "" for none.
 * @throws std::invalid_argument naming a word that is no experiment, and those that are.
 */
std::set<std::string> parseExperiments(const std::string &text);

/** What the choice depends on. */
struct nicLossFacts {
    bool namesNics = false; /**< the plan names its NICs */
    bool isAlone = false;   /**< there is one only */
    bool isTcp = false;     /**< they are network interfaces */
    std::string noResume;   /**< why this NIXL cannot resume, as far as it is known; "" it can */
    std::set<std::string> experiments;
};

/**
 * @brief The mode that is in force; never AUTO.
 * @param key The parameter or variable that says @p asked.
 * @throws std::invalid_argument where @p asked cannot hold, with the reason: nothing is half
 *         applied, and nothing that may lose bytes is offered before it was tried (see
 *         docs/failure.md).
 */
nicLoss_t nicLossInForce(std::string_view key, nicLoss_t asked, const nicLossFacts &facts);

/** @brief What the user is to know of the mode that is in force; "" for nothing. */
std::string nicLossNotice(nicLoss_t asked, nicLoss_t in_force, const nicLossFacts &facts);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_NIC_LOSS_H
