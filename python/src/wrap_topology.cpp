// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "topology/cpu_type.h"
#include "topology/distance.h"
#include "topology/folder.h"
#include "topology/machine.h"
#include "topology/names.h"
#include "topology/source.h"
#include "topology/sysfs.h"

#include <optional>
#include <pybind11/stl.h>
#include <string>
#include <utility>

namespace py = pybind11;

namespace nixlStripe {
namespace {

    template <typename Items>
    py::tuple
    tupleOf(const Items &items) {
        py::tuple result(items.size());
        std::size_t index = 0;
        for (const auto &item : items) {
            result[index++] = py::cast(item);
        }
        return result;
    }

    std::optional<bool>
    hasAddress(const netInterface &item) {
        return item.address == address_t::UNKNOWN ? std::nullopt
                                                  : std::optional(item.address == address_t::YES);
    }

    std::pair<std::string, unsigned>
    pairOf(const affinity &value) {
        return {distanceName(value.distance), value.commonDepth};
    }

    template <typename Item> using fields = py::class_<Item>;

    /** Every read-only property by name, plain values only: what to_dict() and == look at. */
    py::object
    plain(const py::handle &value) {
        if (py::isinstance<py::tuple>(value)) {
            py::list items;
            for (const py::handle item : value) {
                items.append(plain(item));
            }
            return std::move(items);
        }
        if (py::isinstance<py::dict>(value)) {
            py::dict items;
            for (const auto &item : py::reinterpret_borrow<py::dict>(value)) {
                items[item.first] = plain(item.second);
            }
            return std::move(items);
        }
        if (!py::hasattr(value, "_fields")) {
            return py::reinterpret_borrow<py::object>(value);
        }
        py::dict items;
        for (const py::handle name : value.attr("_fields")) {
            items[name] = plain(value.attr(name));
        }
        return std::move(items);
    }

    template <typename Item>
    void
    finish(fields<Item> &type, const py::tuple &names) {
        type.attr("_fields") = names;
        type.def("to_dict", [](const py::object &self) { return plain(self); });
        type.def("__eq__", [](const py::object &self, const py::object &other) {
            return py::type::of(self).is(py::type::of(other)) && plain(self).equal(plain(other));
        });
        type.def("__repr__", [](const py::object &self) {
            return py::str("{}({})").format(py::type::of(self).attr("__name__"), plain(self));
        });
    }

    void
    bindPort(py::module_ &m) {
        fields<port> type(m, "Port");
        type.def_readonly("number", &port::number)
            .def_property_readonly("state", [](const port &p) { return portStateName(p.state); })
            .def_readonly("physical_state", &port::physicalState)
            .def_property_readonly("link_layer",
                                   [](const port &p) { return linkLayerName(p.linkLayer); })
            .def_readonly("rate_gbps", &port::rateGbps)
            .def_readonly("lid", &port::lid)
            .def_readonly("has_gid", &port::hasGid)
            .def_property_readonly("gids", [](const port &p) { return tupleOf(p.gids); })
            .def_readonly("netdev", &port::netdev);
        finish(type,
               py::make_tuple("number",
                              "state",
                              "physical_state",
                              "link_layer",
                              "rate_gbps",
                              "lid",
                              "has_gid",
                              "gids",
                              "netdev"));
    }

    void
    bindNic(py::module_ &m) {
        fields<rdmaNic> type(m, "RdmaNic");
        type.def_readonly("name", &rdmaNic::name)
            .def_property_readonly("ports", [](const rdmaNic &n) { return tupleOf(n.ports); })
            .def_readonly("pci", &rdmaNic::pci)
            .def_readonly("numa_node", &rdmaNic::numaNode)
            .def_readonly("driver", &rdmaNic::driver)
            .def_readonly("is_virtual_function", &rdmaNic::isVirtualFunction)
            .def_readonly("physical_function", &rdmaNic::physicalFunction)
            .def_readonly("is_name_made_up", &rdmaNic::isNameMadeUp)
            .def_readonly("uverbs", &rdmaNic::uverbs)
            .def_property_readonly("access", [](const rdmaNic &n) { return accessName(n.access); })
            .def_readonly("bond_master", &rdmaNic::bondMaster);
        finish(type,
               py::make_tuple("name",
                              "ports",
                              "pci",
                              "numa_node",
                              "driver",
                              "is_virtual_function",
                              "physical_function",
                              "uverbs",
                              "access",
                              "bond_master"));
    }

    void
    bindNet(py::module_ &m) {
        fields<netInterface> type(m, "NetInterface");
        type.def_readonly("name", &netInterface::name)
            .def_property_readonly("kind",
                                   [](const netInterface &n) { return netKindName(n.kind); })
            .def_readonly("is_virtual", &netInterface::isVirtual)
            .def_property_readonly("has_address", &hasAddress)
            .def_readonly("up", &netInterface::up)
            .def_readonly("rate_gbps", &netInterface::rateGbps)
            .def_readonly("mtu", &netInterface::mtu)
            .def_readonly("pci", &netInterface::pci)
            .def_readonly("numa_node", &netInterface::numaNode)
            .def_readonly("master", &netInterface::master);
        finish(type,
               py::make_tuple("name",
                              "kind",
                              "is_virtual",
                              "has_address",
                              "up",
                              "rate_gbps",
                              "mtu",
                              "pci",
                              "numa_node",
                              "master"));
    }

    void
    bindPci(py::module_ &m) {
        fields<gpu> accelerator(m, "Gpu");
        accelerator.def_readonly("pci", &gpu::pci)
            .def_property_readonly("vendor", [](const gpu &g) { return gpuVendorName(g.vendor); })
            .def_readonly("numa_node", &gpu::numaNode)
            .def_readonly("model", &gpu::model);
        finish(accelerator, py::make_tuple("pci", "vendor", "numa_node", "model"));

        fields<pciNode> node(m, "PciNode");
        node.def_readonly("address", &pciNode::address)
            .def_readonly("parent", &pciNode::parent)
            .def_readonly("root", &pciNode::root)
            .def_readonly("numa_node", &pciNode::numaNode)
            .def_readonly("class_code", &pciNode::classCode)
            .def_readonly("vendor", &pciNode::vendor)
            .def_readonly("device", &pciNode::device)
            .def_readonly("link_gtps", &pciNode::linkGtps)
            .def_readonly("link_width", &pciNode::linkWidth)
            .def_readonly("is_whole_switch", &pciNode::isWholeSwitch);
        finish(node,
               py::make_tuple("address",
                              "parent",
                              "root",
                              "numa_node",
                              "class_code",
                              "vendor",
                              "device",
                              "link_gtps",
                              "link_width",
                              "is_whole_switch"));
    }

    void
    bindMachine(py::module_ &m) {
        fields<machine> type(m, "Machine");
        type.def_readonly("source", &machine::source)
            .def_property_readonly("nics", [](const machine &h) { return tupleOf(h.nics); })
            .def_property_readonly("net_interfaces",
                                   [](const machine &h) { return tupleOf(h.netInterfaces); })
            .def_property_readonly("gpus", [](const machine &h) { return tupleOf(h.gpus); })
            .def_property_readonly("pci", [](const machine &h) { return py::cast(h.pci); })
            .def_property_readonly("numa_nodes",
                                   [](const machine &h) { return tupleOf(h.numaNodes); })
            .def_property_readonly("cpu", [](const machine &h) { return cpuKindName(h.cpu.kind); })
            .def_property_readonly("cpu_family", [](const machine &h) { return h.cpu.family; })
            .def_property_readonly("cpu_model", [](const machine &h) { return h.cpu.model; })
            .def_readonly("is_flat", &machine::isFlat)
            .def_readonly("nccl_topology", &machine::ncclTopology)
            .def_property_readonly("warnings", [](const machine &h) { return tupleOf(h.warnings); })
            .def_readonly("is_live", &machine::isLive)
            .def(
                "affinity",
                [](const machine &h, const gpu &g, const rdmaNic &n) {
                    return pairOf(affinityBetween(h, g, n));
                },
                py::arg("gpu"),
                py::arg("nic"))
            .def(
                "pci_affinity",
                [](const machine &h, const std::string &a, const std::string &b) {
                    return pairOf(affinityBetween(h, a, b));
                },
                py::arg("a"),
                py::arg("b"));
        finish(type,
               py::make_tuple("source",
                              "nics",
                              "net_interfaces",
                              "gpus",
                              "pci",
                              "numa_nodes",
                              "cpu",
                              "cpu_family",
                              "cpu_model",
                              "is_flat",
                              "nccl_topology",
                              "warnings",
                              "is_live"));
    }

} // namespace

void
bindTopology(py::module_ &m) {
    bindPort(m);
    bindNic(m);
    bindNet(m);
    bindPci(m);
    bindMachine(m);
    m.def(
        "read_machine",
        [](const std::string &path, const std::string &label) {
            machine host = readMachine(path);
            host.source = label.empty() ? host.source : label;
            return host;
        },
        py::arg("path"),
        py::arg("label") = "");
    m.def("read_sysfs", &readSysfs, py::arg("root") = "/sys", py::arg("dev") = "");
    m.def(
        "sysfs_reads",
        [](const std::string &root) {
            const readRecorder record;
            readSysfs(root);
            return record.paths();
        },
        py::arg("root"));
}

} // namespace nixlStripe
