// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** Topology files: any bytes as hwloc's or NCCL's XML, and what is planned from them. */
#include "fuzz.h"
#include "topology/hwloc.h"
#include "topology/nccl.h"
#include "topology/xml.h"

#include <string_view>

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace nixlStripe;
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    allowRefusal([&] {
        const xmlElement root = parseXml(text, "fuzz.xml");
        if (isHwloc(root)) {
            planEverything(machineFromHwloc(root, "fuzz.xml"));
        } else if (isNcclTopology(root)) {
            planEverything(machineFromNccl(root, "fuzz.xml"));
        }
    });
    return 0;
}
