// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/nic_watch.h"

#include "counters/net_dev.h"
#include "topology/descriptor.h"
#include "topology/without_signals.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <poll.h>
#include <set>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace nixlStripe {
namespace {

    /** The thread of a process and what it has seen. */
    class watcher {
    public:
        /** Of this process: a forked child begins anew, the parent's lock may be taken there. */
        static watcher &
        ofProcess() {
            static std::atomic<watcher *> current{nullptr};
            watcher *found = current.load();
            while (found == nullptr || found->process_ != ::getpid()) {
                auto made = std::make_unique<watcher>();
                if (current.compare_exchange_strong(found, made.get())) {
                    return *made.release(); // lives as long as the process
                }
            }
            return *found;
        }

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
            std::unique_ptr<std::thread> ended;
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                forget(nics);
                if (nics_.empty()) {
                    ended = std::move(thread_);
                    ::eventfd_write(wake_->get(), 1);
                }
            }
            if (ended) {
                ended->join();
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
            auto wake = std::make_shared<descriptor>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
            if (wake->get() < 0) {
                throw std::runtime_error(std::strerror(errno));
            }
            const withoutSignals blocked; // which the new thread inherits
            thread_ = std::make_unique<std::thread>([this, wake] { run(wake->get()); });
            wake_ = std::move(wake);
        }

        void
        run(int wake) noexcept {
            ::prctl(PR_SET_NAME, "nixl-stripe-nic");
            pollfd wait = {wake, POLLIN, 0};
            for (;;) {
                ::poll(&wait, 1, busy_ > 0 ? nicWatch::busy_ms : nicWatch::idle_ms);
                eventfd_t count = 0;
                ::eventfd_read(wake, &count);
                const std::lock_guard<std::mutex> lock(mutex_);
                if (nics_.empty() || !wake_ || wake_->get() != wake) {
                    return;
                }
                try {
                    look();
                } catch (const std::exception &) {
                    continue; // no memory for this look: the next one may have it
                }
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
            if (busy_ > 0) {
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

        const long process_ = ::getpid();
        std::mutex mutex_;
        std::map<std::string, unsigned> nics_; /**< how many ask for each */
        std::atomic<int> busy_{0};
        nicEvidence evidence_;
        tcpSockets_t own_;
        std::unique_ptr<std::thread> thread_; /**< there while somebody asks */
        std::shared_ptr<descriptor> wake_;    /**< written to when the thread is to look or end */
    };

} // namespace

nicWatch::nicWatch(std::vector<std::string> nics)
    : nics_(std::move(nics))
    , process_(::getpid()) {
    watcher::ofProcess().add(nics_);
}

nicWatch::~nicWatch() {
    if (process_ == ::getpid()) {
        watcher::ofProcess().addBusy(-busy_);
        watcher::ofProcess().remove(nics_);
    }
}

std::map<std::string, std::string>
nicWatch::lost(const std::vector<std::string> &nics) {
    return watcher::ofProcess().lost(nics);
}

tcpSockets_t
nicWatch::ownConnections() {
    return watcher::ofProcess().ownConnections();
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
    watcher::ofProcess().addBusy(change);
}

} // namespace nixlStripe
