// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/nic_watch.h"

#include "counters/net_dev.h"
#include "topology/of_this_process.h"
#include "topology/periodic_thread.h"

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <unistd.h>
#include <utility>

namespace nixlStripe {
namespace {

    /** The thread of a process and what it has seen. */
    class watcher {
    public:
        void
        add(const std::vector<std::string> &nics) {
            const std::lock_guard<std::mutex> lock(mutex_);
            for (const std::string &nic : nics) {
                ++nics_[nic];
            }
            try {
                look();
                if (!thread_) {
                    start();
                }
            } catch (...) {
                forget(nics);
                throw;
            }
        }

        void
        remove(const std::vector<std::string> &nics) noexcept {
            std::unique_ptr<periodicThread> ended; // without the lock, which its work takes
            const std::lock_guard<std::mutex> lock(mutex_);
            forget(nics);
            if (nics_.empty()) {
                ended = std::move(thread_);
            }
        }

        void
        addBusy(int change) {
            busy_ += change;
        }

        std::map<std::string, std::string>
        lost(const std::vector<std::string> &nics) {
            const std::lock_guard<std::mutex> lock(mutex_);
            look();
            const auto now = std::chrono::steady_clock::now();
            std::map<std::string, std::string> found;
            for (const std::string &nic : nics) {
                if (std::string reason = evidence_.against(nic, now); !reason.empty()) {
                    found[nic] = std::move(reason);
                }
            }
            return found;
        }

        tcpSockets_t
        ownConnections() {
            const std::lock_guard<std::mutex> lock(mutex_);
            look();
            return own_;
        }

    private:
        void
        start() {
            thread_ = std::make_unique<periodicThread>(
                "nixl-stripe-nic",
                [this] { return busy_ > 0 ? nicWatch::busy_ms : nicWatch::idle_ms; },
                [this] { lookAgain(); });
        }

        void
        lookAgain() noexcept {
            const std::lock_guard<std::mutex> lock(mutex_);
            try {
                look();
            } catch (const std::exception &) {
                return; // no memory for this look: the next one may have it
            }
        }

        /** The connections of this process: those that it has open, or had at an earlier look. */
        void
        look() {
            nicLook seen;
            seen.at = std::chrono::steady_clock::now();
            for (const auto &item : nics_) {
                seen.up[item.first] = isInterfaceUp(item.first).value_or(false);
            }
            seen.hasOwn = busy_ > 0;
            if (seen.hasOwn) {
                const std::set<std::uint64_t> inodes = ownInodes();
                for (auto &[ends, socket] : readTcpSockets()) {
                    if (inodes.count(socket.inode) != 0 || own_.count(ends) != 0) {
                        seen.own[ends] = socket;
                    }
                }
                own_ = seen.own;
                seen.interfaces = interfaceAddresses();
            }
            evidence_.add(seen);
        }

        void
        forget(const std::vector<std::string> &nics) {
            for (const std::string &nic : nics) {
                const auto it = nics_.find(nic);
                if (it != nics_.end() && --it->second == 0) {
                    nics_.erase(it);
                }
            }
        }

        std::mutex mutex_;
        std::map<std::string, unsigned> nics_; /**< how many ask for each */
        std::atomic<int> busy_{0};
        nicEvidence evidence_;
        tcpSockets_t own_;
        std::unique_ptr<periodicThread> thread_; /**< there while somebody asks */
    };

} // namespace

nicWatch::nicWatch(std::vector<std::string> nics)
    : nics_(std::move(nics))
    , process_(::getpid()) {
    ofThisProcess<watcher>().add(nics_);
}

nicWatch::~nicWatch() {
    if (process_ == ::getpid()) {
        ofThisProcess<watcher>().addBusy(-busy_);
        ofThisProcess<watcher>().remove(nics_);
    }
}

std::map<std::string, std::string>
nicWatch::lost(const std::vector<std::string> &nics) {
    return ofThisProcess<watcher>().lost(nics);
}

tcpSockets_t
nicWatch::ownConnections() {
    return ofThisProcess<watcher>().ownConnections();
}

tcpSockets_t
nicWatch::connections() {
    return readTcpSockets();
}

std::chrono::steady_clock::time_point
nicWatch::now() {
    return std::chrono::steady_clock::now();
}

void
nicWatch::addBusy(int change) {
    busy_ += change;
    ofThisProcess<watcher>().addBusy(change);
}

} // namespace nixlStripe
