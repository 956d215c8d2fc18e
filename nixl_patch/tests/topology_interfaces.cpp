// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/interfaces.h"

#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

netInterface
made(const std::string &name, const std::string &pci, const std::string &master = "") {
    netInterface each;
    each.name = name;
    each.pci = pci;
    each.master = master;
    each.isVirtual = pci.empty();
    return each;
}

rdmaNic
onFunction(const std::string &pci, const std::string &physical = "") {
    rdmaNic nic;
    nic.pci = pci;
    nic.driver = "mlx5_core";
    nic.physicalFunction = physical;
    nic.isVirtualFunction = !physical.empty();
    return nic;
}

port
ownedBy(const std::string &name) {
    port at;
    at.ownNetdev = name;
    return at;
}

const rdmaNic function = onFunction("0000:01:00.0");

bool
isHere(const std::vector<netInterface> &all,
       const std::string &name,
       const rdmaNic &nic = function) {
    return interfacesHere(all).isOf(nic, ownedBy("eth0"), name);
}

} // namespace

TEST(InterfacesHere, aNameThatIsNotThereIsNot) {
    EXPECT_FALSE(isHere({made("lo", "")}, "eth0"));
    EXPECT_TRUE(isHere({}, "eth0")) << "nothing is known of any";
}

TEST(InterfacesHere, theFunctionDecides) {
    EXPECT_TRUE(isHere({made("eth0", "0000:01:00.0")}, "eth0"));
    EXPECT_TRUE(isHere({made("eth0", "0000:01:00.1")}, "eth0")) << "of a bond of one card";
    EXPECT_FALSE(isHere({made("eth0", "0000:02:00.0")}, "eth0"));
}

TEST(InterfacesHere, virtualFunctionsAreNotTheirCards) {
    netInterface virtual_one = made("eth0", "0000:01:00.2");
    virtual_one.physicalFunction = "0000:01:00.0";
    EXPECT_FALSE(isHere({virtual_one}, "eth0"));
    EXPECT_TRUE(isHere({virtual_one}, "eth0", onFunction("0000:01:00.2", "0000:01:00.0")));
    EXPECT_FALSE(isHere({virtual_one}, "eth0", onFunction("0000:01:00.3", "0000:01:00.0")));
    EXPECT_FALSE(
        isHere({made("eth0", "0000:01:00.0")}, "eth0", onFunction("0000:01:00.2", "0000:01:00.0")));
}

TEST(InterfacesHere, aVethIsNoNicsOwn) {
    EXPECT_FALSE(isHere({made("eth0", "")}, "eth0"));
    EXPECT_TRUE(isHere({made("net1", "")}, "net1")) << "a macvlan or VLAN of it";
    netInterface other_bus = made("eth0", "");
    other_bus.isVirtual = false; // netvsc, with the NIC's virtual function below
    EXPECT_TRUE(isHere({other_bus}, "eth0"));
    EXPECT_TRUE(isHere({made("eth0", "")}, "eth0", onFunction(""))) << "nor is its function known";
    rdmaNic software = function;
    software.driver = "rdma_rxe";
    EXPECT_TRUE(isHere({made("eth0", "")}, "eth0", software)) << "it works on any";
}

TEST(InterfacesHere, aBondIsThatOfItsMembers) {
    netInterface bond = made("eth0", "");
    bond.kind = netKind_t::BOND;
    EXPECT_TRUE(isHere({bond}, "eth0")) << "its members are not known";
    EXPECT_TRUE(isHere({bond, made("ens1", "0000:01:00.1", "eth0")}, "eth0"));
    EXPECT_FALSE(isHere({bond, made("ens2", "0000:02:00.0", "eth0")}, "eth0"));
}
