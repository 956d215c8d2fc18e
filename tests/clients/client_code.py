# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Agents made by the clients' own code, from their published wheels, without their dependencies.

A client's module drags in its engine, kernels for GPUs and more. What leads from its configuration
to NIXL are a few statements of it: these are taken from the wheel as they are and run, the names
around them being stood in for. Where a wheel cannot be had here, the function says what it follows.
"""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import json
import logging
import os
import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

#: Wheels whose statements are run: distribution, version. Ray is installed.
WHEELS = {"sglang": "0.5.23", "lmcache": "0.5.6", "vllm": "0.33.0"}


def source_of(client: str, file: str) -> ast.Module:
    """Parse a file of a client, installed or else unpacked in the folder `CLIENT_SOURCES`."""
    spec = importlib.util.find_spec(client) if client not in WHEELS else None
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parents[1]
    else:
        folder = Path(os.environ["CLIENT_SOURCES"]) / client
    return ast.parse((folder / file).read_text(encoding="utf-8"))


def find(tree: ast.AST, kind: type, name: str) -> Any:
    """Return the first class or function `name`."""
    return next(
        node
        for node in ast.walk(tree)
        if isinstance(node, kind) and getattr(node, "name", "") == name
    )


def mentions(node: ast.AST, name: str) -> bool:
    return any(
        (isinstance(each, ast.Name) and each.id == name)
        or (isinstance(each, ast.ImportFrom) and each.module == name)
        for each in ast.walk(node)
    )


def mentions_package(node: ast.stmt, name: str) -> bool:
    """Say whether a statement imports something of the package `name`."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == name


def assigns(node: ast.stmt, name: str) -> bool:
    """Say whether a statement assigns a variable or an attribute called `name`."""
    return isinstance(node, ast.Assign) and any(
        name in (getattr(target, "attr", None), getattr(target, "id", None))
        for target in node.targets
    )


def execute(statements: list[ast.stmt], names: dict[str, Any], file: str) -> dict[str, Any]:
    """Run statements of a client with `names` around them; return all names after it."""
    module = ast.Module(body=statements, type_ignores=[])
    exec(compile(ast.fix_missing_locations(module), file, "exec"), names)  # noqa: S102
    return names


class _Mode(Enum):
    PREFILL = "prefill"
    DECODE = "decode"


class _Envs:
    """SGLang's `envs`: a variable, or SGLang's default for it."""

    _DEFAULTS: Mapping[str, Any] = {
        "SGLANG_DISAGGREGATION_NIXL_BACKEND": "UCX",
        "SGLANG_DISAGGREGATION_NIXL_BACKEND_PARAMS": "{}",
        "SGLANG_DISAGGREGATION_ENGINE_INIT_TIMEOUT": 60,
    }

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(get=lambda: os.environ.get(name, self._DEFAULTS[name]))


def sglang() -> Any:
    """SGLang: what `NixlKVManager.__init__` does from the import of NIXL to `create_backend`."""
    file = "sglang/srt/disaggregation/nixl/conn.py"
    body = find(
        find(source_of("sglang", file), ast.ClassDef, "NixlKVManager"), ast.FunctionDef, "__init__"
    ).body
    first = next(i for i, each in enumerate(body) if mentions(each, "nixl._api"))
    last = next(i for i, each in enumerate(body) if mentions(each, "run_with_deadline"))
    module = SimpleNamespace(set_device=lambda _: None)
    names = {
        "self": SimpleNamespace(kv_args=SimpleNamespace(ib_device=None, gpu_id=0, engine_rank=0)),
        "disaggregation_mode": _Mode.PREFILL,
        "DisaggregationMode": _Mode,
        "envs": _Envs(),
        "json": json,
        "uuid": uuid,
        "os": os,
        "logger": logging.getLogger("sglang"),
        "torch": SimpleNamespace(get_device_module=lambda _: module),
        "get_device": lambda: SimpleNamespace(device="cpu"),
        "run_with_deadline": lambda action, **_: action(),
    }
    return execute(body[first : last + 1], names, file)["self"].agent


def lmcache() -> Any:
    """LMCache: the agent with which its peers send each other caches, `NixlAgentWrapper`."""
    file = "lmcache/v1/transfer_channel/nixl_channel.py"
    wrapper = find(source_of("lmcache", file), ast.ClassDef, "NixlAgentWrapper")
    wrapper.decorator_list = []
    names: dict[str, Any] = {"uuid": uuid, "Any": Any, "Optional": Optional, "__name__": "lmcache"}
    page = 4096
    memory = ctypes.create_string_buffer(2 * page)
    made = execute([wrapper], names, file)["NixlAgentWrapper"]
    keep = made(ctypes.addressof(memory), page, page, 0, ["UCX"], "cpu")
    _alive.append((keep, memory))
    return keep.agent


def lmcache_takes_ucx_for_storage() -> bool:
    """Ask LMCache's own check whether `nixl_backend_params` may be for UCX."""
    file = "lmcache/v1/storage_backend/nixl_storage_backend.py"
    check = find(source_of("lmcache", file), ast.FunctionDef, "validate_nixl_backend")
    check.decorator_list = []
    answer: bool = execute([check], {}, file)["validate_nixl_backend"]("UCX", "cpu")
    return answer


def ray() -> Any:
    """Ray: `NixlTensorTransport._make_nixl_agent`, for a driver, with the backend it selects."""
    file = "ray/experimental/rdt/nixl_tensor_transport.py"
    tree = source_of("ray", file)
    make = find(tree, ast.FunctionDef, "_make_nixl_agent")
    context = SimpleNamespace(get_actor_id=lambda: None)
    names = {"ray": SimpleNamespace(get_runtime_context=lambda: context)}
    return execute([make], names, file)["_make_nixl_agent"](None, "UCX")


def vllm() -> Any:
    """vLLM: the statements of `NixlBaseConnectorWorker.__init__` that lead to its agent.

    NIXL is found by vLLM's own module `vllm.distributed.nixl_utils`, which is run whole.
    """
    file = "vllm/distributed/kv_transfer/kv_connector/v1/nixl/base_worker.py"
    worker = find(source_of("vllm", file), ast.ClassDef, "NixlBaseConnectorWorker")
    body = find(worker, ast.FunctionDef, "__init__").body
    backends = next(each for each in body if assigns(each, "nixl_backends"))
    first = next(i for i, each in enumerate(body) if assigns(each, "non_ucx_backends"))
    made = next(i for i, each in enumerate(body) if assigns(each, "nixl_wrapper"))
    utils = _vllm_nixl_utils()
    transfer = SimpleNamespace(get_from_extra_config=lambda _, default: default)
    names = {
        "self": SimpleNamespace(),
        "vllm_config": SimpleNamespace(
            kv_transfer_config=transfer, model_config=SimpleNamespace(enable_sleep_mode=False)
        ),
        "nixl_agent_config": utils["__getattr__"]("nixl_agent_config"),
        "nixl_wrapper_cls": utils["__getattr__"]("NixlWrapper"),
        "uuid": uuid,
    }
    # The statement after the wrapper's is its backend in sleep mode.
    return execute([backends, *body[first : made + 2]], names, file)["self"].nixl_wrapper


def _vllm_nixl_utils() -> dict[str, Any]:
    """Run vLLM's module that imports NIXL, with its logger and its platform stood in for."""
    file = "vllm/distributed/nixl_utils.py"
    tree = source_of("vllm", file)
    own = [each for each in tree.body if not mentions_package(each, "vllm")]
    quiet = SimpleNamespace(warning_once=print, info_once=print)
    platform = SimpleNamespace(is_rocm=lambda: False)
    names: dict[str, Any] = {"current_platform": platform, "__name__": "nixl_utils"}
    names["init_logger"] = lambda _: quiet
    return execute(own, names, file)


def nemo_rl() -> Any:
    """NeMo-RL at commit 2bce06890714, nemo_rl/utils/checkpoint_engines/nixl.py.

    `_create_nixl_agent` takes `backend_init_params` of the configuration, values turned to text.
    """
    import yaml
    from nixl._api import nixl_agent, nixl_agent_config

    config = yaml.safe_load(Path(os.environ["NEMO_RL_CONFIG"]).read_text(encoding="utf-8"))
    generation = config["policy"]["generation"]
    assert generation["refit_transport"] == "nixl"
    scope = generation["refit_cfg"]["nixl"]
    agent = nixl_agent(str(uuid.uuid4()), nixl_agent_config(backends=[]))
    params = {key: str(value) for key, value in scope["backend_init_params"].items()}
    agent.create_backend(scope.get("backend_name", "UCX"), params)
    return agent


def nixlbench() -> Any:
    """nixlbench, commit 005834aeffdd of NIXL, benchmark/nixlbench/src/worker/nixl/nixl_worker.cpp.

    It asks the plugin for its parameters and hands them back with threads and workers of its own.
    """
    from nixl._api import nixl_agent, nixl_agent_config

    agent = nixl_agent(str(uuid.uuid4()), nixl_agent_config(backends=[]))
    params = dict(agent.get_plugin_params("UCX"))
    agent.create_backend("UCX", {**params, "num_threads": "0", "num_workers": "2"})
    return agent


#: Keeps what belongs to an agent as long as the process lives.
_alive: list[Any] = []

ROUTES: dict[str, Callable[[], Any]] = {
    "lmcache": lmcache,
    "nemo-rl": nemo_rl,
    "nixlbench": nixlbench,
    "ray": ray,
    "sglang": sglang,
    "vllm": vllm,
}
