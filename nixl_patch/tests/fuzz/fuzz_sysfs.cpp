// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/** A sysfs of files, folders, FIFOs and links where any of them may be wrong. */
#include "fuzz.h"
#include "topology/sysfs.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fuzzer/FuzzedDataProvider.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace nixlStripe;
namespace fs = std::filesystem;

constexpr std::array<const char *, 5> folders = {"devices/system/node",
                                                 "bus/pci/devices",
                                                 "class/net",
                                                 "class/infiniband",
                                                 "class/infiniband_verbs"};
constexpr std::array<const char *, 10> entries = {"mlx5_0",
                                                  "mlx5_1",
                                                  "eth0",
                                                  "uverbs0",
                                                  "bond0",
                                                  "0000:1b:00.0",
                                                  "0000:1c:00.0",
                                                  "rxe0",
                                                  "node0",
                                                  "bonding_masters"};
constexpr std::array<const char *, 34> attributes = {"",
                                                     "online",
                                                     "uevent",
                                                     "class",
                                                     "vendor",
                                                     "device",
                                                     "numa_node",
                                                     "current_link_speed",
                                                     "current_link_width",
                                                     "max_link_speed",
                                                     "physfn",
                                                     "operstate",
                                                     "flags",
                                                     "type",
                                                     "speed",
                                                     "mtu",
                                                     "master",
                                                     "dev_port",
                                                     "phys_port_name",
                                                     "ports/1/state",
                                                     "ports/1/rate",
                                                     "ports/1/lid",
                                                     "ports/1/link_layer",
                                                     "ports/1/phys_state",
                                                     "ports/1/gids/0",
                                                     "ports/1/gid_attrs/ndevs/0",
                                                     "ports/2/state",
                                                     "ibdev",
                                                     "parent",
                                                     "device/uevent",
                                                     "device/driver",
                                                     "device/net/eth0/dev_port",
                                                     "bonding",
                                                     "tun_flags"};
constexpr std::array<const char *, 18> texts = {"4: ACTIVE",
                                                "400 Gb/sec (4X NDR)",
                                                "InfiniBand",
                                                "Ethernet",
                                                "0x020000",
                                                "0x030200",
                                                "0x10de",
                                                "0x15b3",
                                                "0",
                                                "1",
                                                "-1",
                                                "0-1",
                                                "up",
                                                "32.0 GT/s PCIe",
                                                "PCI_ID=10DE:2330\nPCI_CLASS=30200",
                                                "PCI_SLOT_NAME=0000:1b:00.0",
                                                "fe80:0000:0000:0000:0000:0000:0000:0001",
                                                "mlx5_0"};
constexpr std::array<const char *, 8> targets = {
    "../../../devices/pci0000:16/0000:16:01.0/0000:1b:00.0",
    "../../devices/pci0000:16/0000:1c:00.0/infiniband/mlx5_0",
    ".",
    "../..",
    "/dev/zero",
    "eth0",
    "bond0",
    "no/such/target"};

/** One folder for the whole run, removed at its end; in memory where there is such a place. */
class scratch {
public:
    scratch() {
        std::string name =
            fs::is_directory("/dev/shm") ? "/dev/shm/fuzz_sysfs_XXXXXX" : "/tmp/fuzz_sysfs_XXXXXX";
        claim(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~scratch() {
        clear();
    }
    scratch(const scratch &) = delete;
    scratch &operator=(const scratch &) = delete;

    void
    clear() const {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    const fs::path &
    path() const {
        return path_;
    }

private:
    fs::path path_;
};

void
writeFile(const fs::path &path, const std::string &text) {
    const int fd =
        ::open(path.c_str(), O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd >= 0) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        claim(written >= -1);
        ::close(fd);
    }
}

void
makeEntry(FuzzedDataProvider &bytes, const fs::path &root) {
    fs::path path = root / bytes.PickValueInArray(folders) / bytes.PickValueInArray(entries);
    const std::string attribute = bytes.PickValueInArray(attributes);
    path = attribute.empty() ? path : path / attribute;
    // Only folders that were made here: a link may lead anywhere.
    std::error_code problem;
    const fs::path parent = fs::weakly_canonical(path.parent_path(), problem);
    if (problem || parent.string().rfind(root.string() + "/", 0) != 0) {
        return;
    }
    fs::create_directories(parent, problem);
    switch (bytes.ConsumeIntegralInRange(0, 6)) {
    case 0:
        (void)::mkfifo(path.c_str(), 0600);
        break;
    case 1:
        fs::create_directory(path, problem);
        break;
    case 2:
        fs::create_symlink(bytes.PickValueInArray(targets), path, problem);
        break;
    case 3:
        writeFile(path, bytes.ConsumeRandomLengthString(5000));
        break;
    default:
        writeFile(path, std::string(bytes.PickValueInArray(texts)) + "\n");
    }
}

} // namespace

int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const scratch place;
    place.clear();
    fs::create_directory(place.path());
    FuzzedDataProvider bytes(data, size);
    for (int left = 60; left > 0 && bytes.remaining_bytes() > 0; --left) {
        makeEntry(bytes, place.path());
    }
    allowRefusal(
        [&] { planEverything(readSysfs(place.path().string(), (place.path() / "dev").string())); });
    return 0;
}
