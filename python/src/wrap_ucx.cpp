// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "topology/cuda_gpu.h"
#include "ucx/config_text.h"
#include "ucx/forecast.h"
#include "ucx/plan.h"
#include "ucx/settings.h"
#include "ucx/traps.h"
#include "ucx/values.h"

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

    void
    bindTraps(py::module_ &m) {
        py::class_<trapRule>(m, "TrapRule", "A setting that undoes striping at some values.")
            .def_readonly("key", &trapRule::key)
            .def_readonly("when", &trapRule::when)
            .def_readonly("effect", &trapRule::effect)
            .def_readonly("fix", &trapRule::fix);
        py::class_<trap>(m, "NativeTrap", "A setting that undoes striping in one given case.")
            .def_readonly("key", &trap::key)
            .def_readonly("value", &trap::value)
            .def_readonly("effect", &trap::effect)
            .def_readonly("fix", &trap::fix);
        py::class_<trapFacts>(m, "TrapFacts", "What decides whether a value hurts.")
            .def(py::init<>())
            .def_static("of",
                        &trapFactsOf,
                        py::arg("machine"),
                        py::arg("devices"),
                        "What a machine says of these devices (none: all of it); counts and "
                        "choices are left open.")
            .def_readwrite("nic_count", &trapFacts::nicCount)
            .def_readwrite("uses_tcp", &trapFacts::usesTcp)
            .def_readwrite("uses_rdma", &trapFacts::usesRdma)
            .def_readwrite("has_gpu", &trapFacts::hasGpu)
            .def_readwrite("rate_ratio", &trapFacts::rateRatio)
            .def_readwrite("chooses_devices", &trapFacts::choosesDevices)
            .def_readwrite("chooses_rails", &trapFacts::choosesRails);
        m.def("trap_table", &trapTable, "Every rule, in order.");
        m.def("find_traps",
              &findTraps,
              py::arg("environment"),
              py::arg("engine_config"),
              py::arg("facts"),
              "The traps among a user's own settings, in the order of the table.");
    }

    lanePort
    makePort(std::string device,
             bool is_rdma,
             double bandwidth,
             const std::string &distance,
             unsigned hops,
             std::vector<std::string> subnets,
             std::string pci) {
        lanePort made;
        made.pci = std::move(pci);
        made.device = std::move(device);
        made.isRdma = is_rdma;
        made.bandwidth = bandwidth;
        made.path = {distanceOfWord(distance), hops};
        made.subnets = std::move(subnets);
        return made;
    }

    laneEnd
    makeEnd(std::vector<lanePort> ports,
            settings_t settings,
            bool is_gpu,
            bool has_context,
            std::optional<unsigned> gpu_ordinal) {
        laneEnd made;
        made.gpuOrdinal = gpu_ordinal;
        made.ports = std::move(ports);
        made.settings = std::move(settings);
        made.isGpuMemory = is_gpu;
        made.hasContext = has_context;
        return made;
    }

    void
    bindForecast(py::module_ &m) {
        py::class_<lanePort>(m, "LanePort", "A network device of one end, as UCX rates it.")
            .def(py::init(&makePort),
                 py::arg("device"),
                 py::arg("is_rdma"),
                 py::arg("bandwidth"),
                 py::arg("distance"),
                 py::arg("hops"),
                 py::arg("subnets"),
                 py::arg("pci") = "")
            .def_readonly("pci", &lanePort::pci)
            .def_readonly("device", &lanePort::device)
            .def_readonly("is_rdma", &lanePort::isRdma)
            .def_readonly("bandwidth", &lanePort::bandwidth)
            .def_property_readonly(
                "distance", [](const lanePort &each) { return distanceWord(each.path.distance); })
            .def_property_readonly("hops", [](const lanePort &each) { return each.path.hops; });
        py::class_<laneEnd>(m, "LaneEnd", "One end of a transfer.")
            .def(py::init(&makeEnd),
                 py::arg("ports"),
                 py::arg("settings"),
                 py::arg("is_gpu_memory"),
                 py::arg("has_context"),
                 py::arg("gpu_ordinal") = py::none());
        py::class_<laneForecast::lane>(m, "ForecastLane", "A pair of devices and its share.")
            .def_readonly("device", &laneForecast::lane::device)
            .def_readonly("peer", &laneForecast::lane::peer)
            .def_readonly("bandwidth", &laneForecast::lane::bandwidth)
            .def_readonly("share", &laneForecast::lane::share);
        py::class_<laneForecast>(m, "LaneForecast", "What UCX will do with one operation.")
            .def_readonly("protocol", &laneForecast::protocol)
            .def_readonly("lanes", &laneForecast::lanes)
            .def_readonly("dropped", &laneForecast::dropped);
        m.def(
            "forecast_settings",
            [] {
                std::vector<std::string_view> keys;
                for (const forecastSetting &each : forecastSettings()) {
                    keys.push_back(each.key);
                }
                return keys;
            },
            "The UCX settings that a forecast depends on, without UCX_.");
        m.def("lane_ports",
              &lanePorts,
              py::arg("machine"),
              py::arg("gpu") = py::none(),
              "Every active RDMA port and usable network interface, with its way to the GPU.");
        m.def(
            "forecast_lanes",
            [](const laneEnd &initiator, const laneEnd &target, bool is_read, std::uint64_t size) {
                return forecastLanes(
                    initiator, target, is_read ? rmaOp_t::READ : rmaOp_t::WRITE, size);
            },
            py::arg("initiator"),
            py::arg("target"),
            py::arg("is_read"),
            py::arg("size") = 0,
            "Which devices UCX will use for an RMA operation, with which shares.");
    }

} // namespace

void
bindUcx(py::module_ &m) {
    bindTraps(m);
    py::class_<settingRule>(m, "SettingRule", "One row of the table of UCX settings.")
        .def_readonly("key", &settingRule::key)
        .def_property_readonly("versions", &settingRule::versions)
        .def_readonly("is_per_host", &settingRule::isPerHost)
        .def_readonly("is_for_loss", &settingRule::isForLoss)
        .def_property_readonly("is_users",
                               [](const settingRule &rule) { return rule.owner == owner_t::USER; })
        .def_readonly("lack", &settingRule::lack)
        .def_readonly("is_for_gpu_over_tcp", &settingRule::isForGpuOverTcp)
        .def_property_readonly("scope",
                               [](const settingRule &rule) { return scopeName(rule.scope); })
        .def_property_readonly("side", [](const settingRule &rule) { return sideName(rule.side); })
        .def_readonly("reason", &settingRule::reason);
    py::class_<ucxAllowList>(
        m, "UcxAllowList", "A list of UCX_NET_DEVICES, TLS or MODULES, as UCX itself reads it.")
        .def(py::init([](const std::string &value, bool are_words) {
                 return ucxAllowList(value, are_words ? listOf_t::WORDS : listOf_t::DEVICES);
             }),
             py::arg("value"),
             py::arg("are_words") = false)
        .def("admits",
             &ucxAllowList::admits,
             py::arg("names"),
             "Whether the list admits what is called by any of these names.")
        .def_property_readonly("is_all", &ucxAllowList::isAll)
        .def_property_readonly("is_excluding", &ucxAllowList::isExcluding)
        .def_property_readonly("respelt", &ucxAllowList::respelt)
        .def_property_readonly("entries", &ucxAllowList::entries);
    m.def("parse_engine_config",
          &parseEngineConfig,
          py::arg("text"),
          "Settings in NIXL's engine_config, without UCX_.");
    m.def("setting_table", &settingTable, "The settings that make every NIC carry data.");
    bindForecast(m);
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
        .def_readonly("spreads_small", &stripePlan::spreadsSmall)
        .def_property_readonly("on_nic_loss",
                               [](const stripePlan &plan) { return nicLossName(plan.onNicLoss); })
        .def_readonly("devices", &stripePlan::devices)
        .def_readonly("rails", &stripePlan::rails)
        .def_readonly("gpu", &stripePlan::gpuPci)
        .def_readonly("excluded", &stripePlan::excluded)
        .def_readonly("excluded_by", &stripePlan::excludedBy)
        .def_property_readonly("measured",
                               [](const stripePlan &plan) {
                                   return plan.measured ? std::optional<calibration>(*plan.measured)
                                                        : std::nullopt;
                               })
        .def_readonly("settings", &stripePlan::settings)
        .def_readonly("warnings", &stripePlan::warnings)
        .def_property_readonly("limits",
                               [](const stripePlan &plan) {
                                   std::vector<std::string> lines;
                                   if (!plan.devices.empty()) {
                                       for (const capacityUse &use : capacityOf(plan.capacity)) {
                                           lines.push_back(use.text());
                                       }
                                   }
                                   return lines;
                               })
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
