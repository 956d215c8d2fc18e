// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/stock_plugin.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <stdexcept>

namespace nixlStripe {
namespace {

    /** NIXL opens this plugin with RTLD_DEEPBIND then, which an inner dlopen does not inherit. */
    bool
    wantsDeepBind() {
        const char *variable = std::getenv("NIXL_UCX_DEEPBIND");
        return variable != nullptr && *variable != '\0' &&
               std::strchr("nNfF0", *variable) == nullptr;
    }

} // namespace

std::string
ownFolder() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<void *>(&ownFolder), &info) == 0 || info.dli_fname == nullptr) {
        return ".";
    }
    const std::string path = info.dli_fname;
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

stockPlugin::stockPlugin(const std::string &path) {
    const int deep_bind = wantsDeepBind() ? RTLD_DEEPBIND : 0;
    // RTLD_NOW binds every import slot before it is looked at.
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | deep_bind);
    if (handle_ == nullptr) {
        throw std::runtime_error("cannot load the stock UCX plugin: " + std::string(dlerror()));
    }
    init_ = reinterpret_cast<decltype(init_)>(dlsym(handle_, "nixl_plugin_init"));
    fini_ = reinterpret_cast<decltype(fini_)>(dlsym(handle_, "nixl_plugin_fini"));
    if (init_ == nullptr) {
        throw std::runtime_error(path + " has no nixl_plugin_init: it is not a NIXL plugin");
    }
}

void
stockPlugin::fini() const {
    if (fini_ != nullptr) {
        fini_();
    }
}

} // namespace nixlStripe
