// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file periodic_thread.h
 * @brief A thread that does the same again and again.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PERIODIC_THREAD_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PERIODIC_THREAD_H

#include "topology/descriptor.h"

#include <functional>
#include <thread>

namespace nixlStripe {

/** Works from the time at which it is made; destroying it waits for the end of what it does. */
class periodicThread {
public:
    /**
     * @param name Of the thread, at most 15 characters.
     * @param pause_ms Asked before each pause: how long it is to be, milliseconds.
     * @param work Done after each pause, with all signals blocked; it must not throw.
     * @throws std::runtime_error, std::system_error when there can be no thread.
     */
    periodicThread(const char *name, std::function<int()> pause_ms, std::function<void()> work);
    periodicThread(const periodicThread &) = delete;
    periodicThread &operator=(const periodicThread &) = delete;
    ~periodicThread();

private:
    const descriptor end_; /**< written to when it is to end */
    std::thread thread_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PERIODIC_THREAD_H
