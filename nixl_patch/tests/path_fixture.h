// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_PATH_FIXTURE_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_PATH_FIXTURE_H

#include "packed_bytes.h"
#include "ucx/operation_path.h"
#include "ucx/packed_key.h"
#include "ucx/request_params.h"
#include "ucx/small_spread.h"

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe::testing {

/** A UCX whose handles are numbers: it keeps what it was given and what is alive. */
class ledger {
public:
    ledger() {
        current() = this;
    }

    /** UCX's functions have no argument that could lead to the ledger. */
    static ledger *&
    current() {
        static ledger *book = nullptr;
        return book;
    }

    static ucsStatus_t
    unpack(void *, const void *bytes, void **key) {
        ledger &book = *current();
        const std::lock_guard<std::mutex> lock(book.mutex);
        if (book.alive.size() >= book.refusesFrom) {
            return ucs_err_invalid_param;
        }
        const packedKey read(bytes);
        const auto *start = static_cast<const std::uint8_t *>(bytes);
        *key = reinterpret_cast<void *>(book.last += 16);
        book.alive[*key] = bytes_t(start, start + read.size());
        return ucs_ok;
    }

    static void
    destroy(void *key) {
        const std::lock_guard<std::mutex> lock(current()->mutex);
        EXPECT_EQ(current()->alive.erase(key), 1U);
    }

    static void *
    post(void *, const void *, std::size_t bytes, std::uint64_t, void *key, const void *) {
        ledger &book = *current();
        const std::lock_guard<std::mutex> lock(book.mutex);
        book.posted.emplace_back(key, bytes);
        return book.answer;
    }

    static void *
    get(void *endpoint,
        void *buffer,
        std::size_t bytes,
        std::uint64_t at,
        void *key,
        const void *p) {
        return post(endpoint, buffer, bytes, at, key, p);
    }

    /** Keeps the callback where completesLater. */
    static void *
    flush(void *, const void *params) {
        ledger &book = *current();
        const std::lock_guard<std::mutex> lock(book.mutex);
        if (!book.completesLater) {
            return nullptr;
        }
        void *request = reinterpret_cast<void *>(book.last += 16);
        book.flushes[request] = *static_cast<const requestParams *>(params);
        return request;
    }

    /** As UCX does it, that of a request which is under way drops its callback. */
    static void
    release(void *request) {
        ledger &book = *current();
        const std::lock_guard<std::mutex> lock(book.mutex);
        book.freed.push_back(request);
        if (const auto it = book.flushes.find(request); it != book.flushes.end()) {
            it->second.fields &= ~requestParams::has_callback;
        }
    }

    /** All flushes that are under way end. */
    void
    complete(ucsStatus_t status = ucs_ok) {
        for (const auto &[request, params] : std::exchange(flushes, {})) {
            if ((params.fields & requestParams::has_callback) != 0) {
                params.callback(request, status, params.userData);
            }
        }
    }

    std::mutex mutex;
    std::map<void *, bytes_t> alive;
    std::uintptr_t last = 1024;
    std::size_t refusesFrom = 1000000;
    std::vector<std::pair<void *, std::size_t>> posted;
    void *answer = nullptr;
    bool completesLater = false;
    std::map<void *, requestParams> flushes;
    std::vector<void *> freed;
    std::vector<rmaLane> lanes = {{5, "a:1"}, {6, "b:1"}, {7, "c:1"}, {63, "d:1"}};
};

/** Handles of a context, a worker, an endpoint and a key; never looked into. */
inline void *
handle(int number) {
    static std::uintptr_t things[64];
    return &things[number];
}

/** A path over the ledger. */
class PathTest : public ::testing::Test {
protected:
    static constexpr std::size_t kib = 1024;
    static constexpr std::size_t chunk = 8 * kib;

    std::unique_ptr<smallSpread>
    spreadStage() {
        smallSpread::calls calls;
        calls.unpack = &ledger::unpack;
        calls.destroy = &ledger::destroy;
        calls.keyConfigurations = key_configurations;
        calls.ownKey = [this] {
            ++own_asked;
            return own_key;
        };
        calls.say = [this](const std::string &reason) { said.push_back(reason); };
        return std::make_unique<smallSpread>(std::move(calls), chunk);
    }

    void
    openSpread() {
        operationPath::stages_t stages;
        stages.push_back(spreadStage());
        path.openContext(context, std::move(stages));
    }

    /** A context with one endpoint and one key to memory on four NICs. */
    void
    makeHandles() {
        path.workerMade(context, worker);
        path.endpointMade(worker, endpoint);
        path.keyMade(endpoint, bytes.data(), key);
    }

    void
    makeAll(bool registers_first = true) {
        openSpread();
        if (registers_first) {
            path.keyPacked(context, bytes.data(), bytes.size());
        }
        makeHandles();
    }

    /** Posts one buffer; the domains of the key that UCX got, 0: the whole key. */
    std::uint64_t
    post(std::size_t size, void *of = nullptr, void *with = nullptr) {
        const requestParams params;
        with = with == nullptr ? key : with;
        path.put(of == nullptr ? endpoint : of, nullptr, size, 0, with, &params);
        void *chosen = book.posted.back().first;
        return chosen == with ? 0 : packedKey(book.alive.at(chosen).data()).domains();
    }

    /** What @p count buffers of @p size bytes go to, by count. */
    std::map<std::uint64_t, int>
    domains(int count, std::size_t size) {
        std::map<std::uint64_t, int> found;
        for (int i = 0; i < count; ++i) {
            ++found[post(size)];
        }
        return found;
    }

    void *
    flush() {
        const requestParams nothing;
        return path.flush(endpoint, &nothing);
    }

    void *const context = handle(0);
    void *const worker = handle(1);
    void *const endpoint = handle(2);
    void *const key = handle(3);

    ledger book;
    bytes_t bytes = packed(fourNics());
    bytes_t own_key; /**< what UCX packs when it is asked; empty: it does not */
    int own_asked = 0;
    std::size_t key_configurations = keyBudget::of_old_ucx;
    std::vector<std::string> said;
    operationPath path{
        {&ledger::post, &ledger::get, &ledger::flush, &ledger::release, [this](const void *) {
             return book.lanes;
         }}};
};

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_PATH_FIXTURE_H
