// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_PLUGIN_IMPORT_SLOT_H
#define NIXL_STRIPE_NIXL_PATCH_PLUGIN_IMPORT_SLOT_H

#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief The memory words through which a loaded library calls an imported function.
 *
 * Reads the relocation tables of the library as the dynamic linker left them in memory: PLT slots
 * (JUMP_SLOT) and addresses (GLOB_DAT, ABS64). Writing to one redirects that library's calls and
 * nobody else's, whatever else provides the same symbol in the process.
 */
class importSlots {
public:
    /**
     * @param library A handle of dlopen.
     * @param symbol The imported function.
     */
    importSlots(void *library, const char *symbol);

    bool
    isEmpty() const {
        return slots_.empty();
    }

    std::size_t
    size() const {
        return slots_.size();
    }

    /**
     * @return The function that calls reach; nullptr when there are no slots.
     * @throws std::runtime_error when slots hold different addresses: then it is not known which
     *         function is the real one.
     */
    void *target() const;

    /**
     * @brief Points every slot to @p function. Pages that are read-only (full RELRO) are made
     *        writable for the moment and read-only again.
     * @throws std::runtime_error when a page cannot be made writable; slots that were already
     *         written are put back.
     */
    void redirect(void *function);

private:
    void *library_;
    std::string symbol_;
    std::vector<void **> slots_;
};

/** The direct dependencies (DT_NEEDED) of a loaded library, as handles of dlopen; not opened anew.
 */
std::vector<void *> loadedDependencies(void *library, const std::string &name_prefix);

/**
 * @brief The slots through which the stock plugin calls @p symbol. Up to NIXL 0.9 UCX is called
 *        from libucx_utils.so, a dependency of the plugin.
 * @throws std::runtime_error saying that there are none.
 */
importSlots findImport(void *stock, const char *symbol);

/** Whether the page of @p address can be written to, as /proc/self/maps has it. */
bool isWritable(const void *address);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_PLUGIN_IMPORT_SLOT_H
