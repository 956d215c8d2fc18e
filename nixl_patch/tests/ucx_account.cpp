// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Which NIC the bytes of an operation are put down to. UCX itself is not needed to divide.
#include "path_fixture.h"
#include "ucx/account.h"

#include <cstdint>
#include <numeric>
#include <thread>

namespace nixlStripe::testing {
namespace {

    using parts_t = std::vector<std::size_t>;

    TEST(Division, isUcxsOwn) {
        constexpr std::size_t chunk = 8192;
        const std::vector<double> even(4, 1.0);
        EXPECT_EQ(dividedAsUcxDoes(1 << 20, even, chunk),
                  (parts_t{262144, 262144, 262144, 262144}));
        EXPECT_EQ(dividedAsUcxDoes(100, even, chunk), (parts_t{100, 0, 0, 0}));
        EXPECT_EQ(dividedAsUcxDoes(8192, even, chunk), (parts_t{2048, 6144, 0, 0}));
        EXPECT_EQ(dividedAsUcxDoes(1000, {3, 1}, 0), (parts_t{750, 250}));
        EXPECT_EQ(dividedAsUcxDoes(0, even, chunk), (parts_t{0, 0, 0, 0}));
    }

    TEST(Division, losesNoByte) {
        for (std::size_t bytes = 1; bytes < 200000; bytes += 977) {
            for (std::size_t lanes = 1; lanes <= 64; lanes += 7) {
                std::vector<double> weights(lanes, 1.0);
                weights.back() = 3;
                const parts_t parts = dividedAsUcxDoes(bytes, weights, 4096);
                EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), std::size_t{0}), bytes);
            }
        }
    }

    class Account : public PathTest {
    protected:
        /** @param spreads Whether small buffers take turns before they are put down. */
        void
        open(bool spreads = false, std::size_t rails = 4) {
            book_of_bytes = std::make_shared<account>(rates, chunk, rails);
            operationPath::stages_t stages;
            if (spreads) {
                stages.push_back(spreadStage());
            }
            stages.push_back(std::make_unique<accountStage>(book_of_bytes));
            path.openContext(context, std::move(stages));
            path.keyPacked(context, bytes.data(), bytes.size());
            makeHandles();
        }

        std::vector<std::uint64_t>
        out() const {
            std::vector<std::uint64_t> found;
            for (const auto &[device, its] : book_of_bytes->totals().nics) {
                found.push_back(its.out);
            }
            return found;
        }

        void
        get(std::size_t size) {
            const requestParams params;
            path.get(endpoint, nullptr, size, 0, key, &params);
        }

        using numbers_t = std::vector<std::uint64_t>;

        std::map<std::string, double> rates = {
            {"a:1", 100}, {"b:1", 100}, {"c:1", 100}, {"d:1", 100}};
        std::shared_ptr<account> book_of_bytes;
    };

    TEST_F(Account, largeBuffersAreDividedByDirection) {
        open();
        post(400 * kib);
        get(800 * kib);
        const accountTotals totals = book_of_bytes->totals();
        EXPECT_EQ(totals.nics.size(), 4U);
        for (const auto &[device, its] : totals.nics) {
            EXPECT_EQ(its.out, 100 * kib) << device;
            EXPECT_EQ(its.in, 200 * kib) << device;
        }
        EXPECT_EQ(totals.operations, 2U);
        EXPECT_EQ(totals.errors + totals.elsewhere.out + totals.elsewhere.in, 0U);
        path.keyGone(key);
    }

    TEST_F(Account, aNarrowedKeyIsPutDownToItsNic) {
        open(true);
        domains(100, 4 * kib);
        const numbers_t found = out();
        EXPECT_EQ(std::accumulate(found.begin(), found.end(), std::uint64_t{0}), 400 * kib);
        for (const std::uint64_t each : found) {
            EXPECT_NEAR(static_cast<double>(each), 100.0 * kib, 8.0 * kib);
        }
        path.keyGone(key);
    }

    TEST_F(Account, unspreadSmallBuffersGoToTheFirstNicBadFlow) {
        open(false);
        domains(100, kib);
        EXPECT_EQ(out(), (numbers_t{100 * kib, 0, 0, 0}));
        path.keyGone(key);
    }

    TEST_F(Account, ratesAreWeights) {
        rates["d:1"] = 300;
        open();
        post(600 * kib);
        EXPECT_EQ(out(), (numbers_t{100 * kib, 100 * kib, 100 * kib, 300 * kib}));
        rates["d:1"] = 0;
        path.closeContext(context);
        open();
        post(400 * kib);
        EXPECT_EQ(out(), numbers_t(4, 100 * kib)) << "one that is not known: even";
        path.keyGone(key);
    }

    TEST_F(Account, memoryThatOnlySomeNicsReach) {
        bytes = packed({{5, {5}}, {7, {7}}});
        open();
        post(400 * kib);
        EXPECT_EQ(out(), (numbers_t{200 * kib, 0, 200 * kib, 0}));
        path.keyGone(key);
    }

    TEST_F(Account, whatIsNoNicOrIsNotToldStandsElsewhere) {
        book.lanes = {{5, "memory"}};
        open();
        post(10);
        EXPECT_EQ(book_of_bytes->totals().elsewhere.out, 10U);
        path.workerGone(worker);
        book.lanes = {};
        open();
        get(7);
        EXPECT_EQ(book_of_bytes->totals().elsewhere.in, 7U);
        EXPECT_EQ(out(), (numbers_t{0, 0, 0, 0}));
        path.keyGone(key);
    }

    TEST_F(Account, whatUcxRefusesIsAnErrorAndNoBytesBadFlow) {
        open();
        book.answer = reinterpret_cast<void *>(std::intptr_t{ucs_err_no_device});
        post(400 * kib);
        EXPECT_EQ(book_of_bytes->totals().errors, 1U);
        EXPECT_EQ(book_of_bytes->totals().operations, 0U);
        EXPECT_EQ(out(), (numbers_t{0, 0, 0, 0}));
        path.keyGone(key);
    }

    TEST_F(Account, flushesThatFailAreErrors) {
        open();
        flush();
        book.completesLater = true;
        flush();
        flush();
        book.complete(ucs_err_no_device);
        const accountTotals totals = book_of_bytes->totals();
        EXPECT_EQ(totals.transfers, 1U);
        EXPECT_EQ(totals.errors, 2U);
        path.keyGone(key);
    }

    TEST_F(Account, peersWithFewerNicsThanRails) {
        open(false, 5);
        EXPECT_EQ(book_of_bytes->totals().peers, 0U) << "nothing was sent yet";
        post(1);
        EXPECT_EQ(book_of_bytes->totals().peers, 1U);
        EXPECT_EQ(book_of_bytes->totals().narrowPeers, 1U);
        path.keyGone(key);
        path.endpointGone(endpoint);
        EXPECT_EQ(book_of_bytes->totals().peers, 0U);
        EXPECT_EQ(book_of_bytes->totals().narrowPeers, 0U);
        open(false, 4);
        post(1);
        EXPECT_EQ(book_of_bytes->totals().narrowPeers, 0U);
        path.keyGone(key);
    }

    TEST_F(Account, threadsPostAtTheSameTime) {
        open();
        std::vector<std::thread> all;
        for (int thread = 0; thread < 4; ++thread) {
            all.emplace_back([&] {
                for (int i = 0; i < 1000; ++i) {
                    get(64 * kib);
                }
            });
        }
        for (std::thread &each : all) {
            each.join();
        }
        for (const auto &[device, its] : book_of_bytes->totals().nics) {
            EXPECT_EQ(its.in, std::uint64_t{4000} * 16 * kib) << device;
        }
        EXPECT_EQ(book_of_bytes->totals().peers, 1U);
        path.keyGone(key);
    }

} // namespace
} // namespace nixlStripe::testing
