// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/backend.h"

#include "plugin/agent_metrics.h"
#include "plugin/import_slot.h"
#include "plugin/init_hook.h"
#include "plugin/live_engines.h"
#include "plugin/log.h"
#include "plugin/pass_through.h"
#include "plugin/resuming.h"
#include "policy/misspelling.h"
#include "topology/cuda_gpu.h"
#include "topology/never_destroyed.h"
#include "topology/source.h"
#include "topology/text.h"
#include "ucx/config_text.h"
#include "ucx/cuda_module.h"
#include "ucx/plan.h"

#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    /** The stock plugin's own functions, and what stands in the way of the hook. Set once. */
    struct stockFunctions {
        decltype(abi::plugin::createEngine) createEngine = nullptr;
        decltype(abi::plugin::destroyEngine) destroyEngine = nullptr;
        decltype(abi::plugin::getBackendOptions) getBackendOptions = nullptr;
        std::string hookError;
        void *handle = nullptr;
    };

    stockFunctions &stock = []() -> stockFunctions & {
        static neverDestroyed<stockFunctions> functions;
        return *functions;
    }();

    std::map<std::string, std::string>
    sorted(const abi::params_t &params) {
        return {params.begin(), params.end()};
    }

    planInputs
    inputsFor(const abi::params_t &params) {
        planInputs inputs;
        inputs.environment = processEnvironment();
        inputs.parameters = parameterSet(sorted(params), inputs.environment);
        if (const auto it = params.find("engine_config"); it != params.end()) {
            inputs.engineConfig = parseEngineConfig(it->second);
        }
        inputs.readHost = [] { return readMachine("/sys"); };
        inputs.findGpu = [](const std::string &key, const std::string &text) {
            return text.empty() ? currentCudaGpu() : findGpuPci(key, text);
        };
        return inputs;
    }

    void
    logPlan(const stripePlan &plan) {
        for (const std::string &warning : plan.warnings) {
            logOnce(logLevel_t::WARN, warning);
        }
        if (!plan.active) {
            return;
        }
        std::string text;
        if (plan.isStriped) {
            text = "stripe: " + std::to_string(plan.devices.size()) + " NICs (" +
                   joined(plan.devices) + ")";
        }
        for (const ucxSetting &setting : plan.settings) {
            if (!(plan.isStriped && setting.key == "NET_DEVICES")) {
                append(text, setting.key + " " + setting.value);
            }
        }
        if (plan.spreadsSmall) {
            append(text, "small buffers spread");
        }
        if (plan.onNicLoss != nicLoss_t::ERROR) {
            append(text, "on_nic_loss " + std::string(nicLossName(plan.onNicLoss)));
        }
        log(logLevel_t::INFO, text);
        if (!plan.kept.empty()) {
            log(logLevel_t::INFO, "respected as the user's own: " + joined(plan.kept));
        }
        for (const auto &[nic, reason] : plan.excluded) {
            log(logLevel_t::DEBUG, "not used: " + nic + ": " + reason);
        }
    }

    /**
     * What the stock plugin gets, and what get_backend_params will show: the values in force.
     * "" of ours goes: the stock plugin would take an empty device_list at its word.
     */
    abi::params_t
    stockParams(const abi::params_t &params, const stripePlan &plan) {
        abi::params_t out = params;
        for (const parameterInfo &info : parameterTable()) {
            const auto it = out.find(info.key);
            if (it != out.end() && it->second.empty()) {
                out.erase(it);
            }
        }
        if (!plan.devices.empty()) {
            // The stock plugin would take the list apart its own way and append ":1".
            out.erase("device_list");
            out["stripe_devices"] = joined(plan.devices);
        }
        if (plan.rails != 0) {
            out["max_rma_rails"] = std::to_string(plan.rails);
        }
        if (plan.onNicLoss != nicLoss_t::ERROR || out.count("on_nic_loss") != 0) {
            out["on_nic_loss"] = nicLossName(plan.onNicLoss);
        }
        return out;
    }

    /** Puts NIXL's own pointer back whatever happens. */
    class swappedParams {
    public:
        swappedParams(abi::initParams *init, abi::params_t *ours)
            : init_(init)
            , before_(init->customParams) {
            init_->customParams = ours;
        }

        swappedParams(const swappedParams &) = delete;
        swappedParams &operator=(const swappedParams &) = delete;

        ~swappedParams() {
            init_->customParams = before_;
        }

    private:
        abi::initParams *init_;
        abi::params_t *before_;
    };

    [[noreturn]] void
    fail(const std::string &reason) {
        throw std::invalid_argument("UCX backend: " + reason);
    }

    /**
     * UCX reads the option when it loads its modules, with the first context of a process, and
     * never again: nothing is to be put back. A UCX without the option keeps what it does.
     */
    void
    leaveOutModules(const stripePlan &plan) {
        if (!plan.modules.empty()) {
            const ucsStatus_t status = initHook::ucx().setGlobalOption("MODULES", plan.modules);
            log(logLevel_t::DEBUG,
                assignment("UCX_MODULES", plan.modules) + ": " +
                    initHook::ucx().statusText(status));
        }
    }

    abi::engine *createEngineOrThrow(abi::initParams *init, engineRole role);
    void destroyEngine(abi::engine *engine);

    /** @throws std::runtime_error saying why it cannot be had. */
    std::unique_ptr<resumeEngine>
    resuming(abi::engine *engine,
             const abi::initParams &given,
             const stripePlan &plan,
             std::shared_ptr<lossBook> losses) {
        const backendMaker maker = {
            [](abi::initParams *init) { return createEngineOrThrow(init, {true, nullptr, ""}); },
            &destroyEngine};
        return resumingOf(stock.handle, engine, given, plan, maker, std::move(losses));
    }

    abi::engine *
    createWith(abi::initParams *init,
               abi::params_t params,
               const stripePlan &plan,
               const engineRole &role) {
        const swappedParams swapped(init, &params);
        if (!plan.active && !plan.metrics.isSet()) {
            return stock.createEngine(init);
        }
        leaveOutModules(plan);
        engineNeeds needs;
        needs.settings = std::make_unique<processSettings>(initHook::ucx(), plan.settings);
        initRequest request(plan);
        abi::engine *engine = nullptr;
        try {
            engine = stock.createEngine(init);
        } catch (...) {
            if (request.error().empty()) {
                throw;
            }
        }
        if (!request.error().empty()) {
            if (engine != nullptr) {
                stock.destroyEngine(engine);
            }
            fail(request.error());
        }
        if (engine != nullptr && !request.wasReached()) {
            stock.destroyEngine(engine);
            fail("this NIXL did not initialise UCX where it was expected to; nothing was applied");
        }
        for (const std::string &key : request.unknownSettings()) {
            log(logLevel_t::INFO, "UCX " + initHook::ucx().version() + " has no " + key);
        }
        if (engine != nullptr && !request.spreadProblem().empty()) {
            logOnce(logLevel_t::WARN,
                    "small buffers are left to UCX, which prefers the first NICs: " +
                        request.spreadProblem());
        }
        if (const std::string problem = cudaModuleProblem(loadedObjects());
            engine != nullptr && !problem.empty()) {
            logOnce(logLevel_t::WARN, problem);
        }
        if (engine != nullptr) {
            needs.stages = request.takeStages();
            try {
                needs.metrics = metricsOf(init->localAgent, plan, request, initHook::ucx(), role);
            } catch (const std::invalid_argument &problem) {
                stock.destroyEngine(engine);
                fail(problem.what());
            }
            liveEngines::ofProcess().keep(engine, std::move(needs));
        }
        return engine;
    }

    /** Warns once a process of a name that means nothing and resembles one that does. */
    void
    warnOfMisspelling(const std::string &name, const std::vector<std::string> &known) {
        const std::string meant = meantKey(name, known);
        if (!meant.empty()) {
            logOnce(logLevel_t::WARN,
                    quoted(name) + " has no effect: nothing is called so; did you mean " +
                        quoted(meant) + "?");
        }
    }

    /** Of backend parameters all that this plugin and the stock one know, of variables ours. */
    void
    warnOfMisspellings(const abi::params_t &params, const environment_t &environment) {
        std::vector<std::string> keys;
        std::vector<std::string> variables;
        for (const auto &[key, text] : stock.getBackendOptions()) {
            keys.push_back(key);
        }
        for (const parameterInfo &info : parameterTable()) {
            keys.push_back(info.key);
            variables.push_back(info.variable);
        }
        for (const auto &[key, text] : params) {
            warnOfMisspelling(key, keys);
        }
        for (const auto &[name, text] : environment) {
            if (name.rfind(variable_prefix, 0) == 0) {
                warnOfMisspelling(name, variables);
            }
        }
    }

    abi::engine *
    createEngineOrThrow(abi::initParams *init, engineRole role) {
        if (!abi::hasKnownLayout(init)) {
            logOnce(
                logLevel_t::WARN,
                "this NIXL hands over backend parameters in an unknown layout; the stock backend "
                "runs unchanged");
            return stock.createEngine(init);
        }
        const abi::params_t given = init->customParams ? *init->customParams : abi::params_t();
        warnOfMisspellings(given, processEnvironment());
        planInputs inputs = inputsFor(given);
        inputs.isSpare = role.isSpare;
        if (inputs.parameters.anySet() && stock.hookError.empty()) {
            inputs.noResume = role.noResume.empty()
                                  ? resumeProblem(*init, given, initHook::ucx().version())
                                  : role.noResume;
        }
        if (inputs.parameters.anySet() && !stock.hookError.empty()) {
            fail("rails and devices cannot be set in this NIXL: " + stock.hookError);
        }
        const stripePlan plan = makePlan(inputs);
        if (const auto mode = given.find("ucx_error_handling_mode");
            plan.onNicLoss != nicLoss_t::ERROR && mode != given.end() && mode->second == "none") {
            fail(assignment("ucx_error_handling_mode", mode->second) + " contradicts " +
                 assignment("on_nic_loss", nicLossName(plan.onNicLoss)) +
                 "; accepted: one of the two");
        }
        logPlan(plan);
        if (!role.isSpare && plan.onNicLoss == nicLoss_t::RESUME) {
            if (!inputs.noResume.empty()) {
                refuseToResume(inputs.noResume);
            }
            role.losses = std::make_shared<lossBook>(plan.devices);
        }
        abi::engine *engine = createWith(init, stockParams(given, plan), plan, role);
        if (engine != nullptr && role.losses != nullptr) {
            try {
                liveEngines::ofProcess().resume(engine, resuming(engine, *init, plan, role.losses));
            } catch (const std::runtime_error &problem) {
                destroyEngine(engine);
                if (!plan.choosesNicLoss) {
                    refuseToResume(problem.what());
                }
                // Made anew, since this one has the settings of a backend that resumes.
                return createEngineOrThrow(init, {false, nullptr, problem.what()});
            } catch (...) {
                destroyEngine(engine);
                throw;
            }
        }
        return engine;
    }

    abi::engine *
    createEngine(abi::initParams *init) {
        if (passesThrough()) {
            return stock.createEngine(init);
        }
        try {
            return createEngineOrThrow(init, {});
        } catch (const std::invalid_argument &problem) {
            // NIXL's C and Rust bindings swallow the exception: the line is all their users get.
            log(logLevel_t::ERROR, problem.what());
            throw;
        }
    }

    void
    destroyEngine(abi::engine *engine) {
        engineNeeds needs = liveEngines::ofProcess().take(engine);
        needs.resuming.reset(); // its spares go, and the engine's own functions are back
        stock.destroyEngine(engine);
    }

    abi::params_t
    getBackendOptions() {
        abi::params_t options = stock.getBackendOptions();
        if (passesThrough()) {
            return options;
        }
        for (const parameterInfo &info : parameterTable()) {
            options.emplace(info.key, "");
        }
        return options;
    }

    std::string
    unknownReason(const abi::plugin *plugin) {
        if (plugin->apiVersion != abi::known_api_version) {
            return "its plugin API version is " + std::to_string(plugin->apiVersion) +
                   ", known is " + std::to_string(abi::known_api_version);
        }
        if (plugin->createEngine == nullptr || plugin->destroyEngine == nullptr ||
            plugin->getBackendOptions == nullptr || plugin->getPluginName == nullptr) {
            return "its plugin struct lacks functions";
        }
        if (std::strcmp(plugin->getPluginName(), "UCX") != 0) {
            return "the plugin calls itself '" + std::string(plugin->getPluginName()) + "'";
        }
        if (!isWritable(plugin)) {
            return "its plugin struct is read-only";
        }
        return {};
    }

} // namespace

abi::plugin *
wrapBackend(abi::plugin *plugin, const std::string &hook_error, void *handle) {
    if (plugin->createEngine == &createEngine) {
        return plugin;
    }
    if (const std::string reason = unknownReason(plugin); !reason.empty()) {
        log(logLevel_t::WARN, "unknown NIXL: " + reason + "; the stock UCX backend runs unchanged");
        return plugin;
    }
    stock.createEngine = plugin->createEngine;
    stock.destroyEngine = plugin->destroyEngine;
    stock.getBackendOptions = plugin->getBackendOptions;
    stock.hookError = hook_error;
    stock.handle = handle;
    plugin->createEngine = &createEngine;
    plugin->destroyEngine = &destroyEngine;
    plugin->getBackendOptions = &getBackendOptions;
    return plugin;
}

} // namespace nixlStripe
