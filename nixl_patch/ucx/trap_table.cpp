// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/never_destroyed.h"
#include "topology/text.h"
#include "ucx/transports.h"
#include "ucx/traps.h"
#include "ucx/values.h"

#include <algorithm>
#include <set>

namespace nixlStripe {
namespace {

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
        return stripesTcp(facts) && lowered(ucxValueOf("inter", value)) != "inf";
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

    /** UCX itself refuses a list without an entry. */
    bool
    areFewDevices(const std::string &value, const trapFacts &facts) {
        const bool is_empty = ucxAllowList(value).entries().empty();
        const std::size_t there = facts.openable.empty() ? facts.nicCount : facts.openable.size();
        return !facts.choosesDevices && !is_empty &&
               facts.opened(value) < std::min<std::size_t>(facts.nicCount, there);
    }

    bool
    lacksTransport(const std::string &value, const trapFacts &facts) {
        if (ucxAllowList(value, listOf_t::WORDS).entries().empty()) {
            return false;
        }
        const auto has = [&](const std::vector<std::string_view> &wanted) {
            return !admittedTransports(value, wanted).empty();
        };
        // Where both kinds may be meant, either will do.
        const bool lacks_nics = (!stripesRdma(facts) || !facts.unmoved(value).empty()) &&
                                (!stripesTcp(facts) || !has({"tcp"}));
        // What is left out by '^' is left out on purpose: of other vendors' GPUs it says nothing.
        const bool is_excluding = value.front() == '^';
        const bool lacks_gpu =
            !has({"cuda_copy"}) &&
            (is_excluding || !has({"gdr_copy", "cuda_ipc", "rocm_copy", "ze_copy"}));
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
        const std::optional<leadingNumber> ratio = ucxNumber(value);
        return ratio && ratio->value < std::max(1.0, facts.rateRatio);
    }

    /** A buffer below the value times the NICs does not reach all of them. */
    bool
    areLargeChunks(const std::string &value, const trapFacts &) {
        constexpr double large = 1 << 20;
        const std::optional<double> size = ucxChunk(value);
        return size && *size >= large;
    }

    bool
    leavesOutModules(const std::string &value, const trapFacts &facts) {
        const ucxAllowList list(value, listOf_t::WORDS);
        return !list.entries().empty() &&
               ((stripesRdma(facts) && !stripesTcp(facts) && !list.admits({"ib"})) ||
                (facts.hasGpu && !list.admits({"cuda"})));
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
         areFewDevices,
         nullptr,
         spelling_t::DEVICES},
        {"TLS",
         "no transport of the NICs, or cuda_copy missing on a host with a GPU",
         "UCX leaves out what is not listed: the NICs, or GPU memory",
         "list what the NICs and the GPU need",
         lacksTransport,
         transportsThatFit,
         spelling_t::WORDS},
        {"MODULES",
         "without ib or cuda",
         "UCX does not load the modules of the NICs or of GPU memory",
         "",
         leavesOutModules,
         nullptr,
         spelling_t::WORDS},
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
         "1m and more, inf, auto",
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
