// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_WITHOUT_SIGNALS_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_WITHOUT_SIGNALS_H

#include <csignal>

namespace nixlStripe {

/**
 * @brief Signals are the program's: none is to be handled on a thread of ours.
 *
 * A thread that is started while an object of this class lives handles none.
 */
class withoutSignals {
public:
    withoutSignals() {
        sigset_t all;
        sigfillset(&all);
        // Not pthread_sigmask, which would need glibc 2.32; on Linux it is of the thread too.
        ::sigprocmask(SIG_SETMASK, &all, &before_);
    }

    withoutSignals(const withoutSignals &) = delete;
    withoutSignals &operator=(const withoutSignals &) = delete;

    ~withoutSignals() {
        ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t before_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_WITHOUT_SIGNALS_H
