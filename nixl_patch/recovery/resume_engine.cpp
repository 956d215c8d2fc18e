// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/resume_engine.h"

#include <exception>
#include <stdexcept>
#include <utility>

namespace nixlStripe {

/** What stands in the slots. NIXL is C++ of another compiler: no exception leaves a function. */
struct resumeFunctions {
    static resumeEngine &
    of(void *engine) {
        return *static_cast<resumeEngine *>(engineTable::ownerOf(engine));
    }

    static const stockEngine &
    stock(void *engine) {
        return of(engine).parts_->first;
    }

    template <class work_t>
    static int
    guarded(work_t work) noexcept {
        try {
            return work();
        } catch (const std::exception &) {
            return abi::status_backend_error;
        }
    }

    /** What is to be known of a call that stock NIXL has answered with @p status. */
    template <class work_t>
    static int
    noted(int status, work_t work) noexcept {
        return status < 0 ? status : guarded([&] { return work(), status; });
    }

    static int
    registerMemory(void *self, const abi::blobDesc &memory, const int &kind, void *&metadata) {
        return noted(stock(self).registerMemory(memory, kind, metadata), [&] {
            const std::string blob = abi::isString(&memory.blob) ? memory.blob : "";
            of(self).spares_->memory().add(
                metadata, {{memory.address, memory.bytes, memory.device, blob}, kind, ""});
        });
    }

    static int
    deregister(void *self, void *metadata) {
        guarded([&] { return of(self).spares_->forget(metadata), 0; });
        return stock(self).deregister(metadata);
    }

    static int
    loadRemote(void *self,
               const abi::blobDesc &memory,
               const int &kind,
               const std::string &agent,
               void *&metadata) {
        return noted(stock(self).loadRemote(memory, kind, agent, metadata), [&] {
            if (abi::isString(&memory.blob) && abi::isString(&agent)) {
                of(self).spares_->memory().add(metadata, {memory, kind, agent});
            }
        });
    }

    static int
    unload(void *self, void *metadata) {
        guarded([&] { return of(self).spares_->forget(metadata), 0; });
        return stock(self).unload(metadata);
    }

    static int
    loadConnection(void *self, const std::string &agent, const std::string &connection) {
        return noted(stock(self).loadConnection(agent, connection),
                     [&] { of(self).lineTo(agent)->connect(connection); });
    }

    static int
    disconnect(void *self, const std::string &agent) {
        guarded([&] { return of(self).lineTo(agent)->disconnect(), 0; });
        return stock(self).disconnect(agent);
    }

    static int
    prepare(void *self,
            const int &op,
            const abi::metaList &local,
            const abi::metaList &remote,
            const std::string &agent,
            void *&handle,
            const abi::optionalArgs *args) {
        return noted(stock(self).prepare(op, local, remote, agent, handle, args), [&] {
            resumeEngine &owner = of(self);
            if (owner.canResume(local, remote, agent)) {
                owner.keep(handle,
                           {owner.lineTo(agent),
                            std::make_shared<transferRecord>(handle, op, local, remote)});
            }
        });
    }

    static int
    post(void *self,
         const int &op,
         const abi::metaList &local,
         const abi::metaList &remote,
         const std::string &agent,
         void *&handle,
         const abi::optionalArgs *args) {
        const auto held = of(self).find(handle);
        if (held.record == nullptr || (args != nullptr && !abi::isOptionalArgs(*args))) {
            return stock(self).post(op, local, remote, agent, handle, args);
        }
        return guarded([&] { return held.line->post(held.record, args); });
    }

    static int
    check(void *self, void *handle) {
        const auto held = of(self).find(handle);
        if (held.record == nullptr) {
            return stock(self).check(handle);
        }
        return guarded([&] { return held.line->check(held.record); });
    }

    static int
    release(void *self, void *handle) {
        const auto held = of(self).take(handle);
        if (held.record != nullptr) {
            guarded([&] { return held.line->release(held.record), 0; });
        }
        return stock(self).release(handle);
    }

    static int
    notify(void *self, const std::string &agent, const std::string &message) {
        resumeEngine &owner = of(self);
        if (agent == owner.wish_.agent) {
            return stock(self).notify(agent, message);
        }
        return guarded([&] { return owner.lineTo(agent)->notify(message); });
    }

    static engineFunctions_t
    all() {
        engineFunctions_t functions{};
        const auto set = [&functions](engineSlot_t slot, auto *function) {
            functions[static_cast<std::size_t>(slot)] = reinterpret_cast<void *>(function);
        };
        set(engineSlot_t::REGISTER, &registerMemory);
        set(engineSlot_t::DEREGISTER, &deregister);
        set(engineSlot_t::DISCONNECT, &disconnect);
        set(engineSlot_t::UNLOAD, &unload);
        set(engineSlot_t::PREPARE, &prepare);
        set(engineSlot_t::POST, &post);
        set(engineSlot_t::CHECK, &check);
        set(engineSlot_t::RELEASE, &release);
        set(engineSlot_t::LOAD_CONNECTION, &loadConnection);
        set(engineSlot_t::LOAD_REMOTE, &loadRemote);
        set(engineSlot_t::NOTIFY, &notify);
        return functions;
    }
};

resumeEngine::resumeEngine(resumeWish wish,
                           const engineSymbols &symbols,
                           std::unique_ptr<nicWitness> witness)
    : wish_(std::move(wish))
    , table_(wish_.engine)
    , witness_(std::move(witness)) {
    if (wish_.nics.size() < 2) {
        throw std::runtime_error("with one NIC there is none to go on over");
    }
    if (const std::string problem = table_.find(symbols); !problem.empty()) {
        throw std::runtime_error(problem);
    }
    spares_ = std::make_unique<sparePool>(table_, wish_.maker);
    parts_ = std::make_unique<resumeParts>(resumeParts{stockEngine(table_, wish_.engine),
                                                       wish_.nics,
                                                       *spares_,
                                                       *witness_,
                                                       wish_.say,
                                                       wish_.losses});
    table_.install(resumeFunctions::all(), this);
}

resumeEngine::~resumeEngine() {
    transfers_.clear();
    lines_.clear();
}

std::shared_ptr<peerLine>
resumeEngine::lineTo(const std::string &peer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<peerLine> &line = lines_[peer];
    if (line == nullptr) {
        line = std::make_shared<peerLine>(*parts_, peer);
    }
    return line;
}

resumeEngine::held
resumeEngine::find(void *handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = transfers_.find(handle);
    return it == transfers_.end() ? held{} : it->second;
}

resumeEngine::held
resumeEngine::take(void *handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto node = transfers_.extract(handle);
    return node.empty() ? held{} : std::move(node.mapped());
}

void
resumeEngine::keep(void *handle, held transfer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    transfers_[handle] = std::move(transfer);
}

/** Else the stock engine has it alone, as ever. */
bool
resumeEngine::canResume(const abi::metaList &local,
                        const abi::metaList &remote,
                        const std::string &peer) const {
    return peer != wish_.agent && abi::isList(local) && abi::isList(remote) &&
           pieceBook::matches(local.items, remote.items) &&
           spares_->memory().fits(local.items, "") && spares_->memory().fits(remote.items, peer);
}

} // namespace nixlStripe
