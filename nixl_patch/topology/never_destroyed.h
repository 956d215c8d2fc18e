// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file never_destroyed.h
 * @brief Objects with process life.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NEVER_DESTROYED_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NEVER_DESTROYED_H

#include <new>
#include <utility>

namespace nixlStripe {

/**
 * @brief Holds an object that is made and never destroyed.
 *
 * For every static whose type has a destructor. A program may destroy its agents after our statics
 * would be gone: from the destructor of a global object that was made before this library was
 * loaded, or from an exit handler. A test finds statics that the linker would have destroyed at
 * exit.
 */
template <typename value_t> class neverDestroyed {
public:
    template <typename... args_t> explicit neverDestroyed(args_t &&...args) {
        ::new (static_cast<void *>(storage_)) value_t(std::forward<args_t>(args)...);
    }

    neverDestroyed(const neverDestroyed &) = delete;
    neverDestroyed &operator=(const neverDestroyed &) = delete;

    value_t &
    operator*() {
        return *std::launder(reinterpret_cast<value_t *>(storage_));
    }

    const value_t &
    operator*() const {
        return *std::launder(reinterpret_cast<const value_t *>(storage_));
    }

    value_t *
    operator->() {
        return &**this;
    }

    const value_t *
    operator->() const {
        return &**this;
    }

private:
    alignas(value_t) unsigned char storage_[sizeof(value_t)];
};

template <typename value_t> neverDestroyed(value_t) -> neverDestroyed<value_t>;

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_NEVER_DESTROYED_H
