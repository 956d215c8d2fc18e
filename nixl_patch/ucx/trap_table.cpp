// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/never_destroyed.h"
#include "topology/text.h"
#include "ucx/traps.h"
#include "ucx/values.h"

#include <algorithm>
#include <set>

namespace nixlStripe {
namespace {

    using names_t = std::set<std::string>;

    bool
    stripesTcp(const trapFacts &facts) {
        return facts.usesTcp;
    }

    bool
    stripesRdma(const trapFacts &facts) {
        return facts.usesRdma;
    }

    bool
    isOnOverRdma(const std::string &value, const trapFacts &facts) {
        return stripesRdma(facts) && ucxBool(value) == true;
    }

    bool
    isOff(const std::string &value, const trapFacts &) {
        return ucxBool(value) == false;
    }

    bool
    isOffOverTcp(const std::string &value, const trapFacts &facts) {
        return stripesTcp(facts) && isOff(value, facts);
    }

    /** NIXL sets "inf"; anything lower sends RMA through what does not stripe. */
    bool
    isLowThresholdOverTcp(const std::string &value, const trapFacts &facts) {
        return stripesTcp(facts) && lowered(value).find("inf") == std::string::npos;
    }

    bool
    isBelowNics(const std::string &value, const trapFacts &facts) {
        const std::optional<unsigned> count = ucxCount(value);
        return count && *count < facts.nicCount;
    }

    bool
    areFewRails(const std::string &value, const trapFacts &facts) {
        return !facts.choosesRails && isBelowNics(value, facts);
    }

    bool
    areFewRndvRails(const std::string &value, const trapFacts &facts) {
        return stripesTcp(facts) && facts.hasGpu && isBelowNics(value, facts);
    }

    bool
    isOffForGpuOverTcp(const std::string &value, const trapFacts &facts) {
        return facts.hasGpu && isOffOverTcp(value, facts);
    }

    bool
    areFewHcas(const std::string &value, const trapFacts &facts) {
        return facts.hasGpu && stripesRdma(facts) &&
               (lowered(value) == "auto" || isBelowNics(value, facts));
    }

    /** "sys:220MBs", "auto": a key or UCX's own model keeps some distances below a NIC's speed. */
    bool
    isModelOfDistance(const std::string &value, const trapFacts &facts) {
        return facts.hasGpu && stripesRdma(facts) &&
               (value.find(':') != std::string::npos || lowered(value) == "auto");
    }

    bool
    areFewDomains(const std::string &value, const trapFacts &facts) {
        return stripesRdma(facts) && isBelowNics(value, facts);
    }

    bool
    areFewDevices(const std::string &value, const trapFacts &facts) {
        const std::vector<std::string> names = ucxList(value);
        return !facts.choosesDevices && lowered(value) != "all" && !names.empty() &&
               value.find_first_of("^[*") == std::string::npos && names.size() < facts.nicCount;
    }

    bool
    lacksTransport(const std::string &value, const trapFacts &facts) {
        const std::vector<std::string> names = ucxList(lowered(value));
        if (names.empty() || std::find(names.begin(), names.end(), "all") != names.end()) {
            return false;
        }
        const bool is_excluding = value.front() == '^';
        const auto has = [&](const names_t &wanted) {
            const bool is_listed =
                std::any_of(names.begin(), names.end(), [&](const std::string &name) {
                    return wanted.count(name) != 0;
                });
            return is_listed != is_excluding;
        };
        static const neverDestroyed gpu(names_t{
            "cuda", "cuda_copy", "gdr_copy", "cuda_ipc", "rocm", "rocm_copy", "ze", "ze_copy"});
        // Where both kinds may be meant, either will do.
        const bool lacks_nics = (!stripesRdma(facts) || !facts.unmoved(value).empty()) &&
                                (!stripesTcp(facts) || !has({"tcp"}));
        const bool lacks_gpu = is_excluding ? !has({"cuda", "cuda_copy"}) : !has(*gpu);
        return lacks_nics || (facts.hasGpu && lacks_gpu);
    }

    /** What these NICs can be used with: EFA has no rc, and only mlx5 has rc_x and dc. */
    std::string
    transportsThatFit(const std::string &value, const trapFacts &facts) {
        std::set<std::string_view> words;
        std::set<std::string_view> kinds;
        for (const nicTransports *each : facts.transports()) {
            words.insert(each->words);
        }
        for (const nicTransports *each : facts.unmoved(value)) {
            kinds.insert(each->kind);
        }
        std::string list = stripesRdma(facts) ? joined(words, ",") : "";
        append(list, "tcp", ",");
        append(list, facts.hasGpu ? "cuda_copy,cuda_ipc,sm,self" : "sm,self", ",");
        const bool is_named = stripesRdma(facts) && !kinds.empty() && !facts.nics.empty();
        return "list what is needed, e.g. UCX_TLS=" + list +
               (is_named ? " (nothing in it carries RMA over " + joined(kinds) + " NICs)" : "");
    }

    bool
    isGivenOverRdma(const std::string &value, const trapFacts &facts) {
        return stripesRdma(facts) && !value.empty();
    }

    /** Below 1 no lane is good enough, not even the best one. */
    bool
    isSmallRatio(const std::string &value, const trapFacts &facts) {
        const std::optional<double> ratio = ucxSize(value);
        return ratio && *ratio < std::max(1.0, facts.rateRatio);
    }

    /** A buffer below the value times the NICs does not reach all of them. */
    bool
    areLargeChunks(const std::string &value, const trapFacts &) {
        constexpr double large = 1 << 20;
        const std::optional<double> size = ucxSize(value);
        return size && *size >= large;
    }

    bool
    leavesOutModules(const std::string &value, const trapFacts &facts) {
        const std::vector<std::string> names = ucxList(lowered(value));
        if (names.empty() || std::find(names.begin(), names.end(), "all") != names.end()) {
            return false;
        }
        const bool is_excluding = value.front() == '^';
        const auto has = [&](const char *name) {
            return (std::find(names.begin(), names.end(), name) != names.end()) != is_excluding;
        };
        return (stripesRdma(facts) && !stripesTcp(facts) && !has("ib")) ||
               (facts.hasGpu && !has("cuda"));
    }

} // namespace

const std::vector<trapRule> &
trapTable() {
    static const neverDestroyed table(std::vector<trapRule>{
        {"RNDV_THRESH",
         "anything but inf",
         "over TCP, RMA becomes software emulation on one rail (NIXL sets inf)",
         "",
         isLowThresholdOverTcp},
        {"PROTO_ENABLE",
         "n",
         "UCX's old protocols use one rail, and newer UCX does not connect at all",
         "",
         isOff},
        {"SINGLE_NET_DEVICE", "y", "one NIC for each protocol", "", isOnOverRdma},
        {"TCP_PUT_ENABLE",
         "n",
         "WRITE over TCP becomes software emulation on one rail",
         "",
         isOffOverTcp},
        {"MAX_RMA_RAILS",
         "fewer than NICs",
         "as many NICs carry data, the others idle",
         "give max_rma_rails as a number",
         areFewRails},
        {"NET_DEVICES",
         "fewer than NICs",
         "UCX opens these devices only",
         "give stripe, which chooses the NICs itself",
         areFewDevices},
        {"TLS",
         "no transport of the NICs, or cuda_copy missing on a host with a GPU",
         "UCX leaves out what is not listed: the NICs, or GPU memory",
         "list what the NICs and the GPU need",
         lacksTransport,
         transportsThatFit},
        {"MODULES",
         "without ib or cuda",
         "UCX does not load the modules of the NICs or of GPU memory",
         "",
         leavesOutModules},
        {"IB_SUBNET_PREFIX",
         "any",
         "UCX opens only ports with this InfiniBand subnet prefix",
         "",
         isGivenOverRdma},
        {"MULTI_LANE_MAX_RATIO",
         "below 1, or below the ratio of the NICs' rates",
         "NICs slower than the best one divided by this are dropped; below 1 nothing connects",
         "",
         isSmallRatio},
        {"MIN_RMA_CHUNK_SIZE",
         "1m and more",
         "buffers smaller than this times the number of NICs do not reach all of them",
         "set it to 8k or less",
         areLargeChunks},
        {"MAX_HCA_PER_GPU",
         "auto, or fewer than NICs",
         "GPU memory is registered on the nearest NICs only",
         "set it to inf",
         areFewHcas},
        {"DISTANCE_BW",
         "auto, or values for single distances",
         "UCX rates NICs by their distance from the GPU: far ones get less, or nothing",
         "set it to a bare value above any NIC, e.g. 1000GBs",
         isModelOfDistance},
        {"MAX_COMPONENT_MDS",
         "fewer than NICs",
         "UCX opens as many RDMA devices and no more",
         "",
         areFewDomains},
        {"RMA_PPLN_ENABLE", "n", "over TCP, GPU memory does not stripe", "", isOffForGpuOverTcp},
        {"MAX_RNDV_RAILS",
         "fewer than NICs",
         "over TCP, GPU memory uses as many rails and no more",
         "",
         areFewRndvRails},
    });
    return *table;
}

} // namespace nixlStripe
