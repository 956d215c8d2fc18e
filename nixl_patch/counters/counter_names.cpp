// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "counters/counter_names.h"

namespace nixlStripe {

const byteNames &
portByteNames() {
    static const auto *names = new byteNames{{{"port_xmit_data"}}, {{"port_rcv_data"}}};
    return *names;
}

const byteNames &
driverByteNames() {
    static const auto *names = new byteNames{
        {
            {"tx_bytes"},                                               // bnxt_re, EFA
            {"send_bytes", "rdma_write_bytes", "rdma_read_resp_bytes"}, // EFA
            {"hw_tx_bytes_cnt"},                                        // erdma
            {"ip4OutOctets", "ip6OutOctets"},                           // irdma
            {"rdma_tx_bytes"},                                          // mlx5, optional
        },
        {
            {"rx_bytes"},
            {"recv_bytes", "rdma_write_recv_bytes", "rdma_read_bytes"},
            {"hw_rx_bytes_cnt"},
            {"ip4InOctets", "ip6InOctets"},
            {"rdma_rx_bytes"},
        },
    };
    return *names;
}

const byteNames &
ethtoolByteNames() {
    static const auto *names = new byteNames{
        {{"tx_vport_rdma_unicast_bytes", "tx_vport_rdma_multicast_bytes"}},
        {{"rx_vport_rdma_unicast_bytes", "rx_vport_rdma_multicast_bytes"}},
    };
    return *names;
}

const byteNames &
interfaceByteNames() {
    static const auto *names = new byteNames{{{"tx_bytes"}}, {{"rx_bytes"}}};
    return *names;
}

const names_t &
portErrorNames() {
    static const auto *names = new names_t{
        "symbol_error",
        "port_rcv_errors",
        "port_rcv_remote_physical_errors",
        "local_link_integrity_errors",
        "link_error_recovery",
        "link_downed",
        "rdma_read_wr_err",
        "rdma_write_wr_err",
        "packet_seq_err",
        "out_of_sequence",
        "local_ack_timeout_err",
        "retry_exceeded_err",
        "rcvd_seq_err",
        "send_err",
    };
    return *names;
}

const names_t &
portDiscardNames() {
    static const auto *names = new names_t{
        "port_xmit_discards",
        "excessive_buffer_overrun_errors",
        "VL15_dropped",
        "rx_drops",
        "out_of_buffer",
        "rx_discards",
        "tx_discards",
    };
    return *names;
}

} // namespace nixlStripe
