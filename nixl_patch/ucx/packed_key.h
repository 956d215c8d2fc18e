// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file packed_key.h
 * @brief The key to remote memory as UCX sends it, and narrower ones made from it.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_PACKED_KEY_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_PACKED_KEY_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nixlStripe {

/**
 * @brief What `ucp_rkey_pack` writes and `ucp_ep_rkey_unpack` reads.
 *
 * A map of the memory domains of the memory's owner (8 bytes, one bit each), the memory's type
 * (1 byte), then for each bit, from the lowest, the size of that domain's key (1 byte) and the key;
 * at last the device that the memory is on (1 byte) and, unless that is unknown, the distances from
 * it. Peers of different UCX versions exchange these bytes, so the form is a fixed one; `describes`
 * checks it all the same, on a key whose size is known. UCX sends keys of the domains that the
 * memory is registered with, so one with fewer of them is a valid key too: one for fewer NICs.
 */
class packedKey {
public:
    /** @param bytes Starts with a key; there is no size, as in ucp_ep_rkey_unpack. */
    explicit packedKey(const void *bytes);

    /** Whether the @p size bytes at @p bytes have the form above, from first to last. */
    static bool describes(const void *bytes, std::size_t size);

    /**
     * Whether the key is one of no memory domain, which says nothing about the form of others: UCX
     * packs such keys where memory is reached without any, as over TCP, with or without a device.
     */
    static bool isEmpty(const void *bytes, std::size_t size);

    /** Bit i: the memory is registered with memory domain i of its owner. */
    std::uint64_t
    domains() const {
        return domains_;
    }

    /** Bytes up to the end of the last domain's key; device and distances come behind. */
    std::size_t
    size() const {
        return bytes_.size();
    }

    /** UCS's number of the memory's type: 0 is host memory. */
    std::uint8_t memoryType() const;

    /**
     * @return The key for some of domains() only, on an unknown device; nothing where @p wanted is
     *         empty or has others.
     */
    std::optional<std::vector<std::uint8_t>> narrowedTo(std::uint64_t wanted) const;

    /** @return The same key on an unknown device; nothing for a key of no domain. */
    std::optional<std::vector<std::uint8_t>>
    withoutDevice() const {
        return narrowedTo(domains_);
    }

private:
    std::uint64_t domains_ = 0;
    std::vector<std::uint8_t> bytes_;
};

/**
 * @brief Whether keys have the form that packedKey reads: a context's own tell. Thread-safe.
 *
 * One that does not ends the trust for good.
 */
class keyForm {
public:
    /** @return false for the first key of another form; keys of no domain say nothing. */
    bool note(const void *packed, std::size_t size) noexcept;

    bool
    isKnown() const {
        return form_ == form_t::KNOWN;
    }

    /** No key has been seen. */
    bool
    isOpen() const {
        return form_ == form_t::UNKNOWN;
    }

private:
    enum class form_t { UNKNOWN, KNOWN, STRANGE };

    std::atomic<form_t> form_{form_t::UNKNOWN};
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_PACKED_KEY_H
