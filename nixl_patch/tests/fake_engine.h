// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_FAKE_ENGINE_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_FAKE_ENGINE_H

#include "recovery/engine_abi.h"
#include "recovery/engine_table.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe::testing {

using names_t = std::vector<std::string>;

/** Hosts with NICs that can be lost, and all engines on them; memory is this process's own. */
struct fakeWorld {
    std::recursive_mutex mutex;
    std::set<std::string> dead;
    std::set<std::string> unreachable; /**< no new connection comes about */
    std::function<void(const std::string &)> onUnreachable;
    unsigned looks = 0; /**< that a transfer is in progress before it is done */
    int error = abi::status_remote_disconnect;
    std::size_t written = 0; /**< bytes, all writes together */
    unsigned reads = 0;      /**< of one byte */
    std::size_t posts = 0;
    std::size_t underWay = 0;
    std::size_t mostUnderWay = 0;
    std::multiset<void *> handles;
    std::multiset<void *> metadata;
    std::vector<names_t> engines; /**< that live, by their NICs */
    names_t notifications;

    static fakeWorld *&
    current() {
        static fakeWorld *one = nullptr;
        return one;
    }

    fakeWorld() {
        current() = this;
    }
};

/** An engine as the stock plugin makes them: the first word is its table. */
struct fakeEngine {
    struct handle {
        int op;
        abi::metaList local, remote;
        std::string notification;
        unsigned looks = 0;
        bool isPosted = false;
    };

    void **table;
    names_t nics;
    std::set<std::string> connected;

    /** Offset to the top, type, then slots; some are not known to a resume. */
    static std::vector<void *> &
    words() {
        static std::vector<void *> all = makeWords();
        return all;
    }

    explicit fakeEngine(names_t on, std::vector<void *> &from = words())
        : table(from.data() + 2)
        , nics(std::move(on)) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        world().engines.push_back(nics);
    }

    fakeEngine(const fakeEngine &) = delete;
    fakeEngine &operator=(const fakeEngine &) = delete;

    ~fakeEngine() {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        auto &all = world().engines; // the youngest of its kind is the one that goes first
        all.erase(std::prev(std::find(all.rbegin(), all.rend(), nics).base()));
    }

    static fakeWorld &
    world() {
        return *fakeWorld::current();
    }

    static fakeEngine &
    of(void *self) {
        return *static_cast<fakeEngine *>(self);
    }

    static int
    registerMemory(void *, const abi::blobDesc &, const int &, void *&metadata) {
        metadata = new int();
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        world().metadata.insert(metadata);
        return abi::status_done;
    }

    static int
    deregister(void *, void *metadata) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        const auto it = world().metadata.find(metadata);
        if (it == world().metadata.end()) {
            return abi::status_not_found;
        }
        world().metadata.erase(it);
        delete static_cast<int *>(metadata);
        return abi::status_done;
    }

    static int
    loadRemote(void *self,
               const abi::blobDesc &memory,
               const int &kind,
               const std::string &agent,
               void *&metadata) {
        if (of(self).connected.count(agent) == 0) {
            return abi::status_not_found;
        }
        return registerMemory(self, memory, kind, metadata);
    }

    static int
    unload(void *self, void *metadata) {
        return deregister(self, metadata);
    }

    static int
    loadConnection(void *self, const std::string &agent, const std::string &connection) {
        if (connection != "address of " + agent) {
            return abi::status_backend_error;
        }
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        for (const std::string &nic : of(self).nics) {
            if (world().unreachable.count(nic) != 0) {
                world().onUnreachable(nic);
                return abi::status_backend_error;
            }
        }
        of(self).connected.insert(agent);
        return abi::status_done;
    }

    static int
    disconnect(void *self, const std::string &agent) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        return of(self).connected.erase(agent) == 1 ? abi::status_done : abi::status_not_found;
    }

    static int
    prepare(void *self,
            const int &op,
            const abi::metaList &local,
            const abi::metaList &remote,
            const std::string &agent,
            void *&out,
            const abi::optionalArgs *) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        if (of(self).connected.count(agent) == 0) {
            return abi::status_not_found;
        }
        for (const auto *list : {&local, &remote}) {
            for (const abi::metaDesc &item : list->items) {
                if (world().metadata.count(item.metadata) == 0) {
                    return abi::status_not_found;
                }
            }
        }
        out = new handle{op, local, remote, "", 0, false};
        world().handles.insert(out);
        return abi::status_done;
    }

    static int
    post(void *self,
         const int &,
         const abi::metaList &,
         const abi::metaList &,
         const std::string &,
         void *&out,
         const abi::optionalArgs *args) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        auto &posted = *static_cast<handle *>(out);
        posted.looks = world().looks;
        posted.notification =
            args != nullptr && args->hasNotification ? args->notification : std::string();
        posted.isPosted = true;
        ++world().posts;
        world().mostUnderWay = std::max(world().mostUnderWay, ++world().underWay);
        return check(self, out);
    }

    static int
    check(void *self, void *of_one) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        auto &one = *static_cast<handle *>(of_one);
        if (!one.isPosted) {
            return abi::status_done;
        }
        for (const std::string &nic : of(self).nics) {
            if (world().dead.count(nic) != 0) {
                finish(one);
                return world().error;
            }
        }
        if (one.looks > 0) {
            --one.looks;
            return abi::status_in_progress;
        }
        finish(one);
        move(one);
        if (!one.notification.empty()) {
            world().notifications.push_back(one.notification);
        }
        return abi::status_done;
    }

    static int
    release(void *, void *of_one) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        const auto it = world().handles.find(of_one);
        if (it == world().handles.end()) {
            return abi::status_not_found;
        }
        world().handles.erase(it);
        finish(*static_cast<handle *>(of_one));
        delete static_cast<handle *>(of_one);
        return abi::status_done;
    }

    static int
    notify(void *, const std::string &, const std::string &message) {
        const std::lock_guard<std::recursive_mutex> lock(world().mutex);
        world().notifications.push_back(message);
        return abi::status_done;
    }

private:
    static void
    finish(handle &one) {
        world().underWay -= one.isPosted ? 1 : 0;
        one.isPosted = false;
    }

    static void
    move(const handle &one) {
        for (std::size_t i = 0; i < one.local.items.size(); ++i) {
            void *here = reinterpret_cast<void *>(one.local.items[i].address);
            void *there = reinterpret_cast<void *>(one.remote.items[i].address);
            const std::size_t bytes = one.local.items[i].bytes;
            if (one.op == abi::op_write) {
                std::memcpy(there, here, bytes);
                world().written += bytes;
            } else {
                std::memcpy(here, there, bytes);
                world().reads += bytes == 1 ? 1 : 0;
            }
        }
    }

    static std::vector<void *> makeWords();
};

/** What a stock plugin exports of that class. */
class fakeSymbols : public engineSymbols {
public:
    fakeSymbols()
        : engineSymbols(nullptr) {}

    static std::map<std::string, void *>
    exported() {
        const std::string string = "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
        const std::string transfer = "ERK14nixl_xfer_op_tRK12nixlDescListI12nixlMetaDescES7_" +
                                     string + "RP15nixlBackendReqHPK23nixlBackendOptionalArgs";
        const std::string plain = "_ZN13nixlUcxEngine";
        const std::string constant = "_ZNK13nixlUcxEngine";
        const auto at = [](auto *function) { return reinterpret_cast<void *>(function); };
        return {
            {plain + "11registerMemERK12nixlBlobDescRK10nixl_mem_tRP13nixlBackendMD",
             at(&fakeEngine::registerMemory)},
            {plain + "13deregisterMemEP13nixlBackendMD", at(&fakeEngine::deregister)},
            {plain + "10disconnectE" + string, at(&fakeEngine::disconnect)},
            {plain + "8unloadMDEP13nixlBackendMD", at(&fakeEngine::unload)},
            {constant + "8prepXfer" + transfer, at(&fakeEngine::prepare)},
            {constant + "8postXfer" + transfer, at(&fakeEngine::post)},
            {constant + "9checkXferEP15nixlBackendReqH", at(&fakeEngine::check)},
            {constant + "11releaseReqHEP15nixlBackendReqH", at(&fakeEngine::release)},
            {plain + "18loadRemoteConnInfoE" + string + "S7_", at(&fakeEngine::loadConnection)},
            {plain + "12loadRemoteMDERK12nixlBlobDescRK10nixl_mem_t" + string + "RP13nixlBackendMD",
             at(&fakeEngine::loadRemote)},
            {constant + "8genNotifE" + string + "S7_", at(&fakeEngine::notify)},
        };
    }

    void *
    function(const std::string &name) const override {
        const auto it = functions.find(name);
        return it == functions.end() ? nullptr : it->second;
    }

    std::string
    table(void *const *, std::size_t &bytes) const override {
        bytes = (fakeEngine::words().size() - 2) * sizeof(void *);
        return className;
    }

    std::map<std::string, void *> functions = exported();
    std::string className = "_ZTV13nixlUcxEngine";
};

inline std::vector<void *>
fakeEngine::makeWords() {
    static int unknown = 0;
    std::vector<void *> all = {nullptr, &unknown, &unknown};
    for (const auto &item : fakeSymbols::exported()) {
        all.push_back(item.second);
    }
    return all;
}

} // namespace nixlStripe::testing

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_FAKE_ENGINE_H
