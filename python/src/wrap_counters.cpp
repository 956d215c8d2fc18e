// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "counters/rdma_processes.h"
#include "counters/sources.h"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace nixlStripe {
namespace {

    void
    bindReadings(py::module_ &m) {
        py::class_<nicReading>(m, "NicReading", "The counters of one NIC at a moment.");
        py::class_<nicGain>(m, "NicGain", "What a NIC carried between two readings.")
            .def_readonly("bytes_out", &nicGain::bytesOut)
            .def_readonly("bytes_in", &nicGain::bytesIn)
            .def_readonly("errors", &nicGain::errors)
            .def_readonly("discards", &nicGain::discards)
            .def_readonly("problem", &nicGain::problem);
        m.def("counter_advance",
              &counterAdvance,
              py::arg("before").none(true),
              py::arg("after").none(true),
              "How far a counter went, over the end of 32 or 64 bits or from a reset too.");
    }

    void
    bindSources(py::module_ &m) {
        py::class_<counterSource, std::shared_ptr<counterSource>>(
            m, "CounterSource", "One source of one NIC's bytes, and what it cannot see.")
            .def_property_readonly("name", [](const counterSource &s) { return s.info().name; })
            .def_property_readonly(
                "kind", [](const counterSource &s) { return evidenceName(s.info().kind); })
            .def_property_readonly("unit", [](const counterSource &s) { return s.info().unit; })
            .def_property_readonly("where", [](const counterSource &s) { return s.info().where; })
            .def_property_readonly("blind", [](const counterSource &s) { return s.info().blind; })
            .def("read", &counterSource::read)
            .def(
                "gain",
                [](const counterSource &s, const nicReading &before, const nicReading &after) {
                    return gainBetween(s.info(), before, after);
                },
                py::arg("before"),
                py::arg("after"));
        py::class_<sourceAnswer>(m, "SourceAnswer", "A source, or why it is not to be had here.")
            .def_readonly("source", &sourceAnswer::source)
            .def_readonly("reason", &sourceAnswer::reason);
        py::class_<counterHost>(m, "CounterHost", "Where counters are looked for.")
            .def(py::init<std::string>(), py::arg("sysfs") = "/sys")
            .def("nics", &counterHost::nics)
            .def("devices", &counterHost::devices)
            .def("sources", &counterHost::sources, py::arg("nic"))
            .def("best", &counterHost::best, py::arg("nic"))
            .def("is_up", &counterHost::isUp, py::arg("nic"));
    }

    void
    bindProcesses(py::module_ &m) {
        py::class_<packetTotals>(m, "PacketTotals", "Packets of payload, asked for and answered.")
            .def_readonly("asked", &packetTotals::asked)
            .def_readonly("answered", &packetTotals::answered);
        py::class_<rdmaProcesses>(m, "RdmaProcesses", "Packets by process on one RDMA device.")
            .def(py::init<std::string>(), py::arg("device"))
            .def("look", &rdmaProcesses::look)
            .def_property_readonly("error", &rdmaProcesses::error);
    }

} // namespace

void
bindCounters(py::module_ &m) {
    bindReadings(m);
    bindSources(m);
    bindProcesses(m);
}

} // namespace nixlStripe
