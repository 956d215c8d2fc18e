// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nic_evidence.h
 * @brief Which NICs are lost, by what was seen of them. Pure.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_NIC_EVIDENCE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_NIC_EVIDENCE_H

#include "recovery/tcp_sockets.h"

#include <chrono>
#include <map>
#include <string>

namespace nixlStripe {

/** What was seen at one moment. */
struct nicLook {
    std::chrono::steady_clock::time_point at;
    std::map<std::string, bool> up;                /**< NIC -> has a carrier */
    tcpSockets_t own;                              /**< connections of this process */
    std::map<std::string, std::string> interfaces; /**< address -> NIC */
    bool hasOwn = true; /**< connections were looked at; else `own` says nothing */
};

/**
 * @brief Evidence against NICs, gathered look by look.
 *
 * A NIC without a carrier is lost. So is one whose connections do not get answers: the kernel
 * counts how often it sent the same bytes again, or a probe, since the peer last answered. Where
 * that was but once when the kernel gave the connection up, its end says the rest. Bytes
 * that were sent prove nothing, since what is sent again counts as sent, and a NIC that nobody uses
 * stands as still as one that is lost.
 */
class nicEvidence {
public:
    using time_t = std::chrono::steady_clock::time_point;

    static constexpr const char *no_carrier = "it has no carrier";
    static constexpr const char *no_answer = "nothing that was sent over it was answered";
    static constexpr const char *not_reached = "the peer does not answer over it";

    /** What is sent again so often, seen at two looks, is not merely late: 0.6 s at least. */
    static constexpr unsigned least_retransmits = 2;
    static constexpr unsigned least_probes = 1;
    static constexpr unsigned least_looks = 2;
    /** UCX tells of a lost connection within this time of the kernel's giving up. */
    static constexpr std::chrono::milliseconds memory{3000};

    void add(const nicLook &look);

    /** Why @p nic counts as lost at @p now; "" where nothing speaks against it. */
    std::string against(const std::string &nic, time_t now) const;

private:
    struct facts {
        bool isUp = true;
        bool wasSilent = false;
        time_t silentAt{};
    };

    std::map<std::string, facts> nics_;
    /** Connections without an answer, by both ends: at how many looks one after the other. */
    std::map<std::string, unsigned> silent_;
    /** Connections with something that was sent again and not answered yet: by which NIC. */
    std::map<std::string, std::string> doubtful_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_NIC_EVIDENCE_H
