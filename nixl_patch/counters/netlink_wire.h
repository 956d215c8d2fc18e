// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file netlink_wire.h
 * @brief Netlink's messages and attributes, written and read. Pure: bytes in, data out.
 *
 * Format: linux/netlink.h. Whatever comes is read within its bounds: a length that lies ends the
 * walk, so that time and memory are linear in the bytes.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_NETLINK_WIRE_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_NETLINK_WIRE_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nixlStripe {

/** A request with attributes of 32 bits, all that RDMA netlink needs to be asked. */
class netlinkRequest {
public:
    netlinkRequest(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);

    netlinkRequest &attribute(std::uint16_t type, std::uint32_t value);

    const std::string &
    bytes() const {
        return bytes_;
    }

private:
    void setLength();

    std::string bytes_;
};

/** A message of a datagram. */
struct netlinkMessage {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t sequence = 0;
    std::string_view body; /**< within the datagram */

    bool isDone() const;
    bool isError() const;  /**< an acknowledgement too: errorCode() is 0 then */
    int errorCode() const; /**< errno of a refusal, positive; EBADMSG for one that is cut short */
};

/** Goes through the messages of a datagram. */
class netlinkMessages {
public:
    explicit netlinkMessages(std::string_view datagram)
        : rest_(datagram) {}

    /** The next message; none at the end, or where a length does not fit. */
    std::optional<netlinkMessage> next();

    /** Bytes were left that are no message. */
    bool
    isBroken() const {
        return broken_;
    }

private:
    std::string_view rest_;
    bool broken_ = false;
};

/** An attribute; a value that is shorter than what is asked of it is none. */
struct netlinkAttribute {
    std::uint16_t type = 0; /**< without the flags "nested" and "byte order" */
    std::string_view value;

    std::optional<std::uint8_t> u8() const;
    std::optional<std::uint32_t> u32() const;
    std::optional<std::uint64_t> u64() const;
    std::string_view text() const; /**< up to its zero, or all */
};

/** Goes through attributes, of a message's body or of a nested attribute's value. */
class netlinkAttributes {
public:
    explicit netlinkAttributes(std::string_view bytes)
        : rest_(bytes) {}

    /** The next attribute; none at the end, or where a length does not fit. */
    std::optional<netlinkAttribute> next();

private:
    std::string_view rest_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_NETLINK_WIRE_H
