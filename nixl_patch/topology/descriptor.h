// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file descriptor.h
 * @brief A file descriptor that closes itself.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_DESCRIPTOR_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_DESCRIPTOR_H

#include <unistd.h>

namespace nixlStripe {

/** Of what open(2), socket(2) and their kind return; -1 is none. */
class descriptor {
public:
    explicit descriptor(int number)
        : number_(number) {}

    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;

    ~descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }

    int
    get() const {
        return number_;
    }

private:
    const int number_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_DESCRIPTOR_H
