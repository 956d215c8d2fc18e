// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/peer_line.h"

#include "topology/text.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

namespace nixlStripe {
namespace {

    /** Those that a lost NIC ends in; another error would be the same on other NICs. */
    bool
    isOfNic(int error) {
        return error == abi::status_remote_disconnect || error == abi::status_backend_error ||
               error == abi::status_canceled;
    }

    /** "rail1 (it has no carrier)" */
    std::string
    named(const std::map<std::string, std::string> &lost) {
        std::string text;
        for (const auto &[nic, reason] : lost) {
            append(text, nic + " (" + reason + ")");
        }
        return text;
    }

} // namespace

peerLine::~peerLine() {
    endFence(abi::status_canceled);
    if (active_ != nullptr) {
        dropPiece(*active_);
    }
}

void
peerLine::connect(const std::string &connection) {
    const lock_t lock(mutex_);
    connection_ = connection;
}

void
peerLine::disconnect() {
    std::shared_ptr<spareEngine> last; // destroyed without the lock
    lock_t lock(mutex_);
    connection_.clear();
    resting_.clear();
    question_.reset();
    if (spare_ != nullptr) {
        spare_->disconnect(peer_);
    }
    last = std::move(spare_);
    lock.unlock();
}

int
peerLine::post(const record_t &record, const abi::optionalArgs *args) {
    lock_t lock(mutex_);
    if (record->isUnderWay) {
        return abi::status_repost_active;
    }
    record->args = args == nullptr ? std::nullopt : std::optional<abi::optionalArgs>(*args);
    record->book.restart();
    record->status = abi::status_in_progress;
    record->isUnderWay = true;
    record->isResumed = false;
    record->losses = 0;
    waiting_.push_back(record);
    parts_.witness.addBusy(1);
    return run(record, lock);
}

int
peerLine::check(const record_t &record) {
    lock_t lock(mutex_);
    return run(record, lock);
}

void
peerLine::release(const record_t &record) {
    const lock_t lock(mutex_);
    if (!record->isUnderWay) {
        return;
    }
    record->isUnderWay = false;
    record->status = abi::status_canceled;
    parts_.witness.addBusy(-1);
    if (active_ == record) {
        dropPiece(*record);
        active_ = nullptr;
    } else {
        waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), record), waiting_.end());
    }
}

/** An engine that was left meanwhile does not know the peer any more: then by the next one. */
int
peerLine::notify(const std::string &message) {
    std::shared_ptr<spareEngine> used;
    lock_t lock(mutex_);
    for (;;) {
        used = spare_;
        lock.unlock();
        const int status = engineOf(used).notify(peer_, message);
        lock.lock();
        if (status >= 0 || used == spare_) {
            return status;
        }
    }
}

/** Takes the transfers through as far as they go without waiting; that of @p record too. */
int
peerLine::run(const record_t &record, lock_t &lock) {
    while (!is_busy_) {
        if (active_ == nullptr) {
            if (waiting_.empty()) {
                break;
            }
            active_ = std::move(waiting_.front());
            waiting_.pop_front();
        }
        const record_t current = active_;
        const int status = advance(current, lock);
        if (status == abi::status_in_progress) {
            break;
        }
        if (active_ == current) { // else somebody has released it meanwhile
            dropPiece(*current);
            current->status = status;
            current->isUnderWay = false;
            parts_.witness.addBusy(-1);
            active_ = nullptr;
        }
    }
    return record->status;
}

int
peerLine::advance(const record_t &record, lock_t &lock) {
    for (;;) {
        int status = abi::status_done;
        const bool is_sent = record->book.isDone();
        // What an earlier transfer left under way must not fall into what this one writes.
        const bool is_fencing = is_fenced_ && (is_sent || !record->isResumed);
        if (is_fencing) {
            status = fence(*record);
        } else if (is_sent) {
            return record->isResumed ? sayNotification(*record) : abi::status_done;
        } else if (record->piece == nullptr) {
            takeBack(lock);
            if (active_ != record) {
                return abi::status_canceled;
            }
            status = postPiece(*record);
        } else {
            status = engineOf(record->spare).check(record->piece);
        }
        if (status == abi::status_in_progress) {
            return status;
        }
        dropPiece(*record);
        if (status == abi::status_done) {
            if (!is_fencing) {
                record->book.arrived();
            }
        } else if (!survives(record, status, lock)) {
            return status;
        }
    }
}

int
peerLine::postPiece(transferRecord &record) {
    pieceLists lists = record.book.next();
    record.spare = spare_;
    if (spare_ != nullptr) {
        int status = spare_->translate(lists.local);
        status = status == abi::status_done ? spare_->translate(lists.remote) : status;
        if (status != abi::status_done) {
            return status;
        }
    }
    const abi::metaList local = record.localList(std::move(lists.local));
    const abi::metaList remote = record.remoteList(std::move(lists.remote));
    std::optional<abi::optionalArgs> args = record.args;
    if (args && (!record.book.isLast() || record.isResumed)) {
        args->hasNotification = false; // once, after the last byte
        args->notification.clear();
    }
    const abi::optionalArgs *given = args ? &*args : nullptr;
    const stockEngine &engine = engineOf(record.spare);
    if (spare_ == nullptr && record.book.isWhole()) {
        record.piece = record.key;
    } else {
        const int status = engine.prepare(record.op, local, remote, peer_, record.piece, given);
        if (status < 0) {
            record.piece = nullptr;
            return status;
        }
    }
    return engine.post(record.op, local, remote, peer_, record.piece, given);
}

/** The handle that NIXL has is NIXL's to release. */
void
peerLine::dropPiece(transferRecord &record) {
    if (record.piece != nullptr && record.piece != record.key) {
        engineOf(record.spare).release(record.piece);
    }
    record.piece = nullptr;
    record.spare.reset();
}

/** Whether the transfer goes on after an error of what was under way. */
bool
peerLine::survives(const record_t &record, int error, lock_t &lock) {
    if (!isOfNic(error) || record->losses >= parts_.nics.size() || connection_.empty()) {
        return false;
    }
    const std::vector<std::string> used = spare_ == nullptr ? parts_.nics : spare_->nics();
    findings found = findingsOn(used, lock);
    if (isGone(record) || !canGoOn(found, without(used, found.lost)) || !giveUp(*record)) {
        return false;
    }
    ++record->losses;
    record->isResumed = true;
    if (!findWay(record, found, lock)) {
        return false;
    }
    std::vector<std::string> lost;
    for (const auto &item : found.lost) {
        resting_[item.first] = {parts_.witness.now() + before_asking, before_trying};
        lost.push_back(item.first);
    }
    parts_.say(found.lost.empty()
                   ? "a transfer with " + quoted(peer_) +
                         " failed, and the peer is there: it goes on over " + joined(spare_->nics())
                   : "lost " + named(found.lost) + "; the transfer with " + quoted(peer_) +
                         " goes on over " + joined(spare_->nics()));
    if (active_ != record) {
        return false; // it was released meanwhile
    }
    parts_.losses->resumed(lost);
    return true;
}

/** Goes over to an engine on NICs that are left; those that prove lost on the way are added. */
bool
peerLine::findWay(const record_t &record, findings &found, lock_t &lock) {
    const std::vector<std::string> used = spare_ == nullptr ? parts_.nics : spare_->nics();
    for (unsigned tries = 1; !moveTo(without(used, found.lost), lock); ++tries) {
        const findings more = findingsOn(without(used, found.lost), lock);
        found.lost.insert(more.lost.begin(), more.lost.end());
        if (isGone(record) || !canGoOn(found, without(used, found.lost))) {
            return false;
        }
        if (more.lost.empty()) {
            if (more.peer == presence_t::AWAY || tries == most_tries) {
                return false;
            }
            withoutLock(lock, [] { std::this_thread::sleep_for(before_next_try); });
        }
    }
    return true;
}

/** Of a transfer that was released, or whose peer was forgotten, while the line had no lock. */
bool
peerLine::isGone(const record_t &record) const {
    return active_ != record || connection_.empty();
}

/** A NIC that was away for a moment may be back: then the peer takes connections as before. */
bool
peerLine::canGoOn(const findings &found, const std::vector<std::string> &left) const {
    const bool is_back = found.lost.empty() && found.peer == presence_t::HERE;
    if (found.lost.empty() && !is_back) {
        parts_.say("a transfer with " + quoted(peer_) +
                   " failed, and nothing speaks against a NIC: it is not resumed");
    } else if (left.empty()) {
        parts_.say("every NIC to " + quoted(peer_) + " is lost: " + named(found.lost));
    }
    return (is_back || !found.lost.empty()) && !left.empty();
}

/** Goes over to an engine on these NICs; without the lock while it is made. */
bool
peerLine::moveTo(const std::vector<std::string> &nics, lock_t &lock) {
    const std::string connection = connection_;
    std::shared_ptr<spareEngine> left = spare_;
    std::shared_ptr<spareEngine> spare;
    std::string problem;
    withoutLock(lock, [&] {
        try {
            spare = parts_.spares.on(nics, left.get());
            const int status = spare->connect(peer_, connection);
            if (status != abi::status_done) {
                problem = "it cannot connect, NIXL status " + std::to_string(status);
                spare.reset();
            }
        } catch (const std::exception &error) {
            problem = error.what();
        }
    });
    if (spare == nullptr) {
        parts_.say("no second backend on " + joined(nics) + ": " + problem);
        return false;
    }
    endFence(abi::status_in_progress); // its round trips went by the engine that is left
    spare_ = std::move(spare);
    withoutLock(lock, [this, &left] {
        if (left != nullptr) {
            left->disconnect(peer_); // other peers may use it
        }
        left.reset(); // the last one: its threads end meanwhile
    });
    return true;
}

/** Of a transfer that was resumed: its last piece has not brought it. */
int
peerLine::sayNotification(const transferRecord &record) {
    if (!record.args || !record.args->hasNotification) {
        return abi::status_done;
    }
    return engineOf(spare_).notify(peer_, record.args->notification);
}

const stockEngine &
peerLine::engineOf(const std::shared_ptr<spareEngine> &spare) const {
    return spare == nullptr ? parts_.first : spare->engine();
}

} // namespace nixlStripe
