# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Plans in the words of each client's configuration, ready to paste."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping

from nixl_stripe.errors import StripeError
from nixl_stripe.planning.stripe_plan import StripePlan

_PATCHED = "needs a patched NIXL: nixl-stripe patch"


def emit(plans: list[StripePlan], client: str) -> str:
    """Return the configuration of `client` (a key of CLIENTS) for plans of one machine.

    What is the same for every GPU stands there once, the rest under the GPU that it is for.
    StripeError where it would name devices whose names the plan's source does not have.
    """
    texts = [(plan.gpu or "host memory", CLIENTS[client](plan)) for plan in plans]
    for plan, (_, text) in zip(plans, texts, strict=True):
        names = [each for each in plan.made_up if each.partition(":")[0] in text]
        if names:
            raise StripeError(
                f"--emit {client} would name {', '.join(names)}: {plan.source} has no device "
                "names, so these are made up; make the plan on the machine itself or from a "
                "capture of it, or --emit a client that names none, such as patched"
            )
    if len({text for _, text in texts}) <= 1:
        return texts[0][1] if texts else ""
    return "\n".join(f"# for {gpu}\n{text}" for gpu, text in texts)


def shared_params(plan: StripePlan) -> dict[str, str]:
    """Return backend parameters that hold for every rank: each finds its own GPU where it runs."""
    return {key: text for key, text in plan.backend_params().items() if key != "stripe_gpu"}


def _python(params: Mapping[str, str], note: str) -> str:
    return (
        f"# {note}\n"
        'agent = nixl_agent("name", nixl_agent_config(backends=[]))\n'
        f'agent.create_backend("UCX", {json.dumps(params)})'
    )


def _patched(plan: StripePlan) -> str:
    return _python(shared_params(plan), _PATCHED)


def _stock(plan: StripePlan) -> str:
    return _python(plan.stock_params(), "for an unpatched NIXL >= 0.10")


def _env(plan: StripePlan) -> str:
    lines = [f"export {key}={shlex.quote(text)}" for key, text in plan.environment().items()]
    return "\n".join(lines) or "# nothing to set"


def _yaml(
    path: tuple[str, ...], params: Mapping[str, str], beside: Mapping[str, tuple[str, ...]]
) -> str:
    """Return `params` under `path`, and below each key of `beside` the lines that belong there."""
    lines = [f"# {_PATCHED}"]
    for depth, key in enumerate(path):
        lines.append(f"{'  ' * depth}{key}:")
        lines += [f"{'  ' * (depth + 1)}{line}" for line in beside.get(key, ())]
    indent = "  " * len(path)
    return "\n".join([*lines, *(f"{indent}{k}: {json.dumps(v)}" for k, v in params.items())])


def _nemo_rl(plan: StripePlan) -> str:
    path = ("policy", "generation", "refit_cfg", "nixl", "backend_init_params")
    return _yaml(path, shared_params(plan), {"generation": ("refit_transport: nixl",)})


def _variables(plan: StripePlan) -> str:
    """Return the plugin's own variables, for clients without a way for backend parameters.

    Such are vLLM, ModelExpress, Ray, nixlbench, and LMCache between its peers: its
    `nixl_backend_params` go to a storage backend, and it refuses UCX there.
    """
    lines = [
        f"export NIXL_UCX_{key.upper()}={shlex.quote(text)}"
        for key, text in shared_params(plan).items()
    ]
    return "\n".join([f"# {_PATCHED}", *lines])


def _sglang(plan: StripePlan) -> str:
    text = json.dumps(shared_params(plan))
    variable = "SGLANG_DISAGGREGATION_NIXL_BACKEND_PARAMS"
    return f"# {_PATCHED}\nexport {variable}={shlex.quote(text)}"


def _dynamo(plan: StripePlan) -> str:
    lines = [
        f"export DYN_KVBM_NIXL_BACKEND_UCX_{key.upper()}={shlex.quote(text)}"
        for key, text in shared_params(plan).items()
    ]
    return "\n".join([f"# {_PATCHED}", *lines])


CLIENTS: dict[str, Callable[[StripePlan], str]] = {
    "patched": _patched,
    "stock": _stock,
    "env": _env,
    "nemo-rl": _nemo_rl,
    "sglang": _sglang,
    "dynamo": _dynamo,
    "lmcache": _variables,
    "modelexpress": _variables,
    "nixlbench": _variables,
    "ray": _variables,
    "vllm": _variables,
}
