// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
//
// The part of NIXL's C API that write_striped.c uses, as libnixl_capi.so of NIXL 1.5.1 exports it.
// The wheels bring the library without a header; a build of NIXL from source has the whole one.

#ifndef NIXL_STRIPE_EXAMPLES_C_API_NIXL_CAPI_H
#define NIXL_STRIPE_EXAMPLES_C_API_NIXL_CAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    NIXL_CAPI_SUCCESS = 0,
    NIXL_CAPI_IN_PROG = 1,
    NIXL_CAPI_ERROR = -1
} nixl_capi_status_t;
typedef enum { NIXL_CAPI_MEM_DRAM = 0 } nixl_capi_mem_type_t;
typedef enum { NIXL_CAPI_XFER_OP_READ = 0, NIXL_CAPI_XFER_OP_WRITE = 1 } nixl_capi_xfer_op_t;

typedef struct nixl_capi_agent_s *nixl_capi_agent_t;
typedef struct nixl_capi_backend_s *nixl_capi_backend_t;
typedef struct nixl_capi_opt_args_s *nixl_capi_opt_args_t;
typedef struct nixl_capi_params_s *nixl_capi_params_t;
typedef struct nixl_capi_reg_dlist_s *nixl_capi_reg_dlist_t;
typedef struct nixl_capi_xfer_dlist_s *nixl_capi_xfer_dlist_t;
typedef struct nixl_capi_xfer_req_s *nixl_capi_xfer_req_t;

nixl_capi_status_t nixl_capi_create_agent(const char *name, nixl_capi_agent_t *agent);
nixl_capi_status_t nixl_capi_destroy_agent(nixl_capi_agent_t agent);
nixl_capi_status_t nixl_capi_get_local_md(nixl_capi_agent_t agent, void **data, size_t *size);
nixl_capi_status_t
nixl_capi_load_remote_md(nixl_capi_agent_t agent, const void *data, size_t size, char **name);

nixl_capi_status_t nixl_capi_create_params(nixl_capi_params_t *params);
nixl_capi_status_t
nixl_capi_params_add(nixl_capi_params_t params, const char *key, const char *value);
nixl_capi_status_t nixl_capi_destroy_params(nixl_capi_params_t params);
nixl_capi_status_t nixl_capi_create_backend(nixl_capi_agent_t agent,
                                            const char *plugin,
                                            nixl_capi_params_t params,
                                            nixl_capi_backend_t *backend);

nixl_capi_status_t nixl_capi_create_opt_args(nixl_capi_opt_args_t *args);
nixl_capi_status_t nixl_capi_opt_args_add_backend(nixl_capi_opt_args_t args,
                                                  nixl_capi_backend_t backend);
nixl_capi_status_t nixl_capi_destroy_opt_args(nixl_capi_opt_args_t args);

nixl_capi_status_t nixl_capi_create_reg_dlist(nixl_capi_mem_type_t type,
                                              nixl_capi_reg_dlist_t *list);
nixl_capi_status_t nixl_capi_reg_dlist_add_desc(nixl_capi_reg_dlist_t list,
                                                uintptr_t address,
                                                size_t size,
                                                uint64_t device,
                                                const void *metadata,
                                                size_t metadata_size);
nixl_capi_status_t nixl_capi_destroy_reg_dlist(nixl_capi_reg_dlist_t list);
nixl_capi_status_t nixl_capi_register_mem(nixl_capi_agent_t agent,
                                          nixl_capi_reg_dlist_t list,
                                          nixl_capi_opt_args_t args);

nixl_capi_status_t nixl_capi_create_xfer_dlist(nixl_capi_mem_type_t type,
                                               nixl_capi_xfer_dlist_t *list);
nixl_capi_status_t nixl_capi_xfer_dlist_add_desc(nixl_capi_xfer_dlist_t list,
                                                 uintptr_t address,
                                                 size_t size,
                                                 uint64_t device);
nixl_capi_status_t nixl_capi_create_xfer_req(nixl_capi_agent_t agent,
                                             nixl_capi_xfer_op_t operation,
                                             nixl_capi_xfer_dlist_t local,
                                             nixl_capi_xfer_dlist_t remote,
                                             const char *remote_agent,
                                             nixl_capi_xfer_req_t *request,
                                             nixl_capi_opt_args_t args);
nixl_capi_status_t nixl_capi_post_xfer_req(nixl_capi_agent_t agent,
                                           nixl_capi_xfer_req_t request,
                                           nixl_capi_opt_args_t args);
nixl_capi_status_t nixl_capi_get_xfer_status(nixl_capi_agent_t agent, nixl_capi_xfer_req_t request);
nixl_capi_status_t nixl_capi_release_xfer_req(nixl_capi_agent_t agent,
                                              nixl_capi_xfer_req_t request);
nixl_capi_status_t nixl_capi_destroy_xfer_req(nixl_capi_xfer_req_t request);

#endif // NIXL_STRIPE_EXAMPLES_C_API_NIXL_CAPI_H
