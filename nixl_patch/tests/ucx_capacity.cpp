// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/capacity.h"
#include "ucx/transports.h"
#include "ucx/traps.h"

#include <gtest/gtest.h>

namespace nixlStripe {
namespace {

    using names_t = std::set<std::string>;

    rdmaNic
    nicOf(const std::string &name, const std::string &driver) {
        rdmaNic nic;
        nic.name = name;
        nic.driver = driver;
        nic.ports.emplace_back();
        return nic;
    }

    machine
    hostOf(unsigned count, const std::string &stem, const std::string &driver) {
        machine host;
        for (unsigned i = 0; i < count; ++i) {
            host.nics.push_back(nicOf(stem + std::to_string(i), driver));
        }
        return host;
    }

    capacityRequest
    requestOf(const machine &host, const std::string &tls = "") {
        std::vector<std::string> devices;
        for (const rdmaNic &nic : host.nics) {
            devices.push_back(nic.name + ":1");
        }
        capacityRequest request = capacityRequestOf(host, devices);
        request.tls = tls;
        return request;
    }

    capacityUse
    useOf(std::string_view limit, const capacityRequest &request) {
        for (const capacityUse &use : capacityOf(request)) {
            if (use.limit == limit) {
                return use;
            }
        }
        ADD_FAILURE() << "no limit " << limit;
        return {};
    }

    TEST(Transports, areThoseOfTheHardware) {
        EXPECT_EQ(transportsOf(nicOf("mlx5_0", "mlx5_core")).kind, "mlx5");
        EXPECT_EQ(transportsOf(nicOf("mlx5_0", "")).kind, "mlx5");
        EXPECT_EQ(transportsOf(nicOf("rdmap0", "efa")).kind, "EFA");
        EXPECT_EQ(transportsOf(nicOf("bnxt_re0", "bnxt_en")).kind, "verbs");
        rdmaNic unnamed = nicOf("rdmap0", "");
        unnamed.ports[0].linkLayer = linkLayer_t::EFA;
        EXPECT_EQ(transportsOf(unnamed).kind, "EFA");
    }

    TEST(Transports, aliasesAndExclusionsCountAsInUcx) {
        const std::vector<std::string_view> known = {"rc_mlx5", "dc_mlx5", "rc_verbs", "srd"};
        EXPECT_EQ(admittedTransports("", known).size(), 4U);
        EXPECT_EQ(admittedTransports("all", known).size(), 4U);
        EXPECT_EQ(admittedTransports("ib", known).size(), 4U);
        EXPECT_EQ(admittedTransports("rc,sm", known), (names_t{"rc_mlx5", "rc_verbs"}));
        EXPECT_EQ(admittedTransports("rc_x,tcp", known), names_t{"rc_mlx5"});
        EXPECT_EQ(admittedTransports("^rc", known), (names_t{"dc_mlx5", "srd"}));
        EXPECT_TRUE(admittedTransports("tcp", known).empty());
        EXPECT_TRUE(admittedTransports("^ib", known).empty());
    }

    TEST(Capacity, thirtyTwoEfaFitAndThirtyTwoConnectXDoNot) {
        const capacityRequest efa = requestOf(hostOf(32, "rdmap", "efa"));
        EXPECT_EQ(useOf("transport resources", efa).used, 68U);
        EXPECT_EQ(useOf("lanes", efa).used, 32U);
        EXPECT_EQ(useOf("memory domains", efa).used, 36U);
        EXPECT_EQ(whyTooMany(capacityOf(efa)), "");
        const machine many = hostOf(32, "mlx5_", "mlx5_core");
        const std::string reason = whyTooMany(capacityOf(requestOf(many)));
        EXPECT_NE(reason.find("UCX's limit of transport resources: 164 of 128"), std::string::npos)
            << reason;
        EXPECT_NE(reason.find("UCX_TLS=rc_x,sm,self"), std::string::npos) << reason;
        EXPECT_EQ(whyTooMany(capacityOf(requestOf(many, "rc_x,sm,self"))), "") << "what it offers";
    }

    TEST(Capacity, memoryDomainsEndAtSixtyFour) {
        const machine host = hostOf(61, "bnxt_re", "bnxt_en");
        EXPECT_NE(whyTooMany(capacityOf(requestOf(host, "rc_v,sm,self"))), "");
        EXPECT_EQ(whyTooMany(capacityOf(requestOf(hostOf(60, "b", "bnxt_en"), "rc_v,sm,self"))),
                  "");
    }

    TEST(Capacity, tcpHasOneDomainForAllInterfaces) {
        capacityRequest request;
        request.devices.assign(64, openedDevice{"rail", nullptr});
        EXPECT_EQ(useOf("memory domains", request).used, 5U);
        EXPECT_EQ(useOf("lanes", request).used, 64U);
        EXPECT_EQ(whyTooMany(capacityOf(request)), "");
        request.devices.emplace_back();
        EXPECT_NE(whyTooMany(capacityOf(request)).find("lanes: 65 of 64"), std::string::npos);
    }

    TEST(Capacity, whatIsOnlySaidIsNoError) {
        capacityRequest request = requestOf(hostOf(17, "rxe", "rdma_rxe"));
        request.spreadsSmall = true;
        const auto domains = useOf("memory domains of one component (MAX_COMPONENT_MDS)", request);
        EXPECT_EQ(domains.text().substr(domains.limit.size()),
                  ": 17 of 16 (RDMA devices of this machine)");
        EXPECT_EQ(useOf("key configurations", request).most, 112U);
        EXPECT_EQ(whyTooMany(capacityOf(request)), "");
    }

    std::string
    fixOf(const std::string &tls, const machine &host) {
        trapFacts facts = trapFactsOf(host, {});
        facts.nicCount = 4;
        const auto found = findTraps({{"UCX_TLS", tls}}, {}, facts);
        return found.empty() ? "" : found[0].fix;
    }

    TEST(TlsTrap, looksAtTheHardwareAndSoDoesItsFix) {
        const machine efa = hostOf(4, "rdmap", "efa");
        const machine mlx5 = hostOf(4, "mlx5_", "mlx5_core");
        const machine broadcom = hostOf(4, "bnxt_re", "bnxt_en");
        for (const char *wrong : {"rc", "rc,ud,sm,self", "ud", "tcp,srdx", "^srd"}) {
            EXPECT_NE(fixOf(wrong, efa).find("UCX_TLS=srd,ud,tcp"), std::string::npos) << wrong;
        }
        for (const char *wrong : {"srd", "ud,sm", "^rc,dc"}) {
            EXPECT_NE(fixOf(wrong, mlx5).find("UCX_TLS=rc,ud,tcp"), std::string::npos) << wrong;
        }
        for (const char *wrong : {"rc_x,dc_x", "dc", "srd"}) {
            EXPECT_NE(fixOf(wrong, broadcom).find("UCX_TLS=rc_v,ud_v,tcp"), std::string::npos)
                << wrong;
        }
        EXPECT_EQ(fixOf("srd,sm", efa) + fixOf("rc_x", mlx5) + fixOf("rc", broadcom), "");
        EXPECT_EQ(fixOf("ib", efa) + fixOf("ib", mlx5) + fixOf("^tcp", broadcom), "");
    }

} // namespace
} // namespace nixlStripe
