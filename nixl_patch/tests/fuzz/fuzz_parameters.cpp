// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** Backend parameters, their variables and UCX's own, together: a plan or a refusal. */
#include "fuzz.h"
#include "policy/ceiling.h"
#include "policy/device_spec.h"
#include "policy/nccl_list.h"
#include "policy/parameters.h"
#include "policy/rails.h"
#include "policy/stripe_spec.h"
#include "topology/cuda_gpu.h"
#include "topology/hwloc.h"
#include "ucx/config_text.h"
#include "ucx/plan.h"

#include <fuzzer/FuzzedDataProvider.h>
#include <string>

namespace {

using namespace nixlStripe;

constexpr std::array<const char *, 8> ucx_variables = {"UCX_MAX_RMA_RAILS",
                                                       "UCX_NET_DEVICES",
                                                       "UCX_TLS",
                                                       "UCX_MIN_RMA_CHUNK_SIZE",
                                                       "UCX_MULTI_LANE_MAX_RATIO",
                                                       "UCX_MAX_RNDV_RAILS",
                                                       "UCX_MAX_COMPONENT_MDS",
                                                       "UCX_RNDV_THRESH"};

const machine &
knownHost() {
    static const machine host = readHwloc(TEST_DATA "/topologies/hwloc-aws-p4d.24xl.xml");
    return host;
}

planInputs
inputsFrom(FuzzedDataProvider &bytes) {
    planInputs inputs;
    std::map<std::string, std::string> parameters;
    for (auto left = bytes.ConsumeIntegralInRange(0, 4); left > 0; --left) {
        const parameterInfo &info = parameterTable().at(
            bytes.ConsumeIntegralInRange<std::size_t>(0, parameterTable().size() - 1));
        const std::string value = bytes.ConsumeRandomLengthString(200);
        if (bytes.ConsumeBool()) {
            parameters[std::string(info.key)] = value;
        } else {
            inputs.environment[std::string(info.variable)] = value;
        }
    }
    for (auto left = bytes.ConsumeIntegralInRange(0, 3); left > 0; --left) {
        inputs.environment[bytes.PickValueInArray(ucx_variables)] =
            bytes.ConsumeRandomLengthString(100);
    }
    inputs.engineConfig = parseEngineConfig(bytes.ConsumeRandomLengthString(200));
    inputs.parameters = parameterSet(parameters, inputs.environment);
    const bool has_devices = bytes.ConsumeBool();
    inputs.readHost = [has_devices] { return has_devices ? knownHost() : machine(); };
    inputs.readCalibrationAt = [text = bytes.ConsumeRandomLengthString(400)](const std::string &) {
        return std::optional<std::string>(text);
    };
    inputs.findGpu = [](const std::string &key, const std::string &text) {
        return std::optional<std::string>(text.empty()
                                              ? knownHost().gpus.front().pci
                                              : findGpuPci(key, text, "/nonexistent/libcuda.so"));
    };
    return inputs;
}

/** What is read must read the same again from its own text. */
void
checkStripe(const std::string &text) {
    const stripeSpec spec = parseStripe("stripe", text);
    claim(parseStripe("stripe", spec.text()).text() == spec.text());
}

} // namespace

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    FuzzedDataProvider bytes(data, size);
    allowRefusal([&] {
        const stripePlan plan = makePlan(inputsFrom(bytes));
        claim(plan.rails <= 64);
        ceilingGbps(knownHost(), plan.devices, plan.gpuPci);
    });
    const std::string rest = bytes.ConsumeRemainingBytesAsString();
    allowRefusal([&] { checkStripe(rest); });
    allowRefusal([&] { parseDeviceList("device_list", rest); });
    allowRefusal([&] { parseNcclList("NCCL_IB_HCA", rest, "a list"); });
    allowRefusal([&] { parseRails("max_rma_rails", rest); });
    return 0;
}
