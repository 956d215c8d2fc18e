// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/piece_book.h"

#include <algorithm>
#include <utility>

namespace nixlStripe {
namespace {

    std::size_t
    pieceBytes(const std::vector<abi::metaDesc> &items) {
        std::size_t total = 0;
        for (const abi::metaDesc &item : items) {
            total += item.bytes;
        }
        return std::max(pieceBook::least_bytes, total / pieceBook::most_pieces + 1);
    }

    abi::metaDesc
    part(const abi::metaDesc &whole, std::size_t begin, std::size_t end) {
        abi::metaDesc part = whole;
        part.address += begin;
        part.bytes = end - begin;
        return part;
    }

} // namespace

bool
pieceBook::matches(const std::vector<abi::metaDesc> &local,
                   const std::vector<abi::metaDesc> &remote) {
    return !local.empty() && std::equal(local.begin(),
                                        local.end(),
                                        remote.begin(),
                                        remote.end(),
                                        [](const abi::metaDesc &one, const abi::metaDesc &other) {
                                            return one.bytes == other.bytes;
                                        });
}

pieceBook::pieceBook(std::vector<abi::metaDesc> local,
                     std::vector<abi::metaDesc> remote,
                     std::size_t most_items)
    : local_(std::move(local))
    , remote_(std::move(remote)) {
    const std::size_t most = pieceBytes(local_);
    starts_.push_back({});
    std::size_t held = 0;
    std::size_t items = 0;
    for (std::size_t item = 0; item < local_.size(); ++item) {
        std::size_t offset = 0;
        if (items == most_items) {
            starts_.push_back({item, 0});
            held = 0;
            items = 0;
        }
        ++items;
        while (local_[item].bytes - offset > most - held) {
            offset += most - held;
            held = 0;
            items = 1;
            starts_.push_back({item, offset});
        }
        held += local_[item].bytes - offset;
    }
    starts_.push_back({local_.size(), 0});
}

pieceLists
pieceBook::next() const {
    const place begin = starts_[done_];
    const place end = starts_[done_ + 1];
    pieceLists lists;
    for (std::size_t item = begin.item; item < local_.size() && item <= end.item; ++item) {
        const std::size_t from = item == begin.item ? begin.offset : 0;
        const std::size_t to = item == end.item ? end.offset : local_[item].bytes;
        if (from < to || (local_[item].bytes == 0 && item < end.item)) {
            lists.local.push_back(part(local_[item], from, to));
            lists.remote.push_back(part(remote_[item], from, to));
        }
    }
    return lists;
}

} // namespace nixlStripe
