// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/plan.h"

#include "policy/kill_switch.h"
#include "policy/rails.h"
#include "policy/selection.h"
#include "policy/stripe_spec.h"
#include "topology/cuda_gpu.h"
#include "topology/text.h"
#include "ucx/devices.h"
#include "ucx/traps.h"
#include "ucx/values.h"

#include <stdexcept>

namespace nixlStripe {
namespace {

    /** One call's working state: each step fills in its part of the plan. */
    class planner {
    public:
        explicit planner(const planInputs &inputs)
            : inputs_(inputs)
            , rails_request_(parseRails(value(parameter_t::MAX_RMA_RAILS).origin,
                                        value(parameter_t::MAX_RMA_RAILS).text))
            , stripe_(
                  parseStripe(value(parameter_t::STRIPE).origin, value(parameter_t::STRIPE).text))
            , stripe_asked_(!stripe_.isOff()) {
            const parameterValue &small = value(parameter_t::STRIPE_SMALL);
            small_request_ = parseSmall(small.origin, small.text);
        }

        stripePlan
        run() {
            if (const std::string reason = disabledBy(inputs_.environment); !reason.empty()) {
                plan_.warnings.push_back(reason);
                return plan_;
            }
            if (!inputs_.parameters.anySet()) {
                return plan_;
            }
            plan_.metrics = value(parameter_t::STRIPE_METRICS);
            rejectContradictions();
            chooseDevices();
            if (stripe_asked_ && plan_.devices.empty()) {
                chooseNicLoss(); // what cannot hold is refused here too
                return plan_;    // the selection's warnings say why; everything stays as it was
            }
            chooseRails();
            plan_.isStriped = stripe_asked_ && plan_.devices.size() > 1;
            chooseNicLoss();
            chooseSmall();
            chooseSettings();
            plan_.active =
                !plan_.settings.empty() || plan_.spreadsSmall || failsOver() || resumes();
            chooseModules();
            if (!overridden_.empty()) {
                plan_.warnings.push_back(joined(overridden_, "; "));
            }
            warnOfTraps();
            noteCapacity();
            return plan_;
        }

    private:
        const parameterValue &
        value(parameter_t id) const {
            return inputs_.parameters.get(id);
        }

        const machine &
        host() {
            if (!host_) {
                host_ = inputs_.readHost();
            }
            return *host_;
        }

        const std::string *
        userVariable(const std::string &key) const {
            const auto it = inputs_.environment.find("UCX_" + key);
            return it == inputs_.environment.end() ? nullptr : &it->second;
        }

        const std::string *
        engineConfig(const std::string &key) const {
            const auto it = inputs_.engineConfig.find(key);
            return it == inputs_.engineConfig.end() ? nullptr : &it->second;
        }

        void
        rejectContradiction(const parameterValue &parameter, const std::string &key) const {
            if (const std::string *other = engineConfig(key)) {
                throw std::invalid_argument(assignment(parameter.origin, parameter.text) +
                                            " contradicts engine_config, which sets " + key + "=" +
                                            *other + "; accepted: one of the two");
            }
        }

        void
        rejectContradictions() const {
            if (rails_request_.kind != railRequest::kind_t::UNSET) {
                rejectContradiction(value(parameter_t::MAX_RMA_RAILS), "MAX_RMA_RAILS");
            }
            if (value(parameter_t::DEVICE_LIST).isSet()) {
                rejectContradiction(value(parameter_t::DEVICE_LIST), "NET_DEVICES");
            } else if (stripe_asked_) {
                rejectContradiction(value(parameter_t::STRIPE), "NET_DEVICES");
            }
        }

        /** @param asker The parameter that wants NICs chosen, for errors. */
        stripeRequest
        requestOf(const parameterValue &asker, const stripeSpec &spec) {
            stripeRequest asked;
            asked.stripe = asker.text;
            asked.stripeKey = asker.origin;
            const parameterValue &rate = value(parameter_t::STRIPE_MIN_RATE_GBPS);
            asked.minRateKey = rate.origin;
            if (rate.isSet()) {
                asked.minRateGbps = parseMinRate(rate.origin, rate.text);
            }
            if (spec.readsCalibration()) {
                asked.measured = readCalibration(value(parameter_t::STRIPE_CALIBRATION),
                                                 host().isLive ? &inputs_.environment : nullptr,
                                                 inputs_.readCalibrationAt,
                                                 plan_.warnings);
            }
            const parameterValue &gpu = value(parameter_t::STRIPE_GPU);
            asked.gpuKey = gpu.origin;
            try {
                asked.gpuPci = inputs_.findGpu(gpu.origin, gpu.text);
            } catch (const cudaUnavailable &error) {
                if (spec.usesGpu()) {
                    throw;
                }
                plan_.warnings.push_back(error.what());
            }
            return asked;
        }

        void
        chooseDevices() {
            const parameterValue &stripe = value(parameter_t::STRIPE);
            const parameterValue &list = value(parameter_t::DEVICE_LIST);
            if (list.isSet()) {
                plan_.devices = resolveDeviceList(list.origin, list.text, host());
                noteOverridden(list, "NET_DEVICES", joined(plan_.devices, ","));
                if (stripe_asked_) {
                    stripeRequest named;
                    named.stripe = stripe.text;
                    named.stripeKey = stripe.origin;
                    checkStripe(host(), stripe_, named);
                }
            } else if (stripe_asked_) {
                const selection chosen = select(stripe, stripe_);
                plan_.devices = chosen.devices;
                plan_.excluded = chosen.excluded;
                plan_.excludedBy = chosen.excludedBy;
                if (!plan_.devices.empty()) {
                    noteOverridden(stripe, "NET_DEVICES", joined(plan_.devices, ","));
                }
            }
        }

        selection
        select(const parameterValue &asker, const stripeSpec &spec) {
            const stripeRequest asked = requestOf(asker, spec);
            plan_.gpuPci = asked.gpuPci;
            selection chosen = selectNics(host(), spec, asked);
            plan_.measured = chosen.areMeasured ? asked.measured : nullptr;
            plan_.warnings.insert(
                plan_.warnings.end(), chosen.warnings.begin(), chosen.warnings.end());
            return chosen;
        }

        void
        noteOverridden(const parameterValue &parameter,
                       const std::string &key,
                       const std::string &now) {
            const std::string *variable = userVariable(key);
            if (variable != nullptr && *variable != now) {
                overridden_.push_back(assignment(parameter.origin, parameter.text) + " overrides " +
                                      assignment("UCX_" + key, *variable));
            }
        }

        /** Whether the user has set @p key himself; then that is said, and it stays. */
        bool
        keepsUsers(const std::string &key) {
            if (const std::string *variable = userVariable(key)) {
                plan_.kept.push_back(assignment("UCX_" + key, *variable) + " in the environment");
                return true;
            }
            if (const std::string *entry = engineConfig(key)) {
                plan_.kept.push_back(assignment(key, *entry) + " in engine_config");
                return true;
            }
            return false;
        }

        void
        chooseRails() {
            const parameterValue &parameter = value(parameter_t::MAX_RMA_RAILS);
            if (rails_request_.kind == railRequest::kind_t::COUNT) {
                plan_.rails = rails_request_.count;
                noteOverridden(parameter, "MAX_RMA_RAILS", std::to_string(plan_.rails));
                return;
            }
            if (rails_request_.kind == railRequest::kind_t::UNSET && !stripe_asked_) {
                return;
            }
            if (keepsUsers("MAX_RMA_RAILS")) {
                return;
            }
            const std::size_t nics = plan_.devices.empty()
                                         ? select(parameter, parseStripe("", "all")).devices.size()
                                         : plan_.devices.size();
            // One NIC: nothing to stripe over, so UCX's settings stay as they are.
            plan_.rails = nics > 1 ? static_cast<unsigned>(nics) : 0;
        }

        settingFacts
        facts() {
            settingFacts facts;
            facts.netDevices = joined(plan_.devices, ",");
            facts.rails = plan_.rails;
            if (stripe_asked_) {
                facts.nicCount = static_cast<unsigned>(plan_.devices.size());
                facts.rdmaDeviceCount = static_cast<unsigned>(host().nics.size());
                facts.isTcpOnly = areNetInterfaces(plan_.devices, host());
            }
            facts.cutsSmall = cuts_small_;
            facts.failsOver = failsOver();
            facts.resumes = resumes();
            if (facts.failsOver || facts.resumes) {
                facts.isTcpOnly = isOverTcp();
            }
            return facts;
        }

        void
        chooseSettings() {
            for (ucxSetting &setting : settingsFor(facts())) {
                if (setting.owner == owner_t::PARAMETERS || !keepsUsers(setting.key)) {
                    plan_.settings.push_back(std::move(setting));
                }
            }
        }

        /** Only where `stripe` was asked for, which has read the host; a user's choice stays. */
        void
        chooseModules() {
            if (plan_.active && stripe_asked_ && userVariable("MODULES") == nullptr) {
                plan_.modules = unusedModules(host());
            }
        }

        bool
        failsOver() const {
            return plan_.onNicLoss == nicLoss_t::FAILOVER;
        }

        bool
        resumes() const {
            return plan_.onNicLoss == nicLoss_t::RESUME;
        }

        bool
        isOverTcp() {
            return !plan_.devices.empty() && areNetInterfaces(plan_.devices, host());
        }

        void
        chooseNicLoss() {
            const parameterValue &given = value(parameter_t::ON_NIC_LOSS);
            const nicLoss_t asked =
                parseNicLoss(given.origin, given.text).value_or(nicLoss_t::ERROR);
            if (asked == nicLoss_t::ERROR) {
                return;
            }
            nicLossFacts facts;
            facts.namesNics = !plan_.devices.empty();
            facts.isAlone = plan_.devices.size() < 2 && !inputs_.isSpare;
            facts.isTcp = isOverTcp();
            facts.noResume = inputs_.noResume;
            if (const auto it = inputs_.environment.find(experiments_variable);
                it != inputs_.environment.end()) {
                facts.experiments = parseExperiments(it->second);
            }
            plan_.onNicLoss = nicLossInForce(given.origin, asked, facts);
            plan_.choosesNicLoss = asked == nicLoss_t::AUTO;
            const std::string notice = nicLossNotice(asked, plan_.onNicLoss, facts);
            if (!notice.empty()) {
                plan_.warnings.push_back(assignment(given.origin, given.text) + ": " + notice);
            }
            if (failsOver() && small_request_.value_or(false)) {
                const parameterValue &small = value(parameter_t::STRIPE_SMALL);
                refuse(small.origin,
                       small.text,
                       "with " + assignment(given.origin, given.text) +
                           " no key may be for one NIC alone",
                       "'off', '', or another on_nic_loss");
            }
            plan_.isGated =
                facts.experiments.count(std::string(experiment::failover_without_gate)) == 0;
        }

        void
        chooseSmall() {
            plan_.spreadsSmall = small_request_.value_or(plan_.isStriped) && plan_.rails != 1;
            if (!plan_.spreadsSmall || (!isOverTcp() && !failsOver())) {
                return;
            }
            // UCX's keys to remote memory are what chooses the NIC. TCP has none; and with a key
            // for one NIC, UCX has nowhere to send again what that NIC loses.
            plan_.spreadsSmall = false;
            cuts_small_ = plan_.devices.size() > 1;
        }

        /** The host is read only when a setting is there that could hurt. */
        void
        warnOfTraps() {
            const std::size_t nics = plan_.devices.empty() ? plan_.rails : plan_.devices.size();
            if (!plan_.active || nics < 2 ||
                !haveTrapKeys(inputs_.environment, inputs_.engineConfig)) {
                return;
            }
            trapFacts facts = trapFactsOf(host(), plan_.devices);
            facts.nicCount = static_cast<unsigned>(nics);
            facts.choosesDevices = !plan_.devices.empty();
            facts.choosesRails = plan_.rails != 0;
            for (const trap &each : findTraps(inputs_.environment, inputs_.engineConfig, facts)) {
                plan_.warnings.push_back(each.text());
            }
        }

        /** UCX's own value of a setting as far as it can be known here: not from a ucx.conf. */
        std::string
        settingInForce(const std::string &key) const {
            for (const ucxSetting &setting : plan_.settings) {
                if (setting.key == key) {
                    return setting.value;
                }
            }
            const std::string *variable = userVariable(key);
            const std::string *entry = variable != nullptr ? variable : engineConfig(key);
            return entry != nullptr ? *entry : "";
        }

        /** A ucx.conf may set UCX_TLS too, so that only the plugin can be sure (init_hook.cpp). */
        void
        noteCapacity() {
            if (plan_.devices.empty()) {
                return;
            }
            plan_.capacity = capacityRequestOf(host(), plan_.devices);
            plan_.capacity.tls = settingInForce("TLS");
            plan_.capacity.spreadsSmall = plan_.spreadsSmall;
            if (const auto most = ucxCount(settingInForce("MAX_COMPONENT_MDS"))) {
                plan_.capacity.componentDomains = *most;
            }
            if (std::string reason = whyTooMany(capacityOf(plan_.capacity)); !reason.empty()) {
                plan_.warnings.push_back(std::move(reason));
            }
        }

        const planInputs &inputs_;
        railRequest rails_request_;
        stripeSpec stripe_;
        bool stripe_asked_;
        std::optional<bool> small_request_;
        bool cuts_small_ = false;
        std::optional<machine> host_;
        std::vector<std::string> overridden_;
        stripePlan plan_;
    };

} // namespace

std::string
unusedModules(const machine &host) {
    for (const rdmaNic &nic : host.nics) {
        for (const port &each : nic.ports) {
            if (each.linkLayer == linkLayer_t::EFA) {
                return "";
            }
        }
    }
    return "^efa,rdmacm";
}

stripePlan
makePlan(const planInputs &inputs) {
    return planner(inputs).run();
}

} // namespace nixlStripe
