// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/metrics_text.h"

#include "topology/utf8.h"
#include "ucx/forecast_end.h"

#include <fstream>
#include <locale>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace nixlStripe {
namespace {

    using labels_t = std::vector<std::pair<std::string_view, std::string>>;

    constexpr std::string_view prefix = "nixl_stripe_agent_";

    /** One family after the other, as OpenMetrics wants it: samples are put by before. */
    class families {
    public:
        families() {
            text_.imbue(std::locale::classic()); // the program's own may group digits
        }

        void
        declare(std::string_view name, std::string_view type, std::string_view help) {
            text_ << "# HELP " << prefix << name << ' ' << help << "\n# TYPE " << prefix << name
                  << ' ' << type << '\n';
            name_ = prefix;
            name_ += name;
            if (type == "counter") {
                name_ += "_total";
            }
        }

        void
        add(const labels_t &labels, std::uint64_t value) {
            text_ << name_;
            char before = '{';
            for (const auto &[label, text] : labels) {
                text_ << before << label << "=\"" << labelText(text) << '"';
                before = ',';
            }
            text_ << "} " << value << '\n';
        }

        std::string
        end() {
            text_ << "# EOF\n";
            return text_.str();
        }

    private:
        std::ostringstream text_;
        std::string name_;
    };

    /** An agent whose numbers were read once, so that one text does not contradict itself. */
    struct shownAgent {
        const agentMetrics *what = nullptr; /**< the first of its name */
        agentTotals totals;
        bool resumes = false;
        std::map<std::string, directedBytes> nics; /**< by NIC without port, as `export` has them */
        std::map<std::string, nicLosses> losses;   /**< likewise */
        std::set<std::string> planned;
    };

    void
    join(shownAgent &shown, const agentMetrics &agent) {
        for (const std::string &device : agent.devices) {
            shown.planned.insert(deviceName(device));
        }
        const agentTotals more = agent.totals();
        for (const auto &[device, bytes] : more.account.nics) {
            const std::string nic = deviceName(device);
            if (bytes.out + bytes.in > 0 || shown.planned.count(nic) > 0) {
                shown.nics[nic] += bytes;
            }
        }
        shown.totals += more;
        shown.resumes = shown.resumes || agent.losses || more.losses.resumes > 0;
        for (const auto &[device, losses] : more.losses.nics) {
            nicLosses &its = shown.losses[deviceName(device)];
            its.lost += losses.lost;
            its.back += losses.back;
        }
    }

    using shown_t = std::map<std::string, shownAgent>;

    template <typename value_t>
    void
    addEach(families &text, const shown_t &agents, value_t &&value) {
        for (const auto &[name, agent] : agents) {
            text.add({{"agent_name", name}}, value(agent));
        }
    }

    void
    addDirections(families &text, const labels_t &labels, const directedBytes &bytes) {
        for (const auto &[direction, value] :
             {std::pair("out", bytes.out), std::pair("in", bytes.in)}) {
            labels_t all = labels;
            all.emplace_back("direction", direction);
            text.add(all, value);
        }
    }

    void
    describe(families &text, const writingProcess &process, const shown_t &agents) {
        text.declare("info", "gauge", "An agent, its process and its UCX.");
        for (const auto &[name, agent] : agents) {
            text.add({{"agent_name", name},
                      {"host", process.host},
                      {"pid", std::to_string(process.id)},
                      {"pid_namespace", std::to_string(process.pidNamespace)},
                      {"start_ticks", std::to_string(process.startTicks)},
                      {"ucx", agent.what->ucxVersion},
                      {"version", NIXL_STRIPE_VERSION}},
                     1);
        }
        text.declare("planned_nics", "gauge", "NICs that the agent's plan uses.");
        addEach(text, agents, [](const shownAgent &agent) { return agent.planned.size(); });
        text.declare("rails", "gauge", "Rails of the agent's plan; 0 = UCX's default.");
        addEach(text, agents, [](const shownAgent &agent) { return agent.what->rails; });
        text.declare("nic_planned", "gauge", "1 for each NIC of the agent's plan.");
        for (const auto &[name, agent] : agents) {
            for (const std::string &nic : agent.planned) {
                text.add({{"agent_name", name}, {"nic", nic}}, 1);
            }
        }
        text.declare(
            "ucx_setting_info", "gauge", "UCX settings in force, by the plan or the user.");
        for (const auto &[name, agent] : agents) {
            for (const auto &[key, value] : agent.what->settings) {
                text.add({{"agent_name", name}, {"key", key}, {"value", value}}, 1);
            }
        }
    }

    void
    addLosses(families &text, const shown_t &agents, std::uint64_t nicLosses::*counted) {
        for (const auto &[name, agent] : agents) {
            for (const auto &[nic, losses] : agent.losses) {
                text.add({{"agent_name", name}, {"nic", nic}}, losses.*counted);
            }
        }
    }

    void
    lossesOf(families &text, const shown_t &agents) {
        text.declare(
            "resumes", "counter", "Times that a transfer went on over the NICs that were left.");
        for (const auto &[name, agent] : agents) {
            if (agent.resumes) {
                text.add({{"agent_name", name}}, agent.totals.losses.resumes);
            }
        }
        text.declare("nic_losses",
                     "counter",
                     "Times that transfers to a peer went on without the NIC, which had died.");
        addLosses(text, agents, &nicLosses::lost);
        text.declare(
            "nic_returns", "counter", "Times that transfers to a peer took the NIC again.");
        addLosses(text, agents, &nicLosses::back);
    }

    void
    accountFor(families &text, const shown_t &agents) {
        text.declare(
            "intended_bytes",
            "counter",
            "Payload handed to UCX for the NIC, divided as UCX does: intended, not counted.");
        for (const auto &[name, agent] : agents) {
            for (const auto &[nic, bytes] : agent.nics) {
                addDirections(text, {{"agent_name", name}, {"nic", nic}}, bytes);
            }
        }
        text.declare(
            "elsewhere_bytes",
            "counter",
            "Payload handed to UCX for shared memory, or for lanes that it does not tell.");
        for (const auto &[name, agent] : agents) {
            addDirections(text, {{"agent_name", name}}, agent.totals.account.elsewhere);
        }
        text.declare("operations", "counter", "Puts and gets that UCX took.");
        addEach(
            text, agents, [](const shownAgent &agent) { return agent.totals.account.operations; });
        text.declare("transfers", "counter", "Flushes that ended well, one a transfer and worker.");
        addEach(
            text, agents, [](const shownAgent &agent) { return agent.totals.account.transfers; });
        text.declare("errors", "counter", "Operations that UCX refused, and flushes that failed.");
        addEach(text, agents, [](const shownAgent &agent) { return agent.totals.account.errors; });
        lossesOf(text, agents);
        text.declare("peers", "gauge", "Open endpoints that have carried an operation.");
        addEach(text, agents, [](const shownAgent &agent) { return agent.totals.account.peers; });
        text.declare("narrow_peers", "gauge", "Those of them with fewer NICs than rails.");
        addEach(
            text, agents, [](const shownAgent &agent) { return agent.totals.account.narrowPeers; });
    }

} // namespace

writingProcess
thisProcess() {
    writingProcess process;
    process.id = ::getpid();
    // What stands behind the last ')' is fields 3 and up: the name may hold anything.
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    fields.imbue(std::locale::classic());
    std::string field;
    for (int number = 3; number < 22; ++number) {
        fields >> field;
    }
    fields >> process.startTicks;
    struct stat space = {};
    // Some sandboxes tell neither. 0 is no namespace, so that readers go by the file's age.
    if (process.startTicks != 0 && ::stat("/proc/self/ns/pid", &space) == 0) {
        process.pidNamespace = space.st_ino;
    }
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    process.host = host;
    return process;
}

std::string
processText(const writingProcess &process) {
    constexpr std::uint64_t of_host = 0xEFFFFFFC; // the kernel's PROC_PID_INIT_INO
    const std::string id = std::to_string(process.id);
    const std::uint64_t space = process.pidNamespace;
    return space == 0 || space == of_host ? id : id + '-' + std::to_string(space);
}

agentTotals &
agentTotals::operator+=(const agentTotals &more) {
    account += more.account;
    losses += more.losses;
    return *this;
}

agentTotals
agentMetrics::totals() const {
    agentTotals found = earlier;
    found += {book ? book->totals() : accountTotals(), losses ? losses->totals() : lossTotals()};
    return found;
}

std::string
metricsText(const writingProcess &process, const std::vector<agentMetrics> &agents) {
    shown_t shown;
    for (const agentMetrics &agent : agents) {
        shownAgent &its = shown[agent.name];
        if (its.what == nullptr) {
            its.what = &agent;
        }
        join(its, agent);
    }
    families text;
    describe(text, process, shown);
    accountFor(text, shown);
    return text.end();
}

std::string
labelText(std::string_view text) {
    constexpr std::size_t max_bytes = 128;
    std::string plain(text.substr(0, max_bytes));
    for (std::size_t bad = firstNonText(plain); bad != std::string::npos;
         bad = firstNonText(plain)) {
        plain[bad] = '?';
    }
    std::string shown;
    for (const char c : plain) {
        if (c == '\n' || c == '\r' || c == '\t') {
            shown += ' ';
        } else {
            if (c == '\\' || c == '"') {
                shown += '\\';
            }
            shown += c;
        }
    }
    return shown;
}

} // namespace nixlStripe
