// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file path_probe.h
 * @brief Asks a peer over each NIC whether it is there.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_PATH_PROBE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_PATH_PROBE_H

#include "topology/descriptor.h"

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {

/** A question to a peer over several NICs; replaced in tests. */
class peerQuestion {
public:
    enum class answer_t {
        NONE,
        REFUSAL, /**< its host lives; whoever listened there does not any more */
        WELCOME, /**< somebody listens where the peer did */
    };

    /** By NIC; without those that had no connection to the peer. */
    using answers_t = std::map<std::string, answer_t>;

    peerQuestion() = default;
    peerQuestion(const peerQuestion &) = delete;
    peerQuestion &operator=(const peerQuestion &) = delete;
    virtual ~peerQuestion() = default;

    /** Waits so long at most. @return whether all have answered or none is waited for any more. */
    virtual bool isOver(std::chrono::milliseconds wait) = 0;

    virtual answers_t answers() const = 0;
};

/** A way that a connection took: of which NIC, from where to where. */
struct tcpPath {
    std::string nic;
    std::string ends; /**< as in tcpSockets_t */

    bool
    operator<(const tcpPath &other) const {
        return ends < other.ends;
    }
};

/**
 * @brief Those whose far end stands in a peer's connection info. Pure.
 *
 * Where none does: some of each NIC, of whatever peer.
 */
std::vector<tcpPath> pathsOf(const std::set<tcpPath> &known, const std::string &connection);

/**
 * @brief Asks to be connected where a connection was before, from the same address.
 *
 * Whoever lives answers, be it with a refusal: the kernel does, whatever its processes do. It is
 * asked three times, since a full queue may drop a packet. What comes about is aborted at once.
 */
class pathProbe : public peerQuestion {
public:
    static constexpr std::chrono::milliseconds between{250};
    static constexpr unsigned most_tries = 3;
    static constexpr std::chrono::milliseconds patience{900};
    /** Paths of a NIC that are asked where the peer's own are not known. */
    static constexpr unsigned most_unknown = 4;

    explicit pathProbe(const std::vector<tcpPath> &paths);

    bool isOver(std::chrono::milliseconds wait) override;
    answers_t answers() const override;

private:
    using clock_t = std::chrono::steady_clock;

    struct oneTry {
        std::string nic;
        std::unique_ptr<descriptor> socket;
    };

    void ask();
    void look(std::chrono::milliseconds wait);
    bool isAnswered() const;

    const std::vector<tcpPath> paths_;
    const clock_t::time_point start_ = clock_t::now();
    unsigned tries_ = 0;
    answers_t answers_;
    std::vector<oneTry> open_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_PATH_PROBE_H
