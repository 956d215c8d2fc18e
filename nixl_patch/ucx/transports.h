// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file transports.h
 * @brief UCX's transports over RDMA devices: which a NIC has, which of them UCX_TLS admits.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_TRANSPORTS_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_TRANSPORTS_H

#include "topology/machine.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** What UCX can do over NICs of one kind. */
struct nicTransports {
    std::string_view kind;                /**< for messages: "EFA", "mlx5" */
    std::vector<std::string_view> rma;    /**< carry RMA */
    std::vector<std::string_view> others; /**< messages and connecting only */
    std::string_view words;               /**< for UCX_TLS, those of this kind */
    std::string_view fewest;              /**< the same with one transport for RMA */
};

/** Of @p nic, by its driver, link layer and name; UCX's plain verbs transports otherwise. */
const nicTransports &transportsOf(const rdmaNic &nic);

/**
 * @brief The transports, UCX's own names, that a value of UCX_TLS admits out of @p known.
 *
 * "all", aliases ("rc", "ib", "cuda"), strict names ("\\rc_verbs"), blanks, capitals and a leading
 * '^' count as they do in UCX; an alias brings the transport that it connects through, which is one
 * resource more. An unset value admits all.
 */
std::set<std::string> admittedTransports(const std::string &tls,
                                         const std::vector<std::string_view> &known);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_TRANSPORTS_H
