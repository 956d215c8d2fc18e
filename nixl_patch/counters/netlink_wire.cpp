// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/netlink_wire.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/netlink.h>

namespace nixlStripe {
namespace {

    template <typename Item>
    std::optional<Item>
    valueOf(std::string_view bytes) {
        Item value;
        if (bytes.size() < sizeof value) {
            return std::nullopt;
        }
        std::memcpy(&value, bytes.data(), sizeof value); // nothing in a datagram is aligned for us
        return value;
    }

    template <typename Item>
    void
    append(std::string &bytes, const Item &value) {
        bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
    }

    /** Drops what a message or attribute of @p length takes with its padding. */
    void
    drop(std::string_view &rest, std::size_t length) {
        constexpr std::size_t alignment = 4;
        const std::size_t padded = (length + alignment - 1) / alignment * alignment;
        rest.remove_prefix(std::min(padded, rest.size()));
    }

} // namespace

netlinkRequest::netlinkRequest(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = flags;
    header.nlmsg_seq = sequence;
    append(bytes_, header);
    setLength();
}

netlinkRequest &
netlinkRequest::attribute(std::uint16_t type, std::uint32_t value) {
    nlattr header{};
    header.nla_len = sizeof header + sizeof value;
    header.nla_type = type;
    append(bytes_, header);
    append(bytes_, value);
    setLength();
    return *this;
}

void
netlinkRequest::setLength() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length); // nlmsg_len is the header's first field
}

bool
netlinkMessage::isDone() const {
    return type == NLMSG_DONE;
}

bool
netlinkMessage::isError() const {
    return type == NLMSG_ERROR;
}

int
netlinkMessage::errorCode() const {
    const auto code = valueOf<std::int32_t>(body);
    if (!code || *code > 0 || *code < -4095) { // no errno of the kernel is outside
        return EBADMSG;
    }
    return -*code;
}

std::optional<netlinkMessage>
netlinkMessages::next() {
    const auto header = valueOf<nlmsghdr>(rest_);
    if (!header || header->nlmsg_len < sizeof *header || header->nlmsg_len > rest_.size()) {
        broken_ = broken_ || !rest_.empty();
        rest_ = {};
        return std::nullopt;
    }
    netlinkMessage message;
    message.type = header->nlmsg_type;
    message.flags = header->nlmsg_flags;
    message.sequence = header->nlmsg_seq;
    message.body = rest_.substr(sizeof *header, header->nlmsg_len - sizeof *header);
    drop(rest_, header->nlmsg_len);
    return message;
}

std::optional<std::uint8_t>
netlinkAttribute::u8() const {
    return valueOf<std::uint8_t>(value);
}

std::optional<std::uint32_t>
netlinkAttribute::u32() const {
    return valueOf<std::uint32_t>(value);
}

std::optional<std::uint64_t>
netlinkAttribute::u64() const {
    return valueOf<std::uint64_t>(value);
}

std::string_view
netlinkAttribute::text() const {
    return value.substr(0, value.find('\0'));
}

std::optional<netlinkAttribute>
netlinkAttributes::next() {
    const auto header = valueOf<nlattr>(rest_);
    if (!header || header->nla_len < sizeof *header || header->nla_len > rest_.size()) {
        rest_ = {};
        return std::nullopt;
    }
    netlinkAttribute attribute;
    attribute.type = header->nla_type & static_cast<std::uint16_t>(NLA_TYPE_MASK);
    attribute.value = rest_.substr(sizeof *header, header->nla_len - sizeof *header);
    drop(rest_, header->nla_len);
    return attribute;
}

} // namespace nixlStripe
