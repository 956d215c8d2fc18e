// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "recovery/path_probe.h"

#include "recovery/socket_address.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace nixlStripe {
namespace {

    /** One that asks now, and aborts what comes about when it is closed; nullptr: it cannot. */
    std::unique_ptr<descriptor>
    askingSocket(const tcpPath &path) {
        const auto ends = endsOf(path.ends, path.nic);
        if (!ends) {
            return nullptr;
        }
        const int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
        auto made = std::make_unique<descriptor>(::socket(ends->local.family(), kind, 0));
        const linger none = {1, 0};
        const bool is_asked =
            ::setsockopt(made->get(), SOL_SOCKET, SO_LINGER, &none, sizeof none) == 0 &&
            ::bind(made->get(), ends->local.get(), ends->local.size()) == 0 &&
            (::connect(made->get(), ends->remote.get(), ends->remote.size()) == 0 ||
             errno == EINPROGRESS || errno == ECONNREFUSED);
        return is_asked ? std::move(made) : nullptr;
    }

    /** Of a socket that is no longer under way. */
    peerQuestion::answer_t
    answerOf(int socket) {
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
            return peerQuestion::answer_t::NONE;
        }
        sockaddr_storage peer = {};
        socklen_t peer_size = sizeof peer;
        auto *address = reinterpret_cast<sockaddr *>(&peer);
        if (error == 0 && ::getpeername(socket, address, &peer_size) == 0) {
            return peerQuestion::answer_t::WELCOME;
        }
        // One that was refused at once has no error any more.
        return error == 0 || error == ECONNREFUSED || error == ECONNRESET
                   ? peerQuestion::answer_t::REFUSAL
                   : peerQuestion::answer_t::NONE;
    }

} // namespace

std::vector<tcpPath>
pathsOf(const std::set<tcpPath> &known, const std::string &connection) {
    std::vector<tcpPath> ofPeer;
    for (const tcpPath &path : known) {
        const auto ends = endsOf(path.ends, path.nic);
        if (ends && connection.find(ends->remote.bytes()) != std::string::npos) {
            ofPeer.push_back(path);
        }
    }
    if (!ofPeer.empty()) {
        return ofPeer;
    }
    std::map<std::string, unsigned> count; // by NIC
    std::copy_if(known.begin(), known.end(), std::back_inserter(ofPeer), [&](const auto &path) {
        return ++count[path.nic] <= pathProbe::most_unknown;
    });
    return ofPeer;
}

pathProbe::pathProbe(const std::vector<tcpPath> &paths)
    : paths_(paths) {
    ask();
}

void
pathProbe::ask() {
    ++tries_;
    for (const tcpPath &path : paths_) {
        const answer_t answer = answers_.try_emplace(path.nic, answer_t::NONE).first->second;
        auto socket = answer != answer_t::NONE ? nullptr : askingSocket(path);
        if (socket != nullptr) {
            open_.push_back({path.nic, std::move(socket)});
        }
    }
}

bool
pathProbe::isOver(std::chrono::milliseconds wait) {
    const auto end = clock_t::now() + wait;
    for (;;) {
        const auto now = clock_t::now();
        if (tries_ < most_tries && now - start_ >= tries_ * between) {
            ask();
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - now);
        look(std::clamp(left, std::chrono::milliseconds(0), std::chrono::milliseconds(20)));
        if (isAnswered() || now - start_ >= patience) {
            return true;
        }
        if (now >= end) {
            return false;
        }
    }
}

/** What was answered; where nothing can be waited for, the time passes all the same. */
void
pathProbe::look(std::chrono::milliseconds wait) {
    std::vector<pollfd> waiting;
    for (const oneTry &each : open_) {
        waiting.push_back({each.socket->get(), POLLOUT, 0});
    }
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(wait.count())) <= 0) {
        return;
    }
    std::set<int> ended;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0) {
            ended.insert(waiting[i].fd);
            // What ended otherwise ("no route") is no answer, and nothing to wait for.
            answer_t &answer = answers_[open_[i].nic];
            answer = std::max(answer, answerOf(waiting[i].fd));
        }
    }
    const auto is_over = [&](const oneTry &each) {
        return answers_[each.nic] != answer_t::NONE || ended.count(each.socket->get()) != 0;
    };
    open_.erase(std::remove_if(open_.begin(), open_.end(), is_over), open_.end());
}

bool
pathProbe::isAnswered() const {
    return std::all_of(answers_.begin(), answers_.end(), [](const auto &each) {
        return each.second != answer_t::NONE;
    });
}

pathProbe::answers_t
pathProbe::answers() const {
    return answers_;
}

} // namespace nixlStripe
