// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_ADDRESS_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_ADDRESS_H

#include <optional>
#include <string>
#include <string_view>

namespace nixlStripe {

struct pciAddress {
    unsigned domain = 0;
    unsigned bus = 0;
    unsigned device = 0;
    unsigned function = 0;

    /** sysfs' spelling, "0000:1b:00.0". */
    std::string text() const;
};

/**
 * @brief Parses a PCI address.
 * @param text `[domain:]bus:device[.function]` in hexadecimal, either case: "1b:00.0", "1B:00",
 *        or with the eight-digit domain of nvidia-smi ("00000000:1B:00.0").
 * @return Nothing when @p text is no PCI address.
 */
std::optional<pciAddress> parsePciAddress(std::string_view text);

/** The address in sysfs' spelling; takes and refuses what parsePciAddress() does. */
std::optional<std::string> normalPciAddress(std::string_view text);

/** "0000:11:00" of "0000:11:00.1": what the functions of one card have in common. */
std::string cardOf(std::string_view function);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_PCI_ADDRESS_H
