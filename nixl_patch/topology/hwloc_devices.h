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

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Whether @p element is `<object type="...">`. */
bool isObject(const xmlElement &element, std::string_view type);

/** The `<info name="key" value="..."/>` of one object by name; the object must outlive it. */
class objectInfos {
public:
    explicit objectInfos(const xmlElement &object);

    /** Value of the first info of that name, "" when there is none. */
    std::string_view get(std::string_view key) const;

    /** Names in order, with their values. */
    const std::map<std::string_view, std::string_view> &
    all() const {
        return values_;
    }

private:
    std::map<std::string_view, std::string_view> values_;
};

enum class osDevice_t { OTHER, NETWORK, OPENFABRICS };

/** What an OSDev is; @p types_are_bits since version 3 of the format. */
osDevice_t osDeviceKind(const xmlElement &object, bool types_are_bits);

/** What a PCI function says about the RDMA devices in it; read once for all of them. */
class hwlocFunction {
public:
    /** Nothing: the function of a software device. */
    hwlocFunction() = default;

    /** @param types_are_bits As in osDeviceKind(). */
    hwlocFunction(const xmlElement &object, bool types_are_bits);

    /** The interface beside an RDMA device: the one of the same port, or the only one. */
    std::string interfaceOfPort(unsigned number) const;

    bool
    isVirtual() const {
        return isVirtual_;
    }

private:
    std::map<std::uint64_t, std::string> byPort_;
    std::string only_; /**< the name when there is one interface */
    bool isVirtual_ = false;
};

/**
 * @brief The ports of an OpenFabrics device.
 * @param function The PCI function that it belongs to.
 * @param layer Link layer where a port does not show its own by having a LID.
 * @return At least one: without libibverbs hwloc knows the device and none of its ports, and every
 *         device has a port 1.
 */
std::vector<port>
readPorts(const xmlElement &object, const hwlocFunction &function, linkLayer_t layer);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_DEVICES_H
