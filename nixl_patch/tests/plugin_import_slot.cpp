// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "plugin/import_slot.h"

#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <gtest/gtest.h>

namespace nixlStripe {
namespace {

    void *
    openDouble(const std::string &name, int mode) {
        void *handle =
            dlopen((std::string(DOUBLES_FOLDER) + "/libstock_" + name + ".so").c_str(), mode);
        EXPECT_NE(handle, nullptr) << dlerror();
        return handle;
    }

    void *
    realInit() {
        return dlsym(RTLD_DEFAULT, "ucp_init_version");
    }

    std::int8_t
    replacement(unsigned, unsigned, const void *, const void *, void **) {
        return 77;
    }

    TEST(ImportSlot, findsTheFunctionBehindTheSlot) {
        const importSlots slots(openDouble("good", RTLD_NOW), "ucp_init_version");
        EXPECT_EQ(slots.size(), 1U);
        EXPECT_EQ(slots.target(), realInit());
    }

    TEST(ImportSlot, findsItThroughAnUnboundSlotToo) {
        const importSlots slots(openDouble("lazy", RTLD_LAZY), "ucp_init_version");
        ASSERT_FALSE(slots.isEmpty());
        EXPECT_EQ(slots.target(), realInit());
    }

    TEST(ImportSlot, knowsWhenThereIsNone) {
        const importSlots slots(openDouble("good", RTLD_NOW), "ucp_no_such_function");
        EXPECT_TRUE(slots.isEmpty());
        EXPECT_EQ(slots.target(), nullptr);
    }

    TEST(ImportSlot, redirectsWhereverTheSlotIsAndKeepsTheProtection) {
        for (const char *name : {"good", "relro", "two_slots", "lazy"}) {
            void *handle = openDouble(name, RTLD_NOW);
            importSlots slots(handle, "ucp_init_version");
            ASSERT_FALSE(slots.isEmpty()) << name;
            slots.redirect(reinterpret_cast<void *>(&replacement));
            EXPECT_EQ(slots.target(), reinterpret_cast<void *>(&replacement)) << name;
            slots.redirect(realInit());
            EXPECT_EQ(slots.target(), realInit()) << name;
        }
    }

    TEST(ImportSlot, seesWhatIsWritable) {
        static int writable = 0;
        static const int constant = 1;
        EXPECT_TRUE(isWritable(&writable));
        EXPECT_FALSE(isWritable(&constant));
        EXPECT_FALSE(isWritable(nullptr));
    }

    TEST(ImportSlot, dependenciesAreFoundByPrefix) {
        void *handle = openDouble("good", RTLD_NOW);
        EXPECT_EQ(loadedDependencies(handle, "libfake_ucx").size(), 1U);
        EXPECT_TRUE(loadedDependencies(handle, "libno_such").empty());
    }

} // namespace
} // namespace nixlStripe
