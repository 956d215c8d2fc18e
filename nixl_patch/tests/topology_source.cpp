// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/source.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

using namespace nixlStripe;

const std::string data = std::string(TEST_DATA) + "/topologies/";

std::string
failure(const std::string &path) {
    try {
        readMachine(path);
    } catch (const std::invalid_argument &error) {
        return error.what();
    }
    return "";
}

class source : public testing::Test {
protected:
    void
    SetUp() override {
        char name[] = "/tmp/nixl_stripe_source_XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        folder_ = name;
    }
    void
    TearDown() override {
        std::filesystem::remove_all(folder_);
        ::unsetenv("NCCL_TOPO_FILE");
    }

    std::string
    write(const std::string &text) {
        std::ofstream(folder_ + "/file", std::ios::binary) << text;
        return folder_ + "/file";
    }

    std::string folder_;
};

TEST_F(source, recognisesEachKind) {
    EXPECT_EQ(readMachine(data + "hwloc-aws-p5.48xl.xml").nics.size(), 32u);
    EXPECT_EQ(readMachine(data + "nccl-azure-ndv4.xml").nics.size(), 8u);
    std::filesystem::create_directories(folder_ + "/class/infiniband/mlx5_0/ports/1");
    const machine copy = readMachine(folder_);
    EXPECT_EQ(copy.nics.size(), 1u);
    EXPECT_FALSE(copy.isLive);
}

TEST_F(source, refusesWhatItIsNot) {
    const std::string missing = failure(folder_ + "/absent");
    EXPECT_NE(missing.find("/absent': No such file or directory"), std::string::npos) << missing;
    EXPECT_NE(missing.find("accepted: /sys or a copy of it"), std::string::npos) << missing;
    EXPECT_NE(failure(write("<graphs version='1'/>")).find("unknown kind, <graphs>"),
              std::string::npos);
    EXPECT_NE(failure(write("")).find("no element"), std::string::npos);
    EXPECT_NE(failure(write("mlx5_0\n")).find("text where"), std::string::npos);
}

TEST_F(source, refusesBinaryGarbage) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        std::string bytes(1 + random() % 4096, ' ');
        for (char &byte : bytes) {
            byte = static_cast<char>(random());
        }
        EXPECT_NE(failure(write(bytes)), "");
    }
}

TEST_F(source, refusesEveryTruncationOfARealFile) {
    std::ifstream file(data + "nccl-aws-p4d.xml");
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    ASSERT_GT(text.size(), 3000u);
    const std::size_t last = text.rfind('>');
    for (std::size_t length = 0; length <= last; length += 37) {
        EXPECT_NE(failure(write(text.substr(0, length))), "") << length;
    }
    EXPECT_EQ(failure(write(text.substr(0, last + 1))), "");
}

TEST_F(source, onlyTheLiveMachineTakesNcclsFile) {
    ::setenv("NCCL_TOPO_FILE", "/no/such/file.xml", 1);
    std::filesystem::create_directories(folder_ + "/class/infiniband");
    EXPECT_TRUE(readMachine(folder_).warnings.empty());
    EXPECT_TRUE(readMachine(data + "hwloc-aws-p5.48xl.xml").warnings.empty());
    const machine live = readMachine("/sys");
    ASSERT_EQ(live.warnings.size(), 1u);
    EXPECT_EQ(live.warnings[0].rfind("NCCL_TOPO_FILE=/no/such/file.xml: cannot be opened", 0), 0u);
}

} // namespace
