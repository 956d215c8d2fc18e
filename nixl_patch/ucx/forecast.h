// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file forecast.h
 * @brief Which NICs UCX will use for an RMA operation and with which shares, before it runs.
 *
 * Follows UCX's own steps (1.21 to 1.23): wire-up (src/ucp/wireup/select.c), registration
 * (ucp_context_select_reg_mds) and choice of a protocol's lanes (src/ucp/proto/proto_multi.c).
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_H
#define NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_H

#include "topology/machine.h"
#include "ucx/distance_model.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nixlStripe {

/** A UCX setting that a forecast depends on. */
struct forecastSetting {
    std::string_view key;       /**< without UCX_ */
    std::string_view byDefault; /**< UCX's own value, 1.21 to 1.23; "" where the model has it */
};

/** Every setting that a forecast reads. */
const std::vector<forecastSetting> &forecastSettings();

/** A network device of one end, as UCX rates it. */
struct lanePort {
    std::string device;               /**< "mlx5_0:1", or a network interface */
    bool isRdma = true;               /**< false: TCP */
    double bandwidth = 0;             /**< bytes/s of the device alone; 0 = unknown */
    ucxPath path;                     /**< from the GPU of this end; near where there is none */
    std::vector<std::string> subnets; /**< empty: takes part in every network */
    std::string pci; /**< address, which orders NICs that are equal; "" = before all others */
};

/** One end of a transfer. */
struct laneEnd {
    std::vector<lanePort> ports; /**< every device that UCX could open, in its order */
    std::map<std::string, std::string> settings; /**< in force, without UCX_ */
    bool isGpuMemory = false;
    bool hasContext = false; /**< a CUDA context is current when the backend is created */
    /**
     * UCX 1.23: rank of the memory's GPU by PCI address among those that CUDA shows the process. Of
     * NICs that are equal it takes that one of the order of their addresses (openucx/ucx 11547).
     * Unset: the first, as before and for host memory.
     */
    std::optional<unsigned> gpuOrdinal;
};

enum class rmaOp_t { READ, WRITE };

struct laneForecast {
    struct lane {
        std::string device; /**< at the initiator */
        std::string peer;   /**< at the target */
        double bandwidth = 0;
        double share = 0; /**< of the payload, 0 to 1 */
    };
    std::string protocol; /**< "zero-copy", "pipeline" or "software emulation" */
    std::vector<lane> lanes;
    std::map<std::string, std::string> dropped; /**< device of the initiator -> rule and number */
};

/**
 * @brief Every active RDMA port and every usable network interface of @p host.
 * @param gpu_pci GPU whose distance counts; unset: none.
 */
std::vector<lanePort> lanePorts(const machine &host, const std::optional<std::string> &gpu_pci);

/**
 * @brief Forecasts one operation.
 * @param size Bytes of one buffer; UCX does not cut small ones (MIN_RMA_CHUNK_SIZE). 0: large.
 * @throws std::invalid_argument when an end has no ports.
 */
laneForecast
forecastLanes(const laneEnd &initiator, const laneEnd &target, rmaOp_t op, std::uint64_t size = 0);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_UCX_FORECAST_H
