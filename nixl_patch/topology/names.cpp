// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/names.h"

namespace nixlStripe {

const char *
linkLayerName(linkLayer_t layer) {
    switch (layer) {
    case linkLayer_t::INFINIBAND:
        return "InfiniBand";
    case linkLayer_t::ETHERNET:
        return "Ethernet";
    case linkLayer_t::EFA:
        return "EFA";
    case linkLayer_t::UNKNOWN:
        break;
    }
    return "unknown";
}

const char *
portStateName(portState_t state) {
    switch (state) {
    case portState_t::DOWN:
        return "DOWN";
    case portState_t::INIT:
        return "INIT";
    case portState_t::ARMED:
        return "ARMED";
    case portState_t::ACTIVE:
        return "ACTIVE";
    case portState_t::ACTIVE_DEFER:
        return "ACTIVE_DEFER";
    case portState_t::UNKNOWN:
        break;
    }
    return "unknown";
}

const char *
accessName(access_t access) {
    switch (access) {
    case access_t::YES:
        return "yes";
    case access_t::NO_NODE:
        return "no node";
    case access_t::DENIED:
        return "denied";
    case access_t::UNKNOWN:
        break;
    }
    return "unknown";
}

const char *
netKindName(netKind_t kind) {
    switch (kind) {
    case netKind_t::INFINIBAND:
        return "InfiniBand";
    case netKind_t::LOOPBACK:
        return "loopback";
    case netKind_t::BRIDGE:
        return "bridge";
    case netKind_t::BOND:
        return "bond";
    case netKind_t::TUNNEL:
        return "tunnel";
    case netKind_t::ETHERNET:
        break;
    }
    return "Ethernet";
}

const char *
gpuVendorName(gpuVendor_t vendor) {
    switch (vendor) {
    case gpuVendor_t::NVIDIA:
        return "NVIDIA";
    case gpuVendor_t::AMD:
        return "AMD";
    case gpuVendor_t::OTHER:
        break;
    }
    return "other";
}

} // namespace nixlStripe
