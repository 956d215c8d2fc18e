// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/resuming.h"

#include "plugin/log.h"
#include "recovery/nic_watch.h"
#include "topology/text.h"
#include "ucx/ucx_version.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    /** Same as the first engine's, but on other NICs. */
    abi::params_t
    paramsOn(abi::params_t params, const std::vector<std::string> &nics, unsigned rails) {
        params["device_list"] = joined(nics, ",");
        if (rails > nics.size()) {
            params["max_rma_rails"] = "auto";
        }
        return params;
    }

} // namespace

initCopy::initCopy(const abi::initParams &init)
    : agent_(init.localAgent)
    , type_(init.type)
    , params_(init.customParams == nullptr ? abi::params_t() : *init.customParams) {
    std::memcpy(
        behind_.data(), reinterpret_cast<const unsigned char *>(&init) + known, behind_.size());
}

std::string
initCopy::problem(const abi::initParams &init) {
    // A flag, its padding, a time in microseconds, how threads are kept apart, a flag.
    std::uint64_t words[3] = {};
    static_assert(sizeof words == size - known);
    std::memcpy(words, reinterpret_cast<const unsigned char *>(&init) + known, sizeof words);
    constexpr std::uint64_t day_us = 86'400'000'000;
    constexpr std::uint64_t sync_modes = 8;
    const bool is_known = (words[0] & 0xff) <= 1 && words[1] <= day_us &&
                          (words[2] & 0xffffffff) < sync_modes && ((words[2] >> 32) & 0xff) <= 1;
    return is_known ? "" : "it hands over backend parameters in an unknown layout";
}

abi::engine *
initCopy::make(const backendMaker &maker, abi::params_t params) const {
    alignas(abi::initParams) unsigned char bytes[size];
    auto *init = ::new (static_cast<void *>(bytes)) abi::initParams{agent_, type_, &params};
    std::memcpy(bytes + known, behind_.data(), behind_.size());
    try {
        abi::engine *engine = maker.make(init);
        init->~initParams();
        return engine;
    } catch (...) {
        init->~initParams();
        throw;
    }
}

std::string
resumeProblem(const abi::initParams &init,
              const abi::params_t &given,
              const std::string &ucx_version) {
    // The first whose TCP can be told to give up a connection that nobody answers.
    if (!isUcxSince(ucx_version, 1, 22)) {
        return "UCX " + ucx_version + " does not notice a dead NIC in time; UCX 1.22 does";
    }
    if (const std::string problem = initCopy::problem(init); !problem.empty()) {
        return "this NIXL is unknown: " + problem;
    }
    const auto says = [&given](const char *key, const char *ordinary) {
        const auto it = given.find(key);
        return it != given.end() && it->second != ordinary;
    };
    if (says("num_threads", "0")) {
        return "it was not tried with num_threads";
    }
    if (says("ucx_error_handling_mode", "peer")) {
        return "without error handling (ucx_error_handling_mode) nothing shows a dead NIC";
    }
    return "";
}

void
refuseToResume(const std::string &problem) {
    throw std::invalid_argument("on_nic_loss='resume' cannot be had: " + problem +
                                "; accepted: 'error', 'auto'");
}

std::unique_ptr<resumeEngine>
resumingOf(void *stock,
           abi::engine *engine,
           const abi::initParams &init,
           const stripePlan &plan,
           backendMaker maker,
           std::shared_ptr<lossBook> losses) {
    const auto kept = std::make_shared<const initCopy>(init);
    resumeWish wish;
    wish.engine = engine;
    wish.agent = kept->agent();
    wish.nics = plan.devices;
    wish.say = [](const std::string &text) { log(logLevel_t::WARN, "on_nic_loss: " + text); };
    wish.losses = std::move(losses);
    wish.maker.make =
        [kept, maker, rails = plan.rails](const std::vector<std::string> &nics) -> void * {
        return kept->make(maker, paramsOn(kept->params(), nics, rails));
    };
    wish.maker.destroy = [maker](void *spare) { maker.destroy(static_cast<abi::engine *>(spare)); };
    return std::make_unique<resumeEngine>(
        std::move(wish), engineSymbols(stock), std::make_unique<nicWatch>(plan.devices));
}

} // namespace nixlStripe
