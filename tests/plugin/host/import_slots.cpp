// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Where the stock plugin's calls to UCX go, asked from inside the process that makes them.
#include "plugin/import_slot.h"

#include <cstdio>
#include <dlfcn.h>
#include <exception>

/**
 * @brief Writes "FILE SYMBOL" of the function that calls of @p symbol reach into @p text.
 * @return false, with a reason in @p text, when that cannot be said.
 */
extern "C" bool
targetOf(const char *stock_path, const char *symbol, char *text, size_t size) {
    void *stock = dlopen(stock_path, RTLD_LAZY | RTLD_NOLOAD);
    if (stock == nullptr) {
        std::snprintf(text, size, "%s is not loaded", stock_path);
        return false;
    }
    try {
        Dl_info info{};
        if (dladdr(nixlStripe::findImport(stock, symbol).target(), &info) == 0) {
            std::snprintf(text, size, "%s leads nowhere", symbol);
            return false;
        }
        std::snprintf(
            text, size, "%s %s", info.dli_fname, info.dli_sname == nullptr ? "-" : info.dli_sname);
        return true;
    } catch (const std::exception &problem) {
        std::snprintf(text, size, "%s", problem.what());
        return false;
    }
}
