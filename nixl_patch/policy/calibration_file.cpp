// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/calibration_file.h"

#include "topology/text.h"
#include "topology/text_file.h"

#include <cerrno>
#include <stdexcept>
#include <sys/stat.h>

namespace nixlStripe {
namespace {

    constexpr std::string_view off = "off";
    constexpr std::string_view name = "/nixl-stripe/calibration";

    /** A variable of the environment that is an absolute path; "" where it is none. */
    std::string
    pathIn(const environment_t &environment, const std::string &variable) {
        const auto it = environment.find(variable);
        const bool is_path = it != environment.end() && it->second.substr(0, 1) == "/";
        return is_path ? it->second : "";
    }

} // namespace

void
checkCalibrationPath(std::string_view key, const std::string &text) {
    constexpr std::size_t max_length = 1024;
    if (!text.empty() && text != off && (text.front() != '/' || text.size() > max_length)) {
        refuse(key, text, "", calibration_accepted);
    }
}

std::vector<std::string>
defaultCalibrations(const environment_t &environment) {
    std::vector<std::string> paths;
    std::string config = pathIn(environment, "XDG_CONFIG_HOME");
    if (const std::string home = pathIn(environment, "HOME"); config.empty() && !home.empty()) {
        config = home + "/.config";
    }
    if (!config.empty()) {
        paths.push_back(config.append(name));
    }
    paths.push_back(std::string("/etc").append(name));
    return paths;
}

std::optional<std::string>
readCalibrationFile(const std::string &path) {
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return std::nullopt;
    }
    return readTextFile(path, max_calibration_bytes);
}

std::shared_ptr<const calibration>
readCalibration(const parameterValue &given,
                const environment_t *environment,
                const calibrationReader_t &read,
                std::vector<std::string> &warnings) {
    if (given.text == off) {
        return nullptr;
    }
    std::vector<std::string> paths = {given.text};
    if (!given.isSet()) {
        paths =
            environment == nullptr ? std::vector<std::string>() : defaultCalibrations(*environment);
    }
    for (const std::string &path : paths) {
        try {
            if (const std::optional<std::string> text = read(path)) {
                return std::make_shared<const calibration>(parseCalibration(path, *text));
            }
            if (given.isSet()) {
                throw std::invalid_argument("there is no such file");
            }
        } catch (const std::invalid_argument &problem) {
            if (given.isSet()) {
                refuse(given.origin, given.text, problem.what(), calibration_accepted);
            }
            warnings.push_back("calibration not used: " + std::string(problem.what()) +
                               "; `nixl-stripe tune` writes a new one");
            return nullptr;
        }
    }
    return nullptr;
}

} // namespace nixlStripe
