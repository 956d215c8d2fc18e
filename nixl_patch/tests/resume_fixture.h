// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_RESUME_FIXTURE_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_RESUME_FIXTURE_H

#include "fake_engine.h"
#include "fake_witness.h"
#include "recovery/resume_engine.h"

#include <atomic>
#include <gtest/gtest.h>
#include <numeric>
#include <stdexcept>

namespace nixlStripe::testing {

/** An agent "me" with an engine that resumes, used as NIXL does: through the engine's table. */
class ResumeTest : public ::testing::Test {
protected:
    static constexpr std::size_t mib = std::size_t{1} << 20;
    static constexpr std::size_t first_slot = 1; // one is unknown

    ResumeTest()
        : source(12 * mib)
        , target(12 * mib) {
        std::iota(source.begin(), source.end(), 1);
    }

    void
    start() {
        resumeWish wish;
        wish.engine = &engine;
        wish.agent = "me";
        wish.nics = engine.nics;
        wish.maker = maker;
        wish.say = [this](const std::string &text) {
            const std::lock_guard<std::mutex> lock(world.mutex_of_said);
            said.push_back(text);
        };
        wish.losses = losses;
        resuming = std::make_unique<resumeEngine>(
            std::move(wish), symbols, std::make_unique<fakeWitness>(seen));
        meet("you");
        const int dram = abi::memory_dram;
        ASSERT_EQ(virtualOf<abi::register_t>("registerMem")(
                      &engine, blob(source, ""), dram, source_metadata),
                  0);
        ASSERT_EQ(virtualOf<abi::loadRemote_t>("loadRemoteMD")(
                      &engine, blob(target, "key"), dram, "you", target_metadata),
                  0);
    }

    void
    meet(const std::string &peer) {
        ASSERT_EQ(
            virtualOf<abi::names_t>("loadRemoteConnInfo")(&engine, peer, "address of " + peer), 0);
    }

    /** What a caller of the virtual function reaches. */
    template <typename function_t>
    function_t
    virtualOf(const std::string &member) const {
        std::size_t slot = first_slot;
        for (const auto &item : fakeSymbols::exported()) {
            if (item.first.find(member) != std::string::npos &&
                (member != "registerMem" || item.first.find("deregister") == std::string::npos)) {
                return reinterpret_cast<function_t>(engine.table[slot]);
            }
            ++slot;
        }
        throw std::logic_error(member);
    }

    static abi::blobDesc
    blob(const std::vector<unsigned char> &memory, const std::string &text) {
        return {reinterpret_cast<std::uintptr_t>(memory.data()), memory.size(), 0, text};
    }

    static abi::metaList
    list(const std::vector<unsigned char> &memory, void *metadata, std::size_t bytes) {
        static int table = 0;
        return {&table,
                abi::memory_dram,
                {{reinterpret_cast<std::uintptr_t>(memory.data()), bytes, 0, metadata}}};
    }

    void *
    prepare(int op = abi::op_write, std::size_t bytes = 12 * mib) {
        void *handle = nullptr;
        EXPECT_EQ(virtualOf<abi::transfer_t>("prepXfer")(&engine,
                                                         op,
                                                         list(source, source_metadata, bytes),
                                                         list(target, target_metadata, bytes),
                                                         "you",
                                                         handle,
                                                         nullptr),
                  0);
        return handle;
    }

    int
    post(void *&handle, const std::string &notification = "", int op = abi::op_write) {
        abi::optionalArgs args = {notification, !notification.empty(), ""};
        return virtualOf<abi::transfer_t>("postXfer")(&engine,
                                                      op,
                                                      list(source, source_metadata, 1),
                                                      list(target, target_metadata, 1),
                                                      "you",
                                                      handle,
                                                      &args);
    }

    /** @return A transfer of 4 KiB that a backend brought which has just begun and lost a NIC. */
    void *
    resumedWithout(const std::string &nic) {
        start();
        void *handle = prepare(abi::op_write, 4096);
        lose(nic);
        static_cast<void>(post(handle));
        EXPECT_EQ(wait(handle), abi::status_done);
        return handle;
    }

    /** @return A transfer that is under way, of a backend that has just begun. */
    void *
    underWay() {
        start();
        void *handle = prepare();
        world.looks = 1;
        EXPECT_EQ(post(handle), abi::status_in_progress);
        return handle;
    }

    int
    check(void *handle) {
        return virtualOf<abi::one_t>("checkXfer")(&engine, handle);
    }

    void
    release(void *handle) {
        EXPECT_EQ(virtualOf<abi::one_t>("releaseReqH")(&engine, handle), 0);
    }

    void
    lose(const std::string &nic, const std::string &evidence = nicEvidence::no_answer) {
        world.dead.insert(nic);
        if (!evidence.empty()) {
            seen->lost[nic] = evidence;
        }
    }

    /** Checks until it is over; the clock goes on. */
    int
    wait(void *handle) {
        int status = abi::status_in_progress;
        for (int i = 0; i < 100'000 && status == abi::status_in_progress; ++i) {
            status = check(handle);
        }
        return status;
    }

    struct saidWorld : fakeWorld {
        std::mutex mutex_of_said;
    };

    saidWorld world;
    std::shared_ptr<fakeWitness::seen> seen = std::make_shared<fakeWitness::seen>();
    fakeSymbols symbols;
    fakeEngine engine{{"n0", "n1", "n2", "n3"}};
    engineMaker maker = {[](const names_t &nics) -> void * { return new fakeEngine(nics); },
                         [](void *spare) { delete static_cast<fakeEngine *>(spare); }};
    names_t said;
    std::shared_ptr<lossBook> losses = std::make_shared<lossBook>(names_t{"n0"});
    std::unique_ptr<resumeEngine> resuming;
    std::vector<unsigned char> source;
    std::vector<unsigned char> target;
    void *source_metadata = nullptr;
    void *target_metadata = nullptr;

    void
    TearDown() override {
        if (resuming == nullptr) {
            return;
        }
        virtualOf<abi::one_t>("deregisterMem")(&engine, source_metadata);
        virtualOf<abi::one_t>("unloadMD")(&engine, target_metadata);
        resuming.reset();
        EXPECT_EQ(world.engines.size(), 1U) << "spares are gone";
        EXPECT_TRUE(world.handles.empty());
        EXPECT_TRUE(world.metadata.empty());
        EXPECT_EQ(seen->busy, 0);
    }
};

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_RESUME_FIXTURE_H
