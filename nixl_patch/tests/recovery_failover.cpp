// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// What UCX is asked for instead of NIXL's wish: the mode of endpoints, keys without a device.
#include "packed_bytes.h"
#include "path_fixture.h"
#include "recovery/endpoint_params.h"
#include "recovery/failover_stage.h"

#include <cstring>

namespace nixlStripe::testing {
namespace {

    class Failover : public PathTest {
    protected:
        Failover() {
            operationPath::stages_t stages;
            stages.push_back(std::make_unique<failoverStage>(
                nullptr, [this](const std::string &reason) { said.push_back(reason); }));
            path.openContext(context, std::move(stages));
            path.workerMade(context, worker);
            path.endpointMade(worker, endpoint);
        }

        /** What UCX is given where NIXL gives @p params; a mode of 0: the endpoint is refused. */
        endpointParams
        asked(const endpointParams &params, const void *of) {
            std::vector<std::uint8_t> room;
            const void *given = path.endpointAsked(of, &params, room);
            endpointParams found;
            if (given != nullptr) {
                std::memcpy(&found, given, sizeof found);
            }
            return found;
        }

        static endpointParams
        nixls() {
            endpointParams params;
            params.fields = endpointParams::known;
            params.address = &params;
            params.errorMode = endpointParams::peer;
            params.errorArgument = &params;
            return params;
        }
    };

    TEST_F(Failover, endpointsAreAskedForWithItsModeAndAllElseAsNixlSaid) {
        const endpointParams given = nixls();
        const endpointParams found = asked(given, worker);
        EXPECT_EQ(found.errorMode, endpointParams::failover);
        EXPECT_EQ(found.fields, given.fields);
        EXPECT_EQ(found.address, given.address);
        EXPECT_EQ(found.errorArgument, given.errorArgument);
        EXPECT_EQ(given.errorMode, endpointParams::peer) << "the caller's own is not written to";
    }

    TEST_F(Failover, contextsThatDidNotAskKeepTheirs) {
        const endpointParams given = nixls();
        std::vector<std::uint8_t> room;
        EXPECT_EQ(path.endpointAsked(handle(20), &given, room), &given);
        EXPECT_EQ(path.keyAsked(handle(20), bytes.data(), room), bytes.data());
        EXPECT_TRUE(room.empty());
    }

    TEST_F(Failover, otherWishesAreRefusedNotHalfMetBadFlow) {
        endpointParams given = nixls();
        given.errorMode = 0;
        EXPECT_EQ(asked(given, worker).fields, 0U);
        given = nixls();
        given.fields |= 1U << 4; // a socket address: behind what is known here
        EXPECT_EQ(asked(given, worker).fields, 0U);
        given = nixls();
        given.fields &= ~endpointParams::has_error_mode;
        EXPECT_EQ(asked(given, worker).fields, 0U);
        EXPECT_EQ(said.size(), 3U);
    }

    TEST_F(Failover, keysLoseTheirDeviceAndNothingElse) {
        bytes_t with_device = bytes;
        const std::size_t size = packedKey(bytes.data()).size();
        with_device[size] = 3;
        std::vector<std::uint8_t> room;
        const void *given = path.keyAsked(endpoint, with_device.data(), room);
        ASSERT_NE(given, with_device.data());
        ASSERT_EQ(room.size(), size + 1);
        EXPECT_TRUE(std::equal(room.begin(), room.end() - 1, bytes.begin()));
        EXPECT_EQ(room.back(), 0xff);
        EXPECT_EQ(with_device[size], 3) << "the caller's own is not written to";
    }

    TEST(FailoverProblem, olderUcxAndUnknownKeysAreRefusedBadFlow) {
        const bytes_t key = packed(fourNics());
        EXPECT_EQ(failoverStage::problem("1.22.0", key), "");
        EXPECT_EQ(failoverStage::problem("1.23.1", key), "");
        EXPECT_EQ(failoverStage::problem("2.0", key), "");
        for (const char *old : {"1.21.0", "1.9.0", "0.30", ""}) {
            EXPECT_NE(failoverStage::problem(old, key).find("cannot fail over"), std::string::npos)
                << old;
        }
        bytes_t longer = key;
        longer.resize(key.size() + 2000);
        for (const bytes_t &strange : {bytes_t{}, bytes_t{1, 2}, longer}) {
            EXPECT_NE(failoverStage::problem("1.23.0", strange).find("unknown form"),
                      std::string::npos);
        }
    }

} // namespace
} // namespace nixlStripe::testing
