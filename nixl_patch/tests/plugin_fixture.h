// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_PLUGIN_FIXTURE_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_PLUGIN_FIXTURE_H

#include "plugin/nixl_abi.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>

namespace nixlStripe::testing {

using variable_t = std::pair<std::string, std::string>;

/** A variable that lasts as long as the object. */
class scopedEnvironment {
public:
    explicit scopedEnvironment(const variable_t &variable)
        : name_(variable.first) {
        setenv(name_.c_str(), variable.second.c_str(), 1);
    }

    scopedEnvironment(const scopedEnvironment &) = delete;
    scopedEnvironment &operator=(const scopedEnvironment &) = delete;

    ~scopedEnvironment() {
        unsetenv(name_.c_str());
    }

private:
    std::string name_;
};

/**
 * The built plugin in a folder of its own beside one of the stock doubles, loaded from there as
 * NIXL does. Each folder's copy is a library of its own with its own state.
 */
class pluginFolder {
public:
    explicit pluginFolder(const std::string &stock) {
        namespace fs = std::filesystem;
        std::string pattern = (fs::temp_directory_path() / "nixl-stripe-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("no temporary folder");
        }
        folder_ = pattern;
        fs::copy_file(UCX_PLUGIN, folder_ / "libplugin_UCX.so");
        if (!stock.empty()) {
            fs::copy_file(fs::path(DOUBLES_FOLDER) / ("libstock_" + stock + ".so"),
                          folder_ / "libplugin_UCX.so.stock");
        }
        handle_ = dlopen((folder_ / "libplugin_UCX.so").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle_ == nullptr) {
            throw std::runtime_error(dlerror());
        }
    }

    pluginFolder(const pluginFolder &) = delete;
    pluginFolder &operator=(const pluginFolder &) = delete;

    ~pluginFolder() {
        std::filesystem::remove_all(folder_);
    }

    abi::plugin *
    init() const {
        return symbol<abi::plugin *(*)()>("nixl_plugin_init")();
    }

    template <typename function_t>
    function_t
    symbol(const char *name) const {
        auto function = reinterpret_cast<function_t>(dlsym(handle_, name));
        if (function == nullptr) {
            throw std::runtime_error(dlerror());
        }
        return function;
    }

private:
    std::filesystem::path folder_;
    void *handle_ = nullptr;
};

/** What NIXL hands to create_engine, with more behind the members that we know. */
struct fullInitParams {
    abi::initParams known;
    char behind[64] = {};

    explicit fullInitParams(abi::params_t *params)
        : known{"agent", "UCX", params} {}
};

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_PLUGIN_FIXTURE_H
