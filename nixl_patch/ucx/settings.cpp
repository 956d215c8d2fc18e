// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/settings.h"

#include "topology/never_destroyed.h"

namespace nixlStripe {
namespace {

    /** UCX looks at this many RDMA devices unless told otherwise. */
    constexpr unsigned default_component_mds = 16;

    bool
    stripesRdma(const settingFacts &facts) {
        return facts.nicCount > 1 && !facts.isTcpOnly;
    }

    bool
    stripesTcp(const settingFacts &facts) {
        return facts.nicCount > 1 && facts.isTcpOnly;
    }

    std::string
    netDevices(const settingFacts &facts) {
        return facts.netDevices;
    }

    std::string
    rmaRails(const settingFacts &facts) {
        return facts.rails == 0 ? "" : std::to_string(facts.rails);
    }

    std::string
    hcaPerGpu(const settingFacts &facts) {
        return stripesRdma(facts) ? "inf" : "";
    }

    /**
     * 1 TB/s is above any NIC (a 1.6 Tbit/s port carries 0.2 TB/s), so that the NIC's own bandwidth
     * and not the distance decides. "inf" is what is meant, but UCX's parser refuses it.
     */
    std::string
    distanceBandwidth(const settingFacts &facts) {
        return stripesRdma(facts) ? "1000GBs" : "";
    }

    std::string
    componentMds(const settingFacts &facts) {
        return facts.rdmaDeviceCount > default_component_mds && stripesRdma(facts)
                   ? std::to_string(facts.rdmaDeviceCount)
                   : "";
    }

    std::string
    rmaPipeline(const settingFacts &facts) {
        return stripesTcp(facts) ? "y" : "";
    }

    /** Just above 4 KiB: a lone buffer of that size stays one request. */
    std::string
    rmaChunk(const settingFacts &facts) {
        return facts.cutsSmall ? "4160" : "";
    }

    /** Half a second: a tenth of it loses NICs that are only slow. Four times it, at most. */
    std::string
    ackTimeout(const settingFacts &facts) {
        return facts.failsOver && !facts.isTcpOnly ? "500ms" : "";
    }

    std::string
    ackRetries(const settingFacts &facts) {
        return facts.failsOver && !facts.isTcpOnly ? "2" : "";
    }

    std::string
    tcpUserTimeout(const settingFacts &facts) {
        return (facts.failsOver || facts.resumes) && facts.isTcpOnly ? "1s" : "";
    }

    std::string
    tcpProbe(const settingFacts &facts) {
        return facts.resumes && facts.isTcpOnly ? "1s" : "";
    }

    std::string
    keepalive(const settingFacts &facts) {
        if (facts.resumes && facts.isTcpOnly) {
            return "1s";
        }
        return facts.failsOver ? "5s" : "";
    }

    std::string
    zeroCopy(const settingFacts &facts) {
        return facts.failsOver ? "0" : "";
    }

    std::string
    rndvRails(const settingFacts &facts) {
        const unsigned rails = facts.rails != 0 ? facts.rails : facts.nicCount;
        return stripesTcp(facts) ? std::to_string(rails) : "";
    }

} // namespace

const std::vector<settingRule> &
settingTable() {
    constexpr auto context = scope_t::CONTEXT;
    constexpr auto both = side_t::BOTH;
    constexpr auto user = owner_t::USER;
    constexpr bool per_host = true;
    constexpr bool alike = false;
    constexpr bool transports = true;
    constexpr bool for_loss = true;
    static const neverDestroyed table(std::vector<settingRule>{
        {"NET_DEVICES",
         "",
         context,
         both,
         owner_t::PARAMETERS,
         per_host,
         "the NICs that the plan chose and no others; an initiator cannot reach NICs that its "
         "target did not open",
         netDevices},
        {"MAX_RMA_RAILS",
         "",
         context,
         side_t::INITIATOR,
         owner_t::PARAMETERS,
         per_host,
         "NICs per RMA operation; UCX's default is 1 and NIXL's 2",
         rmaRails},
        {"MAX_HCA_PER_GPU",
         "1.21",
         context,
         side_t::TARGET,
         user,
         alike,
         "GPU memory is registered on every NIC of the plan, not only on those next to the GPU",
         hcaPerGpu},
        {"DISTANCE_BW",
         "",
         scope_t::PROCESS,
         both,
         user,
         alike,
         "UCX rates a NIC across sockets at 220 MiB/s and drops it; above any NIC's speed the "
         "NIC's own bandwidth counts",
         distanceBandwidth},
        {"MAX_COMPONENT_MDS",
         "",
         context,
         both,
         user,
         per_host,
         "UCX opens 16 RDMA devices at most",
         componentMds},
        {"RMA_PPLN_ENABLE",
         "1.22",
         context,
         both,
         user,
         alike,
         "where only TCP carries GPU memory, RMA goes through the rendezvous pipeline, which "
         "stripes; host memory is unharmed",
         rmaPipeline,
         "the RMA pipeline: over TCP, GPU memory does not stripe",
         true},
        {"MAX_RNDV_RAILS",
         "",
         context,
         both,
         user,
         per_host,
         "rails of that pipeline; UCX's default is 2",
         rndvRails},
        {"MIN_RMA_CHUNK_SIZE",
         "1.20",
         context,
         side_t::INITIATOR,
         user,
         alike,
         "over TCP nothing chooses the NIC of a small buffer, so UCX cuts it into more pieces; by "
         "default four NICs share evenly only from 48 KiB on, and two are better up to 22 KiB",
         rmaChunk,
         "UCX_MIN_RMA_CHUNK_SIZE, which evens out small buffers"},
        {"RC_TIMEOUT",
         "",
         context,
         both,
         user,
         alike,
         "on_nic_loss=failover: UCX notices a dead NIC by missing acknowledgements, by default "
         "after a minute; 100 ms lose NICs that are only slow",
         ackTimeout,
         {},
         false,
         transports,
         for_loss},
        {"RC_RETRY_COUNT",
         "",
         context,
         both,
         user,
         alike,
         "the same: so many more tries, each after RC_TIMEOUT or longer",
         ackRetries,
         {},
         false,
         transports,
         for_loss},
        {"TCP_USER_TIMEOUT",
         "1.22",
         context,
         both,
         user,
         alike,
         "on_nic_loss over TCP: a connection whose bytes nobody acknowledges so long is given up, "
         "by default after minutes; a quarter of it loses NICs that are only slow",
         tcpUserTimeout,
         {},
         false,
         transports,
         for_loss},
        {"TCP_KEEPIDLE",
         "",
         context,
         side_t::INITIATOR,
         user,
         alike,
         "on_nic_loss=resume: in a READ the initiator waits; its connections are probed after so "
         "long, by default 10 s",
         tcpProbe,
         {},
         false,
         transports,
         for_loss},
        {"TCP_KEEPINTVL",
         "",
         context,
         side_t::INITIATOR,
         user,
         alike,
         "the same: between two probes, by default 2 s",
         tcpProbe,
         {},
         false,
         transports,
         for_loss},
        {"KEEPALIVE_INTERVAL",
         "",
         context,
         both,
         user,
         alike,
         "on_nic_loss=failover: how often UCX looks whether a NIC is back (UCX >= 1.23); resume: "
         "when it first has a connection probed over which it only waits; by default every 20 s",
         keepalive,
         {},
         false,
         !transports,
         for_loss},
        {"ZCOPY_THRESH",
         "",
         context,
         both,
         user,
         alike,
         "on_nic_loss=failover: UCX sends again only what it did not copy; what it copied is lost "
         "with the NIC",
         zeroCopy,
         {},
         false,
         !transports,
         for_loss},
    });
    return *table;
}

std::string
settingRule::versions() const {
    return since.empty() ? "all" : ">= " + std::string(since);
}

std::vector<ucxSetting>
settingsFor(const settingFacts &facts) {
    std::vector<ucxSetting> settings;
    for (const settingRule &rule : settingTable()) {
        if (std::string value = rule.value(facts); !value.empty()) {
            settings.push_back({std::string(rule.key),
                                std::move(value),
                                rule.scope,
                                rule.side,
                                std::string(rule.reason),
                                rule.owner,
                                rule.isTransports});
        }
    }
    return settings;
}

std::string_view
scopeName(scope_t scope) {
    return scope == scope_t::PROCESS ? "process" : "context";
}

std::string_view
sideName(side_t side) {
    switch (side) {
    case side_t::INITIATOR:
        return "initiator";
    case side_t::TARGET:
        return "target";
    case side_t::BOTH:
        break;
    }
    return "both";
}

} // namespace nixlStripe
