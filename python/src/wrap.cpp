// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// The module object; every layer adds its own bindings (no logic in any of them).
#include "bindings.h"

#include <pybind11/pybind11.h>

PYBIND11_MODULE(_core, m) {
    m.doc() = "Topology, policy, UCX settings and counters: the C++ that the patched NIXL plugin "
              "runs too.";
    m.attr("__version__") = NIXL_STRIPE_VERSION;
    nixlStripe::bindTopology(m);
    nixlStripe::bindPolicy(m);
    nixlStripe::bindUcx(m);
    nixlStripe::bindCounters(m);
}
