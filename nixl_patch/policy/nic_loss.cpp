// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/nic_loss.h"

#include "topology/text.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace nixlStripe {
namespace {

    struct modeInfo {
        nicLoss_t mode;
        std::string_view word;
    };

    constexpr std::array<modeInfo, 4> modes = {{
        {nicLoss_t::ERROR, "error"},
        {nicLoss_t::RESUME, "resume"},
        {nicLoss_t::FAILOVER, "failover"},
        {nicLoss_t::AUTO, "auto"},
    }};

    constexpr std::array<std::string_view, 3> known_experiments = {
        experiment::failover, experiment::failover_over_tcp, experiment::failover_without_gate};

    bool
    has(const nicLossFacts &facts, std::string_view word) {
        return facts.experiments.count(std::string(word)) != 0;
    }

    /** "" where UCX's own mode may be used. */
    std::string
    whyNoFailover(const nicLossFacts &facts) {
        if (!facts.namesNics) {
            return "it needs NICs that are named, by stripe or device_list, so that none is TCP's";
        }
        if (facts.isTcp && !has(facts, experiment::failover_over_tcp)) {
            return "over TCP, UCX fails every READ in this mode";
        }
        if (!has(facts, experiment::failover)) {
            return "it is not offered yet: fewer than 200 lost NICs without a wrong byte were "
                   "shown (" +
                   std::string(experiments_variable) + "=failover offers it for trials)";
        }
        return "";
    }

    /** "" where a second backend may go on. */
    std::string
    whyNoResume(const nicLossFacts &facts) {
        if (!facts.namesNics) {
            return "it needs NICs that are named, by stripe or device_list, to leave one out";
        }
        if (facts.isAlone) {
            return "with one NIC there is none to go on over";
        }
        if (!facts.isTcp) {
            return "this version resumes over TCP alone";
        }
        return "";
    }

} // namespace

std::string_view
nicLossName(nicLoss_t mode) {
    const auto *it = std::find_if(
        modes.begin(), modes.end(), [mode](const modeInfo &each) { return each.mode == mode; });
    return it == modes.end() ? "" : it->word;
}

std::optional<nicLoss_t>
parseNicLoss(std::string_view key, const std::string &text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto *it = std::find_if(
        modes.begin(), modes.end(), [&text](const modeInfo &each) { return each.word == text; });
    if (it == modes.end()) {
        refuse(key, text, "", nic_loss_accepted);
    }
    return it->mode;
}

std::set<std::string>
parseExperiments(const std::string &text) {
    std::set<std::string> words;
    std::istringstream list(text);
    for (std::string word; std::getline(list, word, ',');) {
        if (std::find(known_experiments.begin(), known_experiments.end(), word) ==
            known_experiments.end()) {
            refuse(experiments_variable,
                   text,
                   "no experiment is called " + quoted(word),
                   joined(known_experiments) + ", separated by commas");
        }
        words.insert(word);
    }
    return words;
}

nicLoss_t
nicLossInForce(std::string_view key, nicLoss_t asked, const nicLossFacts &facts) {
    if (asked == nicLoss_t::ERROR) {
        return asked;
    }
    const std::string no_failover = whyNoFailover(facts);
    const std::string no_resume = whyNoResume(facts);
    if (asked == nicLoss_t::AUTO) {
        if (no_failover.empty()) {
            return nicLoss_t::FAILOVER;
        }
        // Nobody who leaves the choice to us may lose a backend that this NIXL cannot resume.
        const bool is_resumed = no_resume.empty() && facts.noResume.empty();
        return is_resumed ? nicLoss_t::RESUME : nicLoss_t::ERROR;
    }
    const std::string &reason = asked == nicLoss_t::RESUME ? no_resume : no_failover;
    if (!reason.empty()) {
        refuse(key, nicLossName(asked), reason, "'error', 'auto'");
    }
    return asked;
}

std::string
nicLossNotice(nicLoss_t asked, nicLoss_t in_force, const nicLossFacts &facts) {
    if (in_force == nicLoss_t::FAILOVER) {
        return std::string(nicLossName(in_force)) + " is on trial (" + experiments_variable +
               "): it was not shown yet that it loses no bytes";
    }
    if (asked == nicLoss_t::AUTO && in_force == nicLoss_t::ERROR && facts.isTcp &&
        !facts.noResume.empty()) {
        return "no transfer is resumed: " + facts.noResume;
    }
    return "";
}

} // namespace nixlStripe
