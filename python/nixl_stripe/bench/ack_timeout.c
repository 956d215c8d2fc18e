/* SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded into a process of Mooncake on beds of slow NICs: its queue pairs get the ACK timeout
 * that UCX asks for. Mooncake asks for 67 ms and has no setting for it; on a NIC of 20 Mbit/s its
 * own queue is seconds long, so that packets that are merely waiting are taken for lost and sent
 * again without end. NICs of real rates have no need of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>

/* From verbs.h, whose ABI (IBVERBS_1.1) is frozen; no header is needed where this is compiled. */
enum { TIMEOUT_MASK = 1 << 9, TIMEOUT_OFFSET = 130 };
/* 4.096 us * 2^18 = 1.07 s */
enum { TIMEOUT = 18 };

typedef int modify_qp_t(void *qp, void *attr, int mask);

int
ibv_modify_qp(void *qp, void *attr, int mask) {
    static modify_qp_t *real;
    if (!real) {
        /* RTLD_NEXT does not see it: Python loads the engine, and libibverbs with it, privately. */
        void *verbs = dlopen("libibverbs.so.1", RTLD_LAZY);
        void *found = verbs ? dlvsym(verbs, "ibv_modify_qp", "IBVERBS_1.1") : 0;
        if (!found) {
            return ENOSYS;
        }
        real = (modify_qp_t *)(uintptr_t)found;
    }
    if (mask & TIMEOUT_MASK) {
        ((uint8_t *)attr)[TIMEOUT_OFFSET] = TIMEOUT;
    }
    return real(qp, attr, mask);
}
