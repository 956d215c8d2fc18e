// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file spare_engine.h
 * @brief A second engine of the same agent, on the NICs that are left.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_SPARE_ENGINE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_SPARE_ENGINE_H

#include "recovery/memory_book.h"
#include "recovery/stock_engine.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {

/** Makes and destroys engines of the stock plugin; replaced in tests. */
struct engineMaker {
    /** @return an engine on these NICs, with all else as the first; nullptr or an exception. */
    std::function<void *(const std::vector<std::string> &)> make;
    std::function<void(void *)> destroy;
};

/**
 * @brief Knows peers and memory when somebody asks it to use them, and not before.
 *
 * Several threads may use it. What it knows of memory goes when the first engine forgets it, or
 * with it.
 */
class spareEngine {
public:
    /**
     * @param known What the first engine knows; lives longer.
     * @throws std::exception saying why there is none.
     */
    spareEngine(const engineTable &table,
                const engineMaker &maker,
                const memoryBook &known,
                std::vector<std::string> nics);
    spareEngine(const spareEngine &) = delete;
    spareEngine &operator=(const spareEngine &) = delete;
    ~spareEngine();

    const stockEngine &
    engine() const {
        return engine_;
    }

    const std::vector<std::string> &
    nics() const {
        return nics_;
    }

    /** @return nixl_status_t. */
    int connect(const std::string &agent, const std::string &connection);

    /** Forgets an agent, and what it loaded of its memory. */
    void disconnect(const std::string &agent);

    /** Puts this engine's metadata in the place of the first one's. @return nixl_status_t. */
    int translate(std::vector<abi::metaDesc> &items);

    /** The first engine forgets it. */
    void forget(void *metadata);

    /** One byte of memory of its own, to read into. @return nixl_status_t. */
    int scratch(abi::metaDesc &byte);

private:
    struct loaded {
        void *metadata = nullptr;
        bool isRemote = false;
        std::string agent; /**< whose it is, where it is remote */
    };

    int load(void *metadata, loaded &found);
    void unload(const loaded &item) const;

    const engineMaker &maker_;
    const memoryBook &known_;
    const std::vector<std::string> nics_;
    const stockEngine engine_;
    std::mutex mutex_;
    std::set<std::string> connected_;
    std::map<void *, loaded> loaded_; /**< by the first engine's metadata */
    alignas(64) std::array<char, 4096> page_{};
    void *page_metadata_ = nullptr;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_SPARE_ENGINE_H
