// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/failover_stage.h"

#include "recovery/endpoint_params.h"
#include "topology/text.h"
#include "ucx/packed_key.h"
#include "ucx/ucx_version.h"

#include <cstring>
#include <utility>

namespace nixlStripe {
namespace {

    class onEndpoint : public endpointStage {
    public:
        explicit onEndpoint(requestGate &gate)
            : requests_(gate) {}

        rmaCarrier *
        carrier() override {
            return &requests_;
        }

        void *
        flushTaken(void *answer) noexcept override {
            return requests_.flushTaken(answer);
        }

    private:
        gatedRequests requests_;
    };

} // namespace

failoverStage::failoverStage(requestGate *gate, std::function<void(const std::string &)> say)
    : gate_(gate)
    , say_(std::move(say)) {}

std::string
failoverStage::problem(const std::string &version, const std::vector<std::uint8_t> &own_key) {
    // The first UCX in which the mode does more than exist.
    if (!isUcxSince(version, 1, 22)) {
        return "UCX " + version + " cannot fail over; UCX 1.22 can";
    }
    if (own_key.empty() || (!packedKey::isEmpty(own_key.data(), own_key.size()) &&
                            !packedKey::describes(own_key.data(), own_key.size()))) {
        return "the keys to remote memory of UCX " + version + " have an unknown form";
    }
    return "";
}

std::unique_ptr<endpointStage>
failoverStage::attach(const std::shared_ptr<rmaEndpoint> &) {
    return gate_ == nullptr ? nullptr : std::make_unique<onEndpoint>(*gate_);
}

const void *
failoverStage::endpointAsked(const void *params, std::vector<std::uint8_t> &room) {
    endpointParams head;
    std::memcpy(&head.fields, params, sizeof head.fields);
    if ((head.fields & ~endpointParams::known) != 0 ||
        (head.fields & endpointParams::has_error_mode) == 0) {
        say_("NIXL asks for an endpoint in an unknown way");
        return nullptr;
    }
    std::memcpy(&head, params, sizeof head);
    if (head.errorMode != endpointParams::peer) {
        say_("NIXL asks for endpoints without error handling (ucx_error_handling_mode)");
        return nullptr;
    }
    head.errorMode = endpointParams::failover;
    room.assign(endpointParams::room, 0);
    std::memcpy(room.data(), &head, sizeof head);
    return room.data();
}

const void *
failoverStage::keyAsked(const void *packed, std::vector<std::uint8_t> &room) {
    auto hidden = packedKey(packed).withoutDevice();
    if (!hidden) {
        return packed;
    }
    room = std::move(*hidden);
    return room.data();
}

} // namespace nixlStripe
