// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#ifndef NIXL_STRIPE_PYTHON_SRC_BINDINGS_H
#define NIXL_STRIPE_PYTHON_SRC_BINDINGS_H

#include <pybind11/pybind11.h>

namespace nixlStripe {

void bindTopology(pybind11::module_ &m);
void bindPolicy(pybind11::module_ &m);
void bindUcx(pybind11::module_ &m);
void bindCounters(pybind11::module_ &m);

} // namespace nixlStripe

#endif // NIXL_STRIPE_PYTHON_SRC_BINDINGS_H
