// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/fair.h"

#include "topology/distance.h"

#include <algorithm>
#include <optional>

namespace nixlStripe {
namespace {

    /** The way from one GPU to one NIC, comparable. */
    struct reach {
        affinity way;
        bool crossesSocket = false; /**< both NUMA nodes are known and differ */

        bool
        isBetter(const reach &other) const {
            if (isNearer(way, other.way) || isNearer(other.way, way)) {
                return isNearer(way, other.way);
            }
            return !crossesSocket && other.crossesSocket;
        }
    };

    /** What a GPU would take. */
    struct claim {
        std::size_t nic = 0;
        reach way;
    };

    class dealer {
    public:
        dealer(const machine &host, const std::vector<nicPort> &nics)
            : gpus_(competingGpus(host))
            , takers_(nics.size(), 0) {
            for (const gpu *each : gpus_) {
                std::vector<reach> row;
                for (const nicPort &at : nics) {
                    const int a = each->numaNode;
                    const int b = at.nic->numaNode;
                    const bool crosses = a != unknown_numa && b != unknown_numa && a != b;
                    row.push_back({affinityBetween(host, *each, *at.nic), crosses});
                }
                reaches_.push_back(std::move(row));
            }
        }

        nicShares
        deal() {
            nicShares shares;
            if (takers_.empty()) {
                return shares;
            }
            while (shares.size() < gpus_.size() || fewestTakers() == 0) {
                playRound(shares);
            }
            return shares;
        }

    private:
        unsigned
        fewestTakers() const {
            return gpus_.empty() ? 1 : *std::min_element(takers_.begin(), takers_.end());
        }

        /** Every GPU takes a NIC; after the first round only NICs that nobody has. */
        void
        playRound(nicShares &shares) {
            const bool is_first = shares.empty();
            std::vector<std::size_t> waiting(gpus_.size());
            for (std::size_t i = 0; i < waiting.size(); ++i) {
                waiting[i] = i;
            }
            while (!waiting.empty() && (is_first || fewestTakers() == 0)) {
                std::size_t winner = 0;
                claim strongest = claimOf(waiting[0]);
                for (std::size_t i = 1; i < waiting.size(); ++i) {
                    const claim other = claimOf(waiting[i]);
                    if (other.way.isBetter(strongest.way)) {
                        winner = i;
                        strongest = other;
                    }
                }
                shares[gpus_[waiting[winner]]->pci].push_back(strongest.nic);
                ++takers_[strongest.nic];
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(winner));
            }
        }

        claim
        claimOf(std::size_t gpu_index) const {
            const unsigned fewest = fewestTakers();
            const std::vector<reach> &row = reaches_[gpu_index];
            std::optional<claim> best;
            for (std::size_t nic = 0; nic < row.size(); ++nic) {
                if (takers_[nic] == fewest && (!best || row[nic].isBetter(best->way))) {
                    best = claim{nic, row[nic]};
                }
            }
            return *best;
        }

        std::vector<const gpu *> gpus_;
        std::vector<std::vector<reach>> reaches_; /**< by GPU, then NIC */
        std::vector<unsigned> takers_;            /**< by NIC: GPUs that have it */
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
