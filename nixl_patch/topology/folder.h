// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_FOLDER_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_FOLDER_H

#include <cstddef>
#include <string>
#include <vector>

namespace nixlStripe {

/**
 * @brief A folder of a sysfs that may be damaged, change underneath, or not be there.
 *
 * Nothing throws but for memory and a lookBudget that is used up: what cannot be read is empty.
 * Reads never block (FIFOs) and take 4 KiB at most, which is what a sysfs attribute can hold.
 */
class folder {
public:
    folder() = default;
    explicit folder(const std::string &path);
    folder(folder &&other) noexcept;
    folder &operator=(folder &&other) noexcept;
    folder(const folder &) = delete;
    folder &operator=(const folder &) = delete;
    ~folder();

    bool
    isOpen() const {
        return fd_ >= 0;
    }

    /** The folder @p path below this one, through links; not open when there is none. */
    folder sub(const std::string &path) const;

    /** Text of a file without the white space around it; "" when there is no such file. */
    std::string text(const std::string &path) const;

    /** Whether something is at @p path, through links. */
    bool has(const std::string &path) const;

    /** Where the link @p path points, as written; "" when it is no link. */
    std::string link(const std::string &path) const;

    /** Last name of link(@p path): a driver, a master, a PCI address. */
    std::string linkName(const std::string &path) const;

    /** Path of this folder with all links resolved; "" without /proc. */
    std::string realPath() const;

    /** Names in it in no order, without "." and ".."; each counts as one look (lookBudget). */
    std::vector<std::string> list() const;

    /** Whether it is the same folder as @p path. */
    bool isSameAs(const std::string &path) const;

private:
    folder(const folder &above, const std::string &path);

    void note(const std::string &path) const;

    int fd_ = -1;
    std::string path_; /**< kept only while reads are recorded */
};

/**
 * @brief While it lives, the folders of this thread may look at so many paths and names.
 *
 * A sysfs that is a copy can hold anything, such as folders of a million names or links by which
 * thousands of devices share one folder. The look that is one too many throws std::invalid_argument
 * "origin: ...", so that reading ends whatever there is to read.
 */
class lookBudget {
public:
    /** @param origin Named in the error; must outlive this. */
    lookBudget(const std::string &origin, std::size_t looks);
    ~lookBudget();
    lookBudget(const lookBudget &) = delete;
    lookBudget &operator=(const lookBudget &) = delete;

private:
    friend class folder;

    void spend(const std::string &where);

    const std::string &origin_;
    std::size_t looks_;
    std::size_t left_;
    lookBudget *outer_;
};

/** While it lives, the paths that folders of this thread look at are noted. */
class readRecorder {
public:
    readRecorder();
    ~readRecorder();
    readRecorder(const readRecorder &) = delete;
    readRecorder &operator=(const readRecorder &) = delete;

    /** Every path that was opened, tested or listed, in that order; repeats included. */
    const std::vector<std::string> &
    paths() const {
        return paths_;
    }

private:
    friend class folder;

    std::vector<std::string> paths_;
    readRecorder *outer_;
};

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_FOLDER_H
