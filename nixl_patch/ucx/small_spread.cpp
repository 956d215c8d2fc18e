// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/small_spread.h"

#include "ucx/handle_table.h"
#include "ucx/packed_key.h"

#include <exception>
#include <utility>
#include <vector>

namespace nixlStripe {

/** What all endpoints of the context have in common. Outlives the stage where an endpoint does. */
struct smallSpread::shared {
    shared(calls its_ucx, std::size_t its_chunk)
        : ucx(std::move(its_ucx))
        , chunk(its_chunk) {}

    /** Whether keys have the known form; a peer's may come before any of this process. */
    bool
    knowsKeys() {
        if (form.isOpen() && !was_asked.exchange(true)) {
            const std::vector<std::uint8_t> key = ucx.ownKey();
            note(key.data(), key.size());
        }
        return form.isKnown();
    }

    void
    note(const void *packed, std::size_t size) {
        if (!form.note(packed, size)) {
            ucx.say("its keys to remote memory have an unknown form");
        }
    }

    const calls ucx;
    const std::size_t chunk;
    sharedTurns turns;
    keyForm form;
    std::atomic<bool> was_asked{false};
};

namespace {

    /** One key of the caller's own, and those that were made from it. */
    struct narrowedKeys {
        explicit narrowedKeys(const void *bytes)
            : packed(bytes) {}

        const packedKey packed;
        std::mutex mutex; /**< while what follows is made */
        std::atomic<bool> isReady{false};
        laneSet_t reach = 0;                      /**< lanes that reach the memory */
        std::vector<std::atomic<void *>> single;  /**< by lane */
        std::vector<std::atomic<void *>> several; /**< by the number of lanes */
    };

    std::size_t
    count(laneSet_t lanes) {
        return static_cast<std::size_t>(__builtin_popcountll(lanes));
    }

} // namespace

class smallSpread::onEndpoint : public endpointStage {
public:
    onEndpoint(std::shared_ptr<shared> context,
               std::shared_ptr<keyBudget> budget,
               std::shared_ptr<rmaEndpoint> endpoint)
        : context_(std::move(context))
        , budget_(std::move(budget))
        , endpoint_(std::move(endpoint))
        , too_large_(batchLanes::evenFrom(context_->chunk, batchLanes::max_lanes)) {}

    ~onEndpoint() override {
        for (const void *key : keys_.handlesWhere([](const narrowedKeys &) { return true; })) {
            keyLost(key);
        }
    }

    void
    keyMade(const void *packed, void *key) noexcept override {
        try {
            if (!context_->knowsKeys()) {
                return;
            }
            auto made = std::make_unique<narrowedKeys>(packed);
            const std::size_t size = made->packed.size();
            budget_->noteOwn(made->packed.domains(),
                             made->packed.memoryType(),
                             static_cast<const std::uint8_t *>(packed)[size]);
            const std::unique_ptr<narrowedKeys> before(keys_.insert(key, made.get()));
            static_cast<void>(made.release()); // keys_ has it
        } catch (const std::exception &) {
            // Out of memory: the key is then used as UCX made it.
        }
    }

    void
    keyGone(const void *key) noexcept override {
        const std::unique_ptr<narrowedKeys> keys(keys_.erase(key));
        if (!keys) {
            return;
        }
        for (const auto *made : {&keys->single, &keys->several}) {
            for (const std::atomic<void *> &each : *made) {
                void *narrow = each.load(std::memory_order_acquire);
                if (narrow != nullptr && narrow != key) {
                    context_->ucx.destroy(narrow);
                }
            }
        }
    }

    void
    keyLost(const void *key) noexcept override {
        delete keys_.erase(key);
    }

    void
    begin(rmaOperation &operation) noexcept override {
        if (operation.bytes >= too_large_.load(std::memory_order_relaxed) ||
            !operation.countsBytes) {
            return;
        }
        narrowedKeys *keys = keys_.find(operation.key);
        if (keys == nullptr || !isReady(*keys) || count(keys->reach) < 2) {
            return;
        }
        const laneSet_t lanes =
            batch_.load(std::memory_order_acquire)->next(operation.bytes, keys->reach);
        if (lanes == 0) {
            return;
        }
        void *narrow = narrowed(*keys, lanes, operation.key);
        if (narrow != operation.key) {
            operation.key = narrow;
            operation.lanes = lanes;
        }
    }

    void
    flushBegins() noexcept override {
        if (batchLanes *batch = batch_.load(std::memory_order_acquire)) {
            batch->endBatch();
        }
        context_->turns.begin();
    }

    void
    flushEnds(bool) noexcept override {
        context_->turns.end();
    }

private:
    bool
    isReady(narrowedKeys &keys) noexcept {
        return keys.isReady.load(std::memory_order_acquire) || prepare(keys);
    }

    /** Finds the lanes of the endpoint that reach the memory; once. */
    bool
    prepare(narrowedKeys &keys) noexcept {
        try {
            const std::lock_guard<std::mutex> lock(mutex_);
            const std::vector<rmaLane> &lanes = endpoint_->lanes();
            if (batch_.load(std::memory_order_relaxed) == nullptr) {
                findTurns(lanes);
            }
            std::uint64_t seen = 0;
            laneSet_t reach = 0;
            for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
                const std::uint64_t domain = std::uint64_t{1} << lanes[lane].domain;
                // Of two lanes to one domain a key cannot choose one.
                if ((keys.packed.domains() & domain & ~seen) != 0) {
                    seen |= domain;
                    reach |= laneSet_t{1} << lane;
                }
            }
            if (!keys.isReady.load(std::memory_order_relaxed)) {
                keys.single = std::vector<std::atomic<void *>>(lanes.size());
                keys.several = std::vector<std::atomic<void *>>(lanes.size());
                keys.reach = reach;
                keys.isReady.store(true, std::memory_order_release);
            }
            return true;
        } catch (const std::exception &) {
            return false;
        }
    }

    /** Called with mutex_ held. */
    void
    findTurns(const std::vector<rmaLane> &lanes) {
        for (const rmaLane &lane : lanes) {
            kind_ += lane.device + '>' + std::to_string(lane.domain) + ' ';
        }
        batch_owner_ = std::make_unique<batchLanes>(context_->chunk, lanes.size(), context_->turns);
        batch_.store(batch_owner_.get(), std::memory_order_release);
        // Nothing larger is ever this stage's business on this endpoint; with one lane nothing is.
        too_large_.store(batchLanes::evenFrom(context_->chunk, lanes.size()),
                         std::memory_order_relaxed);
    }

    /** The key for @p lanes, made where it is not there yet; @p whole where it cannot be made. */
    void *
    narrowed(narrowedKeys &keys, laneSet_t lanes, void *whole) noexcept {
        const std::size_t wanted = count(lanes);
        std::atomic<void *> &place =
            wanted == 1 ? keys.single[static_cast<std::size_t>(__builtin_ctzll(lanes))]
                        : keys.several[wanted];
        if (void *made = place.load(std::memory_order_acquire)) {
            return made;
        }
        try {
            const std::lock_guard<std::mutex> lock(keys.mutex);
            if (void *made = place.load(std::memory_order_relaxed)) {
                return made;
            }
            void *made = make(keys, lanes);
            if (made == nullptr) {
                made = whole; // and is not tried again for every buffer
            }
            place.store(made, std::memory_order_release);
            return made;
        } catch (const std::exception &) {
            return whole;
        }
    }

    void *
    make(const narrowedKeys &keys, laneSet_t lanes) {
        std::uint64_t domains = 0;
        for (std::size_t lane = 0; lane < endpoint_->lanes().size(); ++lane) {
            if ((lanes >> lane & 1) != 0) {
                domains |= std::uint64_t{1} << endpoint_->lanes()[lane].domain;
            }
        }
        if (!budget_->take(kind_, domains, keys.packed.memoryType())) {
            if (count(lanes) == 1) {
                context_->ucx.say("a UCX worker keeps " +
                                  std::to_string(context_->ucx.keyConfigurations) +
                                  " kinds of keys to remote memory, and those of its NICs, peers "
                                  "and memory types are more");
            }
            return nullptr;
        }
        const auto packed = keys.packed.narrowedTo(domains);
        void *made = nullptr;
        if (!packed || context_->ucx.unpack(endpoint_->handle, packed->data(), &made) != ucs_ok) {
            budget_->refused();
            context_->ucx.say("UCX refuses a key to remote memory for one NIC");
            return nullptr;
        }
        return made;
    }

    const std::shared_ptr<shared> context_;
    const std::shared_ptr<keyBudget> budget_;
    const std::shared_ptr<rmaEndpoint> endpoint_;
    handleTable<narrowedKeys> keys_;
    std::mutex mutex_; /**< while the lanes are found */
    std::string kind_; /**< of the endpoint, for the budget */
    std::unique_ptr<batchLanes> batch_owner_;
    std::atomic<batchLanes *> batch_{nullptr}; /**< there once a key is ready */
    std::atomic<std::size_t> too_large_; /**< operations of this many bytes are never spread */
};

smallSpread::smallSpread(calls ucx, std::size_t chunk)
    : shared_(std::make_shared<shared>(std::move(ucx), chunk)) {}

smallSpread::~smallSpread() = default;

void
smallSpread::keyPacked(const void *packed, std::size_t size) noexcept {
    shared_->note(packed, size);
}

std::unique_ptr<endpointStage>
smallSpread::attach(const std::shared_ptr<rmaEndpoint> &endpoint) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<keyBudget> &budget = budgets_[endpoint->worker];
    if (!budget) {
        budget = std::make_shared<keyBudget>(shared_->ucx.keyConfigurations);
    }
    return std::make_unique<onEndpoint>(shared_, budget, endpoint);
}

void
smallSpread::workerGone(const void *worker) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    budgets_.erase(worker);
}

} // namespace nixlStripe
