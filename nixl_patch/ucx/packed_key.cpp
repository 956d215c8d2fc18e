// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/packed_key.h"

#include <cstring>

namespace nixlStripe {
namespace {

    using domains_t = std::uint64_t;

    constexpr unsigned max_domains = 64;
    constexpr std::size_t header_size = sizeof(domains_t) + 1;
    /** UCS_SYS_DEVICE_ID_UNKNOWN: nothing about distances follows. */
    constexpr std::uint8_t unknown_device = 0xff;
    /** What one distance takes at most; there are as many as the owner has devices with lanes. */
    constexpr std::size_t distance_size = 8;

    bool
    has(domains_t domains, unsigned domain) {
        return domain < max_domains && (domains >> domain & 1) != 0;
    }

    domains_t
    domainsOf(const std::uint8_t *bytes) {
        domains_t domains = 0;
        std::memcpy(&domains, bytes, sizeof domains);
        return domains;
    }

} // namespace

packedKey::packedKey(const void *bytes) {
    const auto *start = static_cast<const std::uint8_t *>(bytes);
    domains_ = domainsOf(start);
    std::size_t size = header_size;
    for (unsigned domain = 0; domain < max_domains; ++domain) {
        if (has(domains_, domain)) {
            size += std::size_t{1} + start[size];
        }
    }
    bytes_.assign(start, start + size);
}

bool
packedKey::describes(const void *bytes, std::size_t size) {
    if (size < header_size) {
        return false;
    }
    const auto *start = static_cast<const std::uint8_t *>(bytes);
    const domains_t domains = domainsOf(start);
    std::size_t used = header_size;
    for (unsigned domain = 0; domain < max_domains; ++domain) {
        if (!has(domains, domain)) {
            continue;
        }
        if (used >= size) {
            return false;
        }
        used += std::size_t{1} + start[used];
    }
    return used < size && size - used <= 1 + max_domains * distance_size &&
           (start[used] != unknown_device || used + 1 == size);
}

bool
packedKey::isEmpty(const void *bytes, std::size_t size) {
    return size >= header_size && domainsOf(static_cast<const std::uint8_t *>(bytes)) == 0;
}

std::uint8_t
packedKey::memoryType() const {
    return bytes_[sizeof(domains_t)];
}

std::optional<std::vector<std::uint8_t>>
packedKey::narrowedTo(std::uint64_t wanted) const {
    if (wanted == 0 || (wanted & ~domains_) != 0) {
        return std::nullopt;
    }
    std::vector<std::uint8_t> key(header_size);
    std::memcpy(key.data(), &wanted, sizeof wanted);
    key[sizeof wanted] = memoryType();
    std::size_t at = header_size;
    for (unsigned domain = 0; domain < max_domains; ++domain) {
        if (!has(domains_, domain)) {
            continue;
        }
        const std::size_t size = std::size_t{1} + bytes_[at];
        if (has(wanted, domain)) {
            const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(at);
            key.insert(key.end(), first, first + static_cast<std::ptrdiff_t>(size));
        }
        at += size;
    }
    // Lanes that were chosen are not weighed by their distance.
    key.push_back(unknown_device);
    return key;
}

bool
keyForm::note(const void *packed, std::size_t size) noexcept {
    if (size == 0 || packedKey::isEmpty(packed, size)) {
        return true;
    }
    if (packedKey::describes(packed, size)) {
        form_t unknown = form_t::UNKNOWN;
        form_.compare_exchange_strong(unknown, form_t::KNOWN);
        return true;
    }
    return form_.exchange(form_t::STRANGE) == form_t::STRANGE;
}

} // namespace nixlStripe
