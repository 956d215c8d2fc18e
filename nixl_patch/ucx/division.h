// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file division.h
 * @brief How UCX divides an operation among lanes (proto_multi.inl): the one place that says so.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_DIVISION_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_DIVISION_H

#include <algorithm>
#include <cstddef>

namespace nixlStripe {

/**
 * @brief Lane by lane from the first, each by its weight; what is left goes whole once it is short.
 * @tparam amount_t An integer for whole bytes, or double.
 * @param weights Of each of @p lanes, one or more, in UCX's order; none is 0.
 * @param chunk MIN_RMA_CHUNK_SIZE in bytes.
 * @param give Called with the place in @p weights and the bytes of each lane that is reached.
 */
template <typename amount_t, typename give_t>
void
divideAsUcxDoes(
    amount_t bytes, const double *weights, std::size_t lanes, double chunk, const give_t &give) {
    const double least = *std::min_element(weights, weights + lanes);
    double total = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        total += weights[lane];
    }
    amount_t rest = bytes;
    double short_below = 0;
    for (std::size_t lane = 0; lane < lanes && rest > 0; ++lane) {
        short_below += chunk * weights[lane] / least;
        const bool takes_rest = lane + 1 == lanes || static_cast<double>(rest) < short_below;
        const double due = weights[lane] / total * static_cast<double>(bytes);
        const amount_t piece = takes_rest ? rest : std::min(rest, static_cast<amount_t>(due));
        give(lane, piece);
        rest -= piece;
    }
}

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_DIVISION_H
