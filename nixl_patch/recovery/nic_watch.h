// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file nic_watch.h
 * @brief The one thread of a process that looks at its NICs, while somebody asks for it.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_NIC_WATCH_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_NIC_WATCH_H

#include "recovery/nic_evidence.h"
#include "recovery/path_probe.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nixlStripe {

/** What a resume asks about NICs; replaced in tests. */
class nicWitness {
public:
    nicWitness() = default;
    nicWitness(const nicWitness &) = delete;
    nicWitness &operator=(const nicWitness &) = delete;
    virtual ~nicWitness() = default;

    /** Looks now. Lost NICs of @p nics, with the evidence. */
    virtual std::map<std::string, std::string> lost(const std::vector<std::string> &nics) = 0;

    /** Connections that this process has or had, as far as they are still there. */
    virtual tcpSockets_t ownConnections() = 0;

    /**
     * Asks a peer over each of @p nics, without waiting for the answers.
     * @param connection Its connection info, as NIXL handed it over.
     */
    virtual std::unique_ptr<peerQuestion> ask(const std::vector<std::string> &nics,
                                              const std::string &connection) = 0;

    /** All connections of the network namespace. */
    virtual tcpSockets_t connections() = 0;

    virtual std::chrono::steady_clock::time_point now() = 0;

    /** So many more transfers are under way: NICs are looked at ten times a second meanwhile. */
    virtual void addBusy(int change) = 0;
};

/**
 * @brief Keeps NICs under observation for as long as it lives.
 *
 * The first in a process starts a thread, the last ends it; a forked child has none, and nothing
 * of its parent's.
 */
class nicWatch : public nicWitness {
public:
    /** Between two looks, milliseconds: with transfers under way and without. */
    static constexpr int busy_ms = 100;
    static constexpr int idle_ms = 250;
    /** UCX's connections are given this TCP_USER_TIMEOUT where a backend resumes (ucx/settings). */
    static constexpr std::chrono::milliseconds longest_patience{1000};

    /** @throws std::runtime_error when there can be no thread. */
    explicit nicWatch(std::vector<std::string> nics);
    ~nicWatch() override;

    std::map<std::string, std::string> lost(const std::vector<std::string> &nics) override;
    tcpSockets_t ownConnections() override;
    std::unique_ptr<peerQuestion> ask(const std::vector<std::string> &nics,
                                      const std::string &connection) override;
    tcpSockets_t connections() override;
    std::chrono::steady_clock::time_point now() override;
    void addBusy(int change) override;

private:
    const std::vector<std::string> nics_;
    const long process_;
    std::atomic<int> busy_{0};
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_NIC_WATCH_H
