// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/spread_hooks.h"

#include "plugin/import_slot.h"
#include "plugin/log.h"
#include "ucx/small_spread.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

namespace nixlStripe {
namespace {

    /** Bit of `ucp_request_param_t::op_attr_mask`: a datatype is given, bytes may not be bytes. */
    constexpr std::uint32_t has_datatype = 1U << 3;

    /** UCX's functions as the stock plugin imported them. */
    struct realFunctions {
        ucsStatus_t (*workerCreate)(void *, const void *, void **) = nullptr;
        void (*workerDestroy)(void *) = nullptr;
        ucsStatus_t (*endpointCreate)(void *, const void *, void **) = nullptr;
        void *(*endpointClose)(void *, const void *) = nullptr;
        void *(*endpointFlush)(void *, const void *) = nullptr;
        ucsStatus_t (*keyPack)(void *, void *, void **, std::size_t *) = nullptr;
        ucsStatus_t (*keyUnpack)(void *, const void *, void **) = nullptr;
        void (*keyDestroy)(void *) = nullptr;
        void *(*put)(void *, const void *, std::size_t, std::uint64_t, void *, const void *) =
            nullptr;
        void *(*get)(void *, void *, std::size_t, std::uint64_t, void *, const void *) = nullptr;
    };

    realFunctions real;

    /** Lives as long as the process: the stock plugin may call through the slots at any time. */
    smallSpread *spread = nullptr;
    std::string why_not = "the stock UCX plugin was not loaded";

    /** Out of memory must not travel through UCX's callers: the buffer then goes as UCX would. */
    template <typename action_t>
    void
    quietly(action_t &&action) {
        try {
            action();
        } catch (const std::exception &problem) {
            log(logLevel_t::DEBUG, std::string("small buffers are left to UCX: ") + problem.what());
        }
    }

    ucsStatus_t
    workerCreate(void *context, const void *params, void **worker) {
        const ucsStatus_t status = real.workerCreate(context, params, worker);
        if (status == ucs_ok) {
            quietly([&] { spread->workerMade(context, *worker); });
        }
        return status;
    }

    void
    workerDestroy(void *worker) {
        spread->workerGone(worker);
        real.workerDestroy(worker);
    }

    ucsStatus_t
    endpointCreate(void *worker, const void *params, void **endpoint) {
        const ucsStatus_t status = real.endpointCreate(worker, params, endpoint);
        if (status == ucs_ok) {
            quietly([&] { spread->endpointMade(worker, *endpoint); });
        }
        return status;
    }

    void *
    endpointClose(void *endpoint, const void *params) {
        spread->endpointGone(endpoint);
        return real.endpointClose(endpoint, params);
    }

    void *
    endpointFlush(void *endpoint, const void *params) {
        spread->flushed(endpoint);
        return real.endpointFlush(endpoint, params);
    }

    void
    notePacked(const void *packed, std::size_t size) {
        static std::atomic<bool> is_reported{false};
        if (!spread->keyPacked(packed, size) && !is_reported.exchange(true)) {
            log(logLevel_t::WARN,
                "small buffers are left to UCX, which prefers the first NICs: its keys to remote "
                "memory have an unknown form");
        }
    }

    ucsStatus_t
    keyPack(void *context, void *memory, void **packed, std::size_t *size) {
        const ucsStatus_t status = real.keyPack(context, memory, packed, size);
        if (status == ucs_ok) {
            quietly([&] { notePacked(*packed, *size); });
        }
        return status;
    }

    ucsStatus_t
    keyUnpack(void *endpoint, const void *packed, void **key) {
        const ucsStatus_t status = real.keyUnpack(endpoint, packed, key);
        if (status == ucs_ok) {
            quietly([&] { spread->keyMade(endpoint, packed, *key); });
        }
        return status;
    }

    void
    keyDestroy(void *key) {
        spread->keyGone(key);
        real.keyDestroy(key);
    }

    void *
    keyFor(void *endpoint, std::size_t bytes, void *key, const void *params) {
        const bool counts_bytes = (*static_cast<const std::uint32_t *>(params) & has_datatype) == 0;
        void *chosen = key;
        if (counts_bytes) {
            quietly([&] { chosen = spread->keyFor(endpoint, bytes, key); });
        }
        return chosen;
    }

    void *
    put(void *endpoint,
        const void *buffer,
        std::size_t bytes,
        std::uint64_t address,
        void *key,
        const void *params) {
        void *chosen = keyFor(endpoint, bytes, key, params);
        return real.put(endpoint, buffer, bytes, address, chosen, params);
    }

    void *
    get(void *endpoint,
        void *buffer,
        std::size_t bytes,
        std::uint64_t address,
        void *key,
        const void *params) {
        void *chosen = keyFor(endpoint, bytes, key, params);
        return real.get(endpoint, buffer, bytes, address, chosen, params);
    }

    struct redirection {
        importSlots slots;
        void *function;
    };

    template <typename function_t>
    redirection
    prepared(void *stock, const char *symbol, function_t *&real_function, function_t *ours) {
        importSlots slots = findImport(stock, symbol);
        real_function = reinterpret_cast<function_t *>(slots.target());
        return {std::move(slots), reinterpret_cast<void *>(ours)};
    }

} // namespace

void
spreadHooks::install(void *stock, const ucxLibrary &ucx) {
    if (spread != nullptr) {
        return;
    }
    try {
        // All are found before the first one is redirected.
        std::array<redirection, 10> all = {{
            prepared(stock, "ucp_worker_create", real.workerCreate, &workerCreate),
            prepared(stock, "ucp_worker_destroy", real.workerDestroy, &workerDestroy),
            prepared(stock, "ucp_ep_create", real.endpointCreate, &endpointCreate),
            prepared(stock, "ucp_ep_close_nbx", real.endpointClose, &endpointClose),
            prepared(stock, "ucp_ep_flush_nbx", real.endpointFlush, &endpointFlush),
            prepared(stock, "ucp_rkey_pack", real.keyPack, &keyPack),
            prepared(stock, "ucp_ep_rkey_unpack", real.keyUnpack, &keyUnpack),
            prepared(stock, "ucp_rkey_destroy", real.keyDestroy, &keyDestroy),
            prepared(stock, "ucp_put_nbx", real.put, &put),
            prepared(stock, "ucp_get_nbx", real.get, &get),
        }};
        const auto lanes = [&ucx](const void *endpoint) { return ucx.rmaLanes(endpoint); };
        const auto pack_one = [&ucx](const void *context) {
            const std::vector<std::uint8_t> key = ucx.ownKey(context);
            if (!key.empty()) {
                notePacked(key.data(), key.size());
            }
        };
        spread = new smallSpread({real.keyUnpack, real.keyDestroy, lanes, pack_one});
        for (redirection &each : all) {
            each.slots.redirect(each.function);
        }
        why_not.clear();
    } catch (const std::exception &reason) {
        why_not = reason.what();
    }
}

std::string
spreadHooks::problem() {
    return why_not;
}

void
spreadHooks::watch(const void *context, std::size_t chunk) {
    spread->watchContext(context, chunk);
}

void
spreadHooks::leaveAlone(const void *context) {
    if (spread != nullptr) {
        spread->forgetContext(context);
    }
}

} // namespace nixlStripe
