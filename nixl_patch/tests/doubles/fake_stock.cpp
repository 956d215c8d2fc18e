// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Stock plugins as a future or broken NIXL could have them; FAKE_STOCK_* macros choose which.
#include "plugin/nixl_abi.h"

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

extern "C" {
void *fake_config_read();
void fake_config_release(void *config);
std::int8_t ucp_init_version(unsigned, unsigned, const void *, const void *, void **);
void ucp_cleanup(void *);
}

namespace {

using namespace nixlStripe::abi;

#if defined(FAKE_STOCK_NO_SLOT)
/** A NIXL that reaches UCX some other way. */
std::int8_t
initUcx(const void *, void **) {
    return 0;
}
#elif defined(FAKE_STOCK_TWO_SLOTS)
/** A function pointer beside the direct call: a second import slot for the same function. */
std::int8_t (*volatile second_slot)(unsigned, unsigned, const void *, const void *, void **) =
    &ucp_init_version;

std::int8_t
initUcx(const void *config, void **context) {
    const std::int8_t status = second_slot(1, 0, nullptr, config, context);
    if (status != 0) {
        return status;
    }
    ucp_cleanup(*context);
    return ucp_init_version(1, 0, nullptr, config, context);
}
#else
std::int8_t
initUcx(const void *config, void **context) {
    return ucp_init_version(1, 0, nullptr, config, context);
}
#endif

struct fakeEngine {
    void *context = nullptr;
    params_t params;
};

[[maybe_unused]] engine *
createEngine(initParams *init) {
    if (std::getenv("FAKE_STOCK_SKIPS_INIT") != nullptr) {
        return reinterpret_cast<engine *>(new fakeEngine());
    }
    void *config = fake_config_read();
    auto *created = new fakeEngine();
    created->params = *init->customParams;
    const std::int8_t status = initUcx(config, &created->context);
    fake_config_release(config);
    if (status != 0) {
        delete created;
        const char *throws = std::getenv("FAKE_STOCK_THROWS");
        if (throws != nullptr && *throws != '\0') {
            throw std::runtime_error("stock: initialisation failed");
        }
        return nullptr;
    }
    return reinterpret_cast<engine *>(created);
}

void
destroyEngine(engine *opaque) {
    auto *created = reinterpret_cast<fakeEngine *>(opaque);
    if (created->context != nullptr) {
        ucp_cleanup(created->context);
    }
    delete created;
}

const char *
pluginName() {
#if defined(FAKE_STOCK_OTHER_NAME)
    return "UCX_MO";
#else
    return "UCX";
#endif
}

const char *
pluginVersion() {
    return "0.1.0";
}

params_t
backendOptions() {
    return {{"num_workers", "1"}};
}

memList_t
backendMems() {
    return {0};
}

/** A newer, longer struct: what is behind the known members must survive. */
struct longerPlugin {
    plugin known;
    const char *behind;
};

#if defined(FAKE_STOCK_API_2)
constexpr int api_version = 2;
#else
constexpr int api_version = 1;
#endif

#if defined(FAKE_STOCK_READ_ONLY)
const
#endif
    longerPlugin description = {{api_version,
#if defined(FAKE_STOCK_NO_CREATE)
                                 nullptr,
#else
                             createEngine,
#endif
                                 destroyEngine,
                                 pluginName,
                                 pluginVersion,
                                 backendOptions,
                                 backendMems},
                                "behind"};

} // namespace

extern "C" __attribute__((visibility("default"))) plugin *
#if defined(FAKE_STOCK_NO_ENTRY)
some_other_plugin_init() {
#else
nixl_plugin_init() {
#endif
    return const_cast<plugin *>(&description.known);
}

extern "C" __attribute__((visibility("default"))) void
nixl_plugin_fini() {}
