# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The manifests: valid by Kubernetes' own schema, alike but for what a machine needs."""

from __future__ import annotations

import copy
import re
import shlex
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from clients.example_texts import EXAMPLES
from command_lines import accepted
from nixl_stripe import machine
from nixl_stripe.cli import main
from nixl_stripe.planning.planner import plan
from sysfs_machines import MACHINES
from sysfs_trees import write

FOLDER = EXAMPLES / "kubernetes"
OVERLAYS = ("gb200", "gb300", "p5", "flat-vm")
SCHEMAS = ("1.29", "1.37")
Manifest = dict[str, Any]


def patched(manifest: Manifest, operations: list[dict[str, Any]]) -> Manifest:
    """Apply a JSON patch (RFC 6902: add, remove, replace), as kustomize does."""
    result = copy.deepcopy(manifest)
    for each in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]
        ]
        at: Any = result
        for part in parents:
            at = at[int(part)] if isinstance(at, list) else at[part]
        if each["op"] == "add" and isinstance(at, list):
            at.append(each["value"]) if last == "-" else at.insert(int(last), each["value"])
            continue
        key: Any = int(last) if isinstance(at, list) else last
        there = key < len(at) if isinstance(at, list) else key in at
        assert each["op"] == "add" or there, f"{each['path']} is not there"
        if each["op"] == "remove":
            del at[key]
        else:
            at[key] = each["value"]
    return result


def rendered(folder: Path) -> list[Manifest]:
    """Return what `kubectl kustomize FOLDER` prints."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    manifests: list[Manifest] = []
    for name in kustomization["resources"]:
        path = folder / name
        manifests += rendered(path) if path.is_dir() else [yaml.safe_load(path.read_text())]
    for patch in kustomization.get("patches", []):
        target, operations = patch["target"], yaml.safe_load(patch["patch"])
        hit = [
            i
            for i, each in enumerate(manifests)
            if (each["kind"], each["metadata"]["name"]) == (target["kind"], target["name"])
        ]
        assert hit, target
        for index in hit:
            manifests[index] = patched(manifests[index], operations)
    return manifests


def pods(manifests: list[Manifest]) -> list[Manifest]:
    return [each["spec"]["template"]["spec"] for each in manifests if each["kind"] != "Service"]


def containers(manifests: list[Manifest]) -> list[Manifest]:
    return [each for pod in pods(manifests) for each in pod["initContainers"] + pod["containers"]]


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("name", ["base", *(f"overlays/{each}" for each in OVERLAYS)])
def test_valid_by_the_schema(name: str, version: str) -> None:
    manifests = rendered(FOLDER / name)
    assert [each["kind"] for each in manifests] == ["Service", "Deployment", "Job"]
    for each in manifests:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_schema_notices_a_wrong_key_bad_flow() -> None:
    (deployment,) = [each for each in rendered(FOLDER / "base") if each["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, SCHEMAS[-1], strict=True)


def test_every_container_may_use_every_nic() -> None:
    for each in containers(rendered(FOLDER / "base")):
        assert each["securityContext"]["capabilities"]["add"] == ["IPC_LOCK"]
        assert "rdma/hca_shared_devices_a" in each["resources"]["limits"]
        assert {"name": "NIXL_UCX_STRIPE", "value": "all"} in each["env"]


def test_doctor_runs_before_each_program() -> None:
    for pod in pods(rendered(FOLDER / "base")):
        (doctor,) = pod["initContainers"]
        assert doctor["command"] == ["nixl-stripe", "doctor", "--expect-nics=8"]
        assert doctor["resources"] == pod["containers"][0]["resources"]


def limits(name: str) -> list[dict[str, str]]:
    return [each["resources"]["limits"] for each in containers(rendered(FOLDER / name))]


def test_machines_differ_only_where_they_must() -> None:
    base = rendered(FOLDER / "base")
    for name in ("gb200", "p5"):
        other = rendered(FOLDER / "overlays" / name)
        for manifest in (*base, *other):
            if manifest["kind"] == "Service":
                continue
            manifest["spec"]["template"]["spec"].pop("nodeSelector", None)
            for each in containers([manifest]):
                each["resources"]["limits"] = {}
                each["command"] = each["command"][:2]
        assert other == base
    assert limits("overlays/gb300") == limits("overlays/gb200")
    assert all(each["nvidia.com/gpu"] == "4" for each in limits("overlays/gb200"))
    for each in limits("overlays/p5"):
        assert each["vpc.amazonaws.com/efa"] == "32"
        assert each["hugepages-2Mi"] == "5120Mi"
        assert "rdma/hca_shared_devices_a" not in each


#: A machine of each manifest, and the NICs that it has for NIXL.
NICS = {
    "base": ("dgx_h100", 8),
    "overlays/gb200": ("gb200", 4),
    "overlays/gb300": ("gb300", 8),
    "overlays/p5": ("p5", 32),
    "overlays/flat-vm": ("dgx_h100", 8),
}


def started(name: str, where: Path, keep: int) -> set[int]:
    """Start what the pods start first on a machine with `keep` NICs; return the exit codes."""
    tree = write(MACHINES[NICS[name][0]](), where).sys
    folder = tree / "class/infiniband"
    kept = [
        device.partition(":")[0] for device in plan("all", machine=machine(tree)).devices[:keep]
    ]
    gone = [nic for nic in folder.iterdir() if nic.name not in kept]
    for nic in gone if keep < NICS[name][1] else ():
        nic.unlink()
    commands = [pod["initContainers"][0]["command"] for pod in pods(rendered(FOLDER / name))]
    return {main([*command[1:], "--source", str(tree)]) for command in commands}


@pytest.mark.parametrize("name", NICS)
def test_pods_start_with_all_nics(name: str, tmp_path: Path) -> None:
    assert started(name, tmp_path, NICS[name][1]) == {0}


@pytest.mark.parametrize("missing", ["all", "all but one", "one"])
@pytest.mark.parametrize("name", NICS)
def test_pods_with_fewer_nics_fail_before_they_start_bad_flow(
    name: str, missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = NICS[name][1]
    keep = {"all": 0, "all but one": 1, "one": whole - 1}[missing]
    assert started(name, tmp_path, keep) == {1}
    out = " ".join(capsys.readouterr().out.split())
    assert f"{keep} RDMA NIC(s) in the plan" in out
    assert f"{whole} expected" in out


def test_the_topology_file_is_where_the_variable_says() -> None:
    for each in containers(rendered(FOLDER / "overlays/flat-vm")):
        (mount,) = [mount for mount in each["volumeMounts"] if mount["name"] == "topology"]
        (variable,) = [entry for entry in each["env"] if entry["name"] == "NCCL_TOPO_FILE"]
        assert variable["value"] == f"{mount['mountPath']}/topology.xml"


def test_the_two_share_a_token_that_no_manifest_holds() -> None:
    programs = [pod["containers"][0] for pod in pods(rendered(FOLDER / "base"))]
    for each in programs:
        (token,) = [entry for entry in each["env"] if entry["name"] == "NIXL_STRIPE_TOKEN"]
        assert token["valueFrom"] == {"secretKeyRef": {"name": "nixl-stripe", "key": "token"}}
        assert "value" not in token
    assert all(each["kind"] != "Secret" for each in rendered(FOLDER / "base"))


def test_both_sides_and_the_service_use_one_port() -> None:
    service, *_ = rendered(FOLDER / "base")
    port = service["spec"]["ports"][0]["port"]
    said = [word for each in containers(rendered(FOLDER / "base")) for word in each["command"]]
    assert [word.rpartition(":")[2] for word in said if ":" in word] == [str(port)] * 2


def test_the_command_takes_what_pods_say() -> None:
    said = [each["command"] for each in containers(rendered(FOLDER / "base"))]
    assert len(said) == 4
    for program, *arguments in said:
        assert program == "nixl-stripe"
        assert accepted(arguments)


def test_the_command_takes_what_the_dockerfile_says() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    lines = re.findall(r"^RUN (nixl-stripe .*)$", text, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        assert accepted(shlex.split(line)[1:])


def test_a_wrong_option_is_noticed_bad_flow() -> None:
    with pytest.raises(Exception, match="No such option"):
        accepted(["patch", "--stats"])
