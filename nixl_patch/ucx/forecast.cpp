// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/forecast.h"

#include "ucx/values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>
#include <stdexcept>

namespace nixlStripe {
namespace {

    constexpr double unlimited = std::numeric_limits<double>::infinity();
    constexpr double mib = 1 << 20;
    constexpr double assumed_bandwidth = 50e9; /**< 400 Gbit/s, where no port's rate is known */
    constexpr double test_bytes = 256 << 10;   /**< UCP_WIREUP_RMA_BW_TEST_MSG_SIZE */
    constexpr unsigned virtio_vendor = 0x1af4;
    constexpr double same = 1 - 1e-6; /**< UCX compares floating-point numbers like this */

    std::string
    nameOf(const std::string &device) {
        return device.substr(0, device.find(':'));
    }

    std::string
    speed(double bytes) {
        char text[48];
        if (bytes >= 1024 * mib) {
            std::snprintf(text, sizeof(text), "%.1f GiB/s", bytes / 1024 / mib);
        } else {
            std::snprintf(text, sizeof(text), "%.0f MiB/s", bytes / mib);
        }
        return text;
    }

    /** Settings of one end with UCX's defaults. */
    class endSettings {
    public:
        explicit endSettings(const std::map<std::string, std::string> &values)
            : values_(values)
            , model(values) {}

        std::string
        text(const std::string &key, const std::string &otherwise) const {
            const auto it = values_.find(key);
            return it == values_.end() || it->second.empty() ? otherwise : it->second;
        }

        /** "8k", "4", "inf"; @p otherwise for a text that is no number ("auto"). */
        double
        number(const std::string &key, double otherwise) const {
            const std::string value = text(key, "");
            char *end = nullptr;
            const double found = std::strtod(value.c_str(), &end);
            if (end == value.c_str() || std::isnan(found)) {
                return otherwise;
            }
            switch (*end) {
            case 'k':
            case 'K':
                return found * 1024;
            case 'm':
            case 'M':
                return found * mib;
            default:
                return found;
            }
        }

        bool
        isOn(const std::string &key) const {
            return ucxBool(text(key, "n")).value_or(false);
        }

        std::vector<std::string>
        list(const std::string &key) const {
            std::vector<std::string> items;
            const std::string value = text(key, "all");
            for (std::size_t start = 0; start <= value.size();) {
                const std::size_t end = std::min(value.find(',', start), value.size());
                items.push_back(value.substr(start, end - start));
                start = end + 1;
            }
            return items;
        }

        bool
        opens(const std::string &device) const {
            const auto names = list("NET_DEVICES");
            return std::any_of(names.begin(), names.end(), [&](const std::string &each) {
                return each == "all" || each == device || each == nameOf(device);
            });
        }

        bool
        hasTcp() const {
            const auto names = list("TLS");
            const bool is_named = std::any_of(
                names.begin(), names.end(), [](const auto &each) { return each == "tcp"; });
            const std::string &first = names.front();
            return first == "all" || is_named ||
                   (!first.empty() && first[0] == '^' && first != "^tcp");
        }

    private:
        const std::map<std::string, std::string> &values_;

    public:
        const distanceModel model;
    };

    struct endView {
        endView(const laneEnd &of, const char *named)
            : end(of)
            , settings(of.settings)
            , role(named) {
            double known = 0;
            for (const lanePort &each : of.ports) {
                known = std::max(known, each.isRdma ? each.bandwidth : 0);
            }
            fallback_ = known > 0 ? known : assumed_bandwidth;
        }

        const lanePort &
        port(std::size_t index) const {
            return end.ports[index];
        }

        double
        alone(std::size_t index) const {
            return port(index).bandwidth > 0 ? port(index).bandwidth : fallback_;
        }

        /** What the device's address says: its own speed, or the way to the current GPU. */
        double
        wired(std::size_t index) const {
            const double way =
                end.hasContext ? settings.model.bandwidth(port(index).path) : unlimited;
            return std::min(alone(index), way);
        }

        double
        latency(std::size_t index) const {
            return end.hasContext ? settings.model.latency(port(index).path) : 0;
        }

        std::string
        way(std::size_t index) const {
            const ucxPath &path = port(index).path;
            return speed(settings.model.bandwidth(path)) + " (" +
                   std::string(distanceWord(path.distance)) + ") to the " + role + "'s GPU";
        }

        const laneEnd &end;
        const endSettings settings;
        const char *role;

    private:
        double fallback_ = 0;
    };

    struct candidate {
        std::size_t local = 0;
        std::size_t remote = 0;
        double wired = 0;
        double score = 0;
        double bandwidth = 0; /**< of the protocol's lane */
    };

    bool
    reaches(const lanePort &a, const lanePort &b) {
        if (a.isRdma != b.isRdma) {
            return false;
        }
        return a.subnets.empty() || b.subnets.empty() ||
               std::any_of(a.subnets.begin(), a.subnets.end(), [&](const std::string &each) {
                   return std::count(b.subnets.begin(), b.subnets.end(), each) > 0;
               });
    }

    /** One forecast's working state: each step removes lanes and says why. */
    class forecaster {
    public:
        forecaster(const laneEnd &initiator, const laneEnd &target, rmaOp_t op, std::uint64_t size)
            : here_(initiator, "initiator")
            , there_(target, "target")
            , op_(op)
            , size_(size) {}

        laneForecast
        run() {
            const auto mine = opened(here_, true);
            wireUp(mine, opened(there_, false));
            const std::vector<candidate> wired = lanes_;
            dropSlow("wire-up", [](const candidate &lane) { return lane.wired; });
            keepCapable();
            keepRegistered();
            rate();
            dropSlow("protocol", [](const candidate &lane) { return lane.bandwidth; });
            keepOneDevice();
            keepRails("MAX_RMA_RAILS", here_.settings.number("MAX_RMA_RAILS", 1));
            result_.protocol = "zero-copy";
            if (lanes_.empty()) {
                withoutZeroCopy(wired);
            }
            share();
            if (std::none_of(
                    mine.begin(), mine.end(), [&](auto i) { return here_.port(i).isRdma; })) {
                return result_;
            }
            for (const lanePort &each : here_.end.ports) {
                if (!each.isRdma) {
                    result_.dropped.erase(each.device);
                }
            }
            return result_;
        }

    private:
        void
        drop(std::size_t local, const std::string &why) {
            result_.dropped.emplace(here_.port(local).device, why);
        }

        std::vector<std::size_t>
        opened(const endView &end, bool is_ours) {
            std::vector<std::size_t> found;
            std::set<std::string> devices;
            const double most = end.settings.number("MAX_COMPONENT_MDS", 16);
            for (std::size_t i = 0; i < end.end.ports.size(); ++i) {
                const lanePort &each = end.port(i);
                std::string why;
                if (each.isRdma) {
                    devices.insert(nameOf(each.device));
                }
                if (static_cast<double>(devices.size()) > most && each.isRdma) {
                    why = "not opened: MAX_COMPONENT_MDS=" +
                          end.settings.text("MAX_COMPONENT_MDS", "16");
                } else if (!end.settings.opens(each.device)) {
                    why = "not opened: not in NET_DEVICES";
                } else if (!each.isRdma && !end.settings.hasTcp()) {
                    why = "not opened: UCX_TLS has no tcp";
                }
                if (why.empty()) {
                    found.push_back(i);
                } else if (is_ours) {
                    drop(i, why);
                }
            }
            return found;
        }

        candidate
        pairOf(std::size_t local, std::size_t remote) const {
            constexpr double tie_break = 1e-3;
            candidate pair;
            pair.local = local;
            pair.remote = remote;
            const double left = here_.wired(local);
            const double right = there_.wired(remote);
            pair.wired = std::min(left, right);
            const double seconds = test_bytes / (pair.wired + tie_break * (left + right)) +
                                   here_.latency(local) + there_.latency(remote);
            pair.score = 1 / seconds;
            return pair;
        }

        /** UCX takes the best pair, then the best among the other devices, and so on. */
        void
        wireUp(std::vector<std::size_t> mine, std::vector<std::size_t> theirs) {
            while (true) {
                std::optional<candidate> best;
                for (const std::size_t local : mine) {
                    for (const std::size_t remote : theirs) {
                        const candidate pair = pairOf(local, remote);
                        if (reaches(here_.port(local), there_.port(remote)) &&
                            (!best || pair.score * same > best->score)) {
                            best = pair;
                        }
                    }
                }
                if (!best) {
                    break;
                }
                lanes_.push_back(*best);
                mine.erase(std::find(mine.begin(), mine.end(), best->local));
                theirs.erase(std::find(theirs.begin(), theirs.end(), best->remote));
            }
            for (const std::size_t local : mine) {
                drop(local, "no device of the target that it could reach is left");
            }
        }

        template <typename value_t>
        void
        dropSlow(const std::string &step, value_t value) {
            const double ratio = here_.settings.number("MULTI_LANE_MAX_RATIO", 4);
            double fastest = 0;
            for (const candidate &lane : lanes_) {
                fastest = std::max(fastest, value(lane));
            }
            std::vector<candidate> kept;
            for (const candidate &lane : lanes_) {
                if (value(lane) * ratio >= fastest * same) {
                    kept.push_back(lane);
                    continue;
                }
                const bool is_theirs =
                    step == "wire-up" && there_.wired(lane.remote) < here_.wired(lane.local) * same;
                const std::string limit =
                    is_theirs ? there_.way(lane.remote) : here_.way(lane.local);
                char number[32];
                std::snprintf(number, sizeof(number), "%g", ratio);
                drop(lane.local,
                     step + ": " + limit + ", the fastest lane has " + speed(fastest) +
                         ", over MULTI_LANE_MAX_RATIO=" + number + " times as much");
            }
            lanes_ = kept;
        }

        /** GPU memory and READ need RDMA; TCP can only write from host memory to host memory. */
        void
        keepCapable() {
            const bool has_gpu = here_.end.isGpuMemory || there_.end.isGpuMemory;
            if (!has_gpu && op_ == rmaOp_t::WRITE) {
                return;
            }
            remove([&](const candidate &lane) { return !here_.port(lane.local).isRdma; },
                   has_gpu ? "TCP cannot read GPU memory itself" : "TCP has no RMA read");
        }

        template <typename predicate_t>
        void
        remove(predicate_t isOut, const std::string &why) {
            std::vector<candidate> kept;
            for (const candidate &lane : lanes_) {
                if (isOut(lane)) {
                    drop(lane.local, why);
                } else {
                    kept.push_back(lane);
                }
            }
            lanes_ = kept;
        }

        /** Nearer first: UCX compares latency, then bandwidth. */
        bool
        isCloser(const lanePort &a, const lanePort &b) const {
            const distanceModel &model = there_.settings.model;
            if (model.latency(a.path) != model.latency(b.path)) {
                return model.latency(a.path) < model.latency(b.path);
            }
            return model.bandwidth(a.path) > model.bandwidth(b.path);
        }

        void
        keepRegistered() {
            const std::string policy = there_.settings.text("MAX_HCA_PER_GPU", "inf");
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
            const double count = there_.settings.number("MAX_HCA_PER_GPU", 0);
            for (const std::size_t i : order) {
                const bool is_in = policy == "auto"
                                       ? !isCloser(there_.port(order.front()), there_.port(i))
                                       : static_cast<double>(registered.size()) < count;
                if (is_in) {
                    registered.insert(i);
                }
            }
            remove([&](const candidate &lane) { return registered.count(lane.remote) == 0; },
                   "registration: MAX_HCA_PER_GPU=" + policy +
                       " at the target registers GPU memory on " +
                       std::to_string(registered.size()) + " nearer NIC(s) only");
        }

        void
        rate() {
            for (candidate &lane : lanes_) {
                const double way = here_.end.isGpuMemory
                                       ? here_.settings.model.bandwidth(here_.port(lane.local).path)
                                       : unlimited;
                lane.bandwidth = std::min(here_.alone(lane.local), way);
            }
        }

        void
        keepOneDevice() {
            if (!here_.settings.isOn("SINGLE_NET_DEVICE") || lanes_.empty()) {
                return;
            }
            const distanceModel &model = here_.settings.model;
            const auto rank = [&](const candidate &lane) {
                const bool counts = here_.end.isGpuMemory;
                const double latency = counts ? model.latency(here_.port(lane.local).path) : 0;
                return std::pair(latency, -lane.bandwidth);
            };
            const auto best = std::min_element(
                lanes_.begin(), lanes_.end(), [&](const candidate &a, const candidate &b) {
                    return rank(a) < rank(b);
                });
            const std::size_t only = best->local;
            remove([&](const candidate &lane) { return lane.local != only; },
                   "SINGLE_NET_DEVICE=y: one device an operation");
        }

        void
        keepRails(const std::string &key, double count) {
            std::vector<candidate> order = lanes_;
            std::stable_sort(order.begin(), order.end(), [](const auto &a, const auto &b) {
                return a.bandwidth * same > b.bandwidth;
            });
            if (static_cast<double>(order.size()) <= count) {
                return;
            }
            order.resize(static_cast<std::size_t>(std::max(count, 0.0)));
            remove(
                [&](const candidate &lane) {
                    return std::none_of(order.begin(), order.end(), [&](const candidate &each) {
                        return each.local == lane.local;
                    });
                },
                "rails: " + key + "=" + std::to_string(static_cast<unsigned>(count)) +
                    " devices an operation");
        }

        /** What is left where no lane can move the memory itself. */
        void
        withoutZeroCopy(std::vector<candidate> wired) {
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
            lanes_ = wired;
            for (candidate &lane : lanes_) {
                lane.bandwidth = here_.alone(lane.local);
                if (is_pipelined) {
                    result_.dropped.erase(here_.port(lane.local).device);
                }
            }
            if (is_pipelined) {
                keepRails("MAX_RNDV_RAILS", here_.settings.number("MAX_RNDV_RAILS", 2));
            } else if (!lanes_.empty()) {
                result_.dropped.erase(here_.port(lanes_.front().local).device);
                const std::size_t only = lanes_.front().local;
                remove([&](const candidate &lane) { return lane.local != only; },
                       "software emulation: one device carries everything");
            }
        }

        void
        share() {
            double total = 0;
            for (const candidate &lane : lanes_) {
                total += lane.bandwidth;
            }
            std::vector<double> parts(lanes_.size());
            for (std::size_t i = 0; i < lanes_.size(); ++i) {
                parts[i] = lanes_[i].bandwidth / total;
            }
            if (size_ > 0 && result_.protocol == "zero-copy") {
                parts = cut(parts);
            }
            for (std::size_t i = 0; i < lanes_.size(); ++i) {
                result_.lanes.push_back({here_.port(lanes_[i].local).device,
                                         there_.port(lanes_[i].remote).device,
                                         lanes_[i].bandwidth,
                                         parts[i]});
            }
        }

        /** Lane by lane from the first: what is left goes whole once it is short (proto_multi.inl).
         */
        std::vector<double>
        cut(const std::vector<double> &weights) const {
            const double chunk = here_.settings.number("MIN_RMA_CHUNK_SIZE", 8192);
            const double least = *std::min_element(weights.begin(), weights.end());
            const auto size = static_cast<double>(size_);
            std::vector<double> parts(weights.size());
            double rest = size;
            double short_below = 0;
            for (std::size_t i = 0; i < weights.size() && rest > 0; ++i) {
                short_below += chunk * weights[i] / least;
                const bool is_last = i + 1 == weights.size();
                const double piece =
                    is_last || rest < short_below ? rest : std::min(rest, weights[i] * size);
                parts[i] = piece / size;
                rest -= piece;
            }
            return parts;
        }

        const endView here_;
        const endView there_;
        const rmaOp_t op_;
        const std::uint64_t size_;
        std::vector<candidate> lanes_; /**< in the order of wire-up */
        laneForecast result_;
    };

} // namespace

std::vector<lanePort>
lanePorts(const machine &host, const std::optional<std::string> &gpu_pci) {
    std::vector<lanePort> found;
    for (const rdmaNic &nic : host.nics) {
        for (const port &at : nic.ports) {
            if (at.state != portState_t::ACTIVE && at.state != portState_t::UNKNOWN) {
                continue;
            }
            lanePort each;
            each.device = nic.name + ":" + std::to_string(at.number);
            each.bandwidth = portBandwidth(host, nic, at);
            each.path = gpu_pci ? pathBetween(host, *gpu_pci, nic.pci) : ucxPath();
            found.push_back(std::move(each));
        }
    }
    for (const netInterface &way : host.netInterfaces) {
        if (!way.up || way.kind == netKind_t::LOOPBACK || way.address == address_t::NO) {
            continue;
        }
        lanePort each;
        each.device = way.name;
        each.isRdma = false;
        each.bandwidth = interfaceBandwidth(way);
        // virtio's PCI function is one folder too deep for UCX, which then knows no place for it
        const auto function = host.pci.find(way.pci);
        const bool is_plain =
            function != host.pci.end() && function->second.vendor != virtio_vendor;
        each.path = gpu_pci && is_plain ? pathBetween(host, *gpu_pci, way.pci) : ucxPath();
        found.push_back(std::move(each));
    }
    return found;
}

laneForecast
forecastLanes(const laneEnd &initiator, const laneEnd &target, rmaOp_t op, std::uint64_t size) {
    if (initiator.ports.empty() || target.ports.empty()) {
        throw std::invalid_argument("no network device: there is nothing to forecast");
    }
    return forecaster(initiator, target, op, size).run();
}

} // namespace nixlStripe
