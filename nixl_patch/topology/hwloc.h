// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file hwloc.h
 * @brief Reads a machine from hwloc's XML (`lstopo --whole-io machine.xml`), versions 1, 2 and 3.
 *
 * What hwloc does not record stays unknown: port rates, uverbs nodes, drivers, bonds, and the state
 * of a port where the file was written without libibverbs. Network interfaces count as up.
 *
 * hwloc gives a link's payload rate in GB/s and not its speed and width, so that 15.75 is Gen3 x16,
 * Gen4 x8 and Gen5 x4 alike. The widest link of up to 16 lanes is taken; speed times width, which
 * is what bandwidth depends on, is the same in all of them. It is the rate of the moment: an idle
 * GPU may have trained its link down to Gen1.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_H

#include "topology/machine.h"
#include "topology/xml.h"

#include <string>

namespace nixlStripe {

/** Whether a document's root element is hwloc's. */
bool isHwloc(const xmlElement &root);

/**
 * @brief Reads hwloc's XML.
 * @throws std::invalid_argument naming @p path: not readable, not well-formed, not hwloc's, or
 *         without a Machine object.
 */
machine readHwloc(const std::string &path);

/** The same for a document that was parsed already; @p source is its path, for messages. */
machine machineFromHwloc(const xmlElement &root, const std::string &source);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_HWLOC_H
