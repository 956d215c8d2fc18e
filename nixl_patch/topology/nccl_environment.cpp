// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/nccl_environment.h"

#include "topology/nccl.h"
#include "topology/text_file.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace nixlStripe {
namespace {

    constexpr std::string_view variable = "NCCL_TOPO_FILE";
    constexpr std::size_t max_configuration_bytes = std::size_t(1) << 20;

    std::string
    value(const environment_t &environment, const char *name) {
        const char *const text = environment(name);
        return text == nullptr ? "" : text;
    }

    /** NCCL_TOPO_FILE of a configuration file: the first line that sets it, as setenv keeps it. */
    std::string
    configured(const std::string &path) {
        std::string text;
        try {
            text = readTextFile(path, max_configuration_bytes);
        } catch (const std::invalid_argument &) {
            return ""; // most machines have no such file; NCCL says nothing of it either
        }
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (!line.empty() && line.back() == '\r') {
                line.remove_suffix(1);
            }
            if (line.size() > variable.size() + 1 && line[variable.size()] == '=' &&
                line.substr(0, variable.size()) == variable) {
                return std::string(line.substr(variable.size() + 1));
            }
        }
        return "";
    }

    std::vector<std::string>
    configurationFiles(const environment_t &environment, const std::string &root) {
        std::vector<std::string> files;
        const std::string chosen = value(environment, "NCCL_CONF_FILE");
        const std::string home = value(environment, "HOME");
        if (!chosen.empty()) {
            files.push_back(chosen);
        } else if (!home.empty()) {
            files.push_back(home + "/.nccl.conf");
        }
        files.push_back(root + "/etc/nccl.conf");
        return files;
    }

} // namespace

std::optional<ncclTopologyFile>
findNcclTopology(const environment_t &environment, const std::string &root) {
    const std::string assignment = std::string(variable) + "=";
    const std::string direct = value(environment, std::string(variable).c_str());
    if (!direct.empty()) {
        return ncclTopologyFile{direct, assignment + direct, false};
    }
    for (const std::string &file : configurationFiles(environment, root)) {
        const std::string path = configured(file);
        if (!path.empty()) {
            return ncclTopologyFile{path, assignment + path + " in " + file, false};
        }
    }
    const std::string fallback = root + nccl_default_topology;
    if (::access(fallback.c_str(), F_OK) == 0) {
        return ncclTopologyFile{fallback, fallback, true};
    }
    return std::nullopt;
}

void
applyNcclEnvironment(machine &host, const environment_t &environment, const std::string &root) {
    const auto file = findNcclTopology(environment, root);
    if (!file) {
        return;
    }
    constexpr const char *kept = "; the PCIe tree is taken from sysfs alone";
    try {
        const ncclOverlay matched = applyNcclTopology(host, file->path);
        if (matched.gpus + matched.nics > 0) {
            host.ncclTopology = file->path;
        } else if (!host.gpus.empty() || !host.nics.empty()) {
            host.warnings.push_back(file->namedBy +
                                    ": lists none of this machine's GPUs and NICs by their PCI "
                                    "addresses" +
                                    kept);
        }
    } catch (const std::invalid_argument &error) {
        std::string reason = error.what();
        // The reason begins with the path, which namedBy has already.
        if (reason.rfind(file->path + ": ", 0) == 0) {
            reason.erase(0, file->path.size() + 2);
        }
        host.warnings.push_back(file->namedBy + ": " + reason + kept);
    }
}

} // namespace nixlStripe
