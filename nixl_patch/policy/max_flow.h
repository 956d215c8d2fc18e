// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_MAX_FLOW_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_MAX_FLOW_H

#include <cstddef>
#include <limits>
#include <vector>

namespace nixlStripe {

/** A directed network of pipes with capacities; small ones: Edmonds and Karp's algorithm. */
class flowNetwork {
public:
    static constexpr double unlimited = std::numeric_limits<double>::infinity();

    /** Adds a node and returns its index. */
    std::size_t addNode();

    /** Adds a pipe from node @p from to node @p to. @p capacity is >= 0, or `unlimited`. */
    void addPipe(std::size_t from, std::size_t to, double capacity);

    /** The most that can flow from @p source to @p sink; `unlimited` when some path has no limit.
     */
    double maxFlow(std::size_t source, std::size_t sink) const;

private:
    struct pipe {
        std::size_t to;
        double capacity;
    };
    /** Pipe 2k and its residual 2k+1. */
    std::vector<pipe> pipes_;
    std::vector<std::vector<std::size_t>> leaving_; /**< by node: indices into pipes_ */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_MAX_FLOW_H
