// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/text_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace nixlStripe {
namespace {

    class fileDescriptor {
    public:
        explicit fileDescriptor(const std::string &path)
            : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
            if (fd_ < 0) {
                throw std::invalid_argument(path + ": cannot be opened: " + std::strerror(errno));
            }
        }
        ~fileDescriptor() {
            ::close(fd_);
        }
        fileDescriptor(const fileDescriptor &) = delete;
        fileDescriptor &operator=(const fileDescriptor &) = delete;

        int
        get() const {
            return fd_;
        }

    private:
        int fd_;
    };

} // namespace

std::string
readTextFile(const std::string &path, std::size_t max_bytes) {
    const fileDescriptor file(path);
    struct stat info = {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        throw std::invalid_argument(path + ": not a file");
    }
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw std::invalid_argument(path + ": cannot be read: " + std::strerror(errno));
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > max_bytes) {
            throw std::invalid_argument(path + ": larger than " + std::to_string(max_bytes >> 10) +
                                        " KiB");
        }
    }
}

} // namespace nixlStripe
