// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "errors.h"
#include "topology/cuda_gpu.h"
#include "topology/pci_address.h"

#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>

using namespace nixlStripe;

namespace {

const char *const fake_library = FAKE_CUDA;

std::string
errorOf(const std::string &text, const char *library) {
    return textOfError([&] { findGpuPci("stripe_gpu", text, library); });
}

} // namespace

TEST(PciAddress, spellingsOfOneAddress) {
    for (const char *text :
         {"0000:1b:00.0", "0000:1B:00.0", "1b:00.0", "1B:0", "00000000:1B:00.0", "0:1b:0.0"}) {
        EXPECT_EQ(normalPciAddress(text), "0000:1b:00.0") << text;
    }
    EXPECT_EQ(normalPciAddress("10000:e1:1f.7"), "10000:e1:1f.7");
}

TEST(PciAddress, everythingElseIsNone) {
    for (const char *text : {"",
                             "0",
                             "1b",
                             ":",
                             "1b:",
                             ":00.0",
                             "1b:20.0",
                             "1b:00.8",
                             "1b:00.",
                             "100:00.0",
                             "0000:1b:00.0 ",
                             "g0:00.0",
                             "::1b:00.0",
                             "0000:1b:00.0.0",
                             "123456789:1b:00.0"}) {
        EXPECT_EQ(normalPciAddress(text), std::nullopt) << text;
    }
}

TEST(CudaGpu, addressesNeedNoCuda) {
    EXPECT_EQ(findGpuPci("stripe_gpu", "1B:00.0", "/nonexistent.so"), "0000:1b:00.0");
}

TEST(CudaGpu, ordinalsWithoutADriver) {
    const std::string error = errorOf("0", "/nonexistent.so");
    expectIn("stripe_gpu='0'", error);
    expectIn("/nonexistent.so", error);
    expectIn("accepted: a CUDA ordinal", error);
}

TEST(CudaGpu, aLibraryThatIsNoDriver) {
    expectIn("functions are missing", errorOf("0", "libc.so.6"));
}

TEST(CudaGpu, neitherOrdinalNorAddress) {
    for (const char *text : {"-1", "gpu0", "1.5", "GPU-01234567", "99999999999", " 0"}) {
        expectIn("stripe_gpu='" + std::string(text) + "'", errorOf(text, fake_library));
    }
}

TEST(CudaGpu, ordinalsAreCudas) {
    ASSERT_EQ(setenv("FAKE_CUDA_DEVICES", "0", 1), 0);
    ASSERT_EQ(setenv("CUDA_VISIBLE_DEVICES", "7", 1), 0);
    expectIn("CUDA_VISIBLE_DEVICES='7'", errorOf("0", fake_library));
    expectIn("CUDA_ERROR_NO_DEVICE", errorOf("0", fake_library));
    ASSERT_EQ(setenv("FAKE_CUDA_DEVICES", "2", 1), 0);
    EXPECT_EQ(findGpuPci("stripe_gpu", "1", fake_library), "0000:1c:00.0");
    ASSERT_EQ(setenv("CUDA_VISIBLE_DEVICES", "4,5", 1), 0);
    const std::string error = errorOf("2", fake_library);
    expectIn("2 device(s), CUDA_VISIBLE_DEVICES='4,5'", error);
}

TEST(CudaGpu, theCurrentContextAndNothingElse) {
    EXPECT_EQ(currentCudaGpu("/nonexistent.so"), std::nullopt);
    EXPECT_EQ(currentCudaGpu("libm-not-loaded.so.6"), std::nullopt);
    void *loaded = dlopen(fake_library, RTLD_LAZY);
    ASSERT_NE(loaded, nullptr);
    unsetenv("FAKE_CUDA_CURRENT");
    EXPECT_EQ(currentCudaGpu(fake_library), std::nullopt);
    ASSERT_EQ(setenv("FAKE_CUDA_CURRENT", "1", 1), 0);
    EXPECT_EQ(currentCudaGpu(fake_library), "0000:1c:00.0");
}
