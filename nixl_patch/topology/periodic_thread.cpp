// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/periodic_thread.h"

#include "topology/without_signals.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <utility>

namespace nixlStripe {
namespace {

    /** @return Whether the pause has passed, and nobody has said that this is the end. */
    bool
    hasPaused(int end, int pause_ms) noexcept {
        pollfd wait = {end, POLLIN, 0};
        return ::poll(&wait, 1, pause_ms) <= 0;
    }

} // namespace

periodicThread::periodicThread(const char *name,
                               std::function<int()> pause_ms,
                               std::function<void()> work)
    : end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (end_.get() < 0) {
        throw std::runtime_error(std::strerror(errno));
    }
    const withoutSignals blocked; // which the new thread inherits
    thread_ = std::thread(
        [name, end = end_.get(), pause_ms = std::move(pause_ms), work = std::move(work)] {
            ::prctl(PR_SET_NAME, name);
            while (hasPaused(end, pause_ms())) {
                work();
            }
        });
}

periodicThread::~periodicThread() {
    ::eventfd_write(end_.get(), 1);
    thread_.join();
}

} // namespace nixlStripe
