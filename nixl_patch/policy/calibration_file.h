// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file calibration_file.h
 * @brief Where a calibration is read from: `stripe_calibration`, or the default places.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_POLICY_CALIBRATION_FILE_H
#define NIXL_STRIPE_NIXL_PATCH_POLICY_CALIBRATION_FILE_H

#include "policy/calibration.h"
#include "policy/parameters.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** What `stripe_calibration` takes, for errors and docs. */
constexpr std::string_view calibration_accepted =
    "an absolute path, 'off', or '' for the calibration of this machine, if there is one";

/**
 * @brief Checks `stripe_calibration`.
 * @throws std::invalid_argument naming key, value and what is accepted.
 */
void checkCalibrationPath(std::string_view key, const std::string &text);

/**
 * @brief Where a calibration lies when nothing is said: the user's own, then the machine's.
 *
 * `nixl-stripe/calibration` below XDG_CONFIG_HOME (or ~/.config) and below /etc.
 */
std::vector<std::string> defaultCalibrations(const environment_t &environment);

/** Text of the file at a path; nothing where there is none. Throws as readTextFile does. */
using calibrationReader_t = std::function<std::optional<std::string>(const std::string &path)>;

/** Reads files of this machine. */
std::optional<std::string> readCalibrationFile(const std::string &path);

/**
 * @brief Reads the calibration that a value of `stripe_calibration` means.
 * @param given The value after precedence.
 * @param environment Says where to look when it is unset; the first file that exists counts.
 *        nullptr, of a machine that is not this one: nowhere.
 * @param warnings Gets why a file of a default place cannot be used.
 * @return nullptr where there is none.
 * @throws std::invalid_argument naming key, path and reason, for a file that was named.
 */
std::shared_ptr<const calibration> readCalibration(const parameterValue &given,
                                                   const environment_t *environment,
                                                   const calibrationReader_t &read,
                                                   std::vector<std::string> &warnings);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_POLICY_CALIBRATION_FILE_H
