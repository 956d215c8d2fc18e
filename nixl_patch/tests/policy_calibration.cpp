// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "hosts.h"
#include "policy/calibration.h"
#include "policy/calibration_file.h"
#include "policy/ceiling.h"
#include "policy/selection.h"

#include <gtest/gtest.h>
#include <memory>

using namespace nixlStripe;

namespace {

using names = std::vector<std::string>;

const char *const first_gpu = "0000:13:00.0";
const names all_four = {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1", "mlx5_3:1"};

const std::string good = "nixl-stripe calibration 1\n"
                         "# made by a test\n"
                         "cpu intel 6 143\n"
                         "nic mlx5_0:1 0000:14:00.0 15b3:1021 400\n"
                         "nic eth0 - - 0\n"
                         "gpu 0000:13:00.0 10de:2330\n"
                         "set host 377.5 380 mlx5_0:1\n"
                         "set 0000:13:00.0 151 148.25 eth0,mlx5_0:1\n"
                         "set host 9.5 - eth0\n";

void
add(calibration &to, const std::string &memory, const names &devices, double gbps) {
    to.sets.push_back({memory, devices, gbps, gbps});
}

/** Four equal NICs, of which mlx5_3 carries a quarter, from host memory. */
calibration
slowOne(const machine &host) {
    calibration made = calibrationOf(host, all_four);
    for (const std::string &each : all_four) {
        add(made, "", {each}, each == "mlx5_3:1" ? 100 : 390);
    }
    add(made, "", all_four, 400);
    add(made, "", {"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}, 1150);
    return made;
}

selection
best(const machine &host, const calibration &measured, std::optional<std::string> gpu = {}) {
    stripeRequest request;
    request.stripe = "best";
    request.gpuPci = std::move(gpu);
    request.measured = std::make_shared<const calibration>(measured);
    return selectNics(host, request);
}

/** Without GPUs, so that host memory is no guess that is warned of. */
machine
fourNics() {
    return plainHost(4);
}

std::string
errorOf(const std::string &text) {
    return textOfError([&] { parseCalibration("file", text); });
}

std::string
replaced(const std::string &what, const std::string &by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
}

} // namespace

TEST(Calibration, isReadAndWrittenTheSame) {
    const calibration read = parseCalibration("file", good);
    EXPECT_EQ(read.cpu.kind, cpuKind_t::INTEL);
    ASSERT_EQ(read.nics.size(), 2U);
    EXPECT_EQ(read.nics[0].model, "15b3:1021");
    EXPECT_EQ(read.nics[1].pci, "");
    ASSERT_EQ(read.sets.size(), 3U);
    EXPECT_EQ(read.sets[1].memory, first_gpu);
    EXPECT_DOUBLE_EQ(read.sets[1].gbps(), 148.25);
    EXPECT_DOUBLE_EQ(read.find("", {"mlx5_0:1"})->writeGbps, 377.5);
    EXPECT_DOUBLE_EQ(read.find("", {"eth0"})->gbps(), 9.5) << "of which no READ was measured";
    EXPECT_EQ(read.find(first_gpu, {"eth0"}), nullptr);
    std::string expected = good;
    expected.erase(expected.find('#'), expected.find("cpu") - expected.find('#'));
    EXPECT_EQ(calibrationText(read), expected);
}

TEST(Calibration, whatIsNotOneIsRefused) {
    expectIn("'nixl-stripe calibration 1'", errorOf(replaced("calibration 1", "calibration 2")));
    expectIn("file, line 3: 'cpu x86 6 143'", errorOf(replaced("cpu intel", "cpu x86")));
    for (const std::string &bad :
         {std::string(),
          std::string("\n"),
          good.substr(0, good.size() - 1),
          good + "\n",
          good + "more\n",
          replaced("cpu intel 6 143", "cpu intel 6 -1"),
          replaced("cpu intel 6 143", "cpu intel 6 65536"),
          replaced("cpu intel 6 143\n", ""),
          replaced("cpu intel 6 143", "cpu intel 6 143\ncpu intel 6 143"),
          replaced("nic eth0", "nic mlx5_0:1"),
          replaced("eth0 - - 0", "eth0 - - nan"),
          replaced("eth0 - - 0", "eth0 - - -1"),
          replaced("eth0 - - 0", "eth0 - - 1e9"),
          replaced("eth0 - - 0", "eth0 - - 0x10"),
          replaced("eth0 - - 0", "eth0 - -  0"),
          replaced("eth0 - - 0", "eth\x01 - - 0"),
          replaced("eth0 - - 0", "- - - 0"),
          replaced("0000:14:00.0", "14:00.0"),
          replaced("15b3:1021", "15b3:10210"),
          replaced("15b3:1021", "15b3 1021"),
          replaced("gpu 0000:13:00.0", "gpu -"),
          replaced("gpu 0000:13:00.0 10de:2330\n", ""),
          replaced("set host 377.5", "set host 0"),
          replaced("set host 377.5", "set host inf"),
          replaced("set host 377.5", "set host -"),
          replaced("377.5 380", "377.5 0"),
          replaced("set host 377.5 380 mlx5_0:1", "set host 377.5 380 mlx5_1:1"),
          replaced("set host 377.5 380 mlx5_0:1", "set host 377.5 380 mlx5_0:1,mlx5_0:1"),
          replaced("set host 377.5 380 mlx5_0:1", "set host 377.5 380 mlx5_0:1,"),
          replaced("set host 377.5 380 mlx5_0:1", "set host 1 1 mlx5_0:1\nset host 2 2 mlx5_0:1"),
          std::string(max_calibration_bytes + 1, '#')}) {
        expectIn("accepted: ", errorOf(bad));
    }
}

TEST(Calibration, bestLeavesOutTheNicThatHoldsUpTheOthers) {
    const machine host = fourNics();
    const calibration measured = slowOne(host);
    const selection chosen = best(host, measured);
    EXPECT_TRUE(chosen.areMeasured);
    EXPECT_EQ(chosen.devices, (names{"mlx5_0:1", "mlx5_1:1", "mlx5_2:1"}));
    EXPECT_EQ(chosen.excluded.at("mlx5_3"),
              "measured: the set carries 1150 Gbit/s without it and 400 Gbit/s with it");
    EXPECT_DOUBLE_EQ(*evenGbps(host, all_four, std::nullopt, &measured), 400);
    EXPECT_DOUBLE_EQ(*evenGbps(host, {"mlx5_0:1", "mlx5_1:1"}, std::nullopt, &measured), 780);
}

TEST(Calibration, withoutOneTheSlowNicIsTaken) {
    stripeRequest request;
    request.stripe = "best";
    const selection chosen = selectNics(fourNics(), request);
    EXPECT_EQ(chosen.devices, all_four);
    EXPECT_FALSE(chosen.areMeasured);
}

TEST(Calibration, aSetCountsWithTheNicsThatAreLeft) {
    machine host = fourNics();
    const calibration measured = slowOne(host);
    host.nics[0].ports[0].state = portState_t::DOWN;
    EXPECT_EQ(best(host, measured).devices, (names{"mlx5_1:1", "mlx5_2:1"}));
}

TEST(Calibration, ofSetsThatCarryTheSameTheSmallestIsTaken) {
    const machine host = fourNics();
    calibration measured = calibrationOf(host, all_four);
    add(measured, "", all_four, 800);
    add(measured, "", {"mlx5_1:1", "mlx5_2:1"}, 795);
    EXPECT_EQ(best(host, measured).devices, (names{"mlx5_1:1", "mlx5_2:1"}));
    measured.sets[1].readGbps = 700; // the lesser of the two counts
    EXPECT_EQ(best(host, measured).devices, all_four);
}

TEST(Calibration, aGpuThatWasNotMeasuredGoesByTheLinksAndByWhatEachNicCarriedAlone) {
    const machine host = switchedHost(1, 1, 4);
    calibration measured = calibrationOf(host, all_four);
    EXPECT_EQ(best(host, measured, first_gpu).devices.size(), 2U) << "of a link for 504 Gbit/s";
    for (const std::string &each : all_four) {
        add(measured, "", {each}, each == "mlx5_0:1" ? 100 : 390);
    }
    EXPECT_EQ(best(host, measured, first_gpu).devices, (names{"mlx5_1:1", "mlx5_2:1"}));
    add(measured, first_gpu, {"mlx5_3:1"}, 300);
    EXPECT_EQ(best(host, measured, first_gpu).devices, names{"mlx5_3:1"});
}

TEST(Calibration, holdsWhereThingsAreAsTheyWere) {
    const machine host = fourNics();
    const calibration measured = slowOne(host);
    const auto warned = [&](const machine &now) {
        const selection chosen = best(now, measured);
        EXPECT_FALSE(chosen.areMeasured);
        EXPECT_EQ(chosen.warnings.size(), 1U);
        return chosen.warnings.empty() ? "" : chosen.warnings[0];
    };
    machine other = host;
    other.cpu = {cpuKind_t::AMD, 25, 1};
    expectIn("the CPUs are amd 25 1, they were unknown 0 0", warned(other));
    other = host;
    other.nics[1].ports[0].rateGbps = 200;
    for (rdmaNic &nic : other.nics) {
        nic.ports[0].rateGbps = 200;
    }
    expectIn("mlx5_0:1 is - - 200 Gbit/s, it was - - 400 Gbit/s", warned(other));
    expectIn("mlx5_4:1 was not measured", warned(plainHost(5)));
    EXPECT_TRUE(best(plainHost(3), measured).areMeasured) << "a container that sees fewer";
    machine moved = switchedHost(2, 1, 2);
    const calibration of_moved = calibrationOf(moved, all_four);
    EXPECT_EQ(whyNotOf(of_moved, moved, {}), "");
    moved.gpus[0].pci = "0000:99:00.0";
    expectIn("GPU 0000:99:00.0 (-) was not there", whyNotOf(of_moved, moved, {}));
    moved.gpus.clear();
    moved.nics[0].pci = "0000:77:00.0";
    const nicPort at = {moved.nics.data(), 1, 400};
    expectIn("mlx5_0:1 is 0000:77:00.0", whyNotOf(of_moved, moved, {at}));
}

TEST(Calibration, ofDevicesThatAreThere) {
    expectIn("is called 'mlx5_9:1'", textOfError([] { calibrationOf(fourNics(), {"mlx5_9:1"}); }));
}

TEST(CalibrationFile, placesWithoutAWord) {
    EXPECT_EQ(defaultCalibrations({{"HOME", "/home/me"}}),
              (names{"/home/me/.config/nixl-stripe/calibration", "/etc/nixl-stripe/calibration"}));
    EXPECT_EQ(defaultCalibrations({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}})[0],
              "/x/nixl-stripe/calibration");
    EXPECT_EQ(defaultCalibrations({{"HOME", "relative"}}).size(), 1U);
}

TEST(CalibrationFile, aDefaultThatIsDamagedIsAWarningANamedOneAnError) {
    names warnings;
    const environment_t environment = {{"HOME", "/h"}};
    const auto damaged = [](const std::string &) { return std::optional<std::string>("?"); };
    EXPECT_EQ(readCalibration({}, &environment, damaged, warnings), nullptr);
    ASSERT_EQ(warnings.size(), 1U);
    expectIn("calibration not used: /h/.config/nixl-stripe/calibration, line 1", warnings[0]);
    const parameterValue named = {"/c", "stripe_calibration", false};
    expectIn("stripe_calibration='/c': /c, line 1",
             textOfError([&] { readCalibration(named, nullptr, damaged, warnings); }));
    const auto nothing = [](const std::string &) { return std::optional<std::string>(); };
    expectIn("there is no such file",
             textOfError([&] { readCalibration(named, nullptr, nothing, warnings); }));
    EXPECT_EQ(readCalibration({}, &environment, nothing, warnings), nullptr);
    EXPECT_EQ(readCalibration({}, nullptr, damaged, warnings), nullptr) << "of another machine";
    const parameterValue off = {"off", "stripe_calibration", false};
    EXPECT_EQ(readCalibration(off, &environment, damaged, warnings), nullptr);
    EXPECT_EQ(warnings.size(), 1U);
}

TEST(CalibrationFile, valuesOfTheParameter) {
    for (const char *value : {"", "off", "/etc/file"}) {
        EXPECT_EQ(textOfError([&] { checkCalibrationPath("key", value); }), "");
    }
    for (const char *value : {"on", "file", "~/file"}) {
        expectIn("an absolute path", textOfError([&] { checkCalibrationPath("key", value); }));
    }
}
