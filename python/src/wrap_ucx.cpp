// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "topology/cuda_gpu.h"
#include "ucx/plan.h"
#include "ucx/settings.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace nixlStripe {
namespace {

    using settings_t = std::map<std::string, std::string>;
    using gpuFinder_t = decltype(planInputs::findGpu);

    stripePlan
    planFor(const machine &host,
            const settings_t &parameters,
            const environment_t &environment,
            const settings_t &engine_config,
            const gpuFinder_t &find_gpu) {
        planInputs inputs;
        inputs.parameters = parameterSet(parameters, environment);
        inputs.environment = environment;
        inputs.engineConfig = engine_config;
        inputs.readHost = [&] { return host; };
        inputs.findGpu = find_gpu;
        if (!find_gpu) {
            inputs.findGpu = [](const std::string &key, const std::string &text) {
                return text.empty() ? currentCudaGpu() : findGpuPci(key, text);
            };
        }
        return makePlan(inputs);
    }

} // namespace

void
bindUcx(py::module_ &m) {
    py::class_<ucxSetting>(m, "UcxSetting", "One UCX setting of a plan.")
        .def_readonly("key", &ucxSetting::key)
        .def_readonly("value", &ucxSetting::value)
        .def_property_readonly("scope",
                               [](const ucxSetting &setting) { return scopeName(setting.scope); })
        .def_property_readonly("side",
                               [](const ucxSetting &setting) { return sideName(setting.side); })
        .def_readonly("reason", &ucxSetting::reason);
    py::class_<stripePlan>(m, "NativePlan", "What the patched plugin would do.")
        .def_readonly("active", &stripePlan::active)
        .def_readonly("is_striped", &stripePlan::isStriped)
        .def_readonly("devices", &stripePlan::devices)
        .def_readonly("rails", &stripePlan::rails)
        .def_readonly("gpu", &stripePlan::gpuPci)
        .def_readonly("excluded", &stripePlan::excluded)
        .def_readonly("settings", &stripePlan::settings)
        .def_readonly("warnings", &stripePlan::warnings)
        .def_readonly("kept", &stripePlan::kept);
    m.def("make_plan",
          &planFor,
          py::arg("machine"),
          py::arg("parameters"),
          py::arg("environment"),
          py::arg("engine_config") = settings_t(),
          py::arg("find_gpu") = py::none(),
          "The plan that the patched plugin makes of the same machine, backend parameters and "
          "environment. `find_gpu(key, text)` replaces CUDA's numbering of GPUs.");
}

} // namespace nixlStripe
