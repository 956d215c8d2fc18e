// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
//
// A client of NIXL in C: backend parameters go through libnixl_capi.so, no Python is involved.
//
//   write_striped serve PORT MIB [KEY=VALUE ...]          offers MIB MiB, checks what arrives
//   write_striped send HOST PORT MIB [KEY=VALUE ...]      writes MIB MiB into it
//
// KEY=VALUE are parameters of the UCX backend, such as stripe=all. Build with `make`.

#define _DEFAULT_SOURCE
#include "nixl_capi.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct peer {
    uint64_t address;
    uint64_t metadata_size;
};

static void
fail(const char *what) {
    fprintf(stderr, "write_striped: %s failed\n", what);
    exit(1);
}

static void
require(nixl_capi_status_t status, const char *what) {
    if (status != NIXL_CAPI_SUCCESS) {
        fail(what);
    }
}

static void
send_all(int fd, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            fail("send");
        }
        at += sent;
        size -= (size_t)sent;
    }
}

static void
receive_all(int fd, void *data, size_t size) {
    if (size > 0 && recv(fd, data, size, MSG_WAITALL) != (ssize_t)size) {
        fail("recv");
    }
}

static int
connected(const char *host, const char *port) {
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    where.sin_addr.s_addr = host ? inet_addr(host) : htonl(INADDR_ANY);
    const struct sockaddr *address = (const struct sockaddr *)&where;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (host) {
        for (int tries = 0; connect(fd, address, sizeof(where)) != 0; tries++) {
            if (tries == 100) {
                fail("connect");
            }
            usleep(100000);
            close(fd);
            fd = socket(AF_INET, SOCK_STREAM, 0);
        }
        return fd;
    }
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, address, sizeof(where)) != 0 || listen(fd, 1) != 0) {
        fail("listen");
    }
    int client = accept(fd, NULL, NULL);
    close(fd);
    return client;
}

// Parameters are what the command line says and nothing else.
static nixl_capi_backend_t
create_backend(nixl_capi_agent_t agent, char **parameters) {
    nixl_capi_params_t params;
    nixl_capi_backend_t backend;
    require(nixl_capi_create_params(&params), "create_params");
    for (; *parameters; parameters++) {
        char *equals = strchr(*parameters, '=');
        if (!equals) {
            fail("KEY=VALUE");
        }
        *equals = '\0';
        require(nixl_capi_params_add(params, *parameters, equals + 1), "params_add");
    }
    require(nixl_capi_create_backend(agent, "UCX", params, &backend), "create_backend");
    require(nixl_capi_destroy_params(params), "destroy_params");
    return backend;
}

static void
register_memory(nixl_capi_agent_t agent, nixl_capi_backend_t backend, void *data, size_t size) {
    nixl_capi_reg_dlist_t list;
    nixl_capi_opt_args_t options;
    require(nixl_capi_create_reg_dlist(NIXL_CAPI_MEM_DRAM, &list), "create_reg_dlist");
    require(nixl_capi_reg_dlist_add_desc(list, (uintptr_t)data, size, 0, NULL, 0),
            "reg_dlist_add_desc");
    require(nixl_capi_create_opt_args(&options), "create_opt_args");
    require(nixl_capi_opt_args_add_backend(options, backend), "opt_args_add_backend");
    require(nixl_capi_register_mem(agent, list, options), "register_mem");
    require(nixl_capi_destroy_opt_args(options), "destroy_opt_args");
    require(nixl_capi_destroy_reg_dlist(list), "destroy_reg_dlist");
}

// Both sides send first and read then: metadata is far smaller than a socket's buffer.
static char *
exchange(nixl_capi_agent_t agent, int fd, void *mine, uint64_t *theirs) {
    void *metadata;
    size_t size;
    char *name;
    require(nixl_capi_get_local_md(agent, &metadata, &size), "get_local_md");
    struct peer hello = {(uint64_t)(uintptr_t)mine, size};
    send_all(fd, &hello, sizeof(hello));
    send_all(fd, metadata, size);
    receive_all(fd, &hello, sizeof(hello));
    char *remote = malloc(hello.metadata_size);
    receive_all(fd, remote, hello.metadata_size);
    require(nixl_capi_load_remote_md(agent, remote, hello.metadata_size, &name), "load_remote_md");
    free(remote);
    *theirs = hello.address;
    return name;
}

static nixl_capi_xfer_dlist_t
one_piece(uint64_t address, size_t size) {
    nixl_capi_xfer_dlist_t list;
    require(nixl_capi_create_xfer_dlist(NIXL_CAPI_MEM_DRAM, &list), "create_xfer_dlist");
    require(nixl_capi_xfer_dlist_add_desc(list, address, size, 0), "xfer_dlist_add_desc");
    return list;
}

static double
write_to(nixl_capi_agent_t agent, const char *name, void *data, uint64_t there, size_t size) {
    nixl_capi_opt_args_t options;
    nixl_capi_xfer_req_t request;
    struct timespec start, end;
    nixl_capi_xfer_dlist_t local = one_piece((uint64_t)(uintptr_t)data, size);
    nixl_capi_xfer_dlist_t remote = one_piece(there, size);
    require(nixl_capi_create_opt_args(&options), "create_opt_args");
    require(nixl_capi_create_xfer_req(
                agent, NIXL_CAPI_XFER_OP_WRITE, local, remote, name, &request, options),
            "create_xfer_req");
    clock_gettime(CLOCK_MONOTONIC, &start);
    nixl_capi_status_t state = nixl_capi_post_xfer_req(agent, request, options);
    while (state == NIXL_CAPI_IN_PROG) {
        usleep(1000);
        state = nixl_capi_get_xfer_status(agent, request);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    require(state, "transfer");
    require(nixl_capi_release_xfer_req(agent, request), "release_xfer_req");
    require(nixl_capi_destroy_xfer_req(request), "destroy_xfer_req");
    return (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
}

// A multiplicative sequence: no two neighbouring bytes and no two 4 KiB pages are alike.
static uint64_t
expected(size_t index) {
    return (index + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static int
run(const char *host, const char *port, size_t size, char **parameters) {
    nixl_capi_agent_t agent;
    uint64_t there;
    uint64_t *data = calloc(1, size);
    size_t wrong = 0;
    char byte = 0;
    if (!data) {
        fail("calloc");
    }
    require(nixl_capi_create_agent(host ? "sender" : "server", &agent), "create_agent");
    nixl_capi_backend_t backend = create_backend(agent, parameters);
    register_memory(agent, backend, data, size);
    int fd = connected(host, port);
    char *name = exchange(agent, fd, data, &there);
    if (host) {
        for (size_t i = 0; i < size / sizeof(*data); i++) {
            data[i] = expected(i);
        }
        double seconds = write_to(agent, name, data, there, size);
        send_all(fd, &byte, 1);
        receive_all(fd, &byte, 1);
        printf("%.3f Gbit/s\n", (double)size * 8e-9 / seconds);
    } else {
        receive_all(fd, &byte, 1);
        for (size_t i = 0; i < size / sizeof(*data); i++) {
            wrong += data[i] != expected(i);
        }
        printf("%zu of %zu words are wrong\n", wrong, size / sizeof(*data));
        send_all(fd, &byte, 1);
    }
    close(fd);
    free(name);
    require(nixl_capi_destroy_agent(agent), "destroy_agent");
    free(data);
    return wrong != 0;
}

int
main(int argc, char **argv) {
    int serves = argc >= 4 && strcmp(argv[1], "serve") == 0;
    int sends = argc >= 5 && strcmp(argv[1], "send") == 0;
    if (!serves && !sends) {
        fprintf(stderr,
                "write_striped serve PORT MIB [KEY=VALUE ...]\n"
                "write_striped send HOST PORT MIB [KEY=VALUE ...]\n");
        return 2;
    }
    char **rest = argv + (serves ? 2 : 3);
    size_t mib = (size_t)strtoul(rest[1], NULL, 10);
    return run(serves ? NULL : argv[2], rest[0], mib << 20, rest + 2);
}
