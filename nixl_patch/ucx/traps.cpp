// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/traps.h"

#include "topology/text.h"
#include "ucx/devices.h"
#include "ucx/values.h"

#include <algorithm>

namespace nixlStripe {
namespace {

    /** Port rate of a device as UCX names it, Gbit/s; 0 = unknown. */
    double
    rateOf(const std::string &device, const machine &host) {
        for (const rdmaNic &nic : host.nics) {
            for (const port &each : nic.ports) {
                if (nic.name + ":" + std::to_string(each.number) == device) {
                    return each.rateGbps;
                }
            }
        }
        return 0;
    }

    /** What to write where blanks and capitals alone make a value hurt; "" where they do not. */
    std::string
    howToSpell(const trapRule &rule,
               const std::string &key,
               const std::string &value,
               const trapFacts &facts) {
        if (rule.spelling == spelling_t::FREE) {
            return "";
        }
        const bool are_words = rule.spelling == spelling_t::WORDS;
        const std::string meant =
            ucxAllowList(value, are_words ? listOf_t::WORDS : listOf_t::DEVICES).respelt();
        if (meant.empty() || rule.hurts(meant, facts)) {
            return "";
        }
        return "write " + key + "=" + meant + " (to UCX blanks" +
               (are_words ? " and capitals" : "") + " are a part of a name)";
    }

    /** The ports of @p nics that UCX could open, by the names that it has for them. */
    std::vector<std::vector<std::string>>
    openableOf(const std::vector<rdmaNic> &nics) {
        std::vector<std::vector<std::string>> found;
        for (const rdmaNic &nic : nics) {
            std::vector<std::string> names;
            for (const port &each : nic.ports) {
                if (each.state == portState_t::ACTIVE || each.state == portState_t::UNKNOWN) {
                    names.push_back(nic.name + ":" + std::to_string(each.number));
                }
            }
            if (!names.empty()) {
                names.push_back(nic.name);
                found.push_back(std::move(names));
            }
        }
        return found;
    }

} // namespace

std::vector<trap>
findTraps(const environment_t &environment,
          const std::map<std::string, std::string> &engine_config,
          const trapFacts &facts) {
    std::vector<trap> found;
    if (facts.nicCount < 2) {
        return found;
    }
    for (const trapRule &rule : trapTable()) {
        const std::string variable = "UCX_" + std::string(rule.key);
        const auto in_environment = environment.find(variable);
        const auto in_config = engine_config.find(std::string(rule.key));
        const bool is_variable = in_environment != environment.end();
        if (!is_variable && in_config == engine_config.end()) {
            continue;
        }
        const std::string &value = is_variable ? in_environment->second : in_config->second;
        if (!rule.hurts(value, facts)) {
            continue;
        }
        std::string fix = is_variable ? "unset " + variable
                                      : "take " + std::string(rule.key) + " out of engine_config";
        std::string more =
            howToSpell(rule, is_variable ? variable : std::string(rule.key), value, facts);
        if (more.empty()) {
            more = rule.fixFor != nullptr ? rule.fixFor(value, facts) : std::string(rule.fix);
        }
        if (!more.empty()) {
            append(fix, more, ", or ");
        }
        found.push_back({is_variable ? variable : std::string(rule.key) + " in engine_config",
                         value,
                         std::string(rule.effect),
                         fix});
    }
    return found;
}

bool
haveTrapKeys(const environment_t &environment,
             const std::map<std::string, std::string> &engine_config) {
    const std::vector<trapRule> &table = trapTable();
    return std::any_of(table.begin(), table.end(), [&](const trapRule &rule) {
        const std::string key(rule.key);
        return environment.count("UCX_" + key) != 0 || engine_config.count(key) != 0;
    });
}

trapFacts
trapFactsOf(const machine &host, const std::vector<std::string> &devices) {
    trapFacts facts;
    facts.hasGpu = !host.gpus.empty();
    facts.usesTcp = devices.empty() ? host.nics.empty() : areNetInterfaces(devices, host);
    facts.usesRdma = !facts.usesTcp;
    for (const rdmaNic &nic : host.nics) {
        const bool is_meant =
            devices.empty() ||
            std::any_of(devices.begin(), devices.end(), [&](const std::string &device) {
                return device.substr(0, device.find(':')) == nic.name;
            });
        if (is_meant) {
            facts.nics.push_back(nic);
        }
    }
    facts.openable = openableOf(facts.nics);
    for (const netInterface &net : host.netInterfaces) {
        if (facts.usesTcp && net.up && net.kind != netKind_t::LOOPBACK) {
            facts.openable.push_back({net.name});
        }
    }
    double slowest = 0;
    double fastest = 0;
    for (const std::string &device : devices) {
        if (const double rate = rateOf(device, host); rate > 0) {
            slowest = slowest > 0 ? std::min(slowest, rate) : rate;
            fastest = std::max(fastest, rate);
        }
    }
    facts.rateRatio = slowest > 0 ? fastest / slowest : 1;
    return facts;
}

std::vector<const nicTransports *>
trapFacts::transports() const {
    std::vector<const nicTransports *> kinds;
    const auto note = [&](const rdmaNic &nic) {
        const nicTransports *kind = &transportsOf(nic);
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
            kinds.push_back(kind);
        }
    };
    std::for_each(nics.begin(), nics.end(), note);
    if (nics.empty()) {
        for (const char *driver : {"mlx5_core", "efa", "rdma_rxe"}) {
            rdmaNic any;
            any.driver = driver;
            note(any);
        }
    }
    return kinds;
}

std::vector<const nicTransports *>
trapFacts::unmoved(const std::string &tls) const {
    std::vector<const nicTransports *> kinds = transports();
    const std::size_t count = kinds.size();
    kinds.erase(std::remove_if(kinds.begin(),
                               kinds.end(),
                               [&](const nicTransports *each) {
                                   return !admittedTransports(tls, each->rma).empty();
                               }),
                kinds.end());
    const bool is_any_enough = nics.empty() && kinds.size() < count;
    return is_any_enough ? std::vector<const nicTransports *>() : kinds;
}

std::size_t
trapFacts::opened(const std::string &net_devices) const {
    const ucxAllowList list(net_devices);
    if (openable.empty()) {
        return list.isAll() || list.isExcluding() ? nicCount : list.entries().size();
    }
    return static_cast<std::size_t>(std::count_if(
        openable.begin(), openable.end(), [&](const auto &names) { return list.admits(names); }));
}

std::string
trap::text() const {
    return assignment(key, value) + ": " + effect + "; " + fix;
}

} // namespace nixlStripe
