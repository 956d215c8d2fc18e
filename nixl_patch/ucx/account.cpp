// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/account.h"

#include "ucx/division.h"
#include "ucx/handle_table.h"
#include "ucx/packed_key.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <set>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr std::size_t max_lanes = 64; /**< see rmaEndpoint::lanes */

    std::size_t
    placeOf(rmaKind_t kind) {
        return kind == rmaKind_t::PUT ? 0 : 1;
    }

    void
    grow(std::atomic<std::uint64_t> &counter, std::uint64_t more = 1) {
        counter.fetch_add(more, std::memory_order_relaxed);
    }

    std::uint64_t
    now(const std::atomic<std::uint64_t> &counter) {
        return counter.load(std::memory_order_relaxed);
    }

} // namespace

account::account(const std::map<std::string, double> &rates, std::size_t chunk, std::size_t rails)
    : chunk_(chunk)
    , rails_(rails) {
    for (const auto &[device, rate] : rates) {
        nics_[device].rate = rate;
    }
}

accountTotals &
accountTotals::operator+=(const accountTotals &more) {
    for (const auto &[device, bytes] : more.nics) {
        nics[device] += bytes;
    }
    elsewhere += more.elsewhere;
    operations += more.operations;
    transfers += more.transfers;
    errors += more.errors;
    peers += more.peers;
    narrowPeers += more.narrowPeers;
    return *this;
}

accountTotals
account::totals() const {
    const auto both = [](const counters &of) {
        return directedBytes{now(of.bytes[placeOf(rmaKind_t::PUT)]),
                             now(of.bytes[placeOf(rmaKind_t::GET)])};
    };
    accountTotals found;
    for (const auto &[device, its] : nics_) {
        found.nics[device] = both(its.carried);
    }
    found.elsewhere = both(elsewhere_);
    found.operations = now(operations_);
    found.transfers = now(transfers_);
    found.errors = now(errors_);
    found.peers = now(peers_);
    found.narrowPeers = now(narrow_);
    return found;
}

/** What all endpoints of the context have in common. */
struct accountStage::shared {
    explicit shared(std::shared_ptr<account> its_book)
        : book(std::move(its_book)) {}

    const std::shared_ptr<account> book;
    keyForm form;
};

class accountStage::onEndpoint : public endpointStage {
public:
    onEndpoint(std::shared_ptr<shared> context, std::shared_ptr<rmaEndpoint> endpoint)
        : context_(std::move(context))
        , book_(*context_->book)
        , endpoint_(std::move(endpoint)) {}

    ~onEndpoint() override {
        if (const route *way = way_.load(std::memory_order_acquire)) {
            book_.peers_.fetch_sub(1, std::memory_order_relaxed);
            book_.narrow_.fetch_sub(way->isNarrow ? 1 : 0, std::memory_order_relaxed);
        }
        for (const void *key : keys_.handlesWhere([](const std::uint64_t &) { return true; })) {
            keyLost(key);
        }
    }

    void
    keyMade(const void *packed, void *key) noexcept override {
        if (!context_->form.isKnown()) {
            return;
        }
        try {
            auto domains = std::make_unique<std::uint64_t>(packedKey(packed).domains());
            const std::unique_ptr<std::uint64_t> before(keys_.insert(key, domains.get()));
            static_cast<void>(domains.release()); // keys_ has it
        } catch (const std::exception &) {
            // Out of memory: the memory then counts as reached by every lane.
        }
    }

    void
    keyGone(const void *key) noexcept override {
        keyLost(key);
    }

    void
    keyLost(const void *key) noexcept override {
        delete keys_.erase(key);
    }

    bool
    wantsAnswers() const override {
        return true;
    }

    void
    taken(const rmaOperation &operation, const void *answer) noexcept override {
        if (isError(answer)) {
            grow(book_.errors_);
            return;
        }
        grow(book_.operations_);
        const route *way = wayOf();
        if (!operation.countsBytes) {
            return;
        }
        const std::size_t place = placeOf(operation.kind);
        if (way == nullptr || way->to.empty()) {
            grow(book_.elsewhere_.bytes[place], operation.bytes);
        } else {
            spread(*way, lanesOf(*way, operation), place, operation.bytes);
        }
    }

    void
    flushEnds(bool is_good) noexcept override {
        grow(is_good ? book_.transfers_ : book_.errors_);
    }

private:
    /** Where the lanes of the endpoint lead. */
    struct route {
        std::vector<account::counters *> to; /**< by lane */
        std::vector<double> weights;         /**< by lane */
        std::vector<unsigned> domains;       /**< by lane */
        bool isNarrow = false;
    };

    void
    spread(const route &way, laneSet_t lanes, std::size_t place, std::size_t bytes) noexcept {
        std::array<double, max_lanes> weights;
        std::array<account::counters *, max_lanes> to;
        std::size_t count = 0;
        for (std::size_t lane = 0; lane < way.to.size(); ++lane) {
            if ((lanes >> lane & 1) != 0) {
                weights[count] = way.weights[lane];
                to[count++] = way.to[lane];
            }
        }
        if (count == 0) {
            grow(book_.elsewhere_.bytes[place], bytes);
            return;
        }
        const auto chunk = static_cast<double>(book_.chunk_);
        divideAsUcxDoes(
            bytes, weights.data(), count, chunk, [&](std::size_t lane, std::size_t part) {
                grow(to[lane]->bytes[place], part);
            });
    }

    /** The lanes of a narrowed key, else those whose domain the memory is registered with. */
    laneSet_t
    lanesOf(const route &way, const rmaOperation &operation) const noexcept {
        if (operation.lanes != 0) {
            return operation.lanes;
        }
        const std::uint64_t *domains = keys_.find(operation.key);
        if (domains == nullptr || *domains == 0) {
            return ~laneSet_t{0}; // TCP has no domains
        }
        laneSet_t found = 0;
        for (std::size_t lane = 0; lane < way.domains.size(); ++lane) {
            found |= (*domains >> way.domains[lane] & 1) << lane;
        }
        return found;
    }

    const route *
    wayOf() noexcept {
        if (const route *way = way_.load(std::memory_order_acquire)) {
            return way;
        }
        try {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (way_.load(std::memory_order_relaxed) == nullptr) {
                owner_ = std::make_unique<route>(find(endpoint_->lanes()));
                grow(book_.peers_);
                grow(book_.narrow_, owner_->isNarrow ? 1 : 0);
                way_.store(owner_.get(), std::memory_order_release);
            }
            return owner_.get();
        } catch (const std::exception &) {
            return nullptr;
        }
    }

    route
    find(const std::vector<rmaLane> &lanes) {
        route way;
        std::set<std::string> nics;
        bool are_known = true;
        for (const rmaLane &lane : lanes) {
            const auto its = book_.nics_.find(lane.device);
            const bool is_nic = its != book_.nics_.end();
            way.to.push_back(is_nic ? &its->second.carried : &book_.elsewhere_);
            way.weights.push_back(is_nic ? its->second.rate : 0);
            way.domains.push_back(lane.domain);
            are_known = are_known && way.weights.back() > 0;
            if (is_nic) {
                nics.insert(lane.device);
            }
        }
        if (!are_known) {
            std::fill(way.weights.begin(), way.weights.end(), 1.0);
        }
        way.isNarrow = !nics.empty() && nics.size() < book_.rails_;
        return way;
    }

    const std::shared_ptr<shared> context_;
    account &book_;
    const std::shared_ptr<rmaEndpoint> endpoint_;
    handleTable<std::uint64_t> keys_; /**< the domains of each */
    std::mutex mutex_;                /**< while the lanes are found */
    std::unique_ptr<route> owner_;
    std::atomic<const route *> way_{nullptr};
};

accountStage::accountStage(std::shared_ptr<account> book)
    : shared_(std::make_shared<shared>(std::move(book))) {}

accountStage::~accountStage() = default;

void
accountStage::keyPacked(const void *packed, std::size_t size) noexcept {
    shared_->form.note(packed, size);
}

std::unique_ptr<endpointStage>
accountStage::attach(const std::shared_ptr<rmaEndpoint> &endpoint) {
    return std::make_unique<onEndpoint>(shared_, endpoint);
}

std::vector<std::size_t>
dividedAsUcxDoes(std::size_t bytes, const std::vector<double> &weights, std::size_t chunk) {
    std::vector<std::size_t> parts(weights.size());
    const auto least = static_cast<double>(chunk);
    divideAsUcxDoes(
        bytes, weights.data(), weights.size(), least, [&](std::size_t lane, std::size_t piece) {
            parts[lane] = piece;
        });
    return parts;
}

} // namespace nixlStripe
