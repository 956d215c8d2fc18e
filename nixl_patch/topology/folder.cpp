// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/folder.h"

#include "topology/sysfs_text.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace nixlStripe {
namespace {

    constexpr std::size_t max_attribute = 4096;
    constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

    std::string
    stripped(std::string_view text) {
        constexpr std::string_view blank(" \t\n\r\v\f\0", 7);
        const std::size_t first = text.find_first_not_of(blank);
        if (first == std::string_view::npos) {
            return {};
        }
        return std::string(text.substr(first, text.find_last_not_of(blank) - first + 1));
    }

    /** One read: a sysfs attribute comes whole, a second one would only say "end of file". */
    std::size_t
    readOnce(int fd, std::array<char, max_attribute> &buffer) {
        ssize_t size = 0;
        do {
            size = ::read(fd, buffer.data(), buffer.size());
        } while (size < 0 && errno == EINTR);
        return size < 0 ? 0 : static_cast<std::size_t>(size);
    }

    thread_local readRecorder *recorder = nullptr;
    thread_local lookBudget *budget = nullptr;

} // namespace

readRecorder::readRecorder()
    : outer_(std::exchange(recorder, this)) {}

readRecorder::~readRecorder() {
    recorder = outer_;
}

lookBudget::lookBudget(const std::string &origin, std::size_t looks)
    : origin_(origin)
    , looks_(looks)
    , left_(looks)
    , outer_(std::exchange(budget, this)) {}

lookBudget::~lookBudget() {
    budget = outer_;
}

void
lookBudget::spend(const std::string &where) {
    if (left_ == 0) {
        throw std::invalid_argument(origin_ + ": more than " + std::to_string(looks_) +
                                    " files and names to look at (now at '" + printable(where) +
                                    "'); no sysfs has that many, so it is not read");
    }
    --left_;
}

folder::folder(const std::string &path)
    : fd_(::open(path.c_str(), folder_flags)) {
    if (recorder != nullptr) {
        path_ = path;
    }
}

folder::folder(const folder &above, const std::string &path)
    : fd_(above.isOpen() ? ::openat(above.fd_, path.c_str(), folder_flags) : -1) {
    if (recorder != nullptr) {
        path_ = above.path_ + "/" + path;
    }
}

folder::folder(folder &&other) noexcept
    : fd_(std::exchange(other.fd_, -1))
    , path_(std::move(other.path_)) {}

void
folder::note(const std::string &path) const {
    if (budget != nullptr && isOpen()) {
        budget->spend(path);
    }
    if (recorder != nullptr && isOpen()) {
        recorder->paths_.push_back(path_ + "/" + path);
    }
}

folder &
folder::operator=(folder &&other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
}

folder::~folder() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

folder
folder::sub(const std::string &path) const {
    note(path);
    return {*this, path};
}

std::string
folder::text(const std::string &path) const {
    note(path);
    const int fd =
        isOpen() ? ::openat(fd_, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return {};
    }
    std::array<char, max_attribute> buffer;
    const std::size_t size = readOnce(fd, buffer);
    ::close(fd);
    return stripped({buffer.data(), size});
}

bool
folder::has(const std::string &path) const {
    note(path);
    return isOpen() && ::faccessat(fd_, path.c_str(), F_OK, 0) == 0;
}

std::string
folder::link(const std::string &path) const {
    note(path);
    std::array<char, PATH_MAX> buffer;
    const ssize_t size =
        isOpen() ? ::readlinkat(fd_, path.c_str(), buffer.data(), buffer.size()) : -1;
    return size < 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string
folder::linkName(const std::string &path) const {
    const std::string target = link(path);
    return target.substr(target.rfind('/') + 1);
}

std::string
folder::realPath() const {
    return folder("/proc/self/fd").link(std::to_string(fd_));
}

std::vector<std::string>
folder::list() const {
    std::vector<std::string> names;
    const int copy = isOpen() ? ::fcntl(fd_, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy < 0) {
        return names;
    }
    const std::unique_ptr<DIR, int (*)(DIR *)> entries(::fdopendir(copy), &::closedir);
    if (!entries) {
        ::close(copy);
        return names;
    }
    ::rewinddir(entries.get()); // both descriptors share one position
    while (const dirent *entry = ::readdir(entries.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
            if (budget != nullptr) {
                budget->spend(names.back());
            }
        }
    }
    return names;
}

bool
folder::isSameAs(const std::string &path) const {
    struct stat mine;
    struct stat other;
    return isOpen() && ::fstat(fd_, &mine) == 0 && ::stat(path.c_str(), &other) == 0 &&
           mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

} // namespace nixlStripe
