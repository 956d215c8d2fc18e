// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file failover_stage.h
 * @brief The stage that asks UCX to carry on without a NIC that died.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_FAILOVER_STAGE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_FAILOVER_STAGE_H

#include "recovery/request_gate.h"
#include "ucx/rma_stage.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief UCX's own failover (UCP_ERR_HANDLING_MODE_FAILOVER), made safe.
 *
 * UCX has had the mode since 1.21, and works with it since 1.22; NIXL asks for PEER. With it, the
 * puts and gets of a lane that fails go again over the lanes that are left. Three things are added:
 * a gate, since NIXL would take a transfer for complete too early (request_gate.h); pieces, since
 * UCX repeats a request from its first byte; and keys without a device, since UCX up to 1.23
 * crashes when it chooses lanes anew for a key that names one and has no distances to it.
 */
class failoverStage : public contextStage {
public:
    /**
     * @param gate Of the process; nullptr for none, which loses bytes: it is there to show that.
     * @param say Tells the user why an endpoint is refused.
     */
    failoverStage(requestGate *gate, std::function<void(const std::string &)> say);

    /**
     * Why it cannot be had with this UCX; "" where it can.
     * @param version "1.23.0"
     * @param own_key A key of the context, see ucxLibrary::ownKey: proves their form.
     */
    static std::string problem(const std::string &version,
                               const std::vector<std::uint8_t> &own_key);

    std::unique_ptr<endpointStage> attach(const std::shared_ptr<rmaEndpoint> &endpoint) override;

    const void *endpointAsked(const void *params, std::vector<std::uint8_t> &room) override;

    const void *keyAsked(const void *packed, std::vector<std::uint8_t> &room) override;

private:
    requestGate *const gate_;
    const std::function<void(const std::string &)> say_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_FAILOVER_STAGE_H
