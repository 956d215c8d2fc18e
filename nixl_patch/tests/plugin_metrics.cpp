// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The file of stripe_metrics: its text, who stands in it, and what happens where it cannot be
// written.
#include "errors.h"
#include "plugin/log.h"
#include "plugin/metrics_file.h"
#include "plugin_fixture.h"
#include "policy/metrics_path.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <dirent.h>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace nixlStripe::testing {
namespace {

    std::string
    textOf(const std::string &path) {
        std::ifstream file(path);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    int
    threads() {
        int found = 0;
        DIR *tasks = opendir("/proc/self/task");
        while (readdir(tasks) != nullptr) {
            ++found;
        }
        closedir(tasks);
        return found;
    }

    /** Whether there are soon @p wanted: the kernel lists a thread for a while after its join. */
    bool
    areThreadsSoon(int wanted) {
        for (int looks = 0; threads() != wanted; ++looks) {
            if (looks == 2000) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return true;
    }

    /** The number of threads once it has not changed for a while. */
    int
    settledThreads() {
        int found = threads();
        for (int same = 0; same < 40; ++same) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            if (const int now = threads(); now != found) {
                found = now;
                same = 0;
            }
        }
        return found;
    }

    class MetricsFile : public ::testing::Test {
    protected:
        MetricsFile() {
            std::string pattern =
                (std::filesystem::temp_directory_path() / "nixl-stripe-XXXXXX").string();
            folder = mkdtemp(pattern.data());
            path = folder / "job.prom";
        }

        ~MetricsFile() override {
            std::filesystem::remove_all(folder);
        }

        static agentMetrics
        agent(const std::string &name) {
            agentMetrics made;
            made.name = name;
            made.devices = {"mlx5_0:1", "mlx5_1:1"};
            made.rails = 2;
            made.settings = {{"MAX_RMA_RAILS", "2"}};
            made.ucxVersion = "1.23.0";
            made.book = std::make_shared<account>(
                std::map<std::string, double>{{"mlx5_0:1", 1}, {"mlx5_1:1", 1}, {"eth0", 1}}, 0, 2);
            return made;
        }

        /** A spare engine of an agent, which has carried something. */
        static agentMetrics
        spareOf(const std::string &name) {
            agentMetrics spare = agent(name);
            spare.devices = {"mlx5_0:1"};
            spare.rails = 1;
            spare.earlier.account.nics["mlx5_0:1"].out = 4096;
            spare.earlier.account.operations = 5;
            spare.earlier.account.peers = 1;
            spare.earlier.losses.resumes = 2;
            spare.earlier.losses.nics["mlx5_0:1"].lost = 1;
            return spare;
        }

        /** Why an agent cannot stand in @p file. */
        static std::string
        problemOf(const std::string &file) {
            try {
                const agentInFile one(file, agent("one"));
            } catch (const std::runtime_error &error) {
                return error.what();
            }
            return "";
        }

        bool
        holds(const std::string &part) const {
            return textOf(path).find(part) != std::string::npos;
        }

        std::filesystem::path folder;
        std::string path;
    };

    TEST(MetricsPath, standsForProcessAndHost) {
        EXPECT_EQ(metricsPath("k", "/run/%h/%p-100%%.prom", "12", "node7"),
                  "/run/node7/12-100%.prom");
        EXPECT_EQ(metricsPath("k", "", "12", "node7"), "");
        expectIn("k='/run/%q.prom': accepted: an absolute path",
                 textOfError([] { metricsPath("k", "/run/%q.prom", "12", "h"); }));
    }

    TEST(MetricsText, noTwoProcessesOfAMachineHaveOneName) {
        writingProcess process;
        process.id = 1;
        EXPECT_EQ(processText(process), "1") << "a sandbox that tells no namespace";
        process.pidNamespace = 4026531836;
        EXPECT_EQ(processText(process), "1") << "the host's own";
        process.pidNamespace = 4026532345;
        EXPECT_EQ(processText(process), "1-4026532345");
    }

    TEST(Log, aLineHoldsNothingThatATerminalObeys) {
        ::testing::internal::CaptureStderr();
        log(logLevel_t::WARN, "metrics in /tmp/\x1b[2J\u009b2J\nW1127 a line of another's.prom");
        log(logLevel_t::WARN, "metrics in /tmp/\u00fc.prom");
        const std::string said = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2);
        EXPECT_EQ(said.find('\x1b'), std::string::npos);
        EXPECT_NE(said.find("/tmp/\\x1b[2J\\x9b2J\\x0aW1127 a line"), std::string::npos) << said;
        EXPECT_NE(said.find("/tmp/\u00fc.prom\n"), std::string::npos) << said;
    }

    TEST(MetricsText, labelsAreOneLineOfText) {
        EXPECT_EQ(labelText("w\"0\\\n\t"), "w\\\"0\\\\  ");
        EXPECT_EQ(labelText("\xff\x01z"), "??z");
        EXPECT_EQ(labelText(std::string(200, 'x')).size(), 128U);
    }

    TEST_F(MetricsFile, hasAnAgentAsLongAsItLives) {
        // With a process's first thread ThreadSanitizer starts one of its own, which stays.
        std::thread([] {}).join();
        const int before = settledThreads();
        {
            const agentInFile one(path, agent("one"));
            EXPECT_TRUE(holds("nixl_stripe_agent_planned_nics{agent_name=\"one\"} 2\n"));
            EXPECT_TRUE(holds("_intended_bytes_total{agent_name=\"one\",nic=\"mlx5_0\",direction="
                              "\"out\"} 0\n"));
            EXPECT_FALSE(holds("eth0")) << "neither planned nor used";
            EXPECT_TRUE(holds("pid=\"" + std::to_string(getpid()) + "\""));
            EXPECT_TRUE(areThreadsSoon(before + 1));
            {
                const agentInFile two(path, agent("two"));
                EXPECT_TRUE(holds("agent_name=\"one\""));
                EXPECT_TRUE(holds("agent_name=\"two\""));
                EXPECT_TRUE(areThreadsSoon(before + 1)) << "one thread for all";
            }
            std::filesystem::remove(path);
            const agentInFile third(path, agent("third"));
            EXPECT_FALSE(holds("agent_name=\"two\"")) << "it is gone";
        }
        EXPECT_TRUE(areThreadsSoon(before));
        EXPECT_TRUE(holds("agent_name=\"one\"")) << "the last one's figures stay";
        EXPECT_EQ(textOf(path).substr(textOf(path).size() - 6), "# EOF\n");
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
    }

    TEST_F(MetricsFile, agentsOfOneNameAreOne) {
        const agentInFile one(path, agent("same"));
        const agentInFile two(path, agent("same"));
        const std::string text = textOf(path);
        const std::string name = "nixl_stripe_agent_rails{";
        EXPECT_EQ(text.find(name, text.find(name) + 1), std::string::npos);
    }

    TEST_F(MetricsFile, resumesAreOfAgentsThatResume) {
        agentMetrics resuming = agent("resuming");
        const auto losses = std::make_shared<lossBook>(resuming.devices);
        losses->resumed({});
        losses->resumed({"mlx5_1:1"});
        losses->resumed({"mlx5_1:1", "mlx5_0:1"});
        losses->back({"mlx5_1:1"});
        resuming.losses = losses;
        const agentInFile one(path, resuming);
        const agentInFile two(path, agent("two"));
        EXPECT_TRUE(holds("nixl_stripe_agent_resumes_total{agent_name=\"resuming\"} 3\n"));
        const std::string nic = "{agent_name=\"resuming\",nic=\"mlx5_";
        EXPECT_TRUE(holds("nixl_stripe_agent_nic_losses_total" + nic + "0\"} 1\n"));
        EXPECT_TRUE(holds("nixl_stripe_agent_nic_losses_total" + nic + "1\"} 2\n"));
        EXPECT_TRUE(holds("nixl_stripe_agent_nic_returns_total" + nic + "0\"} 0\n"));
        EXPECT_TRUE(holds("nixl_stripe_agent_nic_returns_total" + nic + "1\"} 1\n"));
        EXPECT_FALSE(holds("resumes_total{agent_name=\"two\"}"));
        EXPECT_FALSE(holds("nic_losses_total{agent_name=\"two\""));
    }

    TEST_F(MetricsFile, noCounterFallsWhenASpareEnds) {
        const agentInFile first(path, agent("same"));
        const agentInFile other(path, agent("other"));
        for (unsigned ended = 1; ended <= 2; ++ended) {
            {
                const agentInFile spare(path, spareOf("same"));
                EXPECT_TRUE(holds("_rails{agent_name=\"same\"} 2\n")) << "the first one's";
                EXPECT_TRUE(holds("_peers{agent_name=\"same\"} 1\n"));
            }
            const agentInFile third(path, agent("third")); // which has the file written
            EXPECT_TRUE(holds("_operations_total{agent_name=\"same\"} " +
                              std::to_string(5 * ended) + '\n'));
            EXPECT_TRUE(holds("_intended_bytes_total{agent_name=\"same\",nic=\"mlx5_0\",direction="
                              "\"out\"} " +
                              std::to_string(4096 * ended) + '\n'));
            EXPECT_TRUE(
                holds("_resumes_total{agent_name=\"same\"} " + std::to_string(2 * ended) + '\n'));
            EXPECT_TRUE(holds("_nic_losses_total{agent_name=\"same\",nic=\"mlx5_0\"} " +
                              std::to_string(ended) + '\n'));
            EXPECT_TRUE(holds("_peers{agent_name=\"same\"} 0\n")) << "what is closed is not open";
            EXPECT_TRUE(holds("_operations_total{agent_name=\"other\"} 0\n"));
        }
    }

    TEST_F(MetricsFile, theNextAgentOfANameBeginsAnewBadFlow) {
        {
            const agentInFile one(path, spareOf("same"));
        }
        EXPECT_TRUE(holds("_operations_total{agent_name=\"same\"} 5\n")) << "its last figures";
        const agentInFile next(path, agent("same"));
        EXPECT_TRUE(holds("_operations_total{agent_name=\"same\"} 0\n"));
    }

    TEST_F(MetricsFile, isWrittenAnewMeanwhile) {
        const agentInFile one(path, agent("one"));
        std::filesystem::remove(path);
        for (int i = 0; i < 600 && !std::filesystem::exists(path); ++i) {
            usleep(50000);
        }
        EXPECT_TRUE(holds("agent_name=\"one\""));
    }

    TEST_F(MetricsFile, aKilledProcessDoesNotStandInTheWay) {
        std::ofstream(path + "." + processText(thisProcess())) << "half a te";
        const agentInFile one(path, agent("one"));
        EXPECT_TRUE(holds("# EOF\n"));
    }

    /** Whether another user, who has nothing here, can have an agent stand in @p path. */
    bool
    canOtherStart(const std::string &path, const agentMetrics &agent) {
        const pid_t child = fork();
        if (child == 0) {
            constexpr uid_t other = 65534;
            try {
                if (setuid(other) != 0) {
                    _exit(2);
                }
                const agentInFile one(path, agent);
            } catch (const std::runtime_error &) {
                _exit(1);
            }
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        return status == 0;
    }

    TEST_F(MetricsFile, aStrangersNameInASharedFolderStopsNobody) {
        if (geteuid() != 0) {
            GTEST_SKIP() << "only root has files of two users";
        }
        constexpr auto shared = static_cast<std::filesystem::perms>(01777);
        std::filesystem::permissions(folder, shared);
        EXPECT_TRUE(canOtherStart((folder / "free.prom").string(), agent("one")));
        std::ofstream(path) << "taken";
        EXPECT_TRUE(canOtherStart(path, agent("one")));
        EXPECT_EQ(textOf(path), "taken");
        std::filesystem::permissions(folder, std::filesystem::perms(0755));
        EXPECT_FALSE(canOtherStart(path, agent("one")))
            << "a name of its owner's own, which may be a slip";
    }

    TEST_F(MetricsFile, aForkedChildLeavesItAlone) {
        auto one = std::make_unique<agentInFile>(path, agent("one"));
        const pid_t child = fork();
        if (child == 0) {
            std::filesystem::remove(path);
            one.reset();
            const bool is_left = !std::filesystem::exists(path);
            _exit(is_left ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }

    TEST_F(MetricsFile, whereItCannotBeWrittenNothingIsLeftBadFlow) {
        const int before = settledThreads();
        expectIn("No such file or directory", problemOf((folder / "no/x.prom").string()));
        std::filesystem::create_directory(path);
        expectIn("irectory", problemOf(path));
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
        EXPECT_TRUE(areThreadsSoon(before));
    }

    TEST_F(MetricsFile, aFolderThatComesLaterIsWrittenInto) {
        const std::filesystem::path later = folder / "later";
        path = (later / "x.prom").string();
        const agentInFile one(path, agent("one"), unwritable_t::TRY_AGAIN);
        EXPECT_FALSE(std::filesystem::exists(path));
        std::filesystem::create_directory(later);
        for (int i = 0; i < 600 && !std::filesystem::exists(path); ++i) {
            usleep(50000);
        }
        EXPECT_TRUE(holds("agent_name=\"one\""));
    }

    /** Signals that a thread of this process blocks, as /proc has them; 0: there is none. */
    unsigned long long
    blockedBy(const std::string &thread) {
        for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
            if (textOf((task.path() / "comm").string()) == thread + "\n") {
                const std::string status = textOf((task.path() / "status").string());
                return std::stoull(status.substr(status.find("SigBlk:\t") + 8, 16), nullptr, 16);
            }
        }
        return 0;
    }

    TEST_F(MetricsFile, theThreadTakesNoSignals) {
        const agentInFile one(path, agent("one"));
        unsigned long long blocked = 0;
        for (int i = 0; i < 600 && blocked == 0; ++i) { // it names itself when it begins
            blocked = blockedBy("nixl-stripe");
            usleep(10000);
        }
        EXPECT_NE(blocked >> (SIGINT - 1) & 1, 0U);
    }

} // namespace
} // namespace nixlStripe::testing
