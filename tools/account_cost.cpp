// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// What the account of stripe_metrics adds to a put, on a UCX that does nothing: lines of JSON, for
// tools/metrics_cost.py.
#include "ucx/account.h"
#include "ucx/operation_path.h"
#include "ucx/request_params.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>

namespace {

using namespace nixlStripe;

constexpr int operations = 1'000'000;
constexpr int rounds = 7;
constexpr std::size_t chunk = 8192;

void *
put(void *, const void *, std::size_t, std::uint64_t, void *, const void *) {
    return nullptr;
}

void *
get(void *, void *, std::size_t, std::uint64_t, void *, const void *) {
    return nullptr;
}

void *
flush(void *, const void *) {
    return nullptr;
}

std::vector<rmaLane>
lanesOf(unsigned count) {
    std::vector<rmaLane> lanes;
    for (unsigned lane = 0; lane < count; ++lane) {
        lanes.push_back({lane, "nic" + std::to_string(lane)});
    }
    return lanes;
}

double
threadSeconds() {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/** Nanoseconds of processor time of one put, the least of some rounds. */
double
measure(unsigned nics, std::size_t bytes, bool is_accounted) {
    operationPath path(
        {&put, &get, &flush, nullptr, [nics](const void *) { return lanesOf(nics); }});
    std::map<std::string, double> rates;
    for (const rmaLane &lane : lanesOf(nics)) {
        rates[lane.device] = 1;
    }
    operationPath::stages_t stages;
    if (is_accounted) {
        auto book = std::make_shared<account>(rates, chunk, nics);
        stages.push_back(std::make_unique<accountStage>(std::move(book)));
    }
    std::array<int, 4> handles{}; // of a context, a worker, an endpoint and a key
    const std::array<unsigned char, 16> packed{0xff};
    path.openContext(&handles[0], std::move(stages));
    path.workerMade(&handles[0], &handles[1]);
    path.endpointMade(&handles[1], &handles[2]);
    path.keyMade(&handles[2], packed.data(), &handles[3]);
    const requestParams params;
    double least = 1e9;
    for (int round = 0; round < rounds; ++round) {
        const double start = threadSeconds();
        for (int i = 0; i < operations; ++i) {
            path.put(&handles[2], nullptr, bytes, 0, &handles[3], &params);
        }
        least = std::min(least, (threadSeconds() - start) / operations);
    }
    return least * 1e9;
}

} // namespace

int
main() {
    for (const unsigned nics : {4U, 8U, 32U}) {
        for (const std::size_t bytes : {std::size_t{4096}, std::size_t{8} << 20}) {
            std::printf("{\"nics\": %u, \"bytes\": %zu, \"ns_without\": %.1f, \"ns_with\": %.1f}\n",
                        nics,
                        bytes,
                        measure(nics, bytes, false),
                        measure(nics, bytes, true));
        }
    }
    return 0;
}
