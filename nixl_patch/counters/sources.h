// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file sources.h
 * @brief Every source of a NIC's bytes behind one interface; each says what it cannot see.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_COUNTERS_SOURCES_H
#define NIXL_STRIPE_NIXL_PATCH_COUNTERS_SOURCES_H

#include "counters/rdma_netlink.h"
#include "counters/reading.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nixlStripe {

/** One source of one NIC's bytes. Not for several threads at once. */
class counterSource {
public:
    explicit counterSource(sourceInfo info)
        : info_(std::move(info)) {}

    virtual ~counterSource() = default;
    counterSource(const counterSource &) = delete;
    counterSource &operator=(const counterSource &) = delete;

    const sourceInfo &
    info() const {
        return info_;
    }

    virtual nicReading read() = 0;

private:
    sourceInfo info_;
};

/** A source, or why it is not to be had here and what would change that. */
struct sourceAnswer {
    std::shared_ptr<counterSource> source;
    std::string reason; /**< "" with a source */
};

/**
 * @brief Where counters are looked for.
 *
 * This machine, by sysfs, RDMA netlink, /proc and the devices' nodes; or a sysfs elsewhere, alone.
 */
class counterHost {
public:
    explicit counterHost(std::string sysfs = "/sys");
    ~counterHost();

    /** RDMA devices, in natural order. */
    std::vector<std::string> devices() const;

    /** RDMA devices, or where there is none network interfaces but `lo`; in natural order. */
    std::vector<std::string> nics() const;

    /**
     * Every source of @p nic (`mlx5_0`, one port of it: `mlx5_0:1`, or an interface), the best
     * first. One answer without a source when there is no such device or port.
     */
    std::vector<sourceAnswer> sources(const std::string &nic) const;

    /** The first that is to be had; its reason names what all others lack, else. */
    sourceAnswer best(const std::string &nic) const;

    /** Whether the NIC has an active port (of an interface: is not down, has a carrier). */
    bool isUp(const std::string &nic) const;

private:
    class parts;
    std::shared_ptr<parts> parts_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_COUNTERS_SOURCES_H
