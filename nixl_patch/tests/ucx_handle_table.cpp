// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "ucx/handle_table.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace nixlStripe {
namespace {

    TEST(HandleTable, findsWhatIsThereAndNothingElse) {
        handleTable<int> table;
        std::vector<int> values(1000);
        for (int &value : values) {
            EXPECT_EQ(table.find(&value), nullptr);
            EXPECT_EQ(table.insert(&value, &value), nullptr);
        }
        for (std::size_t i = 0; i < values.size(); i += 3) {
            EXPECT_EQ(table.erase(&values[i]), &values[i]);
            EXPECT_EQ(table.erase(&values[i]), nullptr) << "once";
        }
        for (std::size_t i = 0; i < values.size(); ++i) {
            EXPECT_EQ(table.find(&values[i]), i % 3 == 0 ? nullptr : &values[i]) << i;
        }
        EXPECT_EQ(table.handlesWhere([](const int &) { return true; }).size(), 666U);
        EXPECT_EQ(table.insert(&values[1], &values[2]), &values[1]);
        EXPECT_EQ(table.find(&values[1]), &values[2]);
    }

    TEST(HandleTable, readersFindTheirsWhileOthersComeAndGo) {
        handleTable<int> table;
        std::vector<int> lasting(64);
        std::vector<int> passing(256);
        for (int &value : lasting) {
            table.insert(&value, &value);
        }
        std::atomic<bool> is_over{false};
        std::atomic<int> wrong{0};
        std::vector<std::thread> readers;
        for (int reader = 0; reader < 3; ++reader) {
            readers.emplace_back([&] {
                while (!is_over) {
                    for (int &value : lasting) {
                        wrong += table.find(&value) == &value ? 0 : 1;
                    }
                }
            });
        }
        for (int round = 0; round < 200; ++round) {
            for (int &value : passing) {
                table.insert(&value, &value);
            }
            for (int &value : passing) {
                table.erase(&value);
            }
        }
        is_over = true;
        for (std::thread &reader : readers) {
            reader.join();
        }
        EXPECT_EQ(wrong, 0);
    }

} // namespace
} // namespace nixlStripe
