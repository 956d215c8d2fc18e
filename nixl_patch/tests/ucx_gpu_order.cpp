// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// UCX 1.23: the GPU's place among those of the host decides which of equal NICs are taken.
#include "ucx/forecast.h"

#include <gtest/gtest.h>
#include <set>

namespace nixlStripe {
namespace {

    using names_t = std::set<std::string>;
    using order_t = std::vector<std::string>;

    /** NICs mlx5_0, mlx5_1, ... with these PCI addresses, all of them near the GPU. */
    laneEnd
    endOf(const order_t &addresses, const std::string &rails, std::optional<unsigned> ordinal) {
        laneEnd end;
        for (const std::string &pci : addresses) {
            lanePort each;
            each.device = "mlx5_" + std::to_string(end.ports.size()) + ":1";
            each.bandwidth = 12.2e9;
            each.pci = pci;
            end.ports.push_back(each);
        }
        end.settings = {{"MAX_RMA_RAILS", rails}};
        end.isGpuMemory = true;
        end.gpuOrdinal = ordinal;
        return end;
    }

    const order_t in_order = {"0000:10:00.0", "0000:20:00.0", "0000:30:00.0", "0000:40:00.0"};

    names_t
    taken(const laneEnd &end) {
        names_t names;
        for (const auto &lane : forecastLanes(end, end, rmaOp_t::WRITE).lanes) {
            names.insert(lane.device);
        }
        return names;
    }

    TEST(GpuOrder, withoutAPlaceTheFirstNicsAreTaken) {
        EXPECT_EQ(taken(endOf(in_order, "2", std::nullopt)), (names_t{"mlx5_0:1", "mlx5_1:1"}));
    }

    /** Each step takes the ordinal's place among what is left: 1 of 4, then 1 of 3. */
    TEST(GpuOrder, everyStepCountsAmongWhatIsLeft) {
        EXPECT_EQ(taken(endOf(in_order, "1", 1)), names_t{"mlx5_1:1"});
        EXPECT_EQ(taken(endOf(in_order, "2", 1)), (names_t{"mlx5_1:1", "mlx5_2:1"}));
        EXPECT_EQ(taken(endOf(in_order, "2", 3)), (names_t{"mlx5_3:1", "mlx5_0:1"}));
        EXPECT_EQ(taken(endOf(in_order, "1", 6)), names_t{"mlx5_2:1"});
    }

    TEST(GpuOrder, addressesCountAndNotNames) {
        const order_t reversed(in_order.rbegin(), in_order.rend());
        EXPECT_EQ(taken(endOf(reversed, "1", 0)), names_t{"mlx5_3:1"});
    }

    /** openucx/ucx 11680: two NICs near each GPU, and of each pair the same one is taken. */
    TEST(GpuOrder, eightRanksMayMeetOnFewNics) {
        names_t used;
        for (unsigned gpu = 0; gpu < 8; gpu += 2) {
            used.merge(taken(endOf({in_order[0], in_order[1]}, "1", gpu)));
        }
        EXPECT_EQ(used, names_t{"mlx5_0:1"});
    }

    TEST(GpuOrder, hostMemoryHasNoPlace) {
        laneEnd end = endOf(in_order, "1", 3);
        end.isGpuMemory = false;
        EXPECT_EQ(taken(end), names_t{"mlx5_0:1"});
    }

    TEST(GpuOrder, fasterNicsComeFirstWhateverThePlace) {
        laneEnd end = endOf(in_order, "2", 1);
        end.ports[3].bandwidth = 24.4e9;
        EXPECT_EQ(taken(end), (names_t{"mlx5_3:1", "mlx5_1:1"}));
    }

    TEST(GpuOrder, allRailsAreAllNics) {
        EXPECT_EQ(taken(endOf(in_order, "4", 2)).size(), 4U);
    }

    TEST(GpuOrder, oneDeviceOfEqualOnesIsChosenAlike) {
        laneEnd end = endOf(in_order, "4", 2);
        end.settings["SINGLE_NET_DEVICE"] = "y";
        EXPECT_EQ(taken(end), names_t{"mlx5_2:1"});
    }

} // namespace
} // namespace nixlStripe
