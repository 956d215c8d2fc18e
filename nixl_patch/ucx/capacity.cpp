// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/capacity.h"

#include "policy/rails.h"
#include "topology/text.h"
#include "ucx/key_budget.h"
#include "ucx/transports.h"

#include <algorithm>
#include <set>

namespace nixlStripe {
namespace {

    constexpr unsigned max_resources = 128; /**< UCP_MAX_RESOURCES */
    constexpr unsigned max_domains = 64;    /**< UCP_MAX_MDS */

    unsigned
    countOf(std::size_t count) {
        return static_cast<unsigned>(count);
    }

    /** Transports that one NIC takes part in. */
    unsigned
    resourcesOf(const nicTransports &has, const std::string &tls) {
        std::vector<std::string_view> all = has.rma;
        all.insert(all.end(), has.others.begin(), has.others.end());
        return countOf(admittedTransports(tls, all).size());
    }

} // namespace

std::string
capacityUse::text() const {
    return std::string(limit) + ": " + std::to_string(used) + " of " + std::to_string(most) +
           (what.empty() ? "" : " (" + what + ")");
}

capacityRequest
capacityRequestOf(const machine &host, const std::vector<std::string> &devices) {
    capacityRequest request;
    request.rdmaDevices = countOf(host.nics.size());
    request.hasGpu = !host.gpus.empty();
    for (const std::string &device : devices) {
        openedDevice opened{device.substr(0, device.find(':')), nullptr};
        for (const rdmaNic &nic : host.nics) {
            if (nic.name == opened.name) {
                opened.transports = &transportsOf(nic);
            }
        }
        request.devices.push_back(std::move(opened));
    }
    return request;
}

std::vector<capacityUse>
capacityOf(const capacityRequest &request) {
    std::set<std::string_view> nics;
    std::set<std::string_view> fewest;
    unsigned resources = 0;
    unsigned most_of_one = 0;
    bool has_interface = false;
    for (const openedDevice &device : request.devices) {
        const bool is_nic = device.transports != nullptr;
        const unsigned count = is_nic ? resourcesOf(*device.transports, request.tls) : 1;
        resources += count;
        most_of_one = std::max(most_of_one, count);
        has_interface = has_interface || !is_nic;
        if (is_nic) {
            nics.insert(device.name);
            fewest.insert(device.transports->fewest);
        }
    }
    // Beside the NICs: shared memory and the process itself, each with a domain of its own.
    const unsigned own =
        countOf(admittedTransports(request.tls, {"self", "posix", "sysv", "cma"}).size());
    const unsigned domains = countOf(nics.size()) + (has_interface ? 1 : 0); // TCP has one for all
    const std::string count = std::to_string(request.devices.size()) + " NIC(s)";
    std::string words = joined(fewest, ",");
    append(words, request.hasGpu ? "sm,self,cuda_copy,cuda_ipc" : "sm,self", ",");
    std::vector<capacityUse> uses{
        {"transport resources",
         resources + own,
         max_resources,
         count + ", " + std::to_string(most_of_one) + " transport(s) each, and " +
             std::to_string(own) + " of memory",
         "name fewer NICs, or fewer transports: UCX_TLS=" + words},
        {"lanes", countOf(request.devices.size()), max_rails, count, "name fewer NICs"},
        {"memory domains",
         domains + own,
         max_domains,
         std::to_string(domains) + " of NICs and " + std::to_string(own) + " of memory",
         "name fewer NICs"},
    };
    if (!nics.empty()) {
        uses.push_back({"memory domains of one component (MAX_COMPONENT_MDS)",
                        request.rdmaDevices,
                        request.componentDomains,
                        "RDMA devices of this machine",
                        ""});
    }
    if (request.spreadsSmall && !nics.empty()) {
        uses.push_back({"key configurations",
                        countOf(nics.size()),
                        countOf(keyBudget::of_old_ucx - keyBudget::kept_free),
                        "one for each NIC and kind of memory, for small buffers; " +
                            std::to_string(keyBudget::kept_free) +
                            " stay free; UCX 1.21 and later have " +
                            std::to_string(keyBudget::of_ucx_1_21),
                        ""});
    }
    return uses;
}

std::string
whyTooMany(const std::vector<capacityUse> &uses) {
    std::string text;
    for (const capacityUse &each : uses) {
        if (each.used > each.most && !each.fix.empty()) {
            append(text, "UCX's limit of " + each.text() + ": " + each.fix, "; ");
        }
    }
    return text;
}

} // namespace nixlStripe
