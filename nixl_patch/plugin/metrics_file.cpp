// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/metrics_file.h"

#include "plugin/log.h"
#include "topology/descriptor.h"
#include "topology/of_this_process.h"
#include "topology/periodic_thread.h"
#include "topology/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace nixlStripe {
namespace {

    [[noreturn]] void
    failWith(int reason) {
        throw std::runtime_error(std::strerror(reason));
    }

    int
    create(const std::string &path) {
        constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
        const int file = ::open(path.c_str(), flags, 0644);
        if (file >= 0 || errno != EEXIST) {
            return file;
        }
        ::unlink(path.c_str()); // of a process that had this number and was killed
        return ::open(path.c_str(), flags, 0644);
    }

    /** @return 0, or why not. */
    int
    fill(int file, const std::string &text) {
        std::size_t done = 0;
        while (done < text.size()) {
            const ssize_t more = ::write(file, text.data() + done, text.size() - done);
            if (more < 0 && errno != EINTR) {
                return errno;
            }
            done += more < 0 ? 0 : static_cast<std::size_t>(more);
        }
        return 0;
    }

    std::string
    draftOf(const std::string &path) {
        return path + '.' + processText(thisProcess());
    }

    /**
     * Whether somebody else has taken a name that is written here, in a folder where anybody may:
     * names can be guessed, and a stranger must not be able to stop a job.
     */
    bool
    isTaken(const std::string &path) {
        const std::size_t slash = path.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
        constexpr mode_t shared = S_ISVTX | S_IWOTH;
        struct stat found{};
        if (::stat(folder.c_str(), &found) != 0 || (found.st_mode & shared) != shared) {
            return false;
        }
        for (const std::string &name : {path, draftOf(path)}) {
            if (::lstat(name.c_str(), &found) == 0 && found.st_uid != ::geteuid()) {
                return true;
            }
        }
        return false;
    }

} // namespace

void
replaceFile(const std::string &path, const std::string &text) {
    const std::string draft = draftOf(path);
    int reason = 0;
    {
        const descriptor file(create(draft));
        if (file.get() < 0) {
            failWith(errno);
        }
        reason = fill(file.get(), text);
    }
    if (reason == 0 && ::rename(draft.c_str(), path.c_str()) != 0) {
        reason = errno;
    }
    if (reason != 0) {
        ::unlink(draft.c_str());
        failWith(reason);
    }
}

/** All files of this process and the thread that writes them. */
class metricsFiles {
public:
    void
    add(agentInFile &agent) {
        const std::lock_guard<std::mutex> lock(mutex_);
        files_[agent.path_].push_back(&agent);
        try {
            if (agent.unwritable_ == unwritable_t::REFUSE && !isTaken(agent.path_)) {
                write(agent.path_);
            } else {
                writeOrSay(agent.path_);
            }
            if (!thread_) {
                start();
            }
        } catch (...) {
            forget(agent);
            throw;
        }
    }

    void
    remove(const agentInFile &agent) noexcept {
        std::unique_ptr<periodicThread> ended; // without the lock, which its work takes
        const std::lock_guard<std::mutex> lock(mutex_);
        writeOrSay(agent.path_);
        handOver(agent);
        forget(agent);
        if (files_.empty()) {
            ended = std::move(thread_);
        }
    }

private:
    using agents_t = std::vector<agentInFile *>;

    void
    start() {
        thread_ = std::make_unique<periodicThread>(
            "nixl-stripe", [] { return metrics_interval_ms; }, [this] { writeAll(); });
    }

    void
    writeAll() const noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const auto &file : files_) {
            writeOrSay(file.first);
        }
    }

    void
    write(const std::string &path) const {
        std::vector<agentMetrics> agents;
        for (const agentInFile *agent : files_.at(path)) {
            agents.push_back(agent->agent_);
        }
        replaceFile(path, metricsText(process_, agents));
    }

    void
    writeOrSay(const std::string &path) const noexcept {
        try {
            write(path);
        } catch (const std::exception &problem) {
            logOnce(logLevel_t::WARN,
                    "stripe_metrics: " + quoted(path) + " is not written: " + problem.what());
        }
    }

    /**
     * Another agent of that name goes on with its figures: a counter that falls is taken for one
     * that began anew. Spare engines, which are of their agent's name, come and go.
     */
    void
    handOver(const agentInFile &agent) {
        for (agentInFile *other : files_.at(agent.path_)) {
            if (other != &agent && other->agent_.name == agent.agent_.name) {
                agentTotals left = agent.agent_.totals();
                left.account.peers = left.account.narrowPeers = 0; // its endpoints are closed
                other->agent_.earlier += left;
                return;
            }
        }
    }

    void
    forget(const agentInFile &agent) {
        agents_t &agents = files_[agent.path_];
        agents.erase(std::remove(agents.begin(), agents.end(), &agent), agents.end());
        if (agents.empty()) {
            files_.erase(agent.path_);
        }
    }

    const writingProcess process_ = thisProcess();
    mutable std::mutex mutex_;
    std::map<std::string, agents_t> files_;  /**< by path */
    std::unique_ptr<periodicThread> thread_; /**< there while there is a file */
};

agentInFile::agentInFile(std::string path, agentMetrics agent, unwritable_t unwritable)
    : path_(std::move(path))
    , agent_(std::move(agent))
    , unwritable_(unwritable)
    , process_(::getpid()) {
    ofThisProcess<metricsFiles>().add(*this);
}

agentInFile::~agentInFile() {
    if (process_ == ::getpid()) {
        ofThisProcess<metricsFiles>().remove(*this);
    }
}

} // namespace nixlStripe
