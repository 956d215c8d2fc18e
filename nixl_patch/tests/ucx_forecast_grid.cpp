// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file ucx_forecast_grid.cpp
 * @brief The forecast against bytes that NICs counted: tests/data/forecast.tsv, written by
 *        `scripts/forecast-grid` beside docs/results/forecast.json.
 */
#include "ucx/forecast.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace nixlStripe {
namespace {

    constexpr double used = 0.01;

    std::vector<std::string>
    split(const std::string &text, char separator) {
        std::vector<std::string> parts;
        std::istringstream stream(text);
        for (std::string part; std::getline(stream, part, separator);) {
            parts.push_back(part);
        }
        return parts;
    }

    std::map<std::string, std::string>
    pairsOf(const std::string &text) {
        std::map<std::string, std::string> pairs;
        for (const std::string &each : split(text, ' ')) {
            const std::size_t equals = each.find('=');
            pairs[each.substr(0, equals)] = each.substr(equals + 1);
        }
        return pairs;
    }

    std::vector<lanePort>
    portsOf(const std::string &text) {
        std::vector<lanePort> ports;
        for (const std::string &each : split(text, ' ')) {
            const auto fields = split(each, '|');
            lanePort made;
            made.device = fields.at(0);
            made.isRdma = fields.at(1) == "1";
            made.bandwidth = std::stod(fields.at(2));
            made.path = {distanceOfWord(fields.at(3)),
                         static_cast<unsigned>(std::stoul(fields.at(4)))};
            made.subnets.assign(fields.begin() + 5, fields.end());
            ports.push_back(made);
        }
        return ports;
    }

    laneEnd
    endOf(const std::string &flags,
          const std::string &settings,
          const std::vector<lanePort> &ports) {
        laneEnd end;
        end.isGpuMemory = flags.find('g') != std::string::npos;
        end.hasContext = flags.find('c') != std::string::npos;
        end.settings = pairsOf(settings);
        end.ports = ports;
        return end;
    }

    TEST(ForecastGrid, names_the_nics_that_carried_data) {
        std::ifstream file(TEST_DATA "/forecast.tsv");
        ASSERT_TRUE(file.is_open());
        unsigned cases = 0;
        unsigned right = 0;
        std::string misses;
        std::map<std::string, std::vector<lanePort>> ports;
        for (std::string line; std::getline(file, line);) {
            const auto fields = split(line, '\t');
            if (fields.size() == 2) {
                ports[fields[0]] = portsOf(fields[1]);
                continue;
            }
            ASSERT_EQ(fields.size(), 10U) << line;
            ++cases;
            const laneForecast found =
                forecastLanes(endOf(fields[4], fields[5], ports.at(fields[6])),
                              endOf(fields[7], fields[8], ports.at(fields[9])),
                              fields[1] == "read" ? rmaOp_t::READ : rmaOp_t::WRITE,
                              std::stoull(fields[2]));
            std::set<std::string> said;
            for (const auto &lane : found.lanes) {
                if (lane.share > used) {
                    said.insert(lane.device.substr(0, lane.device.find(':')));
                }
            }
            std::set<std::string> seen;
            for (const auto &[nic, share] : pairsOf(fields[3])) {
                if (std::stod(share) > used) {
                    seen.insert(nic);
                }
            }
            right += said == seen ? 1 : 0;
            misses += said == seen ? "" : fields[0] + "\n";
        }
        EXPECT_GE(cases, 40U);
        EXPECT_GE(right * 100, cases * 95) << misses;
    }

} // namespace
} // namespace nixlStripe
