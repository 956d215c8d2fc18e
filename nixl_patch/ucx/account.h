// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file account.h
 * @brief The stage that writes down how many bytes were handed to UCX for each NIC.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_ACCOUNT_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_ACCOUNT_H

#include "ucx/rma_stage.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nixlStripe {

/** Bytes by direction: WRITE sends out, READ asks in. */
struct directedBytes {
    std::uint64_t out = 0;
    std::uint64_t in = 0;

    directedBytes &
    operator+=(const directedBytes &more) {
        out += more.out;
        in += more.in;
        return *this;
    }
};

/** What one context has handed to UCX so far: intended, which nobody has counted. */
struct accountTotals {
    std::map<std::string, directedBytes> nics; /**< by device, "mlx5_0:1" */
    directedBytes elsewhere;       /**< over lanes that are no NIC's, or that UCX does not tell */
    std::uint64_t operations = 0;  /**< puts and gets that UCX took */
    std::uint64_t transfers = 0;   /**< flushes that ended well: one a NIXL transfer and worker */
    std::uint64_t errors = 0;      /**< operations that UCX refused, and flushes that failed */
    std::uint64_t peers = 0;       /**< endpoints that have carried an operation and are open */
    std::uint64_t narrowPeers = 0; /**< those of them with fewer NICs than rails */

    accountTotals &operator+=(const accountTotals &more);
};

/**
 * @brief The bytes of one context, by NIC.
 *
 * An operation is divided as UCX divides it (see division.h): among the lanes that reach its
 * memory, or those of the narrowed key, in proportion to port rates, at least MIN_RMA_CHUNK_SIZE
 * each, from the first lane on. What UCX then really does is not seen here.
 *
 * Thread-safe. Lives longer than its stages: who reads it need not know when a context ends.
 */
class account {
public:
    /**
     * @param rates Of each NIC of this host, by device; 0 where it is not known.
     * @param chunk The context's MIN_RMA_CHUNK_SIZE in bytes.
     * @param rails The context's MAX_RMA_RAILS; 0: not known, then no peer counts as narrow.
     */
    account(const std::map<std::string, double> &rates, std::size_t chunk, std::size_t rails);

    accountTotals totals() const;

private:
    friend class accountStage;

    /** On cache lines of its own: threads post at the same time. */
    struct alignas(64) counters {
        std::array<std::atomic<std::uint64_t>, 2> bytes{}; /**< by rmaKind_t */
    };

    struct nic {
        double rate = 0;
        counters carried;
    };

    std::map<std::string, nic> nics_; /**< never changed: only counters are */
    const std::size_t chunk_;
    const std::size_t rails_;
    counters elsewhere_;
    alignas(64) std::atomic<std::uint64_t> operations_{0};
    std::atomic<std::uint64_t> transfers_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::atomic<std::uint64_t> peers_{0};
    std::atomic<std::uint64_t> narrow_{0};
};

/** Stands behind all stages that choose keys, so that it sees what they chose. */
class accountStage : public contextStage {
public:
    explicit accountStage(std::shared_ptr<account> book);
    ~accountStage() override;

    void keyPacked(const void *packed, std::size_t size) noexcept override;

    std::unique_ptr<endpointStage> attach(const std::shared_ptr<rmaEndpoint> &endpoint) override;

private:
    class onEndpoint;
    struct shared;

    const std::shared_ptr<shared> shared_;
};

/**
 * @brief What divideAsUcxDoes gives each lane.
 * @param bytes of the operation.
 * @param weights Of each lane, in UCX's order; none is 0.
 * @param chunk MIN_RMA_CHUNK_SIZE in bytes.
 * @return Bytes of each lane; @p bytes in all.
 */
std::vector<std::size_t>
dividedAsUcxDoes(std::size_t bytes, const std::vector<double> &weights, std::size_t chunk);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_ACCOUNT_H
