// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// What stages are told, and when; handles that come and go while other threads post.
#include "path_fixture.h"

#include <atomic>
#include <thread>

namespace nixlStripe::testing {
namespace {

    /** Writes down what it is told. */
    class noting : public contextStage {
    public:
        using notes_t = std::vector<std::string>;

        noting(std::string name, notes_t &notes)
            : name_(std::move(name))
            , notes_(notes) {}

        std::unique_ptr<endpointStage>
        attach(const std::shared_ptr<rmaEndpoint> &) override {
            return std::make_unique<part>(name_, notes_);
        }

        void
        workerGone(const void *) noexcept override {
            notes_.push_back(name_ + " worker gone");
        }

    private:
        class part : public endpointStage {
        public:
            part(std::string name, notes_t &notes)
                : name_(std::move(name))
                , notes_(notes) {}

            ~part() override {
                note("ends");
            }

            void
            keyMade(const void *, void *) noexcept override {
                note("key made");
            }

            void
            keyGone(const void *) noexcept override {
                note("key gone");
            }

            void
            keyLost(const void *) noexcept override {
                note("key lost");
            }

            void
            begin(rmaOperation &operation) noexcept override {
                note((operation.kind == rmaKind_t::PUT ? "put " : "get ") +
                     std::to_string(operation.bytes));
            }

            bool
            wantsAnswers() const override {
                return name_ == "b";
            }

            void
            taken(const rmaOperation &, const void *answer) noexcept override {
                note(isError(answer) ? "refused" : isRequest(answer) ? "under way" : "done");
            }

            void
            flushBegins() noexcept override {
                note("flush begins");
            }

            void
            flushEnds(bool is_good) noexcept override {
                note(is_good ? "flush ends" : "flush fails");
            }

        private:
            void
            note(const std::string &what) {
                notes_.push_back(name_ + " " + what);
            }

            std::string name_;
            notes_t &notes_;
        };

        std::string name_;
        notes_t &notes_;
    };

    class OperationPath : public PathTest {
    protected:
        void
        TearDown() override {
            path.workerGone(worker); // stages write into the notes to their end
        }

        /** Open with stages a and b. */
        void
        open() {
            operationPath::stages_t stages;
            stages.push_back(std::make_unique<noting>("a", notes));
            stages.push_back(std::make_unique<noting>("b", notes));
            path.openContext(context, std::move(stages));
            makeHandles();
        }

        noting::notes_t
        taken() {
            return std::exchange(notes, {});
        }

        noting::notes_t notes;
    };

    const noting::notes_t all_goes_with_its_worker = {
        "a key lost", "b key lost", "a ends", "b ends", "a worker gone", "b worker gone"};

    TEST_F(OperationPath, stagesSeeOperationsInOrder) {
        open();
        EXPECT_EQ(taken(), (noting::notes_t{"a key made", "b key made"}));
        const requestParams params;
        EXPECT_EQ(path.put(endpoint, nullptr, 7, 0, key, &params), nullptr);
        EXPECT_EQ(taken(), (noting::notes_t{"a put 7", "b put 7", "b done"}));
        book.answer = &book;
        EXPECT_EQ(path.get(endpoint, nullptr, 8, 0, key, &params), &book);
        EXPECT_EQ(taken(), (noting::notes_t{"a get 8", "b get 8", "b under way"}));
        book.answer = reinterpret_cast<void *>(std::intptr_t{ucs_err_no_device});
        path.put(endpoint, nullptr, 9, 0, key, &params);
        EXPECT_EQ(taken(), (noting::notes_t{"a put 9", "b put 9", "b refused"}));
        path.keyGone(key);
        EXPECT_EQ(taken(), (noting::notes_t{"a key gone", "b key gone"}));
        path.endpointGone(endpoint);
        EXPECT_EQ(taken(), (noting::notes_t{"a ends", "b ends"}));
    }

    TEST_F(OperationPath, aFlushEndsWhenUcxSaysSoEvenAfterItsEndpoint) {
        open();
        taken();
        flush();
        EXPECT_EQ(
            taken(),
            (noting::notes_t{"a flush begins", "b flush begins", "a flush ends", "b flush ends"}));
        book.completesLater = true;
        flush();
        path.keyGone(key);
        path.endpointGone(endpoint);
        EXPECT_EQ(
            taken(),
            (noting::notes_t{"a flush begins", "b flush begins", "a key gone", "b key gone"}));
        book.complete();
        EXPECT_EQ(taken(), (noting::notes_t{"a flush ends", "b flush ends", "a ends", "b ends"}));
    }

    /** NIXL frees the requests of a transfer that is released while it is under way. */
    TEST_F(OperationPath, aFlushThatIsFreedTooEarlyStillEnds) {
        open();
        taken();
        book.completesLater = true;
        void *request = flush();
        taken();
        path.release(request);
        EXPECT_TRUE(book.freed.empty()) << "UCX would forget to say when it ends";
        path.keyGone(key);
        path.endpointGone(endpoint);
        taken();
        book.complete();
        EXPECT_EQ(taken(), (noting::notes_t{"a flush ends", "b flush ends", "a ends", "b ends"}));
        EXPECT_EQ(book.freed, (std::vector<void *>{request}));
    }

    TEST_F(OperationPath, aFlushThatHasEndedIsFreedAtOnce) {
        open();
        book.completesLater = true;
        void *request = flush();
        book.complete(ucs_err_no_device);
        EXPECT_EQ(notes.back(), "b flush fails");
        EXPECT_TRUE(book.freed.empty());
        path.release(request);
        EXPECT_EQ(book.freed, (std::vector<void *>{request}));
        path.release(request); // as a request that UCX has handed out again, of something else
        EXPECT_EQ(book.freed, (std::vector<void *>{request, request}));
    }

    TEST_F(OperationPath, aWorkersEndTakesFreedFlushesAlong) {
        open();
        book.completesLater = true;
        path.release(flush());
        flush();
        taken();
        path.workerGone(worker);
        EXPECT_EQ(taken(), all_goes_with_its_worker);
        EXPECT_TRUE(book.freed.empty());
        book.flushes.clear(); // UCX ends none of them any more
    }

    /** For a sanitizer: one thread frees what another ends. */
    TEST_F(OperationPath, flushesEndWhileTheyAreFreed) {
        openSpread();
        makeHandles();
        book.completesLater = true;
        std::atomic<bool> is_over{false};
        std::thread progress([&] {
            while (!is_over) {
                decltype(book.flushes) ending;
                {
                    const std::lock_guard<std::mutex> lock(book.mutex);
                    ending.swap(book.flushes);
                }
                for (const auto &[request, params] : ending) {
                    if ((params.fields & requestParams::has_callback) != 0) {
                        params.callback(request, ucs_ok, params.userData);
                    }
                }
            }
        });
        constexpr std::size_t rounds = 2000;
        for (std::size_t round = 0; round < rounds; ++round) {
            path.release(flush());
        }
        for (bool all = false; !all;) {
            const std::lock_guard<std::mutex> lock(book.mutex);
            all = book.freed.size() == rounds;
        }
        is_over = true;
        progress.join();
        path.keyGone(key);
    }

    TEST_F(OperationPath, aKeyMayOutliveItsEndpoint) {
        open();
        path.endpointGone(endpoint);
        taken();
        path.keyGone(key);
        EXPECT_EQ(taken(), (noting::notes_t{"a key gone", "b key gone", "a ends", "b ends"}));
    }

    TEST_F(OperationPath, aWorkersEndTakesAllOfItsAlong) {
        open();
        taken();
        path.workerGone(worker);
        EXPECT_EQ(taken(), all_goes_with_its_worker);
        post(1);
        path.keyGone(key);
        EXPECT_TRUE(taken().empty());
    }

    TEST_F(OperationPath, whatDidNotAskIsNotTold) {
        open();
        path.workerMade(handle(10), handle(11));
        path.endpointMade(handle(11), handle(12));
        path.keyMade(handle(12), bytes.data(), handle(13));
        path.keyPacked(handle(10), bytes.data(), bytes.size());
        taken();
        post(1, handle(12), handle(13));
        path.keyGone(handle(13));
        path.endpointGone(handle(12));
        path.workerGone(handle(11));
        EXPECT_FALSE(path.closeContext(handle(10)));
        EXPECT_TRUE(taken().empty());
        path.keyGone(key);
    }

    TEST_F(OperationPath, addressesMayComeAgain) {
        open();
        taken();
        path.keyMade(endpoint, bytes.data(), key);
        EXPECT_EQ(taken(),
                  (noting::notes_t{"a key lost", "b key lost", "a key made", "b key made"}));
        path.endpointMade(worker, endpoint);
        path.keyMade(endpoint, bytes.data(), key);
        EXPECT_EQ(taken(),
                  (noting::notes_t{
                      "a key lost", "b key lost", "a ends", "b ends", "a key made", "b key made"}));
        path.keyGone(key);
        EXPECT_TRUE(path.closeContext(context));
        path.workerMade(context, worker);
        path.endpointMade(worker, endpoint);
        taken();
        path.keyMade(endpoint, bytes.data(), key);
        post(1);
        EXPECT_TRUE(taken().empty()) << "a new context that asks for nothing";
    }

    /** For a sanitizer: agents come and go on some threads while others post. */
    TEST_F(OperationPath, threadsPostWhileOthersConnectAndLeave) {
        makeAll();
        constexpr int threads = 4;
        constexpr int rounds = 60;
        std::vector<std::thread> all;
        std::atomic<long> narrowed{0};
        for (int thread = 0; thread < threads; ++thread) {
            all.emplace_back([&] {
                const requestParams params;
                std::vector<std::uintptr_t> own(8);
                void *its_context = &own[0];
                void *its_worker = &own[1];
                void *its_endpoint = &own[2];
                for (int round = 0; round < rounds; ++round) {
                    operationPath::stages_t stages;
                    stages.push_back(spreadStage());
                    path.openContext(its_context, std::move(stages));
                    path.keyPacked(its_context, bytes.data(), bytes.size());
                    path.workerMade(its_context, its_worker);
                    path.endpointMade(its_worker, its_endpoint);
                    for (int key_number = 3; key_number < 8; ++key_number) {
                        path.keyMade(its_endpoint, bytes.data(), &own[key_number]);
                    }
                    for (int i = 0; i < 40; ++i) {
                        path.put(its_endpoint, nullptr, 4 * kib, 0, &own[3 + i % 5], &params);
                        path.get(endpoint, nullptr, 4 * kib, 0, key, &params);
                        if (i % 10 == 9) {
                            path.flush(its_endpoint, &params);
                            path.flush(endpoint, &params);
                        }
                    }
                    for (int key_number = 3; key_number < 8; ++key_number) {
                        path.keyGone(&own[key_number]);
                    }
                    path.endpointGone(its_endpoint);
                    path.workerGone(its_worker);
                    path.closeContext(its_context);
                }
            });
        }
        for (std::thread &each : all) {
            each.join();
        }
        for (const auto &[used, size] : book.posted) {
            narrowed += used == key ? 0 : 1;
        }
        EXPECT_EQ(book.posted.size(), std::size_t{threads} * rounds * 40 * 2);
        EXPECT_GT(narrowed, threads * rounds * 40 / 2);
        path.keyGone(key);
        EXPECT_TRUE(book.alive.empty());
    }

} // namespace
} // namespace nixlStripe::testing
