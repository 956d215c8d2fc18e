// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/transports.h"

#include "topology/never_destroyed.h"
#include "ucx/values.h"

#include <algorithm>
#include <map>

namespace nixlStripe {
namespace {

    using names_t = std::vector<std::string_view>;

    /** UCX's own aliases (ucp_tl_aliases, 1.20 to 1.23), with what each connects through. */
    const std::map<std::string_view, names_t> &
    aliases() {
        static const neverDestroyed table(std::map<std::string_view, names_t>{
            {"ib", {"rc_verbs", "ud_verbs", "rc_mlx5", "ud_mlx5", "dc_mlx5", "srd"}},
            {"ud_v", {"ud_verbs"}},
            {"ud_x", {"ud_mlx5"}},
            {"ud", {"ud_mlx5", "ud_verbs"}},
            {"rc_v", {"rc_verbs", "ud_verbs"}},
            {"rc_x", {"rc_mlx5", "ud_mlx5"}},
            {"rc", {"rc_mlx5", "ud_mlx5", "rc_verbs", "ud_verbs"}},
            {"dc", {"dc_mlx5", "ud_mlx5"}},
            {"dc_x", {"dc_mlx5", "ud_mlx5"}},
            {"sm", {"posix", "sysv", "cma"}},
            {"shm", {"posix", "sysv", "cma"}},
            {"mm", {"posix", "sysv"}},
            {"cuda", {"cuda_copy", "cuda_ipc", "gdr_copy"}},
            {"rocm", {"rocm_copy", "rocm_ipc", "rocm_gdr"}},
            {"ze", {"ze_copy", "ze_ipc", "ze_gdr"}},
        });
        return *table;
    }

    bool
    begins(const std::string &text, std::string_view start) {
        return text.compare(0, start.size(), start) == 0;
    }

} // namespace

const nicTransports &
transportsOf(const rdmaNic &nic) {
    static const neverDestroyed mlx5(nicTransports{
        "mlx5", {"rc_mlx5", "dc_mlx5", "rc_verbs"}, {"ud_mlx5", "ud_verbs"}, "rc,ud", "rc_x"});
    static const neverDestroyed efa(nicTransports{"EFA", {"srd"}, {"ud_verbs"}, "srd,ud", "srd"});
    static const neverDestroyed verbs(
        nicTransports{"verbs", {"rc_verbs"}, {"ud_verbs"}, "rc_v,ud_v", "rc_v"});
    const bool is_efa =
        nic.driver == "efa" || std::any_of(nic.ports.begin(), nic.ports.end(), [](const port &at) {
            return at.linkLayer == linkLayer_t::EFA;
        });
    if (is_efa) {
        return *efa;
    }
    const bool is_mlx5 =
        nic.driver == "mlx5_core" || (nic.driver.empty() && begins(nic.name, "mlx5"));
    return is_mlx5 ? *mlx5 : *verbs;
}

std::set<std::string>
admittedTransports(const std::string &tls, const std::vector<std::string_view> &known) {
    const ucxAllowList list(tls, listOf_t::WORDS);
    std::set<std::string> admitted;
    for (const std::string_view name : known) {
        // A backslash makes a name strict: of that transport, never of an alias.
        std::vector<std::string> words = {std::string(name), "\\" + std::string(name)};
        for (const auto &[alias, whole] : aliases()) {
            if (std::find(whole.begin(), whole.end(), name) != whole.end()) {
                words.emplace_back(alias);
            }
        }
        if (tls.empty() || list.admits(words)) {
            admitted.emplace(name);
        }
    }
    return admitted;
}

} // namespace nixlStripe
