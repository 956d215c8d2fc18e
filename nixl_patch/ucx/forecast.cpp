// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/forecast.h"

#include "ucx/division.h"
#include "ucx/forecast_lanes.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <stdexcept>

namespace nixlStripe {
namespace {

    constexpr double unlimited = std::numeric_limits<double>::infinity();

    /** One forecast's working state: each step removes lanes and says why. */
    class forecaster {
    public:
        forecaster(const laneEnd &initiator, const laneEnd &target, rmaOp_t op, std::uint64_t size)
            : here_(initiator, "initiator")
            , there_(target, "target")
            , op_(op)
            , size_(size)
            , set_(here_, there_) {}

        laneForecast
        run() {
            set_.wireUp();
            const std::vector<lanePair> wired = set_.lanes;
            set_.dropSlow("wire-up", [](const lanePair &lane) { return lane.wired; });
            keepCapable();
            keepRegistered();
            rate();
            set_.dropSlow("protocol", [](const lanePair &lane) { return lane.bandwidth; });
            keepOneDevice();
            keepRails("MAX_RMA_RAILS");
            result_.protocol = "zero-copy";
            if (set_.lanes.empty()) {
                withoutZeroCopy(wired);
            }
            share();
            for (const lanePort &each : here_.end.ports) {
                if (!each.isRdma && set_.hasRdma()) {
                    set_.dropped.erase(each.device);
                }
            }
            result_.dropped = std::move(set_.dropped);
            return result_;
        }

    private:
        /** GPU memory and READ need RDMA; TCP can only write from host memory to host memory. */
        void
        keepCapable() {
            const bool has_gpu = here_.end.isGpuMemory || there_.end.isGpuMemory;
            if (!has_gpu && op_ == rmaOp_t::WRITE) {
                return;
            }
            set_.remove([&](const lanePair &lane) { return !here_.port(lane.local).isRdma; },
                        has_gpu ? "TCP cannot read GPU memory itself" : "TCP has no RMA read");
        }

        /** Nearer first: UCX compares latency, then bandwidth. */
        bool
        isCloser(const lanePort &a, const lanePort &b) const {
            const distanceModel &model = there_.settings.model();
            if (model.latency(a.path) != model.latency(b.path)) {
                return model.latency(a.path) < model.latency(b.path);
            }
            return model.bandwidth(a.path) > model.bandwidth(b.path);
        }

        void
        keepRegistered() {
            const std::string policy = there_.settings.text("MAX_HCA_PER_GPU");
            if (!there_.end.isGpuMemory || policy == "inf") {
                return;
            }
            std::vector<std::size_t> order;
            for (std::size_t i = 0; i < there_.end.ports.size(); ++i) {
                if (there_.port(i).isRdma && there_.settings.opens(there_.port(i).device)) {
                    order.push_back(i);
                }
            }
            std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
                return isCloser(there_.port(a), there_.port(b));
            });
            std::set<std::size_t> registered;
            const double count = there_.settings.number("MAX_HCA_PER_GPU");
            for (const std::size_t i : order) {
                const bool is_in = policy == "auto"
                                       ? !isCloser(there_.port(order.front()), there_.port(i))
                                       : static_cast<double>(registered.size()) < count;
                if (is_in) {
                    registered.insert(i);
                }
            }
            set_.remove([&](const lanePair &lane) { return registered.count(lane.remote) == 0; },
                        "registration: MAX_HCA_PER_GPU=" + policy +
                            " at the target registers GPU memory on " +
                            std::to_string(registered.size()) + " nearer NIC(s) only");
        }

        void
        rate() {
            for (lanePair &lane : set_.lanes) {
                const double way =
                    here_.end.isGpuMemory
                        ? here_.settings.model().bandwidth(here_.port(lane.local).path)
                        : unlimited;
                lane.bandwidth = std::min(here_.alone(lane.local), way);
            }
        }

        /** Which of lanes that UCX rates alike it takes: the GPU's place decides from 1.23 on. */
        const lanePair &
        oneOf(std::vector<lanePair> &equal) const {
            if (!here_.end.gpuOrdinal || !here_.end.isGpuMemory) {
                return equal.front();
            }
            std::stable_sort(equal.begin(), equal.end(), [&](const auto &a, const auto &b) {
                return here_.port(a.local).pci < here_.port(b.local).pci;
            });
            return equal[*here_.end.gpuOrdinal % equal.size()];
        }

        void
        keepOneDevice() {
            if (!here_.settings.isOn("SINGLE_NET_DEVICE") || set_.lanes.empty()) {
                return;
            }
            const distanceModel &model = here_.settings.model();
            const auto rank = [&](const lanePair &lane) {
                const bool counts = here_.end.isGpuMemory;
                const double latency = counts ? model.latency(here_.port(lane.local).path) : 0;
                return std::pair(latency, -lane.bandwidth);
            };
            const lanePair &best = *std::min_element(
                set_.lanes.begin(), set_.lanes.end(), [&](const lanePair &a, const lanePair &b) {
                    return rank(a) < rank(b);
                });
            std::vector<lanePair> equal;
            std::copy_if(set_.lanes.begin(),
                         set_.lanes.end(),
                         std::back_inserter(equal),
                         [&](const lanePair &lane) { return rank(lane) == rank(best); });
            const std::size_t only = oneOf(equal).local;
            set_.remove([&](const lanePair &lane) { return lane.local != only; },
                        "SINGLE_NET_DEVICE=y: one device an operation");
        }

        void
        keepRails(const std::string &key) {
            const double count = here_.settings.number(key);
            if (static_cast<double>(set_.lanes.size()) <= count) {
                return;
            }
            std::vector<lanePair> left = set_.lanes;
            std::vector<lanePair> order;
            while (static_cast<double>(order.size()) + 1 <= count) {
                double best = 0;
                for (const lanePair &lane : left) {
                    best = std::max(best, lane.bandwidth);
                }
                std::vector<lanePair> equal;
                std::copy_if(
                    left.begin(), left.end(), std::back_inserter(equal), [&](const lanePair &lane) {
                        return lane.bandwidth >= best * nearly_all;
                    });
                order.push_back(oneOf(equal));
                left.erase(std::find_if(left.begin(), left.end(), [&](const lanePair &lane) {
                    return lane.local == order.back().local;
                }));
            }
            set_.remove(
                [&](const lanePair &lane) {
                    return std::none_of(order.begin(), order.end(), [&](const lanePair &each) {
                        return each.local == lane.local;
                    });
                },
                "rails: " + key + "=" + std::to_string(static_cast<unsigned>(count)) +
                    " devices an operation");
        }

        /** What is left where no lane can move the memory itself. */
        void
        withoutZeroCopy(std::vector<lanePair> wired) {
            const bool is_pipelined = here_.settings.isOn("RMA_PPLN_ENABLE") &&
                                      (here_.end.isGpuMemory || there_.end.isGpuMemory);
            std::stable_sort(wired.begin(), wired.end(), [&](const auto &a, const auto &b) {
                const bool a_rdma = here_.port(a.local).isRdma;
                const bool b_rdma = here_.port(b.local).isRdma;
                const double a_seconds = here_.latency(a.local) + there_.latency(a.remote);
                const double b_seconds = here_.latency(b.local) + there_.latency(b.remote);
                return a_rdma != b_rdma ? a_rdma : a_seconds < b_seconds;
            });
            result_.protocol = is_pipelined ? "pipeline" : "software emulation";
            set_.lanes = wired;
            for (lanePair &lane : set_.lanes) {
                lane.bandwidth = here_.alone(lane.local);
                if (is_pipelined) {
                    set_.dropped.erase(here_.port(lane.local).device);
                }
            }
            if (is_pipelined) {
                keepRails("MAX_RNDV_RAILS");
            } else if (!set_.lanes.empty()) {
                set_.dropped.erase(here_.port(set_.lanes.front().local).device);
                const std::size_t only = set_.lanes.front().local;
                set_.remove([&](const lanePair &lane) { return lane.local != only; },
                            "software emulation: one device carries everything");
            }
        }

        void
        share() {
            double total = 0;
            for (const lanePair &lane : set_.lanes) {
                total += lane.bandwidth;
            }
            std::vector<double> parts(set_.lanes.size());
            for (std::size_t i = 0; i < set_.lanes.size(); ++i) {
                parts[i] = set_.lanes[i].bandwidth / total;
            }
            if (size_ > 0 && result_.protocol == "zero-copy") {
                parts = cut(parts);
            }
            for (std::size_t i = 0; i < set_.lanes.size(); ++i) {
                result_.lanes.push_back({here_.port(set_.lanes[i].local).device,
                                         there_.port(set_.lanes[i].remote).device,
                                         set_.lanes[i].bandwidth,
                                         parts[i]});
            }
        }

        /** @return The parts that UCX makes of an operation of this size. */
        std::vector<double>
        cut(const std::vector<double> &weights) const {
            const double chunk = here_.settings.number("MIN_RMA_CHUNK_SIZE");
            const auto size = static_cast<double>(size_);
            std::vector<double> parts(weights.size());
            divideAsUcxDoes(
                size, weights.data(), weights.size(), chunk, [&](std::size_t lane, double piece) {
                    parts[lane] = piece / size;
                });
            return parts;
        }

        const endView here_;
        const endView there_;
        const rmaOp_t op_;
        const std::uint64_t size_;
        laneSet set_;
        laneForecast result_;
    };

} // namespace

laneForecast
forecastLanes(const laneEnd &initiator, const laneEnd &target, rmaOp_t op, std::uint64_t size) {
    if (initiator.ports.empty() || target.ports.empty()) {
        throw std::invalid_argument("no network device: there is nothing to forecast");
    }
    return forecaster(initiator, target, op, size).run();
}

} // namespace nixlStripe
