// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file parameters.h
 * @brief The backend parameters: the one table behind parsing, defaults, docs and error texts.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_PARAMETERS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_PARAMETERS_H

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Environment variables by name; a snapshot, so that decisions stay functions of their input. */
using environment_t = std::map<std::string, std::string>;

/** What the variable of every parameter begins with. */
constexpr std::string_view variable_prefix = "NIXL_UCX_";

/**
 * The variables of this process that start with UCX_ or NIXL_UCX_, plus NCCL_TOPO_FILE, HOME,
 * XDG_CONFIG_HOME, NIXL_STRIPE_DISABLE and NIXL_STRIPE_EXPERIMENTAL.
 */
environment_t processEnvironment();

/** Places in parameterTable(). */
enum class parameter_t {
    MAX_RMA_RAILS,
    STRIPE,
    STRIPE_GPU,
    STRIPE_MIN_RATE_GBPS,
    STRIPE_CALIBRATION,
    STRIPE_SMALL,
    STRIPE_METRICS,
    ON_NIC_LOSS,
    DEVICE_LIST
};

/** One backend parameter. A new one is an entry of parameter_t, a row and its use in the plan. */
struct parameterInfo {
    parameter_t id;
    std::string key; /**< as in NIXL's backend parameters */
    std::string accepted;
    std::string meaning;
    /** @throws std::invalid_argument naming key, value and what is accepted; `key` is the source */
    void (*check)(std::string_view key, const std::string &text);
    std::string variable = {}; /**< NIXL_UCX_<KEY>, for clients that cannot pass parameters */
    bool isInStock = false;    /**< the stock plugin has the key too, with rules of its own */
};

/** Every parameter, in the order of parameter_t. */
const std::vector<parameterInfo> &parameterTable();

/** A value and where it came from, so that an error can name it. */
struct parameterValue {
    std::string text;   /**< "" = not set anywhere */
    std::string origin; /**< "stripe", or the variable "NIXL_UCX_STRIPE" */
    bool isOfVariable = false;

    bool
    isSet() const {
        return !text.empty();
    }
};

/**
 * The parameters after precedence: backend parameter, then NIXL_UCX_<KEY>, then unset. Where the
 * kill switch is on (kill_switch.h) none is read, and all are unset.
 */
class parameterSet {
public:
    /** Every parameter unset. */
    parameterSet();

    /**
     * @param parameters Backend parameters as NIXL hands them over; keys that are not ours are
     *        left alone. "" means "not set": clients pass advertised defaults straight back.
     * @throws std::invalid_argument naming key, value and what is accepted: a bad value of any
     *         parameter, also of one that takes no effect without another. Only a variable that a
     *         backend parameter beats is not looked at.
     */
    parameterSet(const std::map<std::string, std::string> &parameters,
                 const environment_t &environment);

    const parameterValue &
    get(parameter_t id) const {
        return values_[static_cast<std::size_t>(id)];
    }

    bool anySet() const;

private:
    std::vector<parameterValue> values_; /**< in the order of parameter_t */
};

/**
 * @brief Parses `stripe_small`.
 * @return Whether to spread; nothing for "".
 * @throws std::invalid_argument naming key, value and what is accepted.
 */
std::optional<bool> parseSmall(std::string_view key, const std::string &text);

/**
 * @brief Parses `stripe_min_rate_gbps`.
 * @return Gbit/s.
 * @throws std::invalid_argument unless @p text is a finite decimal number >= 0.
 */
double parseMinRate(std::string_view key, const std::string &text);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_PARAMETERS_H
