// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "policy/calibration.h"
#include "policy/ceiling.h"
#include "policy/kill_switch.h"
#include "policy/misspelling.h"
#include "policy/nearness.h"
#include "policy/parameters.h"
#include "policy/policies.h"
#include "policy/selection.h"
#include "policy/stripe_spec.h"
#include "policy/usable_rules.h"
#include "topology/cuda_gpu.h"
#include "topology/pci_address.h"

#include <algorithm>
#include <memory>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace nixlStripe {
namespace {

    selection
    select(const machine &host,
           const std::string &stripe,
           std::optional<std::string> gpu,
           std::optional<double> min_rate_gbps,
           const std::optional<calibration> &measured) {
        stripeRequest request;
        request.measured = measured ? std::make_shared<const calibration>(*measured) : nullptr;
        request.stripe = stripe;
        request.gpuPci = std::move(gpu);
        request.minRateGbps = min_rate_gbps;
        return selectNics(host, request);
    }

    void
    addMeasured(calibration &measured,
                const std::optional<std::string> &gpu,
                const std::vector<std::string> &devices,
                double write_gbps,
                double read_gbps) {
        measuredSet set = {gpu.value_or(""), devices, write_gbps, read_gbps};
        std::sort(set.devices.begin(), set.devices.end());
        measured.sets.push_back(std::move(set));
    }

    void
    bindCalibration(py::module_ &m) {
        py::class_<calibration>(
            m, "Calibration", "What NICs of one machine were measured to carry.")
            .def_readonly("source", &calibration::source)
            .def_property_readonly("devices",
                                   [](const calibration &measured) {
                                       std::vector<std::string> devices;
                                       for (const measuredNic &each : measured.nics) {
                                           devices.push_back(each.device);
                                       }
                                       return devices;
                                   })
            .def_property_readonly("sets",
                                   [](const calibration &measured) {
                                       py::list sets;
                                       for (const measuredSet &each : measured.sets) {
                                           py::object gpu = py::none();
                                           if (!each.memory.empty()) {
                                               gpu = py::str(each.memory);
                                           }
                                           sets.append(py::make_tuple(
                                               gpu, each.devices, each.writeGbps, each.readGbps));
                                       }
                                       return sets;
                                   })
            .def("add",
                 &addMeasured,
                 py::arg("gpu"),
                 py::arg("devices"),
                 py::arg("write_gbps"),
                 py::arg("read_gbps"),
                 "Add what a set carried, Gbit/s; `gpu` None is host memory.")
            .def(
                "was_measured",
                [](const calibration &measured,
                   const std::optional<std::string> &gpu,
                   const std::vector<std::string> &devices) {
                    return measured.find(gpu.value_or(""), devices) != nullptr;
                },
                py::arg("gpu"),
                py::arg("devices"),
                "Whether that very set was measured.")
            .def("text", &calibrationText, "The text of a file that parses to this.");
        m.def("parse_calibration",
              &parseCalibration,
              py::arg("source"),
              py::arg("text"),
              "Read the text of a calibration file; ValueError names source, line and what is "
              "accepted.");
        m.def("calibration_of",
              &calibrationOf,
              py::arg("machine"),
              py::arg("devices"),
              "A calibration of a machine with these devices, for which nothing was measured yet.");
    }

    void
    bindSelection(py::module_ &m) {
        py::class_<selection>(m, "Selection", "NICs that a policy chose, and why not the others.")
            .def_readonly("active", &selection::active)
            .def_readonly("devices", &selection::devices)
            .def_readonly("excluded", &selection::excluded)
            .def_readonly("excluded_by", &selection::excludedBy)
            .def_readonly("are_measured", &selection::areMeasured)
            .def_readonly("warnings", &selection::warnings);
        py::class_<usableRule>(m, "UsableRule", "What speaks against a NIC, and how much.")
            .def_readonly("id", &usableRule::id)
            .def_property_readonly("kind",
                                   [](const usableRule &rule) {
                                       return rule.kind == ruleKind_t::RANK ? "rank" : "exclude";
                                   })
            .def_readonly("meaning", &usableRule::meaning)
            .def_readonly("fix", &usableRule::fix);
        m.def("usable_rules", &usableRules, "Every rule, in the order in which they are applied.");
        m.def(
            "reach_of",
            [](const machine &host, const rdmaNic &nic, const port &at) {
                const usableRequest everything;
                switch (reachOf(scene(host, everything), nic, at)) {
                case reach_t::ELSEWHERE:
                    return "elsewhere";
                case reach_t::LINK_LOCAL:
                    return "link-local";
                case reach_t::ANY:
                    break;
                }
                return "any";
            },
            py::arg("machine"),
            py::arg("nic"),
            py::arg("port"),
            "What a port's addresses are good for: 'any' peer, those of its link, or, where their "
            "interfaces are 'elsewhere', in another network namespace, nobody.");
        m.def(
            "is_near_gpu",
            [](const machine &host, const rdmaNic &nic) { return nearness(host).isNear(nic); },
            py::arg("machine"),
            py::arg("nic"),
            "Whether the NIC is below a PCIe root complex that has a GPU; False where the PCI tree "
            "is flat.");
        m.def(
            "carried_gbps",
            [](const machine &host, const rdmaNic &nic, const port &at) {
                return carriedGbps(host, {&nic, at.number, at.rateGbps});
            },
            py::arg("machine"),
            py::arg("nic"),
            py::arg("port"),
            "Gbit/s of a port, or of its PCIe link where that is less; 0 = unknown.");
        m.def("select_nics",
              &select,
              py::arg("machine"),
              py::arg("stripe"),
              py::arg("gpu") = py::none(),
              py::arg("min_rate_gbps") = py::none(),
              py::arg("measured") = py::none(),
              "Apply a policy, count or list to a machine; `gpu` is a PCI address.");
        m.def("needs_gpu",
              &needsGpu,
              py::arg("stripe"),
              "Whether `stripe` can only be answered for a particular GPU.");
        m.def("ceiling_gbps",
              &ceilingGbps,
              py::arg("machine"),
              py::arg("devices"),
              py::arg("gpu") = py::none(),
              "The most that devices can carry together one way, Gbit/s, from a GPU or from host "
              "memory; None when a limit is unknown.");
        m.def(
            "even_gbps",
            &evenGbps,
            py::arg("machine"),
            py::arg("devices"),
            py::arg("gpu") = py::none(),
            py::arg("measured") = py::none(),
            "What devices carry when UCX divides every buffer over them, Gbit/s, by a calibration "
            "of this machine where there is one; parameters and None as for ceiling_gbps.");
    }

    void
    bindParsing(py::module_ &m) {
        py::class_<stripeSpec>(m, "StripeSpec", "A parsed `stripe` value.")
            .def_property_readonly("text", &stripeSpec::text)
            .def_property_readonly("needs_gpu", &stripeSpec::needsGpu)
            .def_property_readonly(
                "is_list",
                [](const stripeSpec &spec) { return spec.kind == stripeSpec::kind_t::LIST; })
            .def_property_readonly("is_off", &stripeSpec::isOff)
            .def_readonly("count", &stripeSpec::count)
            .def("__eq__", &stripeSpec::operator==, py::is_operator())
            .def("__hash__", [](const stripeSpec &spec) { return py::hash(py::str(spec.text())); });
        m.def("parse_stripe",
              &parseStripe,
              py::arg("key"),
              py::arg("text"),
              "Parse a policy, a count or a list in NCCL_IB_HCA's grammar.");
        m.def("parse_min_rate",
              &parseMinRate,
              py::arg("key"),
              py::arg("text"),
              "Parse a minimum port rate, Gbit/s.");
        py::class_<parameterInfo>(m, "ParameterInfo", "One backend parameter.")
            .def_readonly("key", &parameterInfo::key)
            .def_readonly("variable", &parameterInfo::variable)
            .def_readonly("accepted", &parameterInfo::accepted)
            .def_readonly("meaning", &parameterInfo::meaning)
            .def_readonly("is_in_stock", &parameterInfo::isInStock);
        m.def(
            "parameter_table",
            &parameterTable,
            "The backend parameters that the patched plugin adds, in the order of the documents.");
        m.def(
            "check_parameters",
            [](const std::map<std::string, std::string> &parameters,
               const environment_t &environment) { parameterSet(parameters, environment); },
            py::arg("parameters"),
            py::arg("environment"),
            "ValueError names the first bad value of a parameter, in force or not.");
        m.def("disabled_by",
              &disabledBy,
              py::arg("environment"),
              "'disabled by NIXL_STRIPE_DISABLE=...' where the kill switch is on, else ''.");
        m.def("meant_key",
              &meantKey,
              py::arg("key"),
              py::arg("known"),
              py::arg("most") = 2,
              "The key that a misspelt one was probably meant to be; '' where it resembles none.");
        py::class_<policyInfo>(m, "PolicyInfo", "One policy of `stripe`.")
            .def_readonly("word", &policyInfo::word)
            .def_property_readonly("needs_gpu", &policyInfo::needsGpu)
            .def_readonly("meaning", &policyInfo::meaning);
        m.def("policy_table",
              &policyTable,
              "The policies of `stripe`, in the order of the documents.");
        m.def("accepted_stripe", &acceptedStripe, "What `stripe` takes, for help and errors.");
    }

    void
    bindGpus(py::module_ &m) {
        m.def("normal_pci_address",
              &normalPciAddress,
              py::arg("text"),
              "A PCI address in sysfs' spelling; None when it is none.");
        m.def(
            "current_cuda_gpu",
            [] { return currentCudaGpu(); },
            "PCI address of the calling thread's current CUDA context; None without one.");
        m.def(
            "find_gpu_pci",
            [](const std::string &key, const std::string &text) { return findGpuPci(key, text); },
            py::arg("key"),
            py::arg("text"),
            "PCI address of a GPU given as a CUDA ordinal or as a PCI address.");
    }

} // namespace

void
bindPolicy(py::module_ &m) {
    bindCalibration(m);
    bindSelection(m);
    bindParsing(m);
    bindGpus(m);
}

} // namespace nixlStripe
