// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "policy/calibration.h"
#include "policy/rails.h"
#include "topology/cpu_type.h"
#include "topology/pci_address.h"
#include "topology/sysfs_text.h"
#include "topology/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <locale>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace nixlStripe {
namespace {

    using words_t = std::vector<std::string_view>;

    constexpr std::string_view first_line = "nixl-stripe calibration 1";
    constexpr std::string_view host_word = "host";
    constexpr std::string_view unknown_word = "-";

    constexpr std::size_t max_items = 1024; /**< NICs, or GPUs */
    constexpr std::size_t max_sets = 16384; /**< 1024 memories of 16 */
    constexpr std::size_t max_word = 8192;  /**< the devices of a set */
    constexpr std::size_t max_device = 128; /**< twice what the kernel allows */
    constexpr double max_gbps = 100000;
    constexpr unsigned max_cpu_number = 0xffff;

    words_t
    split(std::string_view text, char separator) {
        words_t parts;
        for (std::size_t from = 0; from <= text.size();) {
            const std::size_t end = std::min(text.find(separator, from), text.size());
            parts.push_back(text.substr(from, end - from));
            from = end + 1;
        }
        return parts;
    }

    std::optional<double>
    numberOf(std::string_view text) {
        std::istringstream stream{std::string(text)};
        stream.imbue(std::locale::classic()); // not the host program's
        double value = 0;
        const bool is_decimal =
            !text.empty() && text.find_first_not_of("0123456789.e-+") == std::string_view::npos;
        const bool is_read = is_decimal && (stream >> value) && stream.eof();
        return is_read && value >= 0 && value <= max_gbps ? std::optional<double>(value)
                                                          : std::nullopt;
    }

    std::string
    numberText(double value) {
        std::ostringstream stream;
        stream.imbue(std::locale::classic());
        stream << value;
        return stream.str();
    }

    bool
    isDevice(std::string_view text) {
        return !text.empty() && text.size() <= max_device && text != unknown_word &&
               std::all_of(text.begin(), text.end(), [](char c) {
                   return c > ' ' && c <= '~' && c != ',';
               });
    }

    /** "15b3:1021" as it is. */
    bool
    isModel(std::string_view text) {
        constexpr std::size_t digits = 4;
        return text.size() == 2 * digits + 1 && text[digits] == ':' &&
               text.find_first_not_of("0123456789abcdef:") == std::string_view::npos &&
               text.find(':', digits + 1) == std::string_view::npos && text.find(':') == digits;
    }

    /** Reads the lines of one file. Names of each kind are kept apart to find repetitions. */
    class reader {
    public:
        explicit reader(const std::string &source) {
            result_.source = source;
        }

        calibration
        read(std::string_view text) {
            if (text.size() > max_calibration_bytes) {
                fail("the file", "up to " + std::to_string(max_calibration_bytes) + " bytes");
            }
            const bool is_ended = !text.empty() && text.back() == '\n';
            text.remove_suffix(is_ended ? 1 : 0);
            for (const std::string_view line : split(text, '\n')) {
                ++line_;
                if (line_ == 1 && line != first_line) {
                    fail(line, quoted(first_line));
                }
                if (line_ > 1 && line.substr(0, 1) != "#") {
                    take(line);
                }
            }
            if (!is_ended || !has_cpu_ || result_.nics.empty()) {
                fail("the end of the file", "a whole line, after a cpu and at least one nic");
            }
            return std::move(result_);
        }

    private:
        [[noreturn]] void
        fail(std::string_view found, const std::string &accepted) const {
            constexpr std::size_t shown = 80;
            throw std::invalid_argument(result_.source + ", line " + std::to_string(line_) + ": " +
                                        quoted(found.substr(0, shown)) +
                                        " is no calibration; accepted: " + accepted);
        }

        void
        take(std::string_view line) {
            const words_t words = split(line, ' ');
            const std::string_view kind = words[0];
            if (kind == "cpu" && words.size() == 4) {
                takeCpu(line, words);
            } else if (kind == "nic" && words.size() == 5) {
                takeNic(line, words);
            } else if (kind == "gpu" && words.size() == 3) {
                takeGpu(line, words);
            } else if (kind == "set" && words.size() == 5) {
                takeSet(line, words);
            } else {
                fail(line,
                     "'cpu KIND FAMILY MODEL', 'nic DEVICE PCI MODEL GBPS', 'gpu PCI MODEL', 'set "
                     "MEMORY WRITE READ DEVICES', '# ...'");
            }
        }

        void
        takeCpu(std::string_view line, const words_t &words) {
            constexpr std::array<cpuKind_t, 6> kinds = {cpuKind_t::UNKNOWN,
                                                        cpuKind_t::INTEL,
                                                        cpuKind_t::AMD,
                                                        cpuKind_t::ZHAOXIN,
                                                        cpuKind_t::ARM,
                                                        cpuKind_t::POWER};
            const auto *kind = std::find_if(kinds.begin(), kinds.end(), [&](cpuKind_t each) {
                return cpuKindName(each) == words[1];
            });
            const auto family = parseNumber(words[2]);
            const auto model = parseNumber(words[3]);
            if (has_cpu_ || kind == kinds.end() || !family || !model ||
                std::max(*family, *model) > max_cpu_number) {
                fail(line, "one 'cpu KIND FAMILY MODEL' with decimal numbers");
            }
            has_cpu_ = true;
            result_.cpu = {*kind, static_cast<unsigned>(*family), static_cast<unsigned>(*model)};
        }

        /** "" for "-". @throws on what is no PCI address in sysfs' spelling. */
        std::string
        addressOf(std::string_view line, std::string_view word) const {
            if (word == unknown_word) {
                return "";
            }
            const auto address = normalPciAddress(word);
            if (!address || *address != word) {
                fail(line, "PCI addresses such as 0000:1b:00.0, or -");
            }
            return *address;
        }

        std::string
        modelOf(std::string_view line, std::string_view word) const {
            if (word != unknown_word && !isModel(word)) {
                fail(line, "models such as 15b3:1021, or -");
            }
            return word == unknown_word ? "" : std::string(word);
        }

        void
        takeNic(std::string_view line, const words_t &words) {
            const auto rate = numberOf(words[4]);
            if (!isDevice(words[1]) || !rate || result_.nics.size() == max_items ||
                !devices_.insert(std::string(words[1])).second) {
                fail(line, "up to 1024 devices, each once, with a rate of 0 to 100000 Gbit/s");
            }
            result_.nics.push_back(
                {std::string(words[1]), addressOf(line, words[2]), modelOf(line, words[3]), *rate});
        }

        void
        takeGpu(std::string_view line, const words_t &words) {
            const std::string address = addressOf(line, words[1]);
            if (address.empty() || result_.gpus.size() == max_items ||
                !gpus_.insert(address).second) {
                fail(line, "up to 1024 GPUs, each once");
            }
            result_.gpus.push_back({address, modelOf(line, words[2])});
        }

        void
        takeSet(std::string_view line, const words_t &words) {
            measuredSet set;
            set.memory = words[1] == host_word ? "" : std::string(words[1]);
            const auto write = numberOf(words[2]);
            const bool is_read = words[3] != unknown_word;
            const auto read = is_read ? numberOf(words[3]) : std::optional<double>(0);
            if ((!set.memory.empty() && gpus_.count(set.memory) == 0) || !write || !read ||
                *write <= 0 || (is_read && *read <= 0) || words[4].size() > max_word) {
                fail(line, "'host' or a GPU of the lines above, and rates above 0");
            }
            set.writeGbps = *write;
            set.readGbps = *read;
            for (const std::string_view each : split(words[4], ',')) {
                set.devices.emplace_back(each);
            }
            std::sort(set.devices.begin(), set.devices.end());
            const bool is_known =
                std::all_of(set.devices.begin(), set.devices.end(), [&](const std::string &each) {
                    return devices_.count(each) > 0;
                });
            const auto twice = std::adjacent_find(set.devices.begin(), set.devices.end());
            if (!is_known || twice != set.devices.end() || set.devices.size() > max_rails ||
                result_.sets.size() == max_sets ||
                !sets_.insert({set.memory, set.devices}).second) {
                fail(line,
                     "devices of the lines above, each once, up to 64, and each set once a memory");
            }
            result_.sets.push_back(std::move(set));
        }

        calibration result_;
        std::size_t line_ = 0;
        bool has_cpu_ = false;
        std::set<std::string> devices_;
        std::set<std::string> gpus_;
        std::set<std::pair<std::string, std::vector<std::string>>> sets_;
    };

    std::string
    orUnknown(const std::string &text) {
        return text.empty() ? std::string(unknown_word) : text;
    }

} // namespace

calibration
parseCalibration(const std::string &source, std::string_view text) {
    return reader(source).read(text);
}

std::string
calibrationText(const calibration &measured) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << first_line << "\ncpu " << cpuKindName(measured.cpu.kind) << ' ' << measured.cpu.family
        << ' ' << measured.cpu.model << '\n';
    for (const measuredNic &each : measured.nics) {
        out << "nic " << each.device << ' ' << orUnknown(each.pci) << ' ' << orUnknown(each.model)
            << ' ' << numberText(each.rateGbps) << '\n';
    }
    for (const measuredGpu &each : measured.gpus) {
        out << "gpu " << each.pci << ' ' << orUnknown(each.model) << '\n';
    }
    for (const measuredSet &each : measured.sets) {
        out << "set " << (each.memory.empty() ? std::string(host_word) : each.memory) << ' '
            << numberText(each.writeGbps) << ' '
            << (each.readGbps > 0 ? numberText(each.readGbps) : std::string(unknown_word)) << ' '
            << joined(each.devices, ",") << '\n';
    }
    return out.str();
}

} // namespace nixlStripe
