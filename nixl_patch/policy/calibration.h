// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file calibration.h
 * @brief What NICs of one machine were measured to carry, as a file keeps it.
 *
 * The file is text, a fact a line, words separated by one blank; a line that begins with # is for
 * people. Version 1:
 *
 *     nixl-stripe calibration 1
 *     cpu intel 6 143
 *     nic mlx5_0:1 0000:18:00.0 15b3:1021 400
 *     gpu 0000:1b:00.0 10de:2330
 *     set host 377.5 380 mlx5_0:1
 *     set 0000:1b:00.0 151 148.2 mlx5_0:1,mlx5_1:1
 *
 * `cpu` is kind, family and model (cpu_type.h); `nic` a device, its PCI address, model
 * (vendor:device) and port rate in Gbit/s, with - for what is unknown and 0 for an unknown rate;
 * `set` the memory (host, or the address of a GPU above), what a WRITE and a READ carried in
 * Gbit/s (- for a READ that was not measured), and the devices that UCX divided them over.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_CALIBRATION_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_CALIBRATION_H

#include "policy/usable.h"
#include "topology/machine.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** Most bytes of a calibration file: 16 GPUs with 32 NICs take a tenth. */
constexpr std::size_t max_calibration_bytes = std::size_t(1) << 20;

struct measuredNic {
    std::string device;  /**< "mlx5_0:1", "eth0" */
    std::string pci;     /**< "" = no PCI device */
    std::string model;   /**< "15b3:1021"; "" = unknown */
    double rateGbps = 0; /**< of the port; 0 = unknown */
};

struct measuredGpu {
    std::string pci;
    std::string model; /**< "" = unknown */
};

struct measuredSet {
    std::string memory;               /**< PCI address of a GPU; "" = host memory */
    std::vector<std::string> devices; /**< sorted as text */
    double writeGbps = 0;
    double readGbps = 0; /**< 0 = not measured */

    /** Of a policy that does not know what will be done: the lesser of what was measured. */
    double gbps() const;
};

struct calibration {
    std::string source; /**< where it was read from, for messages */
    cpuType cpu;
    std::vector<measuredNic> nics;
    std::vector<measuredGpu> gpus;
    std::vector<measuredSet> sets;

    /** Whether anything was measured from there; "" = host memory. */
    bool knows(const std::string &memory) const;

    /** @param devices In any order. @return nullptr where that very set was not measured. */
    const measuredSet *find(const std::string &memory, std::vector<std::string> devices) const;

    /**
     * @brief The most that a set can carry, from sets within it that were measured: a NIC carries
     *        no more beside others than it did beside some of them.
     * @return Gbit/s; infinity where nothing within it was measured.
     */
    double most(const std::string &memory, const std::vector<std::string> &devices) const;
};

/**
 * @brief Reads the text of a calibration file.
 * @param source Its path, for errors.
 * @throws std::invalid_argument naming source, line and what is accepted: anything that is not as
 *         described above, a device, GPU or set that is there twice, a set of what is not there.
 */
calibration parseCalibration(const std::string &source, std::string_view text);

/** The text of a file that parses to @p measured. */
std::string calibrationText(const calibration &measured);

/**
 * @brief A calibration of @p host with these devices, for which nothing was measured yet.
 * @param devices As policies name them: "mlx5_0:1", "eth0".
 * @throws std::invalid_argument on a device that @p host does not have.
 */
calibration calibrationOf(const machine &host, const std::vector<std::string> &devices);

/** What a NIC carried alone from host memory, Gbit/s; 0 where that was not measured. */
double measuredAlone(const calibration *measured, const nicPort &at);

/**
 * @brief Why @p measured says nothing about a machine; "" when it does.
 *
 * It does where CPUs are alike, and each NIC that can be used and each GPU was there when it was
 * measured, at the same PCI address, of the same model and with the same rate. So it holds in a
 * container that sees a part of its machine, on every machine that is built the same, and no
 * longer where something was exchanged, added, renamed or trained down.
 */
std::string
whyNotOf(const calibration &measured, const machine &host, const std::vector<nicPort> &ports);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_CALIBRATION_H
