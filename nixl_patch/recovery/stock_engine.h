// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file stock_engine.h
 * @brief The stock engine's functions, with their types; each returns nixl_status_t.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_STOCK_ENGINE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_STOCK_ENGINE_H

#include "recovery/engine_abi.h"
#include "recovery/engine_table.h"

#include <string>

namespace nixlStripe {

namespace abi {
    using register_t = int (*)(void *, const blobDesc &, const int &, void *&);
    using one_t = int (*)(void *, void *);
    using name_t = int (*)(void *, const std::string &);
    using names_t = int (*)(void *, const std::string &, const std::string &);
    using loadRemote_t =
        int (*)(void *, const blobDesc &, const int &, const std::string &, void *&);
    using transfer_t = int (*)(void *,
                               const int &,
                               const metaList &,
                               const metaList &,
                               const std::string &,
                               void *&,
                               const optionalArgs *);
} // namespace abi

/** An engine of the stock plugin, called past a table of ours. */
class stockEngine {
public:
    /** @param table Of an engine of the same class. */
    stockEngine(const engineTable &table, void *engine)
        : table_(table)
        , engine_(engine) {}

    void *
    get() const {
        return engine_;
    }

    int
    registerMemory(const abi::blobDesc &memory, int kind, void *&metadata) const {
        return function<abi::register_t>(engineSlot_t::REGISTER)(engine_, memory, kind, metadata);
    }

    int
    deregister(void *metadata) const {
        return function<abi::one_t>(engineSlot_t::DEREGISTER)(engine_, metadata);
    }

    int
    disconnect(const std::string &agent) const {
        return function<abi::name_t>(engineSlot_t::DISCONNECT)(engine_, agent);
    }

    int
    unload(void *metadata) const {
        return function<abi::one_t>(engineSlot_t::UNLOAD)(engine_, metadata);
    }

    int
    prepare(int op,
            const abi::metaList &local,
            const abi::metaList &remote,
            const std::string &agent,
            void *&handle,
            const abi::optionalArgs *args) const {
        return function<abi::transfer_t>(engineSlot_t::PREPARE)(
            engine_, op, local, remote, agent, handle, args);
    }

    int
    post(int op,
         const abi::metaList &local,
         const abi::metaList &remote,
         const std::string &agent,
         void *&handle,
         const abi::optionalArgs *args) const {
        return function<abi::transfer_t>(engineSlot_t::POST)(
            engine_, op, local, remote, agent, handle, args);
    }

    int
    check(void *handle) const {
        return function<abi::one_t>(engineSlot_t::CHECK)(engine_, handle);
    }

    int
    release(void *handle) const {
        return function<abi::one_t>(engineSlot_t::RELEASE)(engine_, handle);
    }

    int
    loadConnection(const std::string &agent, const std::string &connection) const {
        return function<abi::names_t>(engineSlot_t::LOAD_CONNECTION)(engine_, agent, connection);
    }

    int
    loadRemote(const abi::blobDesc &memory,
               int kind,
               const std::string &agent,
               void *&metadata) const {
        return function<abi::loadRemote_t>(engineSlot_t::LOAD_REMOTE)(
            engine_, memory, kind, agent, metadata);
    }

    int
    notify(const std::string &agent, const std::string &message) const {
        return function<abi::names_t>(engineSlot_t::NOTIFY)(engine_, agent, message);
    }

private:
    template <typename function_t>
    function_t
    function(engineSlot_t slot) const {
        return table_.stock<function_t>(slot);
    }

    const engineTable &table_;
    void *const engine_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_STOCK_ENGINE_H
