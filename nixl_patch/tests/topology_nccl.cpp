// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/distance.h"
#include "topology/nccl.h"
#include "topology/nccl_environment.h"
#include "topology/normalize.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

using namespace nixlStripe;

std::string
dataFile(const std::string &name) {
    return std::string(TEST_DATA) + "/topologies/" + name + ".xml";
}

std::string
distanceOf(const machine &host, std::size_t gpu_index, std::size_t nic_index) {
    return distanceName(
        affinityBetween(host, host.gpus.at(gpu_index), host.nics.at(nic_index)).distance);
}

TEST(nccl, ndv4HasEightGpusAndEightInfiniBandNics) {
    const machine host = readNccl(dataFile("nccl-azure-ndv4"));
    ASSERT_EQ(host.gpus.size(), 8u);
    ASSERT_EQ(host.nics.size(), 8u);
    EXPECT_EQ(host.numaNodes, (std::vector<int>{0, 1, 2, 3}));
    EXPECT_EQ(host.gpus[0].pci, "0001:00:00.0");
    EXPECT_EQ(host.gpus[0].vendor, gpuVendor_t::NVIDIA);
    EXPECT_EQ(host.gpus[0].numaNode, 1);
    EXPECT_EQ(host.nics[0].name, "ibP257p0s0");
    EXPECT_EQ(host.nics[0].pci, "0101:00:00.0");
    EXPECT_EQ(host.nics[0].ports.at(0).linkLayer, linkLayer_t::INFINIBAND);
    for (std::size_t i = 0; i < 8; ++i) {
        int near = 0;
        for (std::size_t j = 0; j < 8; ++j) {
            near += distanceOf(host, i, j) == "PIX" ? 1 : 0;
        }
        EXPECT_EQ(near, 2);
    }
    EXPECT_TRUE(host.pci.at("ffff:ff:01.0").isWholeSwitch);
    EXPECT_EQ(host.pci.at("ffff:ff:01.0").linkGtps, 16);
    EXPECT_EQ(host.pci.at("ffff:ff:01.0").linkWidth, 16u);
}

TEST(nccl, p4dNamesItsNicsAsTheMachineDoes) {
    const machine host = readNccl(dataFile("nccl-aws-p4d"));
    ASSERT_EQ(host.gpus.size(), 8u);
    ASSERT_EQ(host.nics.size(), 4u);
    EXPECT_EQ(host.nics[0].name, "rdmap16s27"); // so does the hwloc file of the same machine
    EXPECT_EQ(host.nics[3].name, "rdmap160s27");
    EXPECT_EQ(host.nics[0].ports.at(0).linkLayer, linkLayer_t::EFA);
    EXPECT_EQ(distanceOf(host, 0, 0), "PIX");
    EXPECT_EQ(distanceOf(host, 0, 1), "PHB");
    EXPECT_EQ(distanceOf(host, 0, 2), "SYS");
}

machine
fromText(const std::string &body) {
    return machineFromNccl(parseXml("<system version='1'>" + body + "</system>", "t.xml"), "t.xml");
}

const char *const dump =
    "<cpu numaid='1' host_hash='0x1'>"
    "<pci busid='0000:89:00.0' class='0x060400' link_speed='32.0 GT/s PCIe' link_width='16'>"
    "<pci busid='0000:8B:00.0' class='0x030200' vendor='0x10de' device='0x2330' "
    "link_speed='32.0 GT/s PCIe' link_width='16'><gpu dev='4' sm='90' rank='4' gdr='1'>"
    "<nvlink target='0000:1b:00.0' count='18' tclass='0x068000'/></gpu></pci>"
    "<pci busid='0000:8c:00.0' class='0x02' vendor='0x15b3' link_speed='Unknown' link_width='0'>"
    "<nic><net name='mlx5_4' dev='4' latency='0.0' speed='400000' port='1' "
    "guid='13577908673887504544' maxconn='131072' gdr='1'/>"
    "<net name='mlx5_5' dev='5' speed='400000' port='2' guid='0x92db980003c288a0'/></nic></pci>"
    "</pci>"
    "<nic><net name='eth0' dev='9' speed='25000' port='0' guid='0x0' gdr='0'/></nic></cpu>";

TEST(nccl, readsWhatNcclItselfWrites) {
    const machine host = fromText(dump);
    ASSERT_EQ(host.gpus.size(), 1u);
    EXPECT_EQ(host.gpus[0].pci, "0000:8b:00.0");
    EXPECT_EQ(host.gpus[0].numaNode, 1);
    ASSERT_EQ(host.nics.size(), 2u);
    EXPECT_EQ(host.nics[1].name, "mlx5_5");
    EXPECT_EQ(host.nics[1].ports.at(0).number, 1u);
    EXPECT_EQ(host.nics[1].ports.at(0).rateGbps, 400);
    EXPECT_EQ(host.nics[1].pci, "0000:8c:00.0");
    EXPECT_EQ(host.pci.at("0000:8c:00.0").linkGtps, 0);
    EXPECT_EQ(distanceOf(host, 0, 0), "PIX");
    ASSERT_EQ(host.netInterfaces.size(), 1u);
    EXPECT_EQ(host.netInterfaces[0].name, "eth0");
    EXPECT_EQ(host.netInterfaces[0].rateGbps, 25);
    EXPECT_EQ(host.netInterfaces[0].numaNode, 1);
}

TEST(nccl, portsOfOneNameAndMergedNics) {
    const machine host = fromText(
        "<cpu numaid='0'><pci busid='0000:10:00.0' class='0x060400'><nic>"
        "<net name='mlx5_0+mlx5_1' speed='800000' guid='1'/></nic>"
        "<pci busid='0000:11:00.0' class='0x020700'><nic><net name='mlx4_0' speed='56000' "
        "guid='2' port='1'/><net name='mlx4_0' speed='40000' guid='2' port='3'/></nic></pci>"
        "</pci></cpu>");
    ASSERT_EQ(host.nics.size(), 3u);
    EXPECT_EQ(host.nics[0].name, "mlx4_0");
    ASSERT_EQ(host.nics[0].ports.size(), 2u);
    EXPECT_EQ(host.nics[0].ports[1].number, 2u);
    EXPECT_EQ(host.nics[0].ports[1].rateGbps, 40);
    EXPECT_EQ(host.nics[1].name, "mlx5_0");
    EXPECT_EQ(host.nics[1].ports.at(0).rateGbps, 400);
    EXPECT_EQ(host.nics[1].pci, "");
    EXPECT_EQ(host.nics[1].numaNode, 0);
}

TEST(nccl, networkFunctionsThatSpeakNoRdmaAreNoNics) {
    const machine host = fromText("<cpu numaid='0'>"
                                  "<pci busid='0000:01:00.0' class='0x020000' vendor='0x1d0f' "
                                  "device='0xec20'/>"
                                  "<pci busid='0000:02:00.0' class='0x020000' vendor='0x1af4'/>"
                                  "<pci busid='0000:03:00.1' class='0x020000' vendor='0x15b3'/>"
                                  "<pci busid='0000:04:00.0'/></cpu>");
    ASSERT_EQ(host.nics.size(), 1u);
    EXPECT_EQ(host.nics[0].name, "rocep3s0f1");
    EXPECT_TRUE(host.gpus.empty());
}

struct badCase {
    const char *text;
    const char *says;
};

class badNccl : public testing::TestWithParam<badCase> {};

TEST_P(badNccl, isRefusedWithAReason) {
    try {
        machineFromNccl(parseXml(GetParam().text, "t.xml"), "t.xml");
        FAIL() << GetParam().text;
    } catch (const std::invalid_argument &error) {
        EXPECT_EQ(std::string(error.what()).find(GetParam().says), 0u) << error.what();
    }
}

INSTANTIATE_TEST_SUITE_P(
    all,
    badNccl,
    testing::Values(
        badCase{"<topology/>", "t.xml: no NCCL topology: expected <system>, found <topology>"},
        badCase{"<graphs version='1'/>", "t.xml: no NCCL topology: expected <system>, found"},
        badCase{"<system/>", "t.xml:1: NCCL topology of version ''"},
        badCase{"\n<system version='3'/>", "t.xml:2: NCCL topology of version '3'"},
        badCase{"<system version='1'><cpu>\n<pci/></cpu></system>", "t.xml:2: <pci> with busid ''"},
        badCase{"<system version='1'><cpu><pci busid='1'/></cpu></system>", "t.xml:1: <pci> with"},
        badCase{"<system version='1'><cpu><pci busid='0:1:2.0'/><pci busid='0000:01:02.0'/>"
                "</cpu></system>",
                "t.xml:1: <pci> 0000:01:02.0 is there twice"}));

/** NDv4 as its sysfs shows it: no bridge, no NUMA node, a root of its own for every function. */
machine
flatNdv4() {
    machine host;
    host.source = "/sys";
    const auto add = [&host](const std::string &address, unsigned class_code) {
        pciNode node;
        node.address = address;
        node.root = "pci" + address.substr(0, 7);
        node.classCode = class_code;
        node.linkGtps = 8;
        node.linkWidth = 8;
        host.pci[address] = node;
    };
    for (const char *domain : {"0001", "0002", "0003", "0004", "000b", "000c", "000d", "000e"}) {
        const std::string address = std::string(domain) + ":00:00.0";
        add(address, 0x030200);
        host.gpus.push_back({address, gpuVendor_t::NVIDIA, unknown_numa, ""});
    }
    for (int i = 0; i < 8; ++i) {
        const std::string address = "010" + std::to_string(i + 1) + ":00:00.0";
        add(address, 0x020700);
        rdmaNic nic;
        nic.name = "mlx5_ib" + std::to_string(i);
        nic.pci = address;
        nic.ports.resize(1);
        host.nics.push_back(nic);
    }
    rdmaNic ethernet;
    ethernet.name = "mlx5_an0";
    ethernet.pci = "7a58:00:02.0";
    add(ethernet.pci, 0x020000);
    host.nics.push_back(ethernet);
    normalize(host);
    return host;
}

const rdmaNic &
nicNamed(const machine &host, const std::string &name) {
    for (const rdmaNic &nic : host.nics) {
        if (nic.name == name) {
            return nic;
        }
    }
    throw std::out_of_range(name);
}

TEST(overlay, givesAFlatMachineItsTree) {
    machine host = flatNdv4();
    ASSERT_TRUE(host.isFlat);
    const ncclOverlay matched = applyNcclTopology(host, dataFile("nccl-azure-ndv4"));
    EXPECT_EQ(matched.gpus, 8u);
    EXPECT_EQ(matched.nics, 8u);
    EXPECT_FALSE(host.isFlat);
    EXPECT_EQ(host.numaNodes, (std::vector<int>{0, 1, 2, 3}));
    const rdmaNic &first = nicNamed(host, "mlx5_ib0");
    EXPECT_EQ(first.numaNode, 1);
    EXPECT_EQ(host.pci.at(first.pci).parent, "ffff:ff:02.0");
    EXPECT_EQ(host.pci.at(first.pci).linkGtps, 16);
    EXPECT_EQ(affinityBetween(host, host.gpus[0], first).distance, distance_t::PIX);
    EXPECT_EQ(affinityBetween(host, host.gpus[2], first).distance, distance_t::SYS);
    // What the file does not list stays where sysfs has it, and so does what a device is.
    const rdmaNic &ethernet = nicNamed(host, "mlx5_an0");
    EXPECT_EQ(ethernet.numaNode, unknown_numa);
    EXPECT_EQ(host.pci.at(ethernet.pci).root, "pci7a58:00");
    EXPECT_EQ(host.pci.at("0001:00:00.0").classCode, 0x030200u);
}

class ncclFiles : public testing::Test {
protected:
    void
    SetUp() override {
        char name[] = "/tmp/nixl_stripe_nccl_XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        folder_ = name;
    }
    void
    TearDown() override {
        std::filesystem::remove_all(folder_);
    }

    std::string
    write(const std::string &name, const std::string &text) {
        const std::filesystem::path path = folder_ + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
        return path;
    }

    environment_t
    environment() {
        return [this](const char *name) -> const char * {
            const auto it = variables_.find(name);
            return it == variables_.end() ? nullptr : it->second.c_str();
        };
    }

    std::string folder_;
    std::map<std::string, std::string> variables_;
};

TEST_F(ncclFiles, overlayMergesPortsOfACardAndRealBridges) {
    machine host;
    for (const char *address : {"0000:8b:00.0", "0000:8c:00.0", "0000:8c:00.1", "0000:80:01.0"}) {
        host.pci[address].address = address;
        host.pci[address].classCode = 0x010000;
        host.pci[address].numaNode = 0;
    }
    host.pci["0000:8c:00.1"].parent = "0000:80:01.0";
    host.gpus.push_back({"0000:8b:00.0", gpuVendor_t::NVIDIA, 0, ""});
    for (const char *name : {"mlx5_4", "mlx5_5"}) {
        rdmaNic nic;
        nic.name = name;
        nic.pci = std::string("0000:8c:00.") + (nic.name == "mlx5_4" ? "0" : "1");
        nic.ports.resize(1);
        host.nics.push_back(nic);
    }
    const std::string path =
        write("dump.xml", std::string("<system version='1'>") + dump + "</system>");
    const ncclOverlay matched = applyNcclTopology(host, path);
    EXPECT_EQ(matched.nics, 2u);
    EXPECT_EQ(host.pci.at("0000:8c:00.1").parent, "0000:89:00.0");
    EXPECT_EQ(host.pci.at("0000:8c:00.1").address, "0000:8c:00.1");
    EXPECT_EQ(host.nics[1].numaNode, 1);
    EXPECT_EQ(host.nics[1].ports.at(0).rateGbps, 400);
    EXPECT_EQ(host.pci.count("0000:80:01.0"), 0u); // above nothing any more
    EXPECT_EQ(host.pci.at("0000:8b:00.0").classCode, 0x010000u);
}

TEST_F(ncclFiles, placesAloneAreEnough) {
    // Files such as AWS's for g5 have no class at all.
    const std::string path =
        write("g5.xml",
              "<system version='1'><cpu numaid='0'><pci busid='0001:00:00.0'/></cpu>"
              "<cpu numaid='1'><pci busid='0101:00:00.0'/></cpu></system>");
    machine host = flatNdv4();
    const ncclOverlay matched = applyNcclTopology(host, path);
    EXPECT_EQ(matched.gpus, 1u);
    EXPECT_EQ(matched.nics, 1u);
    EXPECT_EQ(host.gpus[0].numaNode, 0);
    EXPECT_EQ(host.pci.at("0001:00:00.0").classCode, 0x030200u);
    EXPECT_EQ(host.pci.at("0001:00:00.0").linkGtps, 8);
}

TEST_F(ncclFiles, unknownNumaNodesDoNotReplaceKnownOnes) {
    machine host = flatNdv4();
    host.gpus[0].numaNode = 3;
    host.pci.at("0001:00:00.0").numaNode = 3;
    const std::string path = write(
        "x.xml", "<system version='1'><cpu numaid='-1'><pci busid='0001:00:00.0'/></cpu></system>");
    EXPECT_EQ(applyNcclTopology(host, path).gpus, 1u);
    EXPECT_EQ(host.gpus[0].numaNode, 3);
}

TEST_F(ncclFiles, brokenFilesLeaveTheMachineAlone) {
    machine host = flatNdv4();
    const std::string truncated = write("truncated.xml", "<system version='1'><cpu numaid='0'>");
    EXPECT_THROW(applyNcclTopology(host, truncated), std::invalid_argument);
    EXPECT_THROW(applyNcclTopology(host, folder_ + "/absent.xml"), std::invalid_argument);
    EXPECT_THROW(applyNcclTopology(host, dataFile("hwloc-aws-p4d.24xl")), std::invalid_argument);
    EXPECT_TRUE(host.isFlat);
    EXPECT_EQ(host.pci.size(), flatNdv4().pci.size());
}

TEST_F(ncclFiles, findsTheFileWhereNcclDoes) {
    EXPECT_FALSE(findNcclTopology(environment(), folder_));

    const std::string fallback = write(nccl_default_topology + 1, "<x/>");
    EXPECT_EQ(findNcclTopology(environment(), folder_)->path, fallback);
    EXPECT_TRUE(findNcclTopology(environment(), folder_)->isDefault);

    const std::string etc = write("etc/nccl.conf",
                                  "# comment\nNCCL_DEBUG=INFO\nNCCL_TOPO_FILE=/opt/etc.xml\r\n"
                                  "NCCL_TOPO_FILE=/opt/second.xml\n");
    auto found = findNcclTopology(environment(), folder_);
    EXPECT_EQ(found->path, "/opt/etc.xml");
    EXPECT_EQ(found->namedBy, "NCCL_TOPO_FILE=/opt/etc.xml in " + etc);
    EXPECT_FALSE(found->isDefault);

    variables_["HOME"] = folder_ + "/home";
    write("home/.nccl.conf", "NCCL_TOPO_FILE=/opt/home.xml");
    EXPECT_EQ(findNcclTopology(environment(), folder_)->path, "/opt/home.xml");

    variables_["NCCL_CONF_FILE"] = write("own.conf", "#NCCL_TOPO_FILE=/no\nNCCL_TOPO_FILE_X=1\n");
    EXPECT_EQ(findNcclTopology(environment(), folder_)->path, "/opt/etc.xml");

    variables_["NCCL_TOPO_FILE"] = "/opt/direct.xml";
    found = findNcclTopology(environment(), folder_);
    EXPECT_EQ(found->path, "/opt/direct.xml");
    EXPECT_EQ(found->namedBy, "NCCL_TOPO_FILE=/opt/direct.xml");

    variables_["NCCL_TOPO_FILE"] = "";
    EXPECT_EQ(findNcclTopology(environment(), folder_)->path, "/opt/etc.xml");
}

TEST_F(ncclFiles, theEnvironmentsFileIsAppliedOrWarnedAbout) {
    variables_["NCCL_TOPO_FILE"] = dataFile("nccl-azure-ndv4");
    machine host = flatNdv4();
    applyNcclEnvironment(host, environment(), folder_);
    EXPECT_FALSE(host.isFlat);
    EXPECT_TRUE(host.warnings.empty());
    EXPECT_EQ(host.ncclTopology, dataFile("nccl-azure-ndv4"));

    const auto warning = [this](const std::string &path) {
        variables_["NCCL_TOPO_FILE"] = path;
        machine flat = flatNdv4();
        applyNcclEnvironment(flat, environment(), folder_);
        EXPECT_TRUE(flat.isFlat);
        EXPECT_EQ(flat.ncclTopology, "");
        return flat.warnings.size() == 1 ? flat.warnings[0] : std::string("no warning");
    };
    EXPECT_EQ(warning("/no/such.xml"),
              "NCCL_TOPO_FILE=/no/such.xml: cannot be opened: No such file or directory; the PCIe "
              "tree is taken from sysfs alone");
    const std::string broken = write("broken.xml", "<system version='1'>\n<cpu>");
    EXPECT_EQ(warning(broken).find("NCCL_TOPO_FILE=" + broken + ": "), 0u);
    EXPECT_NE(warning(broken).find("ends inside <cpu>"), std::string::npos);
    EXPECT_NE(warning(dataFile("nccl-aws-p4d")).find("lists none of this machine's"),
              std::string::npos);
}

TEST_F(ncclFiles, nothingIsSaidWhereNothingIsNamed) {
    machine host = flatNdv4();
    applyNcclEnvironment(host, environment(), folder_);
    EXPECT_TRUE(host.warnings.empty());
    EXPECT_TRUE(host.isFlat);
}

} // namespace
