// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_TRANSFER_RECORD_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_TRANSFER_RECORD_H

#include "recovery/piece_book.h"
#include "recovery/spare_engine.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace nixlStripe {

/** One transfer of NIXL's, from prepXfer to releaseReqH. Its line guards it. */
struct transferRecord {
    transferRecord(void *handle,
                   int operation,
                   const abi::metaList &local,
                   const abi::metaList &remote)
        : key(handle)
        , op(operation)
        , localTable(local.table)
        , localKind(local.kind)
        , remoteTable(remote.table)
        , remoteKind(remote.kind)
        , book(local.items, remote.items, op == abi::op_read ? pieceBook::most_reads : SIZE_MAX) {}

    abi::metaList
    localList(std::vector<abi::metaDesc> items) const {
        return {localTable, localKind, std::move(items)};
    }

    abi::metaList
    remoteList(std::vector<abi::metaDesc> items) const {
        return {remoteTable, remoteKind, std::move(items)};
    }

    void *const key; /**< the handle of the first engine, which NIXL has */
    const int op;
    void *const localTable;
    const std::uint64_t localKind;
    void *const remoteTable;
    const std::uint64_t remoteKind;
    pieceBook book;
    std::optional<abi::optionalArgs> args; /**< of the last post */

    int status = abi::status_in_progress; /**< of the last post, once it is over */
    bool isUnderWay = false;              /**< posted and not over */
    bool isResumed = false;               /**< a part of it was lost and went again */
    unsigned losses = 0;                  /**< of NICs, since it was posted */

    void *piece = nullptr;              /**< handle of what is under way */
    std::shared_ptr<spareEngine> spare; /**< that has it; nullptr: the first engine */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_TRANSFER_RECORD_H
