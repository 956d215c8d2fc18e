// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file tcp_nics.h
 * @brief Network interfaces in the place of RDMA devices, for machines that have none.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_TCP_NICS_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_TCP_NICS_H

#include "policy/usable.h"
#include "topology/machine.h"

namespace nixlStripe {

/** A machine whose `nics` are its network interfaces, with what speaks against each. */
struct tcpNics {
    machine host; /**< every NIC has the one port no_port, ACTIVE, with the interface's rate */
    refusals_t refused;
};

/** Whether policies of @p host choose among network interfaces: it has no RDMA device at all. */
bool usesTcp(const machine &host);

/**
 * @brief Network interfaces as NICs, so that every policy works on them as it does on RDMA devices.
 *
 * Never usable: down, or known to have no address that a peer can reach (UCX tcp listens on it).
 * Left out unless a list names it in full: loopback, a bridge, a tunnel, a member of a bridge or
 * bond (the master has the address), and a virtual interface (veth, VLAN) where a usable one with
 * hardware behind it exists; a bond counts as hardware. Where only virtual ones are usable, as in a
 * container, they are the NICs. Rates: as for RDMA devices, but an interface whose rate is unknown
 * is taken to be as fast as the others, since cloud drivers (virtio, ENA) tell none.
 */
tcpNics asTcpNics(const machine &host);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_TCP_NICS_H
