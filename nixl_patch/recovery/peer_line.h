// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file peer_line.h
 * @brief The transfers to one peer, one after the other, and the engine that they go by.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_PEER_LINE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_PEER_LINE_H

#include "recovery/late_bytes.h"
#include "recovery/loss_book.h"
#include "recovery/nic_watch.h"
#include "recovery/spare_pool.h"
#include "recovery/transfer_record.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/** What all lines of an engine share. */
struct resumeParts {
    stockEngine first;
    std::vector<std::string> nics;
    sparePool &spares;
    nicWitness &witness;
    std::function<void(const std::string &)> say; /**< one line for the user */
    std::shared_ptr<lossBook> losses;
};

/**
 * @brief Takes transfers to a peer through, over the NICs that are alive.
 *
 * One transfer is under way at a time, one piece of it at a time: UCX 1.22 and 1.23 crash where a
 * TCP endpoint fails that has the operations of many handles. An error of a piece is looked into:
 * with evidence against a NIC, a spare engine without that NIC sends the piece again. Without, the
 * error is the caller's: the peer may be dead. A transfer that wrote is complete when nothing of
 * what was given up can come any more (late_bytes.h), and a round trip through the peer, repeated
 * echoes times, has shown that the peer has read all that had come: UCX reads every connection
 * that has something each time.
 *
 * For several threads. No lock is held while a spare is made.
 */
class peerLine {
public:
    static constexpr unsigned echoes = 32;
    /** Between two looks at what is still under way. */
    static constexpr std::chrono::milliseconds look_interval{20};
    /** The peer is asked over a lost NIC again and again, after so long. */
    static constexpr std::chrono::seconds before_asking{1};
    /** What a transfer waits for an answer over it; one that comes later is found at the next. */
    static constexpr std::chrono::milliseconds longest_wait{5};
    /**
     * Where nobody can be asked, or a second backend cannot connect although somebody answers, that
     * is tried again after this time, then after twice as long, and so on: it holds transfers up.
     */
    static constexpr std::chrono::seconds before_trying{10};
    static constexpr std::chrono::seconds longest_rest{320};
    /** How often it is tried to meet a peer again that takes connections, and the pause between. */
    static constexpr unsigned most_tries = 3;
    static constexpr std::chrono::milliseconds before_next_try{100};

    using record_t = std::shared_ptr<transferRecord>;

    peerLine(const resumeParts &parts, std::string peer)
        : parts_(parts)
        , peer_(std::move(peer)) {}

    peerLine(const peerLine &) = delete;
    peerLine &operator=(const peerLine &) = delete;
    ~peerLine();

    /** The first engine has met the peer, by @p connection. */
    void connect(const std::string &connection);

    /** The first engine has forgotten the peer. */
    void disconnect();

    /** @return nixl_status_t, as all of these. */
    int post(const record_t &record, const abi::optionalArgs *args);

    int check(const record_t &record);

    /** Cancels the transfer if it is under way. */
    void release(const record_t &record);

    int notify(const std::string &message);

private:
    using lock_t = std::unique_lock<std::mutex>;
    using time_t = std::chrono::steady_clock::time_point;

    struct lostNic {
        time_t due;                /**< when the peer is asked over it again */
        std::chrono::seconds rest; /**< after the next try in vain */
    };

    /** Calls of other threads find the line busy meanwhile, and do not wait. */
    template <typename work_t>
    void
    withoutLock(lock_t &lock, work_t work) {
        struct open {
            lock_t &lock;
            bool &is_busy;

            ~open() {
                lock.lock();
                is_busy = false;
            }
        };

        is_busy_ = true;
        lock.unlock();
        const open until_done{lock, is_busy_};
        work();
    }

    int run(const record_t &record, lock_t &lock);
    int advance(const record_t &record, lock_t &lock);
    int postPiece(transferRecord &record);
    void dropPiece(transferRecord &record);
    using lost_t = std::map<std::string, std::string>; /**< NIC -> evidence */
    static std::vector<std::string> without(const std::vector<std::string> &nics,
                                            const lost_t &lost);

    enum class presence_t {
        UNKNOWN, /**< it could be asked over none of the NICs */
        AWAY,    /**< it does not answer, or no longer listens where it did */
        HERE,    /**< it takes connections wherever it was asked and answered */
    };

    struct findings {
        lost_t lost;
        presence_t peer;
    };

    findings findingsOn(const std::vector<std::string> &nics, lock_t &lock);
    bool canGoOn(const findings &found, const std::vector<std::string> &left) const;
    bool isGone(const record_t &record) const;
    bool findWay(const record_t &record, findings &found, lock_t &lock);
    bool giveUp(const transferRecord &record);
    bool survives(const record_t &record, int error, lock_t &lock);
    bool moveTo(const std::vector<std::string> &nics, lock_t &lock);
    std::vector<std::string> rested();
    void takeBack(lock_t &lock);
    void takeBack(const std::vector<std::string> &back, lock_t &lock);
    int fence(transferRecord &record);
    int echo(transferRecord &record);
    int postEcho(transferRecord &record);
    void endFence(int status);
    int sayNotification(const transferRecord &record);
    const stockEngine &engineOf(const std::shared_ptr<spareEngine> &spare) const;

    const resumeParts &parts_;
    const std::string peer_;
    std::mutex mutex_;
    std::string connection_;
    std::shared_ptr<spareEngine> spare_; /**< nullptr: the first engine */
    bool is_busy_ = false;               /**< another call works without the lock */
    record_t active_;
    std::deque<record_t> waiting_;
    std::map<std::string, lostNic> resting_;
    std::unique_ptr<peerQuestion> question_; /**< whether NICs are back */
    std::vector<std::string> asked_;

    bool is_fenced_ = false; /**< something that was given up may still come */
    lateBytes late_;
    time_t next_look_{};
    unsigned echoes_left_ = echoes;
    void *echo_ = nullptr; /**< handle of a round trip that is under way */
    std::shared_ptr<spareEngine> echo_spare_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_PEER_LINE_H
