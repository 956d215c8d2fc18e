// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "memory.h"

#include <pthread.h>
#include <sys/mman.h>

enum { CAPACITY = 16384 };

/* The granularity of a real device, which UCX aligns registrations to. */
static const size_t page = 65536;

static fakeAllocation table[CAPACITY];
static int used;
static uint64_t last_id;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Newest first: what was allocated last is looked up most. The lock is held. */
static int
indexOf(uintptr_t address) {
    for (int i = used - 1; i >= 0; --i) {
        if (table[i].size && address >= table[i].base && address - table[i].base < table[i].size) {
            return i;
        }
    }
    return -1;
}

uintptr_t
fakeMemoryAllocate(size_t size, int device) {
    size_t rounded = (size + page - 1) / page * page;
    if (rounded < size || rounded == 0) {
        return 0;
    }
    void *pages = mmap(
        NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (pages == MAP_FAILED) {
        return 0;
    }
    pthread_mutex_lock(&lock);
    int slot = 0;
    while (slot < used && table[slot].size) {
        ++slot;
    }
    int room = slot < CAPACITY;
    if (room) {
        table[slot] = (fakeAllocation){(uintptr_t)pages, rounded, ++last_id, device};
        used = slot == used ? used + 1 : used;
    }
    pthread_mutex_unlock(&lock);
    if (!room) {
        munmap(pages, rounded);
        return 0;
    }
    return (uintptr_t)pages;
}

int
fakeMemoryFind(uintptr_t address, fakeAllocation *out) {
    pthread_mutex_lock(&lock);
    int i = indexOf(address);
    if (i >= 0) {
        *out = table[i];
    }
    pthread_mutex_unlock(&lock);
    return i >= 0;
}

int
fakeMemoryFree(uintptr_t address) {
    pthread_mutex_lock(&lock);
    int i = indexOf(address);
    int found = i >= 0 && table[i].base == address;
    fakeAllocation gone = {0};
    if (found) {
        gone = table[i];
        table[i].size = 0;
    }
    pthread_mutex_unlock(&lock);
    if (found) {
        munmap((void *)gone.base, gone.size);
    }
    return found;
}
