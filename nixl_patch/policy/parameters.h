// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file parameters.h
 * @brief The backend parameters: the one table behind parsing, defaults, docs and error texts.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_PARAMETERS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_PARAMETERS_H

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace nixlStripe {

/** Environment variables by name; a snapshot, so that decisions stay functions of their input. */
using environment_t = std::map<std::string, std::string>;

/** The variables of this process that start with UCX_ or NIXL_UCX_, plus NCCL_TOPO_FILE. */
environment_t processEnvironment();

enum class parameter_t {
    MAX_RMA_RAILS,
    STRIPE,
    STRIPE_GPU,
    STRIPE_MIN_RATE_GBPS,
    STRIPE_SMALL,
    DEVICE_LIST
};

struct parameterInfo {
    parameter_t id;
    std::string_view key;      /**< as in NIXL's backend parameters */
    std::string_view variable; /**< default for clients that cannot pass parameters */
    std::string_view accepted;
    std::string_view meaning;
};

constexpr std::array<parameterInfo, 6> parameter_table = {{
    {parameter_t::MAX_RMA_RAILS,
     "max_rma_rails",
     "NIXL_UCX_MAX_RMA_RAILS",
     "1..64, 'auto', ''",
     "NICs per RMA operation; 'auto' is the size of the NIC set, '' the stock behaviour"},
    {parameter_t::STRIPE,
     "stripe",
     "NIXL_UCX_STRIPE",
     "'all', 'numa', 'nearest', 'fair', 'auto', 'off', a count, a list of devices, ''",
     "which NICs; implies max_rma_rails=auto and the settings that make UCX use them all"},
    {parameter_t::STRIPE_GPU,
     "stripe_gpu",
     "NIXL_UCX_STRIPE_GPU",
     "a CUDA ordinal, a PCI address, ''",
     "GPU whose affinity counts; '' is the calling thread's current CUDA context"},
    {parameter_t::STRIPE_MIN_RATE_GBPS,
     "stripe_min_rate_gbps",
     "NIXL_UCX_STRIPE_MIN_RATE_GBPS",
     "a finite number >= 0, ''",
     "usable NICs have at least this port rate in Gbit/s; '' is the fastest rate present"},
    {parameter_t::STRIPE_SMALL,
     "stripe_small",
     "NIXL_UCX_STRIPE_SMALL",
     "'spread', 'off', ''",
     "buffers too small for UCX to divide evenly: 'spread' (what stripe implies) moves each "
     "through "
     "one NIC, the least used of its batch (RDMA); 'off' leaves all of them to the first NICs"},
    {parameter_t::DEVICE_LIST,
     "device_list",
     "NIXL_UCX_DEVICE_LIST",
     "device names with an optional :port, separated by commas and/or spaces, ''",
     "explicit devices, verified to exist, network interfaces too; wins over stripe's choice"},
}};

/** A value and where it came from, so that an error can name it. */
struct parameterValue {
    std::string text;   /**< "" = not set anywhere */
    std::string origin; /**< "stripe", or the variable "NIXL_UCX_STRIPE" */

    bool
    isSet() const {
        return !text.empty();
    }
};

/** The parameters after precedence: backend parameter, then NIXL_UCX_<KEY>, then unset. */
class parameterSet {
public:
    /** Every parameter unset. */
    parameterSet();

    /**
     * @param parameters Backend parameters as NIXL hands them over; keys that are not ours are
     *        left alone. "" means "not set": clients pass advertised defaults straight back.
     */
    parameterSet(const std::map<std::string, std::string> &parameters,
                 const environment_t &environment);

    const parameterValue &
    get(parameter_t id) const {
        return values_[static_cast<std::size_t>(id)];
    }

    bool anySet() const;

private:
    std::array<parameterValue, parameter_table.size()> values_;
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
