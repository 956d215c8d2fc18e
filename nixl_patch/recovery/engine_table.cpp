// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/engine_table.h"

#include <algorithm>
#include <atomic>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

namespace nixlStripe {
namespace {

#define NIXL_STRING "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
#define NIXL_TRANSFER                                                                              \
    "ERK14nixl_xfer_op_tRK12nixlDescListI12nixlMetaDescES7_" NIXL_STRING                           \
    "RP15nixlBackendReqHPK23nixlBackendOptionalArgs"

    struct member {
        const char *qualifier; /**< "K" of a const function */
        const char *name;      /**< and what it takes, mangled */
    };

    /** In the order of engineSlot_t. */
    constexpr std::array<member, engine_slots> members = {{
        {"", "11registerMemERK12nixlBlobDescRK10nixl_mem_tRP13nixlBackendMD"},
        {"", "13deregisterMemEP13nixlBackendMD"},
        {"", "10disconnectE" NIXL_STRING},
        {"", "8unloadMDEP13nixlBackendMD"},
        {"K", "8prepXfer" NIXL_TRANSFER},
        {"K", "8postXfer" NIXL_TRANSFER},
        {"K", "9checkXferEP15nixlBackendReqH"},
        {"K", "11releaseReqHEP15nixlBackendReqH"},
        {"", "18loadRemoteConnInfoE" NIXL_STRING "S7_"},
        {"", "12loadRemoteMDERK12nixlBlobDescRK10nixl_mem_t" NIXL_STRING "RP13nixlBackendMD"},
        {"K", "8genNotifE" NIXL_STRING "S7_"},
    }};

#undef NIXL_TRANSFER
#undef NIXL_STRING

    /** The engines that a resume was tried with: without and with a progress thread. */
    constexpr std::array<const char *, 2> classes = {"13nixlUcxEngine", "19nixlUcxThreadEngine"};

    /** The one that num_threads asks for. */
    constexpr const char *pool = "_ZTV23nixlUcxThreadPoolEngine";

    constexpr const char *unknown_nixl = "this NIXL is unknown: ";

    constexpr std::size_t head = 3; /**< owner, offset to the top, type */

    /** The first word of an engine: other threads read it while it is replaced. */
    void **
    tableOf(void *engine) {
        return __atomic_load_n(static_cast<void ***>(engine), __ATOMIC_ACQUIRE);
    }

    void
    setTable(void *engine, void **table) {
        __atomic_store_n(static_cast<void ***>(engine), table, __ATOMIC_RELEASE);
    }

    /** The exported function that stands in a slot of the table, and nowhere else in it. */
    std::string
    place(const engineSymbols &symbols,
          const member &wanted,
          void *const *table,
          std::size_t count,
          std::size_t &index) {
        for (const char *name : classes) {
            const std::string symbol = std::string("_ZN") + wanted.qualifier + name + wanted.name;
            void *function = symbols.function(symbol);
            const auto found = std::find(table, table + count, function);
            if (function == nullptr || found == table + count) {
                continue;
            }
            if (std::find(found + 1, table + count, function) != table + count) {
                return symbol + " stands in the engine's table twice";
            }
            index = static_cast<std::size_t>(found - table);
            return "";
        }
        return std::string("the engine's table has no exported ") + wanted.name;
    }

} // namespace

void *
engineSymbols::function(const std::string &name) const {
    return dlsym(stock_, name.c_str());
}

std::string
engineSymbols::table(void *const *table, std::size_t &bytes) const {
    Dl_info info{};
    ElfW(Sym) *symbol = nullptr;
    const void *address = table;
    if (dladdr1(address, &info, reinterpret_cast<void **>(&symbol), RTLD_DL_SYMENT) == 0 ||
        symbol == nullptr || info.dli_sname == nullptr) {
        return "";
    }
    constexpr std::size_t own = 2 * sizeof(void *); // offset to the top, type
    const auto *start = static_cast<const char *>(info.dli_saddr);
    if (start + own != reinterpret_cast<const char *>(table) || symbol->st_size < own) {
        return "";
    }
    bytes = symbol->st_size - own;
    return info.dli_sname;
}

engineTable::~engineTable() {
    if (!table_.empty()) {
        setTable(engine_, before_);
    }
}

std::string
engineTable::find(const engineSymbols &symbols) {
    before_ = tableOf(engine_);
    std::size_t bytes = 0;
    const std::string symbol = symbols.table(before_, bytes);
    if (std::none_of(classes.begin(), classes.end(), [&symbol](const char *name) {
            return symbol == std::string("_ZTV") + name;
        })) {
        return symbol == pool ? "it was not tried with num_threads"
                              : unknown_nixl + std::string("the engine's class is unknown");
    }
    count_ = bytes / sizeof(void *);
    for (std::size_t i = 0; i < engine_slots; ++i) {
        const std::string problem = place(symbols, members[i], before_, count_, index_[i]);
        if (!problem.empty()) {
            return unknown_nixl + problem;
        }
        stock_[i] = before_[index_[i]];
    }
    return "";
}

void
engineTable::install(const engineFunctions_t &ours, void *owner) {
    table_.assign(1, owner);
    table_.insert(table_.end(), before_ - (head - 1), before_ + count_);
    for (std::size_t i = 0; i < engine_slots; ++i) {
        if (ours[i] != nullptr) {
            table_[head + index_[i]] = ours[i];
        }
    }
    setTable(engine_, table_.data() + head);
}

bool
engineTable::isOfClass(void *engine) const {
    return tableOf(engine) == before_;
}

void *
engineTable::ownerOf(void *engine) {
    return *(tableOf(engine) - head);
}

} // namespace nixlStripe
