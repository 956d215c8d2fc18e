// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file piece_book.h
 * @brief A transfer in pieces that go one after the other, so that what has arrived stays.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_PIECE_BOOK_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_PIECE_BOOK_H

#include "recovery/engine_abi.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nixlStripe {

/** The bytes of both ends, descriptor by descriptor. */
struct pieceLists {
    std::vector<abi::metaDesc> local;
    std::vector<abi::metaDesc> remote;
};

/**
 * @brief Which pieces of a transfer have arrived. Pure.
 *
 * A piece is at least least_bytes and a transfer at most most_pieces, so that each piece keeps all
 * NICs busy and the pauses between them are small. A large descriptor is cut; small ones that are
 * beside each other in the list go together.
 */
class pieceBook {
public:
    static constexpr std::size_t least_bytes = std::size_t{4} << 20;
    static constexpr std::size_t most_pieces = 8;
    /**
     * Of a READ, descriptors in a piece. Over TCP the peer's own UCX answers each with a message,
     * and crashes where a connection fails that has a thousand of them waiting.
     */
    static constexpr std::size_t most_reads = 128;

    /**
     * Both lists have descriptors of the same sizes: see matches().
     * @param most_items Descriptors in a piece, whatever their bytes.
     */
    pieceBook(std::vector<abi::metaDesc> local,
              std::vector<abi::metaDesc> remote,
              std::size_t most_items = SIZE_MAX);

    /** Whether two lists can be of one transfer. */
    static bool matches(const std::vector<abi::metaDesc> &local,
                        const std::vector<abi::metaDesc> &remote);

    /** From the first piece again. */
    void
    restart() {
        done_ = 0;
    }

    bool
    isDone() const {
        return done_ == starts_.size() - 1;
    }

    bool
    isLast() const {
        return done_ + 2 == starts_.size();
    }

    /** It is all in one piece. */
    bool
    isWhole() const {
        return starts_.size() == 2;
    }

    /** The first piece that has not arrived. */
    pieceLists next() const;

    /** It has arrived. */
    void
    arrived() {
        ++done_;
    }

    const std::vector<abi::metaDesc> &
    remote() const {
        return remote_;
    }

private:
    /** A byte of the transfer. */
    struct place {
        std::size_t item = 0;
        std::size_t offset = 0;
    };

    const std::vector<abi::metaDesc> local_;
    const std::vector<abi::metaDesc> remote_;
    std::vector<place> starts_; /**< of each piece, and the end */
    std::size_t done_ = 0;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_PIECE_BOOK_H
