// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file old_glibc.cpp
 * @brief Functions that glibc exports from 2.32 or 2.33 on only, for systems with 2.28.
 *
 * Before, stat and its like were inline functions of <sys/stat.h>. The kernel's struct stat is
 * glibc's on x86-64 and aarch64, so the system call itself does.
 */
#include <fcntl.h>
#include <features.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "the layout of struct stat is known for x86-64 and aarch64 only"
#endif

#if __GLIBC_PREREQ(2, 32)
// Says whether the process has one thread alone; libstdc++ then leaves out atomic operations.
// false is always right.
extern "C" {
char __libc_single_threaded = 0;
}
#endif

#if __GLIBC_PREREQ(2, 33)
extern "C" {

int
fstatat64(int folder, const char *path, struct stat64 *out, int flags) noexcept {
    return static_cast<int>(syscall(SYS_newfstatat, folder, path, out, flags));
}

int
stat64(const char *path, struct stat64 *out) noexcept {
    return fstatat64(AT_FDCWD, path, out, 0);
}

int
lstat64(const char *path, struct stat64 *out) noexcept {
    return fstatat64(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int
fstat64(int file, struct stat64 *out) noexcept {
    return static_cast<int>(syscall(SYS_fstat, file, out));
}

} // extern "C"
#endif
