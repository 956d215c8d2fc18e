// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/sysfs_tree.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace nixlStripe {

namespace fs = std::filesystem;

namespace {

    std::string
    hex(const char *format, unsigned value) {
        char text[16];
        std::snprintf(text, sizeof(text), format, value);
        return text;
    }

    std::string
    lastName(const std::string &path) {
        return path.substr(path.rfind('/') + 1);
    }

} // namespace

sysfsTree::sysfsTree() {
    // A tree has hundreds of files: on a busy disk they took a minute.
    const fs::path in_memory = "/dev/shm";
    const bool is_there = ::access(in_memory.c_str(), W_OK | X_OK) == 0;
    std::string name =
        ((is_there ? in_memory : fs::temp_directory_path()) / "sysfs_tree_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    folder_ = name;
    fs::create_directories(fs::path(root()));
    fs::create_directories(fs::path(dev()) / "infiniband");
}

sysfsTree::~sysfsTree() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string
sysfsTree::root() const {
    return (folder_ / "sys").string();
}

std::string
sysfsTree::dev() const {
    return (folder_ / "dev").string();
}

void
sysfsTree::file(const std::string &path, const std::string &text) {
    const fs::path where = fs::path(root()) / path;
    fs::create_directories(where.parent_path());
    std::ofstream(where, std::ios::binary) << text << '\n';
}

void
sysfsTree::link(const std::string &path, const std::string &target) {
    const fs::path where = fs::path(root()) / path;
    const fs::path to = fs::path(root()) / target;
    fs::create_directories(where.parent_path());
    // As the kernel writes it: the text ends with the target's own name.
    const fs::path text = to.parent_path().lexically_relative(where.parent_path());
    fs::create_symlink(text / to.filename(), where);
}

void
sysfsTree::remove(const std::string &path) {
    fs::remove_all(fs::path(root()) / path);
}

std::string
sysfsTree::function(const std::string &chain,
                    unsigned class_code,
                    unsigned vendor,
                    unsigned device) {
    const std::string where = "devices/" + chain;
    file(where + "/uevent",
         "PCI_CLASS=" + hex("%X", class_code) + "\nPCI_ID=" + hex("%04X", vendor) +
             hex(":%04X", device));
    file(where + "/class", hex("0x%06x", class_code));
    file(where + "/vendor", hex("0x%04x", vendor));
    file(where + "/device", hex("0x%04x", device));
    file(where + "/numa_node", "-1");
    file(where + "/current_link_speed", "32.0 GT/s PCIe");
    file(where + "/current_link_width", "16");
    link("bus/pci/devices/" + lastName(chain), where);
    return where;
}

std::string
sysfsTree::nic(const std::string &function, const std::string &name) {
    const std::string where = function + "/infiniband/" + name;
    port(where, 1, "InfiniBand");
    link(where + "/device", function);
    link("class/infiniband/" + name, where);
    const std::string uverbs = "uverbs" + std::to_string(uverbs_++);
    file(function + "/infiniband_verbs/" + uverbs + "/ibdev", name);
    link("class/infiniband_verbs/" + uverbs, function + "/infiniband_verbs/" + uverbs);
    std::ofstream(fs::path(dev()) / "infiniband" / uverbs) << "";
    return where;
}

void
sysfsTree::port(const std::string &nic, unsigned number, const std::string &layer) {
    const std::string where = nic + "/ports/" + std::to_string(number);
    file(where + "/state", "4: ACTIVE");
    file(where + "/phys_state", "5: LinkUp");
    file(where + "/link_layer", layer);
    file(where + "/rate", "400 Gb/sec (4X NDR)");
    file(where + "/lid", "0x1f");
    file(where + "/gids/0", "fe80:0000:0000:0000:0000:00ff:fe00:0001");
    file(where + "/gids/1", "0000:0000:0000:0000:0000:0000:0000:0000");
}

std::string
sysfsTree::net(const std::string &above, const std::string &name) {
    const std::string where = above + "/net/" + name;
    file(where + "/operstate", "up");
    file(where + "/mtu", "9000");
    file(where + "/speed", "100000");
    file(where + "/dev_port", "0");
    link("class/net/" + name, where);
    return where;
}

std::vector<fs::path>
sysfsTree::entries() const {
    std::vector<fs::path> found;
    for (const auto &entry : fs::recursive_directory_iterator(root())) {
        found.push_back(entry.path());
    }
    return found;
}

void
sysfsTree::addTwoSockets() {
    for (unsigned socket = 0; socket < 2; ++socket) {
        const std::string bus = socket == 0 ? "1" : "2";
        const std::string top = "pci0000:" + bus + "0/0000:" + bus + "0:01.0";
        const std::string up = top + "/0000:" + bus + "1:00.0";
        const std::string down = up + "/0000:" + bus + "2:0";
        for (const std::string &bridge : {top, up, down + "0.0", down + "1.0"}) {
            file(function(bridge, 0x060400, 0x1000) + "/numa_node", std::to_string(socket));
        }
        const std::string card = function(down + "0.0/0000:" + bus + "3:00.0", 0x020700, 0x15b3);
        file(card + "/numa_node", std::to_string(socket));
        nic(card, "mlx5_" + std::to_string(socket));
        file(function(down + "1.0/0000:" + bus + "4:00.0", 0x030200, 0x10de) + "/numa_node",
             std::to_string(socket));
    }
    file("devices/system/node/online", "0-1");
}

} // namespace nixlStripe
