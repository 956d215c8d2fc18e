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
        static constexpr unsigned established = 1;
        static constexpr unsigned least_down = 2;
        static constexpr std::size_t most_paths = 1024; /**< of a NIC */

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

        std::unique_ptr<peerQuestion>
        ask(const std::vector<std::string> &nics, const std::string &connection) {
            std::set<tcpPath> known;
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                for (const std::string &nic : nics) {
                    for (const auto &[remote, ends] : paths_[nic]) {
                        known.insert({nic, ends});
                    }
                }
            }
            return std::make_unique<pathProbe>(pathsOf(known, connection));
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
                remember(seen);
            }
            evidence_.add(seen);
            giveUpDead(seen);
        }

        /** Calls @p work with NIC, both ends and socket of each established connection. */
        template <typename work_t>
        static void
        forEachConnection(const nicLook &seen, work_t work) {
            for (const auto &[ends, socket] : seen.own) {
                const auto nic = seen.interfaces.find(socket.localAddress);
                if (socket.state == established && nic != seen.interfaces.end()) {
                    work(nic->second, ends, socket);
                }
            }
        }

        /** Where connections went, by NIC: what can be asked later. */
        void
        remember(const nicLook &seen) {
            forEachConnection(seen, [this](const auto &nic, const auto &ends, const auto &) {
                if (nics_.count(nic) == 0) {
                    return;
                }
                auto &known = paths_[nic];
                if (known.size() >= most_paths) {
                    known.clear(); // those that are still there come again at once
                }
                known[ends.substr(ends.find('-'))] = ends;
            });
        }

        /**
         * Nobody waits for the kernel's patience with a NIC that has had no carrier for two looks.
         * Connections of others would outlive that, so they are left alone.
         */
        void
        giveUpDead(const nicLook &seen) {
            std::set<std::string> dead;
            for (const auto &[nic, is_up] : seen.up) {
                unsigned &looks = down_[nic];
                looks = is_up ? 0 : looks + 1;
                if (looks >= least_down) {
                    dead.insert(nic);
                }
            }
            std::set<std::uint64_t> inodes;
            forEachConnection(seen, [&](const auto &nic, const auto &, const tcpSocket &socket) {
                if (dead.count(nic) != 0) {
                    inodes.insert(socket.inode);
                }
            });
            if (!inodes.empty()) {
                endConnections(inodes, nicWatch::longest_patience);
            }
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
        /** NIC -> far end -> both ends of a connection that was there. */
        std::map<std::string, std::map<std::string, std::string>> paths_;
        std::map<std::string, unsigned> down_;   /**< NIC -> looks without a carrier */
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

std::unique_ptr<peerQuestion>
nicWatch::ask(const std::vector<std::string> &nics, const std::string &connection) {
    return ofThisProcess<watcher>().ask(nics, connection);
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
