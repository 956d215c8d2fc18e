// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/operation_hooks.h"

#include "plugin/import_slot.h"
#include "plugin/log.h"
#include "recovery/failover_stage.h"
#include "recovery/request_gate.h"
#include "topology/never_destroyed.h"
#include "ucx/small_spread.h"

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nixlStripe {
namespace {

    /** UCX's functions as the stock plugin imported them. */
    struct realFunctions {
        ucsStatus_t (*workerCreate)(void *, const void *, void **) = nullptr;
        void (*workerDestroy)(void *) = nullptr;
        ucsStatus_t (*endpointCreate)(void *, const void *, void **) = nullptr;
        void *(*endpointClose)(void *, const void *) = nullptr;
        ucsStatus_t (*keyPack)(void *, void *, void **, std::size_t *) = nullptr;
        ucsStatus_t (*keyUnpack)(void *, const void *, void **) = nullptr;
        void (*keyDestroy)(void *) = nullptr;
        operationPath::calls path;
        requestGate::calls requests;
    };

    /** One import: its slots, UCX's function and ours. */
    struct redirection {
        importSlots slots;
        void *real;
        void *ours;
    };

    /** Imports that are redirected while a context is open that needs it. */
    struct importGroup {
        std::vector<redirection> imports;
        std::size_t openContexts = 0;
        std::string problem = "the stock UCX plugin was not loaded";
    };

    struct hookState {
        std::mutex mutex; /**< of the slots */
        const ucxLibrary *ucx = nullptr;
        realFunctions real;
        importGroup operations;
        importGroup requests;
        /** There once the imports were found; the functions below are reached only after that. */
        std::optional<operationPath> path;
        std::optional<requestGate> gate;
    };

    hookState &
    state() {
        static neverDestroyed<hookState> of_process;
        return *of_process;
    }

    // The functions below are on the way of every operation: no guard of a static there.
    const realFunctions *real = nullptr;
    operationPath *path = nullptr;
    requestGate *gate = nullptr;

    /** Out of memory must not travel through UCX's callers: the handle is then not followed. */
    template <typename action_t>
    void
    quietly(action_t &&action) {
        try {
            action();
        } catch (const std::exception &problem) {
            log(logLevel_t::DEBUG, std::string("left to UCX: ") + problem.what());
        }
    }

    ucsStatus_t
    workerCreate(void *context, const void *params, void **worker) {
        const ucsStatus_t status = real->workerCreate(context, params, worker);
        if (status == ucs_ok) {
            quietly([&] { path->workerMade(context, *worker); });
        }
        return status;
    }

    void
    workerDestroy(void *worker) {
        real->workerDestroy(worker);
        quietly([&] { path->workerGone(worker); });
    }

    ucsStatus_t
    endpointCreate(void *worker, const void *params, void **endpoint) {
        std::vector<std::uint8_t> room;
        const void *asked = nullptr;
        quietly([&] { asked = path->endpointAsked(worker, params, room); });
        if (asked == nullptr) {
            return ucs_err_invalid_param; // never one that is handled otherwise than was asked
        }
        const ucsStatus_t status = real->endpointCreate(worker, asked, endpoint);
        if (status == ucs_ok) {
            quietly([&] { path->endpointMade(worker, *endpoint); });
        }
        return status;
    }

    void *
    endpointClose(void *endpoint, const void *params) {
        path->endpointGone(endpoint);
        return real->endpointClose(endpoint, params);
    }

    void *
    flush(void *endpoint, const void *params) {
        return path->flush(endpoint, params);
    }

    ucsStatus_t
    keyPack(void *context, void *memory, void **packed, std::size_t *size) {
        const ucsStatus_t status = real->keyPack(context, memory, packed, size);
        if (status == ucs_ok) {
            quietly([&] { path->keyPacked(context, *packed, *size); });
        }
        return status;
    }

    ucsStatus_t
    keyUnpack(void *endpoint, const void *packed, void **key) {
        std::vector<std::uint8_t> room;
        const void *asked = nullptr;
        quietly([&] { asked = path->keyAsked(endpoint, packed, room); });
        if (asked == nullptr) {
            return ucs_err_no_memory;
        }
        const ucsStatus_t status = real->keyUnpack(endpoint, asked, key);
        if (status == ucs_ok) {
            quietly([&] { path->keyMade(endpoint, packed, *key); });
        }
        return status;
    }

    void
    keyDestroy(void *key) {
        path->keyGone(key);
        real->keyDestroy(key);
    }

    void *
    put(void *endpoint,
        const void *buffer,
        std::size_t bytes,
        std::uint64_t address,
        void *key,
        const void *params) {
        return path->put(endpoint, buffer, bytes, address, key, params);
    }

    void *
    get(void *endpoint,
        void *buffer,
        std::size_t bytes,
        std::uint64_t address,
        void *key,
        const void *params) {
        return path->get(endpoint, buffer, bytes, address, key, params);
    }

    ucsStatus_t
    requestCheck(void *request) {
        return gate->check(request);
    }

    /** Past the gate, which knows the requests of gated endpoints, to the path and its flushes. */
    void
    requestFree(void *request) {
        gate->release(request);
    }

    void
    requestPassed(void *request) {
        path->release(request);
    }

    template <typename function_t>
    void
    add(importGroup &group,
        void *stock,
        const char *symbol,
        function_t *&real_function,
        function_t *ours) {
        importSlots slots = findImport(stock, symbol);
        void *target = slots.target();
        real_function = reinterpret_cast<function_t *>(target);
        group.imports.push_back({std::move(slots), target, reinterpret_cast<void *>(ours)});
    }

    void
    findOperations(importGroup &hooks, realFunctions &its, void *stock) {
        add(hooks, stock, "ucp_worker_create", its.workerCreate, &workerCreate);
        add(hooks, stock, "ucp_worker_destroy", its.workerDestroy, &workerDestroy);
        add(hooks, stock, "ucp_ep_create", its.endpointCreate, &endpointCreate);
        add(hooks, stock, "ucp_ep_close_nbx", its.endpointClose, &endpointClose);
        add(hooks, stock, "ucp_ep_flush_nbx", its.path.flush, &flush);
        add(hooks, stock, "ucp_rkey_pack", its.keyPack, &keyPack);
        add(hooks, stock, "ucp_ep_rkey_unpack", its.keyUnpack, &keyUnpack);
        add(hooks, stock, "ucp_rkey_destroy", its.keyDestroy, &keyDestroy);
        add(hooks, stock, "ucp_put_nbx", its.path.put, &put);
        add(hooks, stock, "ucp_get_nbx", its.path.get, &get);
        add(hooks, stock, "ucp_request_free", its.path.release, &requestFree);
    }

    void
    findRequests(importGroup &hooks, realFunctions &its, void *stock) {
        add(hooks, stock, "ucp_request_check_status", its.requests.check, &requestCheck);
    }

    /** Fills @p group, or leaves it empty with a problem. */
    template <typename find_t>
    void
    findGroup(importGroup &group, find_t &&find) {
        try {
            group.imports.clear();
            find();
            group.problem.clear();
        } catch (const std::exception &reason) {
            group.problem = reason.what();
        }
    }

    /** All or none. */
    void
    redirectAll(importGroup &hooks) {
        std::size_t done = 0;
        try {
            for (; done < hooks.imports.size(); ++done) {
                hooks.imports[done].slots.redirect(hooks.imports[done].ours);
            }
        } catch (...) {
            while (done-- > 0) {
                hooks.imports[done].slots.redirect(hooks.imports[done].real);
            }
            throw;
        }
    }

    /** One context more that needs @p group. */
    void
    hold(importGroup &group) {
        if (!group.problem.empty()) {
            throw std::runtime_error(group.problem);
        }
        if (group.openContexts == 0) {
            redirectAll(group);
        }
        ++group.openContexts;
    }

    void
    letGo(importGroup &group) {
        if (--group.openContexts != 0) {
            return;
        }
        for (redirection &each : group.imports) {
            quietly([&] { each.slots.redirect(each.real); });
        }
    }

} // namespace

void
operationHooks::find(void *stock, const ucxLibrary &ucx) {
    hookState &hooks = state();
    const std::lock_guard<std::mutex> lock(hooks.mutex);
    findGroup(hooks.operations, [&] { findOperations(hooks.operations, hooks.real, stock); });
    findGroup(hooks.requests, [&] { findRequests(hooks.requests, hooks.real, stock); });
    hooks.ucx = &ucx;
    hooks.real.path.lanes = [&ucx](const void *endpoint) { return ucx.rmaLanes(endpoint); };
    hooks.real.requests.put = hooks.real.path.put;
    hooks.real.requests.get = hooks.real.path.get;
    hooks.real.requests.release = &requestPassed;
    real = &hooks.real;
    path = &hooks.path.emplace(hooks.real.path);
    gate = &hooks.gate.emplace(hooks.real.requests);
}

std::string
operationHooks::problem() {
    return state().operations.problem;
}

std::unique_ptr<contextStage>
operationHooks::smallSpreadFor(const void *context, std::size_t chunk) {
    const hookState &hooks = state();
    smallSpread::calls calls;
    calls.unpack = hooks.real.keyUnpack;
    calls.destroy = hooks.real.keyDestroy;
    calls.keyConfigurations = keyConfigurationsOf(hooks.ucx->version());
    calls.ownKey = [ucx = hooks.ucx, context] { return ucx->ownKey(context); };
    calls.say = [](const std::string &reason) {
        logOnce(logLevel_t::WARN,
                "small buffers are left to UCX, which prefers the first NICs: " + reason);
    };
    return std::make_unique<smallSpread>(std::move(calls), chunk);
}

std::unique_ptr<contextStage>
operationHooks::failoverFor(const void *context, bool is_gated) {
    const hookState &hooks = state();
    if (hooks.ucx == nullptr) {
        throw std::runtime_error(hooks.operations.problem);
    }
    const std::string problem =
        failoverStage::problem(hooks.ucx->version(), hooks.ucx->ownKey(context));
    if (!problem.empty()) {
        throw std::runtime_error(problem);
    }
    return std::make_unique<failoverStage>(is_gated ? gate : nullptr, [](const std::string &text) {
        logOnce(logLevel_t::ERROR, "on_nic_loss=failover: " + text);
    });
}

openStages::openStages(const void *context, operationPath::stages_t stages, requests_t requests)
    : context_(context)
    , requests_(requests) {
    hookState &hooks = state();
    const std::lock_guard<std::mutex> lock(hooks.mutex);
    if (!hooks.operations.problem.empty()) {
        throw std::runtime_error(hooks.operations.problem);
    }
    path->openContext(context, std::move(stages));
    try {
        hold(hooks.operations);
        try {
            if (requests_ == requests_t::GATED) {
                hold(hooks.requests);
            }
        } catch (...) {
            letGo(hooks.operations);
            throw;
        }
    } catch (...) {
        path->closeContext(context);
        throw;
    }
}

openStages::~openStages() {
    path->closeContext(context_);
    hookState &hooks = state();
    const std::lock_guard<std::mutex> lock(hooks.mutex);
    letGo(hooks.operations);
    if (requests_ == requests_t::GATED) {
        letGo(hooks.requests);
    }
}

} // namespace nixlStripe
