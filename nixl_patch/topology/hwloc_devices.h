// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file hwloc_devices.h
 * @brief Parts of hwloc's XML that describe one device: objects, infos, OS devices and their ports.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_DEVICES_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_DEVICES_H

#include "topology/machine.h"
#include "topology/xml.h"

#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Whether @p element is `<object type="...">`. */
bool isObject(const xmlElement &element, std::string_view type);

/** Value of `<info name="key" value="..."/>` inside an object, "" when there is none. */
std::string objectInfo(const xmlElement &object, std::string_view key);

enum class osDevice_t { OTHER, NETWORK, OPENFABRICS };

/** What an OSDev is; @p types_are_bits since version 3 of the format. */
osDevice_t osDeviceKind(const xmlElement &object, bool types_are_bits);

/**
 * @brief The ports of an OpenFabrics device.
 * @param function The PCI function that it belongs to, for the network interfaces beside it;
 * nullptr for a software device.
 * @param layer Link layer where a port does not show its own by having a LID.
 * @return At least one: without libibverbs hwloc knows the device and none of its ports, and every
 *         device has a port 1.
 */
std::vector<port> readPorts(const xmlElement &object,
                            const xmlElement *function,
                            bool types_are_bits,
                            linkLayer_t layer);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_DEVICES_H
