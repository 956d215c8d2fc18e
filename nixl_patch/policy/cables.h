// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file cables.h
 * @brief Which devices have one cable: functions of one port, and places of one card.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_CABLES_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_CABLES_H

#include "policy/usable.h"
#include "topology/machine.h"

#include <string>

namespace nixlStripe {

/**
 * @brief The card's port behind a port of a device, or an interface; its name means nothing else.
 *
 * It is the same for virtual and scalable functions of one function, and for the places of one card
 * in several slots (Socket Direct, DGX Spark). Those have its GUID in common, and each port its
 * function number.
 */
std::string cableOf(const machine &host, const nicPort &at);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_CABLES_H
