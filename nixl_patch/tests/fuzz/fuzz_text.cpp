// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** The kernel's attribute texts, PCI addresses and paths, the order of names, UTF-8. */
#include "fuzz.h"
#include "topology/natural_order.h"
#include "topology/pci_address.h"
#include "topology/pci_path.h"
#include "topology/sysfs_text.h"
#include "topology/utf8.h"

#include <cmath>
#include <string_view>

namespace {

using namespace nixlStripe;

void
checkOrder(std::string_view text) {
    const std::size_t third = text.size() / 3;
    const std::string_view a = text.substr(0, third);
    const std::string_view b = text.substr(third, third);
    const std::string_view c = text.substr(2 * third);
    claim(!naturalLess(a, a));
    claim(!(naturalLess(a, b) && naturalLess(b, a)));
    claim(!(naturalLess(a, b) && naturalLess(b, c)) || naturalLess(a, c));
    claim(a == b || naturalLess(a, b) || naturalLess(b, a));
}

} // namespace

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    parseNumber(text);
    claim(parseNumaNode(text) < 1024);
    for (const int node : parseNumaList(text)) {
        claim(node >= 0 && node < 1024);
    }
    const double rate = parseRate(text);
    claim(std::isfinite(rate) && rate >= 0);
    parsePortState(text);
    parseLinkLayer(text, text);
    isGid(text);
    parsePhysicalState(text);
    ueventValue(text, "PCI_ID");
    for (const char c : printable(text)) {
        claim(c >= ' ' && c <= '~');
    }
    if (const auto address = normalPciAddress(text)) {
        claim(normalPciAddress(*address) == address);
    }
    parsePciPath(text);
    claim(firstNonText(text) == std::string_view::npos || firstNonText(text) < size);
    checkOrder(text);
    return 0;
}
