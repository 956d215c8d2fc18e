// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// A UCX for the failures that the real one does not show on demand: it forgets, refuses or opens
// something else, as FAKE_UCX_* says. The tests against real wheels cover everything else.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>
#include <string>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

struct configuration {
    std::map<std::string, std::string> values = {{"MAX_RMA_RAILS", "2"}, {"NET_DEVICES", "all"}};
};

bool
flag(const char *name, const char *value) {
    const char *text = std::getenv(name);
    return text != nullptr && std::strcmp(text, value) == 0;
}

int live_contexts = 0;
char distance[64] = "auto"; // an option of the process
std::string last_rails;     // what the last successful initialisation saw

} // namespace

EXPORT void *
fake_config_read() {
    return new configuration();
}

EXPORT void
fake_config_release(void *config) {
    delete static_cast<configuration *>(config);
}

EXPORT int
fake_live_contexts() {
    return live_contexts;
}

EXPORT const char *
fake_last_rails() {
    return last_rails.c_str();
}

EXPORT std::int8_t
ucp_init_version(unsigned, unsigned, const void *, const void *config, void **context) {
    if (flag("FAKE_UCX_INIT", "fail")) {
        return -14;
    }
    last_rails = static_cast<const configuration *>(config)->values.at("MAX_RMA_RAILS");
    ++live_contexts;
    *context = new configuration(*static_cast<const configuration *>(config));
    return 0;
}

EXPORT void
ucp_cleanup(void *context) {
    --live_contexts;
    delete static_cast<configuration *>(context);
}

EXPORT std::int8_t
ucp_config_modify(void *config, const char *key, const char *value) {
    if (flag("FAKE_UCX_REFUSES", key)) {
        return -5;
    }
    if (!flag("FAKE_UCX_FORGETS", key)) {
        static_cast<configuration *>(config)->values[key] = value;
    }
    return 0;
}

EXPORT void
ucp_config_print(const void *config, FILE *stream, const char *, int) {
    for (const auto &[key, value] : static_cast<const configuration *>(config)->values) {
        if (!flag("FAKE_UCX_LACKS", key.c_str())) {
            std::fprintf(stream, "UCX_%s=%.126s\n", key.c_str(), value.c_str()); // as UCX does
        }
    }
}

EXPORT void
ucp_context_print_info(const void *, FILE *stream) {
    const char *variable = std::getenv("FAKE_UCX_DEVICES");
    std::fprintf(stream, "#\n#      resource 0  :  md 0  dev 0  flags -- self/memory\n");
    std::istringstream devices(variable == nullptr ? "" : variable);
    int index = 1;
    for (std::string name; std::getline(devices, name, ','); ++index) {
        std::fprintf(stream,
                     "#      resource %d  :  md %d  dev %d  flags -- tcp/%s\n",
                     index,
                     index,
                     index,
                     name.c_str());
    }
}

EXPORT const char *
ucp_get_version_string() {
    return "9.9.9";
}

EXPORT const char *
ucs_status_string(std::int8_t status) {
    return status == -14 ? "No such device" : "Invalid parameter";
}

EXPORT std::int8_t
ucs_global_opts_get_value(const char *key, char *value, std::size_t size) {
    std::snprintf(value, size, "%s", std::strcmp(key, "DISTANCE_BW") == 0 ? distance : "");
    return 0;
}

EXPORT std::int8_t
ucs_global_opts_set_value(const char *key, const char *value) {
    if (flag("FAKE_UCX_REFUSES", key)) {
        return -5;
    }
    if (std::strcmp(key, "DISTANCE_BW") == 0) {
        std::snprintf(distance, sizeof distance, "%s", value);
    }
    return 0;
}
