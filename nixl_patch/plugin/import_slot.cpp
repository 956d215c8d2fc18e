// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/import_slot.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace nixlStripe {
namespace {

    bool
    isImport(std::uint64_t relocation_type) {
#if defined(__x86_64__)
        return relocation_type == R_X86_64_JUMP_SLOT || relocation_type == R_X86_64_GLOB_DAT ||
               relocation_type == R_X86_64_64;
#elif defined(__aarch64__)
        return relocation_type == R_AARCH64_JUMP_SLOT || relocation_type == R_AARCH64_GLOB_DAT ||
               relocation_type == R_AARCH64_ABS64;
#else
#error "import slots are known for x86-64 and aarch64 only"
#endif
    }

    /** What the dynamic section says. glibc has made these addresses absolute at load time. */
    struct dynamicTables {
        const ElfW(Sym) *symbols = nullptr;
        const char *strings = nullptr;
        const ElfW(Rela) *plt = nullptr;
        std::size_t pltBytes = 0;
        const ElfW(Rela) *relocations = nullptr;
        std::size_t relocationBytes = 0;

        explicit dynamicTables(const link_map &map) {
            for (const ElfW(Dyn) *entry = map.l_ld; entry->d_tag != DT_NULL; ++entry) {
                const auto address = entry->d_un.d_ptr;
                switch (entry->d_tag) {
                case DT_SYMTAB:
                    symbols = reinterpret_cast<const ElfW(Sym) *>(address);
                    break;
                case DT_STRTAB:
                    strings = reinterpret_cast<const char *>(address);
                    break;
                case DT_JMPREL:
                    plt = reinterpret_cast<const ElfW(Rela) *>(address);
                    break;
                case DT_PLTRELSZ:
                    pltBytes = entry->d_un.d_val;
                    break;
                case DT_RELA:
                    relocations = reinterpret_cast<const ElfW(Rela) *>(address);
                    break;
                case DT_RELASZ:
                    relocationBytes = entry->d_un.d_val;
                    break;
                default:
                    break;
                }
            }
        }
    };

    const link_map *
    linkMap(void *library) {
        link_map *map = nullptr;
        return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 ? map : nullptr;
    }

    /** Protection of the page that holds @p address; nothing when it is not mapped. */
    std::optional<int>
    protection(const void *address) {
        const std::unique_ptr<FILE, decltype(&fclose)> maps(fopen("/proc/self/maps", "r"), &fclose);
        if (!maps) {
            return std::nullopt;
        }
        const auto wanted = reinterpret_cast<std::uintptr_t>(address);
        char line[512];
        bool is_line_start = true;
        while (fgets(line, sizeof line, maps.get()) != nullptr) {
            const bool was_line_start = is_line_start;
            is_line_start = std::strchr(line, '\n') != nullptr;
            std::uintptr_t start = 0;
            std::uintptr_t end = 0;
            char flags[5] = {};
            if (was_line_start &&
                std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &start, &end, flags) == 3 &&
                wanted >= start && wanted < end) {
                return (flags[0] == 'r' ? PROT_READ : 0) | (flags[1] == 'w' ? PROT_WRITE : 0) |
                       (flags[2] == 'x' ? PROT_EXEC : 0);
            }
        }
        return std::nullopt;
    }

    /** Makes the page of a slot writable for its lifetime. */
    class writablePage {
    public:
        explicit writablePage(void **slot) {
            const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
            const std::optional<int> now = protection(slot);
            if (!now) {
                throw std::runtime_error("the import slot is not in /proc/self/maps");
            }
            if ((*now & PROT_WRITE) != 0) {
                return;
            }
            start_ = reinterpret_cast<void *>(reinterpret_cast<std::uintptr_t>(slot) & ~(page - 1));
            size_ = page;
            before_ = *now;
            if (mprotect(start_, size_, before_ | PROT_WRITE) != 0) {
                const std::string reason = std::strerror(errno);
                throw std::runtime_error("the import slot cannot be made writable: " + reason);
            }
        }

        writablePage(const writablePage &) = delete;
        writablePage &operator=(const writablePage &) = delete;

        ~writablePage() {
            if (start_ != nullptr) {
                mprotect(start_, size_, before_);
            }
        }

    private:
        void *start_ = nullptr;
        std::size_t size_ = 0;
        int before_ = 0;
    };

    void *
    load(void *const *slot) {
        return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    }

    bool
    sameLibrary(void *function, const std::vector<void **> &slots) {
        Dl_info target{};
        Dl_info slot{};
        return function != nullptr && dladdr(function, &target) != 0 &&
               dladdr(static_cast<void *>(slots.front()), &slot) != 0 &&
               target.dli_fbase == slot.dli_fbase;
    }

    void
    store(void **slot, void *value) {
        const writablePage page(slot);
        __atomic_store_n(slot, value, __ATOMIC_RELEASE);
    }

} // namespace

importSlots::importSlots(void *library, const char *symbol)
    : library_(library)
    , symbol_(symbol) {
    const link_map *map = linkMap(library);
    if (map == nullptr) {
        return;
    }
    const dynamicTables tables(*map);
    const auto scan = [&](const ElfW(Rela) * entries, std::size_t bytes) {
        for (std::size_t i = 0; entries != nullptr && i < bytes / sizeof *entries; ++i) {
            const ElfW(Sym) &imported = tables.symbols[ELF64_R_SYM(entries[i].r_info)];
            if (isImport(ELF64_R_TYPE(entries[i].r_info)) &&
                symbol_ == tables.strings + imported.st_name) {
                slots_.push_back(reinterpret_cast<void **>(map->l_addr + entries[i].r_offset));
            }
        }
    };
    if (tables.symbols != nullptr && tables.strings != nullptr) {
        scan(tables.plt, tables.pltBytes);
        scan(tables.relocations, tables.relocationBytes);
    }
}

void *
importSlots::target() const {
    void *common = slots_.empty() ? nullptr : load(slots_.front());
    for (void **slot : slots_) {
        if (load(slot) != common) {
            throw std::runtime_error("the import slots of " + symbol_ +
                                     " hold different addresses");
        }
    }
    // A slot that is bound lazily still points back into its own library.
    return sameLibrary(common, slots_) ? dlsym(library_, symbol_.c_str()) : common;
}

void
importSlots::redirect(void *function) {
    std::vector<std::pair<void **, void *>> written;
    try {
        for (void **slot : slots_) {
            void *before = load(slot);
            store(slot, function);
            written.emplace_back(slot, before);
        }
    } catch (...) {
        for (const auto &[slot, before] : written) {
            store(slot, before);
        }
        throw;
    }
}

std::vector<void *>
loadedDependencies(void *library, const std::string &name_prefix) {
    std::vector<void *> handles;
    const link_map *map = linkMap(library);
    if (map == nullptr) {
        return handles;
    }
    const dynamicTables tables(*map);
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
        if (entry->d_tag != DT_NEEDED || tables.strings == nullptr) {
            continue;
        }
        const std::string name = tables.strings + entry->d_un.d_val;
        if (name.compare(0, name_prefix.size(), name_prefix) != 0) {
            continue;
        }
        if (void *handle = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD)) {
            handles.push_back(handle);
        }
    }
    return handles;
}

importSlots
findImport(void *stock, const char *symbol) {
    importSlots slots(stock, symbol);
    if (!slots.isEmpty()) {
        return slots;
    }
    for (void *dependency : loadedDependencies(stock, "libucx_")) {
        importSlots found(dependency, symbol);
        if (!found.isEmpty()) {
            return found;
        }
    }
    throw std::runtime_error("the stock UCX plugin does not import " + std::string(symbol));
}

bool
isWritable(const void *address) {
    const std::optional<int> now = protection(address);
    return now && (*now & PROT_WRITE) != 0;
}

} // namespace nixlStripe
