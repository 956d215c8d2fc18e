// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_LIBRARY_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_LIBRARY_H

#include "ucx/config_text.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace nixlStripe {

/** `ucs_status_t` is a packed enum: one byte. 0 is UCS_OK. */
using ucsStatus_t = std::int8_t;

constexpr ucsStatus_t ucs_ok = 0;
constexpr ucsStatus_t ucs_in_progress = 1;
constexpr ucsStatus_t ucs_err_no_memory = -4;
constexpr ucsStatus_t ucs_err_invalid_param = -5;
constexpr ucsStatus_t ucs_err_no_device = -14;

/** `ucp_init_version`, what `ucp_init` of the UCX headers expands to. */
using ucpInitVersion_t = ucsStatus_t (*)(
    unsigned major, unsigned minor, const void *params, const void *config, void **context);

/**
 * @brief The UCX that a given function belongs to: never another copy that the process may hold.
 *
 * Wheels bundle UCX under mangled names, so it is found from the address of one of its functions.
 */
class ucxLibrary {
public:
    /**
     * @param function Address of `ucp_init_version` in the wanted UCX.
     * @throws std::runtime_error naming the file and the symbol when one is missing.
     */
    explicit ucxLibrary(ucpInitVersion_t function);

    ucpInitVersion_t
    initVersion() const {
        return init_;
    }

    /** Path of libucp. */
    const std::string &
    path() const {
        return path_;
    }

    /** "1.23.0" */
    std::string version() const;

    /** @return UCX's status; some versions answer OK for keys that they do not know: read back. */
    ucsStatus_t modify(void *config, const std::string &key, const std::string &value) const;

    /** Every setting of @p config, without the UCX_ prefix. */
    std::map<std::string, std::string> settings(const void *config) const;

    /** Devices that a context really opened, e.g. "mlx5_0:1", "r0", "memory". */
    std::set<std::string> devices(const void *context) const;

    /** Lanes that carry RMA; see parseRmaLanes. */
    std::vector<rmaLane> rmaLanes(const void *endpoint) const;

    /**
     * @brief Registers a page of this process for a moment.
     * @return Its key as UCX packs it; empty where UCX does not.
     */
    std::vector<std::uint8_t> ownKey(const void *context) const;

    void cleanup(void *context) const;

    /** Name of a status, e.g. "No such device". */
    std::string statusText(ucsStatus_t status) const;

    /** Options of UCS are global to the process. @return "" when this UCS has no such option. */
    std::string globalOption(const std::string &key) const;

    ucsStatus_t setGlobalOption(const std::string &key, const std::string &value) const;

private:
    using modify_t = ucsStatus_t (*)(void *, const char *, const char *);
    using configPrint_t = void (*)(const void *, void *, const char *, int);
    using contextPrint_t = void (*)(const void *, void *);
    using endpointPrint_t = void (*)(const void *, void *);
    using memoryMap_t = ucsStatus_t (*)(const void *, const void *, void **);
    using memoryUnmap_t = ucsStatus_t (*)(const void *, void *);
    using keyPack_t = ucsStatus_t (*)(const void *, void *, void **, std::size_t *);
    using keyRelease_t = void (*)(void *);
    using cleanup_t = void (*)(void *);
    using version_t = const char *(*)();
    using statusString_t = const char *(*)(ucsStatus_t);
    using globalGet_t = ucsStatus_t (*)(const char *, char *, std::size_t);
    using globalSet_t = ucsStatus_t (*)(const char *, const char *);

    ucpInitVersion_t init_;
    std::string path_;
    modify_t modify_;
    configPrint_t config_print_;
    contextPrint_t context_print_;
    endpointPrint_t endpoint_print_;
    memoryMap_t memory_map_;
    memoryUnmap_t memory_unmap_;
    keyPack_t key_pack_;
    keyRelease_t key_release_;
    cleanup_t cleanup_;
    version_t version_;
    statusString_t status_string_;
    globalGet_t global_get_;
    globalSet_t global_set_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_LIBRARY_H
