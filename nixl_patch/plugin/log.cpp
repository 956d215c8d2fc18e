// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/log.h"

#include "topology/never_destroyed.h"
#include "topology/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <set>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace nixlStripe {
namespace {

    constexpr std::array<std::string_view, 6> level_names = {
        "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

    /** Read at every call: a line is rare, and NIXL's level may be set after the plugin loads. */
    logLevel_t
    threshold() {
        const char *variable = std::getenv("NIXL_LOG_LEVEL");
        std::string name = variable == nullptr ? "" : variable;
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
            return static_cast<char>(std::toupper(c));
        });
        const auto it = std::find(level_names.begin(), level_names.end(), name);
        return it == level_names.end() ? logLevel_t::WARN
                                       : static_cast<logLevel_t>(it - level_names.begin());
    }

    /** NIXL logs with the letters of Abseil, which knows nothing below INFO. */
    char
    letter(logLevel_t level) {
        return level <= logLevel_t::INFO ? 'I' : level_names[static_cast<std::size_t>(level)][0];
    }

    bool
    isFirst(const std::string &message) {
        constexpr std::size_t max_remembered = 256;
        static neverDestroyed<std::mutex> mutex;
        static neverDestroyed<std::set<std::string>> said;
        const std::lock_guard<std::mutex> lock(*mutex);
        if (said->size() >= max_remembered) {
            return said->count(message) == 0;
        }
        return said->insert(message).second;
    }

} // namespace

void
log(logLevel_t level, const std::string &message) {
    if (level < threshold()) {
        return;
    }
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    std::tm local{};
    localtime_r(&now.tv_sec, &local);
    std::array<char, 32> stamp{};
    std::strftime(stamp.data(), stamp.size(), "%m%d %H:%M:%S", &local);
    const long thread = syscall(SYS_gettid);
    std::fprintf(stderr,
                 "%c%s.%06ld %7ld nixl-stripe] %s\n",
                 letter(level),
                 stamp.data(),
                 now.tv_nsec / 1000,
                 thread,
                 onOneLine(message).c_str());
}

void
logOnce(logLevel_t level, const std::string &message) {
    if (isFirst(message)) {
        log(level, message);
    }
}

} // namespace nixlStripe
