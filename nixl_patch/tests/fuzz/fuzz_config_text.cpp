// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** What UCX prints about its configuration and context, NIXL's engine_config, UCX's values. */
#include "fuzz.h"
#include "ucx/config_text.h"
#include "ucx/values.h"

#include <cmath>
#include <string>
#include <string_view>

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace nixlStripe;
    const std::string text(reinterpret_cast<const char *>(data), size);
    for (const auto &[key, value] : parseConfigText(text)) {
        claim(!key.empty() && value.size() <= size);
    }
    parseContextDevices(text);
    for (const rmaLane &lane : parseRmaLanes(text)) {
        claim(lane.domain < 64);
    }
    parseEngineConfig(text);
    ucxBool(text);
    ucxCount(text);
    for (const listOf_t what : {listOf_t::DEVICES, listOf_t::WORDS}) {
        const ucxAllowList list(text, what);
        list.admits({"mlx5_0", "mlx5_0:1"});
        claim(list.respelt().size() <= size);
    }
    ucxValueOf("inter", text);
    ucxTime(text);
    for (const auto &bytes : {ucxSize(text), ucxLimit(text), ucxChunk(text)}) {
        claim(!bytes || *bytes >= 0);
    }
    return 0;
}
