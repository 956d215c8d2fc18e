// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file counter_names.h
 * @brief What drivers call the counters that matter here. Pure.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_COUNTER_NAMES_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_COUNTER_NAMES_H

#include <string>
#include <vector>

namespace nixlStripe {

using names_t = std::vector<std::string>;

/** Names of counters whose sums are views of the same bytes: the largest view counts. */
struct byteNames {
    std::vector<names_t> out;
    std::vector<names_t> in;
};

/** Bytes in `counters/` of a port: words of four bytes, an InfiniBand standard. */
const byteNames &portByteNames();

/**
 * Bytes in `hw_counters/` and in RDMA netlink's statistics, by driver. EFA has two views of the
 * same traffic; the larger counts, so that nothing counts twice whatever its firmware includes.
 */
const byteNames &driverByteNames();

/** Bytes of RDMA in the statistics of an interface's driver (`ethtool -S`, mlx5). */
const byteNames &ethtoolByteNames();

/** Bytes of an interface, as in `statistics/` of its folder. */
const byteNames &interfaceByteNames();

/** Frames that were bad, of a port's `counters` and `hw_counters`. */
const names_t &portErrorNames();

/** Frames that were dropped. */
const names_t &portDiscardNames();

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_COUNTER_NAMES_H
