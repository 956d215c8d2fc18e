// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file engine_table.h
 * @brief The virtual functions of the stock engine: found, called, and replaced for one engine.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENGINE_TABLE_H
#define NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENGINE_TABLE_H

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace nixlStripe {

/** The functions that a resume needs. */
enum class engineSlot_t : std::size_t {
    REGISTER,
    DEREGISTER,
    DISCONNECT,
    UNLOAD,
    PREPARE,
    POST,
    CHECK,
    RELEASE,
    LOAD_CONNECTION,
    LOAD_REMOTE,
    NOTIFY,
    COUNT
};

constexpr std::size_t engine_slots = static_cast<std::size_t>(engineSlot_t::COUNT);

/** One function for each slot; nullptr leaves the stock one. */
using engineFunctions_t = std::array<void *, engine_slots>;

/** What can be looked up of a loaded library; replaced in tests. */
class engineSymbols {
public:
    /** @param stock A handle of dlopen. */
    explicit engineSymbols(void *stock)
        : stock_(stock) {}

    virtual ~engineSymbols() = default;

    /** Address of an exported function; nullptr without one. */
    virtual void *function(const std::string &name) const;

    /** The symbol of the table at @p table and the bytes behind its head; "" where unknown. */
    virtual std::string table(void *const *table, std::size_t &bytes) const;

private:
    void *stock_;
};

/**
 * @brief The table of one engine.
 *
 * A slot is found by comparing the addresses in the engine's table with those of the members that
 * the stock plugin exports: their names hold the types of all arguments, so that another signature
 * is another name, and is not found. install() gives the engine a copy of its table in which some
 * slots are ours; nobody else's engine is touched, and what is behind the slots that are known
 * stays as it is.
 */
class engineTable {
public:
    /** @param engine Of the stock plugin; lives longer than this object. */
    explicit engineTable(void *engine)
        : engine_(engine) {}

    engineTable(const engineTable &) = delete;
    engineTable &operator=(const engineTable &) = delete;
    ~engineTable();

    /** Finds all slots. @return why not, "" when they are found. */
    std::string find(const engineSymbols &symbols);

    /** Replaces slots; find() has found them. @param owner What ownerOf() gives. */
    void install(const engineFunctions_t &ours, void *owner);

    /** Whether an engine has the table that this one had: find() has been called. */
    bool isOfClass(void *engine) const;

    /** What install() was given, for an engine that it was called for. */
    static void *ownerOf(void *engine);

    /** The stock function. It serves every engine of the same class: a spare too. */
    template <typename function_t>
    function_t
    stock(engineSlot_t slot) const {
        return reinterpret_cast<function_t>(stock_[static_cast<std::size_t>(slot)]);
    }

private:
    void *const engine_;
    void **before_ = nullptr; /**< the engine's own table */
    std::size_t count_ = 0;   /**< of its slots */
    std::array<std::size_t, engine_slots> index_{};
    engineFunctions_t stock_{};
    std::vector<void *> table_; /**< owner, offset, type, slots */
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_RECOVERY_ENGINE_TABLE_H
