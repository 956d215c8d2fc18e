// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** Datagrams of RDMA netlink, whole and as bodies alone, and /proc/net/dev. */
#include "counters/net_dev.h"
#include "counters/netlink_wire.h"
#include "counters/rdma_wire.h"
#include "fuzz.h"

#include <string_view>

namespace {

using namespace nixlStripe;

void
readBody(std::string_view body) {
    parseRdmaPort(body);
    if (const auto device = parseRdmaDevice(body)) {
        claim(!device->name.empty() && device->ports <= 255);
    }
    const auto counters = parseRdmaStatistics(body);
    claim(counters.size() <= 4096 && counters.size() <= body.size() / 16);
    claim(parseQueuePairs(body).size() <= body.size() / 8);
}

} // namespace

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char *>(data), size);
    netlinkMessages messages(bytes);
    while (const auto message = messages.next()) {
        claim(message->errorCode() >= 0);
        readBody(message->body);
    }
    readBody(bytes);
    parseNetDev(bytes);
    return 0;
}
