// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// When "complete" is true: requests that are freed too early, flushes that do not wait, pieces.
#include "recovery/request_gate.h"
#include "ucx/request_params.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace nixlStripe {
namespace {

    /** A UCX that finishes a request when it is told to, and drops callbacks of freed ones. */
    class slowUcx {
    public:
        struct request {
            std::size_t bytes = 0;
            std::uint64_t address = 0;
            requestParams params;
            ucsStatus_t status = ucs_in_progress;
            bool isFreed = false;
        };

        slowUcx() {
            current() = this;
        }

        static slowUcx *&
        current() {
            static slowUcx *one = nullptr;
            return one;
        }

        static void *
        put(void *,
            const void *,
            std::size_t bytes,
            std::uint64_t address,
            void *,
            const void *params) {
            slowUcx &ucx = *current();
            const std::lock_guard<std::mutex> lock(ucx.mutex);
            ucx.sizes.push_back(bytes);
            if (ucx.answers != ucs_in_progress) {
                return reinterpret_cast<void *>(std::intptr_t{ucx.answers});
            }
            auto made = std::make_unique<request>();
            made->bytes = bytes;
            made->address = address;
            made->params = *static_cast<const requestParams *>(params);
            ucx.requests.push_back(std::move(made));
            return ucx.requests.back().get();
        }

        static void *
        get(void *endpoint,
            void *buffer,
            std::size_t bytes,
            std::uint64_t address,
            void *key,
            const void *params) {
            return put(endpoint, buffer, bytes, address, key, params);
        }

        static ucsStatus_t
        check(void *handle) {
            const std::lock_guard<std::mutex> lock(current()->mutex);
            return static_cast<request *>(handle)->status;
        }

        static void
        release(void *handle) {
            const std::lock_guard<std::mutex> lock(current()->mutex);
            auto *of = static_cast<request *>(handle);
            EXPECT_FALSE(of->isFreed) << "freed twice";
            of->isFreed = true;
            of->params.fields &= ~requestParams::has_callback;
        }

        /** UCX has finished the request. */
        void
        finish(void *handle, ucsStatus_t status = ucs_ok) {
            auto *of = static_cast<request *>(handle);
            requestParams params;
            {
                const std::lock_guard<std::mutex> lock(mutex);
                of->status = status;
                params = of->params;
            }
            if ((params.fields & requestParams::has_callback) != 0) {
                params.callback(of, status, params.userData);
            }
        }

        request *
        at(std::size_t index) {
            return requests.at(index).get();
        }

        std::size_t
        freed() {
            std::size_t count = 0;
            for (const auto &each : requests) {
                count += each->isFreed ? 1 : 0;
            }
            return count;
        }

        std::mutex mutex;
        std::vector<std::unique_ptr<request>> requests;
        std::vector<std::size_t> sizes;
        /** What put says at once; ucs_in_progress: a request. */
        ucsStatus_t answers = ucs_in_progress;
    };

    class Gate : public ::testing::Test {
    protected:
        static constexpr std::size_t piece = gatedRequests::piece_bytes;

        void *
        post(std::size_t bytes, std::uint32_t fields = 0) {
            requestParams params;
            params.fields = fields;
            return requests->carry({rmaKind_t::PUT, this, nullptr, bytes, 0, nullptr, &params});
        }

        /** UCX's own request of a flush, as the caller sees it. */
        void *
        flush() {
            ucx.requests.push_back(std::make_unique<slowUcx::request>());
            return requests->flushTaken(ucx.requests.back().get());
        }

        void
        TearDown() override {
            requests.reset();
            EXPECT_EQ(gate.size(), 0U);
        }

        slowUcx ucx;
        static std::chrono::steady_clock::time_point
        clock() {
            return std::chrono::steady_clock::time_point{std::chrono::hours{1}} + waited();
        }

        static std::chrono::milliseconds &
        waited() {
            static std::chrono::milliseconds since_start{0};
            return since_start;
        }

        requestGate gate{
            {&slowUcx::check, &slowUcx::release, &slowUcx::put, &slowUcx::get, &clock}};
        std::unique_ptr<gatedRequests> requests = std::make_unique<gatedRequests>(gate);
    };

    TEST_F(Gate, aFlushIsCompleteWhenEveryRequestIsAlsoThoseThatWereFreed) {
        void *first = post(100);
        gate.release(first); // as NIXL does
        void *last = post(100);
        void *flushed = flush();
        EXPECT_EQ(ucx.freed(), 0U) << "UCX would forget its callback";
        ucx.finish(last);
        EXPECT_EQ(gate.check(last), ucs_ok);
        ucx.finish(flushed);
        EXPECT_EQ(gate.check(flushed), ucs_in_progress) << "the first is sent again";
        ucx.finish(first);
        EXPECT_EQ(gate.check(flushed), ucs_ok);
        gate.release(last);
        gate.release(flushed);
        EXPECT_EQ(ucx.freed(), 3U);
    }

    TEST_F(Gate, aFlushThatUcxLosesIsCompleteALittleAfterWhatItWaitedFor) {
        gate.release(post(100));
        void *flushed = flush();
        waited() += 10 * requestGate::lost_flush_after;
        EXPECT_EQ(gate.check(flushed), ucs_in_progress) << "a request is under way";
        ucx.finish(ucx.at(0));
        EXPECT_EQ(gate.check(flushed), ucs_in_progress) << "UCX is about to end it";
        waited() += requestGate::lost_flush_after - std::chrono::milliseconds{1};
        EXPECT_EQ(gate.check(flushed), ucs_in_progress);
        waited() += std::chrono::milliseconds{1};
        EXPECT_EQ(gate.check(flushed), ucs_ok);
        gate.release(flushed);
        EXPECT_EQ(ucx.freed(), 2U);
    }

    TEST_F(Gate, aFlushThatUcxLosesEndsWithTheErrorOfWhatItWaitedFor) {
        gate.release(post(100));
        void *flushed = flush();
        ucx.finish(ucx.at(0), ucs_err_no_device);
        EXPECT_EQ(gate.check(flushed), ucs_in_progress);
        waited() += requestGate::lost_flush_after;
        EXPECT_EQ(gate.check(flushed), ucs_err_no_device);
        gate.release(flushed);
    }

    TEST_F(Gate, aRequestIsNeverTakenForALostFlushBadFlow) {
        void *first = post(100);
        gate.release(first);
        void *flushed = requests->flushTaken(nullptr);
        EXPECT_EQ(flushed, first) << "it stands for the flush, and for itself";
        void *kept = post(100);
        for (int look = 0; look < 3; ++look) {
            EXPECT_EQ(gate.check(flushed), ucs_in_progress);
            EXPECT_EQ(gate.check(kept), ucs_in_progress);
            waited() += requestGate::lost_flush_after;
        }
        ucx.finish(first);
        ucx.finish(kept);
        EXPECT_EQ(gate.check(flushed), ucs_ok);
        gate.release(flushed);
        gate.release(kept);
    }

    TEST_F(Gate, withoutItTheFlushIsBelievedBadFlow) {
        const requestParams params;
        void *first = slowUcx::put(nullptr, nullptr, 100, 0, nullptr, &params);
        slowUcx::release(first);
        ucx.requests.push_back(std::make_unique<slowUcx::request>());
        ucx.finish(ucx.at(1));
        EXPECT_EQ(slowUcx::check(ucx.at(1)), ucs_ok) << "and the first is still under way";
        EXPECT_EQ(ucx.at(0)->status, ucs_in_progress);
    }

    TEST_F(Gate, whatIsPostedAfterAFlushIsNotWaitedFor) {
        gate.release(post(100));
        void *flushed = flush();
        gate.release(post(100));
        ucx.finish(flushed);
        ucx.finish(ucx.at(0));
        EXPECT_EQ(gate.check(flushed), ucs_ok);
        gate.release(flushed);
        ucx.finish(ucx.at(2));
    }

    TEST_F(Gate, aLaterFlushWaitsForAnEarlierBatch) {
        gate.release(post(100));
        void *one = flush();
        gate.release(post(100));
        void *two = flush();
        for (void *each : {one, two, static_cast<void *>(ucx.at(2))}) {
            ucx.finish(each);
        }
        EXPECT_EQ(gate.check(two), ucs_in_progress);
        ucx.finish(ucx.at(0));
        EXPECT_EQ(gate.check(two), ucs_ok);
        gate.release(one);
        gate.release(two);
    }

    TEST_F(Gate, aFlushThatHasNothingToDoWaitsAllTheSame) {
        void *first = post(100);
        gate.release(first);
        void *kept = post(100);
        void *flushed = requests->flushTaken(nullptr);
        EXPECT_EQ(flushed, first) << "what the caller had freed stands for the flush";
        ucx.finish(first);
        EXPECT_EQ(gate.check(flushed), ucs_in_progress) << "the other one too";
        ucx.finish(kept);
        EXPECT_EQ(gate.check(flushed), ucs_ok);
        gate.release(flushed);
        gate.release(kept);
        EXPECT_EQ(ucx.freed(), 2U);
        EXPECT_EQ(requests->flushTaken(nullptr), nullptr) << "nothing is under way";
    }

    TEST_F(Gate, anErrorOfAFreedRequestIsTheFlushs) {
        gate.release(post(100));
        void *flushed = flush();
        ucx.finish(flushed);
        ucx.finish(ucx.at(0), ucs_err_no_device);
        EXPECT_EQ(gate.check(flushed), ucs_err_no_device);
        gate.release(flushed);
        EXPECT_EQ(requests->flushTaken(nullptr), nullptr) << "and no later one's";
    }

    TEST_F(Gate, aLargeOperationIsPostedInPiecesAndCompleteWithTheLast) {
        void *whole = post(2 * piece + 5);
        EXPECT_EQ(ucx.sizes, (std::vector<std::size_t>{piece, piece, 5}));
        EXPECT_EQ(ucx.at(1)->address, piece);
        EXPECT_EQ(whole, ucx.at(2));
        ucx.finish(whole);
        EXPECT_EQ(gate.check(whole), ucs_in_progress);
        ucx.finish(ucx.at(0));
        ucx.finish(ucx.at(1));
        EXPECT_EQ(gate.check(whole), ucs_ok);
        gate.release(whole);
        EXPECT_EQ(ucx.freed(), 3U);
    }

    TEST_F(Gate, aPieceThatFailsFailsTheWhole) {
        void *whole = post(2 * piece);
        ucx.finish(ucx.at(0), ucs_err_no_device);
        ucx.finish(whole);
        EXPECT_EQ(gate.check(whole), ucs_err_no_device);
        gate.release(whole);
    }

    TEST_F(Gate, whatIsDoneAtOnceIsPassedOn) {
        ucx.answers = ucs_ok;
        EXPECT_EQ(post(3 * piece), nullptr);
        EXPECT_EQ(ucx.sizes.size(), 3U);
        ucx.answers = ucs_err_no_device;
        EXPECT_TRUE(isError(post(3 * piece)));
        EXPECT_EQ(ucx.sizes.size(), 4U) << "nothing is posted after an error";
        EXPECT_TRUE(isError(requests->flushTaken(nullptr))) << "the flush says it too";
        EXPECT_EQ(requests->flushTaken(nullptr), nullptr);
    }

    TEST_F(Gate, whoCountsElementsKeepsOneRequest) {
        void *one = post(3 * piece, requestParams::has_datatype);
        EXPECT_EQ(ucx.sizes.size(), 1U);
        ucx.finish(one);
        gate.release(one);
    }

    TEST_F(Gate, requestsOfOthersAreUcxsOwnBusiness) {
        ucx.requests.push_back(std::make_unique<slowUcx::request>());
        EXPECT_EQ(gate.check(ucx.at(0)), ucs_in_progress);
        gate.release(ucx.at(0));
        EXPECT_EQ(ucx.freed(), 1U);
    }

    TEST_F(Gate, aRequestMayOutliveItsEndpoint) {
        gate.release(post(100));
        requests.reset();
        ucx.finish(ucx.at(0), ucs_err_no_device);
        EXPECT_EQ(ucx.freed(), 1U);
    }

    /** For a sanitizer: one thread posts and frees, one makes progress, one looks. */
    TEST_F(Gate, threadsPostFinishAndLook) {
        constexpr std::size_t rounds = 100;
        constexpr std::size_t operations = 8;
        std::atomic<std::size_t> posted{0};
        std::atomic<bool> is_over{false};
        std::thread progress([&] {
            std::size_t done = 0;
            while (!is_over || done < posted) {
                if (done == posted) {
                    std::this_thread::yield();
                    continue;
                }
                slowUcx::request *next = nullptr;
                {
                    const std::lock_guard<std::mutex> lock(ucx.mutex);
                    next = ucx.at(done++);
                }
                ucx.finish(next);
            }
        });
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < operations; ++i) {
                gate.release(post(100));
                ++posted;
            }
            void *flushed = nullptr;
            {
                const std::lock_guard<std::mutex> lock(ucx.mutex);
                ucx.requests.push_back(std::make_unique<slowUcx::request>());
                flushed = ucx.requests.back().get();
            }
            flushed = requests->flushTaken(flushed);
            ++posted;
            while (gate.check(flushed) == ucs_in_progress) {
                std::this_thread::yield();
            }
            EXPECT_EQ(gate.check(flushed), ucs_ok);
            for (std::size_t i = 0; i < (round + 1) * (operations + 1); ++i) {
                const std::lock_guard<std::mutex> lock(ucx.mutex);
                ASSERT_EQ(ucx.at(i)->status, ucs_ok) << "DONE before it was true";
            }
            gate.release(flushed);
        }
        is_over = true;
        progress.join();
        EXPECT_EQ(ucx.freed(), rounds * (operations + 1));
    }

} // namespace
} // namespace nixlStripe
