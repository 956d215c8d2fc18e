// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file handle_table.h
 * @brief What is known of UCX's opaque handles, found without a lock.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_HANDLE_TABLE_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_HANDLE_TABLE_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace nixlStripe {

/**
 * @brief Finds a value by a handle, in the few nanoseconds that one posted operation may cost.
 *
 * Readers take no lock: they look, and look again when a writer was at work meanwhile (a version
 * counter says so; it is odd while one is). Handles are made and destroyed rarely, used often.
 *
 * The table does not own its values. A value that was found stays valid because its handle does:
 * UCX does not allow a handle to be destroyed while another thread uses it.
 */
template <typename value_t> class handleTable {
public:
    handleTable() {
        arrays_.push_back(std::make_unique<array>(initial_capacity));
        current_.store(arrays_.back().get(), std::memory_order_relaxed);
    }

    handleTable(const handleTable &) = delete;
    handleTable &operator=(const handleTable &) = delete;

    /** @return nullptr for a handle that is not in the table. */
    value_t *
    find(const void *handle) const noexcept {
        for (int attempt = 0; attempt < attempts_without_lock; ++attempt) {
            const std::uint64_t before = version_.load(std::memory_order_acquire);
            if ((before & 1) != 0) {
                continue;
            }
            value_t *found = current_.load(std::memory_order_acquire)->probe(handle);
            // Ordered behind the loads of the probe, because those acquire.
            if (version_.load(std::memory_order_relaxed) == before) {
                return found;
            }
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        return current_.load(std::memory_order_relaxed)->probe(handle);
    }

    /** @return what @p handle had before; nullptr as a rule. */
    value_t *
    insert(const void *handle, value_t *value) {
        const std::lock_guard<std::mutex> lock(mutex_);
        array *table = current_.load(std::memory_order_relaxed);
        slot &found = table->slotOf(handle);
        if (found.handle.load(std::memory_order_relaxed) == handle) {
            const writing mark(version_);
            return found.value.exchange(value, std::memory_order_release);
        }
        if ((count_ + 1) * 2 > table->capacity()) {
            table = grow(*table);
        }
        const writing mark(version_);
        table->slotOf(handle).set(handle, value);
        ++count_;
        return nullptr;
    }

    /** @return what @p handle had; nullptr when it was not in the table. */
    value_t *
    erase(const void *handle) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        array &table = *current_.load(std::memory_order_relaxed);
        slot &found = table.slotOf(handle);
        if (found.handle.load(std::memory_order_relaxed) != handle) {
            return nullptr;
        }
        value_t *value = found.value.load(std::memory_order_relaxed);
        const writing mark(version_);
        table.close(found);
        --count_;
        return value;
    }

    /** Handles whose values @p wanted says true of. */
    template <typename wanted_t>
    std::vector<const void *>
    handlesWhere(wanted_t &&wanted) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::vector<const void *> handles;
        for (const slot &each : current_.load(std::memory_order_relaxed)->slots) {
            const void *handle = each.handle.load(std::memory_order_relaxed);
            if (handle != nullptr && wanted(*each.value.load(std::memory_order_relaxed))) {
                handles.push_back(handle);
            }
        }
        return handles;
    }

private:
    static constexpr std::size_t initial_capacity = 16;
    static constexpr int attempts_without_lock = 8;

    struct slot {
        std::atomic<const void *> handle{nullptr};
        std::atomic<value_t *> value{nullptr};

        void
        set(const void *new_handle, value_t *new_value) {
            value.store(new_value, std::memory_order_release);
            handle.store(new_handle, std::memory_order_release);
        }
    };

    /** Open addressing with linear probing; never more than half full, so probes end. */
    struct array {
        explicit array(std::size_t capacity)
            : slots(capacity) {}

        std::size_t
        capacity() const {
            return slots.size();
        }

        std::size_t
        home(const void *handle) const {
            // Handles are aligned: the low bits say nothing.
            const auto number =
                static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(handle));
            return static_cast<std::size_t>((number * 0x9e3779b97f4a7c15U) >> 32) &
                   (capacity() - 1);
        }

        std::size_t
        after(std::size_t index) const {
            return (index + 1) & (capacity() - 1);
        }

        /** Ends even when a writer moves slots meanwhile: no more steps than slots. */
        value_t *
        probe(const void *handle) const noexcept {
            std::size_t index = home(handle);
            for (std::size_t steps = 0; steps < capacity(); ++steps, index = after(index)) {
                const void *there = slots[index].handle.load(std::memory_order_acquire);
                if (there == handle) {
                    return slots[index].value.load(std::memory_order_acquire);
                }
                if (there == nullptr) {
                    return nullptr;
                }
            }
            return nullptr;
        }

        /** The slot with @p handle, or the free one where it belongs; for the writer. */
        slot &
        slotOf(const void *handle) {
            std::size_t index = home(handle);
            for (;; index = after(index)) {
                const void *there = slots[index].handle.load(std::memory_order_relaxed);
                if (there == handle || there == nullptr) {
                    return slots[index];
                }
            }
        }

        /** Empties a slot and moves up what was pushed behind it, so that no gap breaks a probe. */
        void
        close(slot &emptied) {
            auto hole = static_cast<std::size_t>(&emptied - slots.data());
            for (std::size_t index = after(hole);; index = after(index)) {
                const void *there = slots[index].handle.load(std::memory_order_relaxed);
                if (there == nullptr) {
                    break;
                }
                const std::size_t mask = capacity() - 1;
                if (((index - home(there)) & mask) >= ((index - hole) & mask)) {
                    slots[hole].set(there, slots[index].value.load(std::memory_order_relaxed));
                    hole = index;
                }
            }
            slots[hole].set(nullptr, nullptr);
        }

        std::vector<slot> slots;
    };

    /** Makes the version odd for as long as it lives. */
    class writing {
    public:
        explicit writing(std::atomic<std::uint64_t> &version)
            : version_(version)
            , before_(version.load(std::memory_order_relaxed)) {
            version_.store(before_ + 1, std::memory_order_relaxed);
        }

        writing(const writing &) = delete;
        writing &operator=(const writing &) = delete;

        ~writing() {
            version_.store(before_ + 2, std::memory_order_release);
        }

    private:
        std::atomic<std::uint64_t> &version_;
        const std::uint64_t before_;
    };

    /** The old array stays for readers that are in it: all of them together are no larger. */
    array *
    grow(const array &from) {
        arrays_.push_back(std::make_unique<array>(from.capacity() * 2));
        array *larger = arrays_.back().get();
        for (const slot &each : from.slots) {
            if (const void *handle = each.handle.load(std::memory_order_relaxed)) {
                larger->slotOf(handle).set(handle, each.value.load(std::memory_order_relaxed));
            }
        }
        current_.store(larger, std::memory_order_release);
        return larger;
    }

    mutable std::mutex mutex_; /**< for writers */
    std::vector<std::unique_ptr<array>> arrays_;
    std::size_t count_ = 0;
    alignas(64) std::atomic<std::uint64_t> version_{0};
    std::atomic<array *> current_{nullptr};
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_HANDLE_TABLE_H
