# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""A WRITE between two agents over every NIC, and proof that every NIC carried its share.

NIXL_STRIPE_TOKEN=SECRET python transfer.py target           # on one host, then on another:
NIXL_STRIPE_TOKEN=SECRET python transfer.py initiator HOST
"""

import os
import sys
import time
from multiprocessing.connection import Client, Listener

import nixl_stripe
import numpy as np

PORT, TOKEN = 18517, os.environ["NIXL_STRIPE_TOKEN"].encode()


def agent_with_memory(name, value):
    config = nixl_stripe.nixl_agent_config(backend_params={"stripe": "all"})
    agent = nixl_stripe.nixl_agent(name, config)
    memory = np.full(64 << 20, value, np.uint8)
    region = agent.register_memory([(memory.ctypes.data, memory.nbytes, 0, "")], "DRAM")
    return agent, memory, region


def connected(host):
    for _ in range(600):
        try:
            return Client((host, PORT), authkey=TOKEN)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"{host} does not listen")


def target():
    agent, memory, region = agent_with_memory("target", 0)
    with Listener(("", PORT), authkey=TOKEN) as listener, listener.accept() as peer:
        peer.send_bytes(agent.get_agent_metadata())
        peer.send_bytes(agent.get_serialized_descs(region.trim()))
        peer.recv_bytes()  # the initiator has written
    print("every byte has come" if (memory == 7).all() else sys.exit("bytes are missing"))
    agent.deregister_memory(region)


def initiator(host):
    agent, _, region = agent_with_memory("initiator", 7)
    with connected(host) as peer:
        name = agent.add_remote_agent(peer.recv_bytes())
        remote = agent.deserialize_descs(peer.recv_bytes())
        handle = agent.initialize_xfer("WRITE", region.trim(), remote, name)
        with nixl_stripe.counters() as counted:
            state = agent.transfer(handle)
            while state == "PROC":
                time.sleep(0.001)
                state = agent.check_xfer_state(handle)
        peer.send_bytes(state.encode())
    for nic, traffic in counted.by_nic().items():
        print(f"{nic} carried {traffic.bytes_out >> 20} MiB, {traffic.share:.0%}")
    agent.release_xfer_handle(handle)
    agent.remove_remote_agent(name)
    agent.deregister_memory(region)
    nixl_stripe.assert_striped(counted)


target() if sys.argv[1] == "target" else initiator(sys.argv[2])
