// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/library.h"

#include "ucx/config_text.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <memory>
#include <stdexcept>

namespace nixlStripe {
namespace {

    /** UCS_CONFIG_PRINT_CONFIG: values only, no comments. */
    constexpr int print_values = 1;

    constexpr std::size_t page_bytes = 4096;

    /** The start of `ucp_mem_map_params_t`; UCX reads what the field mask names. */
    struct memoryMapParams {
        std::uint64_t fields;
        void *address;
        std::size_t length;
        std::array<std::uint64_t, 8> others;
    };

    /** UCP_MEM_MAP_PARAM_FIELD_ADDRESS and _LENGTH */
    constexpr std::uint64_t address_and_length = 3;

    template <typename function_t>
    function_t
    lookUp(void *library, const char *symbol) {
        return reinterpret_cast<function_t>(dlsym(library, symbol));
    }

    template <typename function_t>
    function_t
    require(void *library, const std::string &path, const char *symbol) {
        auto function = lookUp<function_t>(library, symbol);
        if (function == nullptr) {
            throw std::runtime_error(path + " has no " + symbol);
        }
        return function;
    }

    /** What @p print writes to the stream that it is given. */
    template <typename printer_t>
    std::string
    captured(printer_t &&print) {
        char *buffer = nullptr;
        std::size_t size = 0;
        FILE *stream = open_memstream(&buffer, &size);
        if (stream == nullptr) {
            throw std::runtime_error("out of memory while reading UCX's settings");
        }
        print(stream);
        fclose(stream);
        const std::unique_ptr<char, decltype(&std::free)> owner(buffer, &std::free);
        return std::string(buffer, size);
    }

} // namespace

ucxLibrary::ucxLibrary(ucpInitVersion_t function)
    : init_(function) {
    Dl_info info{};
    if (dladdr(reinterpret_cast<void *>(function), &info) == 0 || info.dli_fname == nullptr) {
        throw std::runtime_error("ucp_init_version does not belong to a loaded library");
    }
    path_ = info.dli_fname;
    void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) {
        throw std::runtime_error("cannot reopen " + path_ + ": " + dlerror());
    }
    modify_ = require<modify_t>(library, path_, "ucp_config_modify");
    config_print_ = require<configPrint_t>(library, path_, "ucp_config_print");
    context_print_ = require<contextPrint_t>(library, path_, "ucp_context_print_info");
    cleanup_ = require<cleanup_t>(library, path_, "ucp_cleanup");
    version_ = require<version_t>(library, path_, "ucp_get_version_string");
    endpoint_print_ = lookUp<endpointPrint_t>(library, "ucp_ep_print_info");
    memory_map_ = lookUp<memoryMap_t>(library, "ucp_mem_map");
    memory_unmap_ = lookUp<memoryUnmap_t>(library, "ucp_mem_unmap");
    key_pack_ = lookUp<keyPack_t>(library, "ucp_rkey_pack");
    key_release_ = lookUp<keyRelease_t>(library, "ucp_rkey_buffer_release");
    // libucs is a dependency of libucp, and dlsym on a handle searches its dependencies too.
    status_string_ = lookUp<statusString_t>(library, "ucs_status_string");
    global_get_ = lookUp<globalGet_t>(library, "ucs_global_opts_get_value");
    global_set_ = lookUp<globalSet_t>(library, "ucs_global_opts_set_value");
}

std::string
ucxLibrary::version() const {
    return version_();
}

ucsStatus_t
ucxLibrary::modify(void *config, const std::string &key, const std::string &value) const {
    return modify_(config, key.c_str(), value.c_str());
}

std::map<std::string, std::string>
ucxLibrary::settings(const void *config) const {
    return parseConfigText(
        captured([&](FILE *stream) { config_print_(config, stream, "", print_values); }));
}

std::set<std::string>
ucxLibrary::devices(const void *context) const {
    return parseContextDevices(captured([&](FILE *stream) { context_print_(context, stream); }));
}

std::vector<rmaLane>
ucxLibrary::rmaLanes(const void *endpoint) const {
    if (endpoint_print_ == nullptr) {
        return {};
    }
    return parseRmaLanes(captured([&](FILE *stream) { endpoint_print_(endpoint, stream); }));
}

std::vector<std::uint8_t>
ucxLibrary::ownKey(const void *context) const {
    if (memory_map_ == nullptr || memory_unmap_ == nullptr || key_pack_ == nullptr ||
        key_release_ == nullptr) {
        return {};
    }
    // Never given back to the allocator, so that no cache of registrations has to notice it.
    alignas(page_bytes) static std::array<std::uint8_t, page_bytes> page;
    const memoryMapParams params{address_and_length, page.data(), page.size(), {}};
    void *memory = nullptr;
    if (memory_map_(context, &params, &memory) != ucs_ok) {
        return {};
    }
    std::vector<std::uint8_t> key;
    void *packed = nullptr;
    std::size_t size = 0;
    if (key_pack_(context, memory, &packed, &size) == ucs_ok) {
        const auto *start = static_cast<const std::uint8_t *>(packed);
        key.assign(start, start + size);
        key_release_(packed);
    }
    memory_unmap_(context, memory);
    return key;
}

void
ucxLibrary::cleanup(void *context) const {
    cleanup_(context);
}

std::string
ucxLibrary::statusText(ucsStatus_t status) const {
    return status_string_ != nullptr ? status_string_(status) : std::to_string(int{status});
}

std::string
ucxLibrary::globalOption(const std::string &key) const {
    std::array<char, 512> value{};
    if (global_get_ == nullptr || global_get_(key.c_str(), value.data(), value.size()) != ucs_ok) {
        return {};
    }
    value.back() = '\0';
    return value.data();
}

ucsStatus_t
ucxLibrary::setGlobalOption(const std::string &key, const std::string &value) const {
    return global_set_ != nullptr ? global_set_(key.c_str(), value.c_str()) : ucs_err_invalid_param;
}

} // namespace nixlStripe
