// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TESTS_SYSFS_TREE_H
#define NIXL_STRIPE_NIXL_PATCH_TESTS_SYSFS_TREE_H

#include <filesystem>
#include <string>
#include <vector>

namespace nixlStripe {

/** A sysfs in a temporary folder, with the kernel's link structure; removed with the object. */
class sysfsTree {
public:
    sysfsTree();
    ~sysfsTree();
    sysfsTree(const sysfsTree &) = delete;
    sysfsTree &operator=(const sysfsTree &) = delete;

    std::string root() const; /**< the sysfs */
    std::string dev() const;  /**< what stands for /dev */

    void file(const std::string &path, const std::string &text);
    void link(const std::string &path, const std::string &target);
    void remove(const std::string &path);

    /** A PCI function at `devices/<chain>`, its address last; returns that path. */
    std::string function(const std::string &chain,
                         unsigned class_code,
                         unsigned vendor,
                         unsigned device = 0x1000);

    /** An RDMA device with one InfiniBand port ACTIVE at 400 Gbit/s below a function. */
    std::string nic(const std::string &function, const std::string &name);

    /** A port of an RDMA device: state "4: ACTIVE", link layer, rate and first GID. */
    void port(const std::string &nic, unsigned number, const std::string &layer);

    /** A network interface below a function, or a virtual one below "devices/virtual". */
    std::string net(const std::string &above, const std::string &name);

    /** Every file, link and folder, relative to the root, for tests that damage them. */
    std::vector<std::filesystem::path> entries() const;

    /** Two NICs and two GPUs: each pair behind a switch, one pair a NUMA node. */
    void addTwoSockets();

private:
    std::filesystem::path folder_;
    unsigned uverbs_ = 0;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TESTS_SYSFS_TREE_H
