// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/fair.h"

#include "topology/distance.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace nixlStripe {
namespace {

    /** The way from one GPU to one NIC as a number: a smaller one is better. */
    std::uint32_t
    rankOf(const affinity &way, bool crosses_socket) {
        constexpr unsigned deepest = 0xffff;
        const auto distance = static_cast<std::uint32_t>(way.distance);
        const std::uint32_t depth = deepest - std::min(way.commonDepth, deepest);
        return (distance << 17U) | (depth << 1U) | (crosses_socket ? 1U : 0U);
    }

    /** What a GPU would take. */
    struct claim {
        std::uint32_t rank = 0;
        std::uint32_t nic = 0; /**< place in natural order, which settles ties */

        bool
        operator<(const claim &other) const {
            return rank != other.rank ? rank < other.rank : nic < other.nic;
        }
    };

    /**
     * Every GPU has its NICs sorted once and goes along that list, so that a round costs no more
     * than the list is long.
     */
    class dealer {
    public:
        dealer(const machine &host, const std::vector<nicPort> &nics)
            : gpus_(competingGpus(host))
            , takers_(nics.size(), 0) {
            std::vector<const rdmaNic *> devices;
            for (const nicPort &at : nics) {
                devices.push_back(at.nic);
            }
            const affinities between(host, gpus_, devices);
            for (std::size_t i = 0; i < gpus_.size(); ++i) {
                std::vector<claim> wishes;
                for (std::size_t nic = 0; nic < devices.size(); ++nic) {
                    const int a = gpus_[i]->numaNode;
                    const int b = devices[nic]->numaNode;
                    const bool crosses = a != unknown_numa && b != unknown_numa && a != b;
                    wishes.push_back(
                        {rankOf(between.of(i, nic), crosses), static_cast<std::uint32_t>(nic)});
                }
                std::sort(wishes.begin(), wishes.end());
                wishes_.push_back(std::move(wishes));
            }
        }

        nicShares
        deal() {
            nicShares shares;
            if (takers_.empty() || gpus_.empty()) {
                return shares;
            }
            startLevel();
            while (shares.size() < gpus_.size() || level_ == 0) {
                playRound(shares);
            }
            return shares;
        }

    private:
        /** NICs that have `level_` takers are free, and every GPU begins its list again. */
        void
        startLevel() {
            free_ = takers_.size();
            next_.assign(gpus_.size(), 0);
        }

        /** Every GPU takes a NIC; after the first round only NICs that nobody has. */
        void
        playRound(nicShares &shares) {
            const bool is_first = shares.empty();
            std::vector<std::size_t> waiting(gpus_.size());
            for (std::size_t i = 0; i < waiting.size(); ++i) {
                waiting[i] = i;
            }
            while (!waiting.empty() && (is_first || level_ == 0)) {
                std::size_t winner = 0;
                claim strongest = claimOf(waiting[0]);
                for (std::size_t i = 1; i < waiting.size(); ++i) {
                    const claim other = claimOf(waiting[i]);
                    if (other.rank < strongest.rank) {
                        winner = i;
                        strongest = other;
                    }
                }
                shares[gpus_[waiting[winner]]->pci].push_back(strongest.nic);
                take(strongest.nic);
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(winner));
            }
        }

        void
        take(std::size_t nic) {
            ++takers_[nic];
            if (--free_ == 0) {
                ++level_;
                startLevel();
            }
        }

        /** The first NIC of its list that the fewest GPUs have. */
        claim
        claimOf(std::size_t gpu_index) {
            const std::vector<claim> &wishes = wishes_[gpu_index];
            std::size_t &next = next_[gpu_index];
            while (takers_[wishes[next].nic] != level_) {
                ++next;
            }
            return wishes[next];
        }

        std::vector<const gpu *> gpus_;
        std::vector<std::vector<claim>> wishes_; /**< by GPU, the best NIC first */
        std::vector<std::size_t> next_;          /**< by GPU: how far in its list it is */
        std::vector<unsigned> takers_;           /**< by NIC: GPUs that have it */
        unsigned level_ = 0;                     /**< the fewest takers that a NIC has */
        std::size_t free_ = 0;                   /**< NICs that have so many */
    };

} // namespace

std::vector<const gpu *>
competingGpus(const machine &host) {
    std::vector<const gpu *> all;
    std::vector<const gpu *> known;
    for (const gpu &each : host.gpus) {
        all.push_back(&each);
        if (each.vendor != gpuVendor_t::OTHER) {
            known.push_back(&each);
        }
    }
    return known.empty() ? all : known;
}

nicShares
dealNics(const machine &host, const std::vector<nicPort> &nics) {
    return dealer(host, nics).deal();
}

} // namespace nixlStripe
