// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** Big files: refused by name when over a limit, and read in linear time below it. */
#include "policy/fair.h"
#include "policy/parameters.h"
#include "tests/errors.h"
#include "topology/distance.h"
#include "topology/hwloc.h"
#include "topology/limits.h"
#include "topology/nccl.h"
#include "topology/normalize.h"
#include "topology/xml.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <functional>
#include <gtest/gtest.h>
#include <ostream>
#include <string>

namespace {

using namespace nixlStripe;

std::string
address(std::size_t number) {
    char text[32];
    std::snprintf(text, sizeof text, "%04zx:%02zx:00.0", number / 256 + 1, number % 256);
    return text;
}

std::string
repeated(std::size_t times, const std::function<std::string(std::size_t)> &part) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) {
        text += part(i);
    }
    return text;
}

std::string
nccl(const std::string &inside) {
    return "<system version=\"1\"><cpu numaid=\"-1\">" + inside + "</cpu></system>";
}

std::string
hwloc(const std::string &inside) {
    return "<topology version=\"2.0\"><object type=\"Machine\" cpuset=\"0x1\">" + inside +
           "</object></topology>";
}

std::string
hwlocFunction(const std::string &inside) {
    return hwloc("<object type=\"Bridge\"><object type=\"PCIDev\" pci_busid=\"0000:1b:00.0\">" +
                 inside + "</object></object>");
}

machine
readText(const std::string &text) {
    const xmlElement root = parseXml(text, "big.xml");
    return isHwloc(root) ? machineFromHwloc(root, "big.xml") : machineFromNccl(root, "big.xml");
}

std::string
nets(std::size_t count) {
    return nccl("<nic>" +
                repeated(count,
                         [](std::size_t i) {
                             return "<net name=\"m" + std::to_string(i) + "\" speed=\"1\"/>";
                         }) +
                "</nic>");
}

std::string
mergedNets(std::size_t count) {
    return nccl("<nic><net speed=\"1\" name=\"" +
                repeated(count, [](std::size_t i) { return "+a" + std::to_string(i); }) +
                "\"/></nic>");
}

std::string
functions(std::size_t gpus, std::size_t nics) {
    return nccl(repeated(gpus,
                         [](std::size_t i) {
                             return "<pci busid=\"" + address(i) +
                                    "\" class=\"0x030200\" vendor=\"0x10de\"><gpu/></pci>";
                         }) +
                repeated(nics, [gpus](std::size_t i) {
                    return "<pci busid=\"" + address(gpus + i) +
                           "\" class=\"0x020700\" vendor=\"0x15b3\"/>";
                }));
}

/** NICs with so many ports each, which have so many GIDs each. */
std::string
gids(std::size_t nics, std::size_t ports, std::size_t each) {
    const auto port = [each](std::size_t p) {
        const std::string name = "<info name=\"Port" + std::to_string(p + 1);
        return name + "State\" value=\"4\"/>" + repeated(each, [&name](std::size_t g) {
                   return name + "GID" + std::to_string(g) + "\" value=\"fe80::1\"/>";
               });
    };
    return hwlocFunction(repeated(nics, [&](std::size_t n) {
        return "<object type=\"OSDev\" name=\"mlx5_" + std::to_string(n) + "\" osdev_type=\"3\">" +
               repeated(ports, port) + "</object>";
    }));
}

std::string
osDevices(std::size_t interfaces, std::size_t nics) {
    const auto device = [](const char *name, const char *type) {
        return [=](std::size_t i) {
            return std::string("<object type=\"OSDev\" name=\"") + name + std::to_string(i) +
                   "\" osdev_type=\"" + type + "\"/>";
        };
    };
    return hwlocFunction(repeated(interfaces, device("e", "2")) + repeated(nics, device("m", "3")));
}

/** Groups inside one another, around NUMA nodes. */
std::string
numaNodes(std::size_t groups, std::size_t nodes) {
    return hwloc(
        repeated(groups, [](std::size_t) { return "<object type=\"Group\" cpuset=\"0x1\">"; }) +
        repeated(nodes,
                 [](std::size_t) {
                     return "<object type=\"NUMANode\" os_index=\"1\" cpuset=\"0x1\"/>";
                 }) +
        repeated(groups, [](std::size_t) { return "</object>"; }));
}

/** Bridges below one another, and functions below the last. */
std::string
bridges(std::size_t deep, std::size_t nics) {
    return nccl(repeated(deep,
                         [](std::size_t i) {
                             return "<pci busid=\"" + address(i) + "\" class=\"0x060400\">";
                         }) +
                repeated(nics,
                         [deep](std::size_t i) {
                             return "<pci busid=\"" + address(deep + i) +
                                    "\" class=\"0x020700\" vendor=\"0x15b3\"/>";
                         }) +
                repeated(deep, [](std::size_t) { return "</pci>"; }));
}

struct tooBig {
    const char *name;
    std::string text;
    const char *error; // what it must name
};

void
PrintTo(const tooBig &each, std::ostream *out) {
    *out << each.name;
}

class absurdFiles : public testing::TestWithParam<tooBig> {};

TEST_P(absurdFiles, areRefusedByTheLimitTheyExceed) {
    const std::string error = textOfError([&] { readText(GetParam().text); });
    expectIn("big.xml", error);
    expectIn(std::string("more than ") + GetParam().error, error);
}

INSTANTIATE_TEST_SUITE_P(
    limits,
    absurdFiles,
    testing::Values(tooBig{"nets", nets(max_nics + 1), "4096 RDMA NICs"},
                    tooBig{"mergedNets", mergedNets(max_nics + 1), "4096 RDMA NICs"},
                    tooBig{"gpus", functions(max_gpus + 1, 1), "512 GPUs"},
                    tooBig{"functions", functions(1, max_nics + 1), "4096 RDMA NICs"},
                    tooBig{"ports", gids(65, 255, 0), "16384 ports"},
                    tooBig{"gids", gids(2, 255, 130), "65536 GIDs"},
                    tooBig{"interfaces", osDevices(max_net_interfaces + 1, 1), "8192 network"},
                    tooBig{"rdmaDevices", osDevices(1, max_nics + 1), "4096 RDMA NICs"},
                    tooBig{"numaNodes", numaNodes(1, max_numa_node_count + 1), "1024 NUMA nodes"},
                    tooBig{"bridges", bridges(max_pci_depth + 1, 1), "64 PCI functions above"}),
    [](const testing::TestParamInfo<tooBig> &each) { return std::string(each.param.name); });

/** The same sizes right at the limits are read. */
TEST(limits, whatIsRightAtALimitIsRead) {
    EXPECT_EQ(readText(nets(max_nics)).nics.size(), max_nics);
    EXPECT_EQ(readText(mergedNets(max_nics)).nics.size(), max_nics);
    const machine both = readText(functions(max_gpus, max_nics));
    EXPECT_EQ(both.gpus.size(), max_gpus);
    EXPECT_EQ(both.nics.size(), max_nics);
    EXPECT_EQ(readText(osDevices(max_net_interfaces, max_nics)).netInterfaces.size(),
              max_net_interfaces);
    EXPECT_EQ(readText(numaNodes(200, max_numa_node_count)).numaNodes, std::vector<int>(1, 1));
    const machine deep = readText(bridges(max_pci_depth, 8));
    EXPECT_EQ(deep.pci.size(), max_pci_depth + 8);
}

/** CPU seconds of this thread that @p work takes, the least of several runs. */
double
cpuSeconds(const std::function<void()> &work) {
    double least = 1e9;
    double spent = 0;
    for (int run = 0; run < 3 || (run < 50 && spent < 0.2); ++run) {
        timespec before;
        timespec after;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        work();
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        const double seconds = static_cast<double>(after.tv_sec - before.tv_sec) +
                               static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-9;
        least = std::min(least, seconds);
        spent += seconds;
    }
    return least;
}

/** Of twice the size: 2.5 without sanitizers, whose allocator adds to it; the square would be 4. */
constexpr double most_growth = 3;

struct growing {
    const char *name;
    std::function<std::string(std::size_t)> text; // of a size; twice the size, twice the bytes
    std::size_t size;
};

void
PrintTo(const growing &each, std::ostream *out) {
    *out << each.name;
}

class growth : public testing::TestWithParam<growing> {};

TEST_P(growth, isLinear) {
    const std::string once = GetParam().text(GetParam().size);
    const std::string twice = GetParam().text(GetParam().size * 2);
    double one = 0;
    double two = 0;
    // A neighbour on the processor's caches weighs more on the larger file: more looks then. What
    // grows with the square stays at four times.
    for (int look = 0; look == 0 || (look < 5 && two > one * most_growth); ++look) {
        one = cpuSeconds([&] { readText(once); });
        two = cpuSeconds([&] { readText(twice); });
    }
    EXPECT_LE(two, one * most_growth)
        << one << " s for " << once.size() << " bytes, " << two << " s for " << twice.size();
}

INSTANTIATE_TEST_SUITE_P(
    files,
    growth,
    testing::Values(
        growing{"nets", nets, max_nics / 2},
        growing{"mergedNets", mergedNets, max_nics / 2},
        growing{"functions", [](std::size_t n) { return functions(n / 8, n); }, max_nics / 2},
        growing{"gids", [](std::size_t n) { return gids(1, n, 250); }, 120},
        growing{"osDevices", [](std::size_t n) { return osDevices(n, n); }, max_nics / 2},
        growing{"numaNodes", [](std::size_t n) { return numaNodes(200, n); }, 512},
        growing{"bridges", [](std::size_t n) { return bridges(60, n); }, max_nics / 2}),
    [](const testing::TestParamInfo<growing> &each) { return std::string(each.param.name); });

TEST(growth, ofTheFairShareIsLinearInThePairs) {
    const auto share = [](std::size_t nics) {
        const machine host = readText(functions(64, nics));
        std::vector<nicPort> ports;
        for (const rdmaNic &nic : host.nics) {
            ports.push_back({&nic, 1, 400});
        }
        return cpuSeconds([&] {
            const nicShares shares = dealNics(host, ports);
            ASSERT_EQ(shares.size(), 64u);
            EXPECT_EQ(shares.begin()->second.size(), nics / 64);
        });
    };
    const double one = share(max_nics / 2);
    EXPECT_LE(share(max_nics), one * most_growth) << one;
}

TEST(normalize, aCycleOfBridgesIsCutOnceAndNumaNodesComeDown) {
    machine host;
    for (const auto &[name, parent] : {std::pair{"a", "b"}, {"b", "c"}, {"c", "a"}, {"d", "c"}}) {
        pciNode node;
        node.address = name;
        node.parent = parent;
        host.pci[name] = node;
    }
    host.pci["c"].numaNode = 3;
    normalize(host);
    EXPECT_EQ(host.pci["a"].parent, "b");
    EXPECT_EQ(host.pci["b"].parent, "c");
    EXPECT_EQ(host.pci["c"].parent, "");
    for (const char *name : {"a", "b", "d"}) {
        EXPECT_EQ(host.pci[name].numaNode, 3) << name;
    }
}

} // namespace
