// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/source.h"

#include "topology/sysfs.h"

namespace nixlStripe {

machine
readMachine(const std::string &path) {
    return readSysfs(path);
}

} // namespace nixlStripe
