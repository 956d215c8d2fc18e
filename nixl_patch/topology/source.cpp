// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/source.h"

#include "topology/hwloc.h"
#include "topology/nccl.h"
#include "topology/nccl_environment.h"
#include "topology/sysfs.h"
#include "topology/xml.h"

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>

namespace nixlStripe {
namespace {

    constexpr const char *accepted =
        "; accepted: /sys or a copy of it (a folder), an hwloc XML, an NCCL topology XML";

    bool
    isFolder(const std::string &path) {
        struct stat info = {};
        if (::stat(path.c_str(), &info) != 0) {
            throw std::invalid_argument("topology source '" + path +
                                        "': " + std::generic_category().message(errno) + accepted);
        }
        return S_ISDIR(info.st_mode);
    }

    machine
    readDocument(const std::string &path) {
        const xmlElement root = readXmlFile(path);
        if (isHwloc(root)) {
            return machineFromHwloc(root, path);
        }
        if (isNcclTopology(root)) {
            return machineFromNccl(root, path);
        }
        throw std::invalid_argument(path + ": XML of an unknown kind, <" + root.name + ">" +
                                    accepted);
    }

} // namespace

machine
readMachine(const std::string &path) {
    if (!isFolder(path)) {
        return readDocument(path);
    }
    machine host = readSysfs(path);
    if (host.isLive) {
        applyNcclEnvironment(host, [](const char *name) { return std::getenv(name); });
    }
    return host;
}

} // namespace nixlStripe
