# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The manifests: valid by Kubernetes' own schema, alike but for what a machine needs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
from clients.kustomized import FOLDER, containers, pods, rendered
from command_lines import accepted
from nixl_stripe import machine
from nixl_stripe.cli import main
from nixl_stripe.fleet.rank import find
from nixl_stripe.planning.planner import plan
from sysfs_machines import MACHINES
from sysfs_trees import write

OVERLAYS = ("gb200", "gb300", "p5", "hgx-h100-ib", "hgx-h100-multus", "flat-vm")
KINDS = {
    "base": ["Job", "Job", "Service"],
    "pairs": ["Job", "Service"],
    "fleet": ["Job", "Service"],
    "check": ["DaemonSet"],
    "no-rebuild": ["Deployment"],
    "modelexpress": ["Deployment"],
    **{f"overlays/{each}": ["Job", "Job", "Service"] for each in OVERLAYS},
    "overlays/flat-vm": ["ConfigMap", "Job", "Job", "Service"],
}
#: Those whose containers are all ours.
OURS = [name for name in KINDS if KINDS[name] != ["Deployment"]]
SCHEMAS = ("1.29", "1.37")


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("name", KINDS)
def test_valid_by_the_schema(name: str, version: str) -> None:
    manifests = rendered(FOLDER / name)
    assert sorted(each["kind"] for each in manifests) == KINDS[name]
    for each in manifests:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_schema_notices_a_wrong_key_bad_flow() -> None:
    job = next(each for each in rendered(FOLDER / "base") if each["kind"] == "Job")
    job["spec"]["template"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, SCHEMAS[-1], strict=True)


@pytest.mark.parametrize("name", ["base", "pairs", "fleet"])
def test_every_container_may_use_every_nic(name: str) -> None:
    for each in containers(rendered(FOLDER / name)):
        assert "rdma/hca_shared_devices_a" in each["resources"]["limits"]
        assert {"name": "NIXL_UCX_STRIPE", "value": "all"} in each["env"]


@pytest.mark.parametrize("name", OURS)
def test_nobody_is_root_and_all_but_one_capability_is_dropped(name: str) -> None:
    for pod in pods(rendered(FOLDER / name)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for each in containers(rendered(FOLDER / name)):
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
        assert each["securityContext"]["capabilities"] == {"add": ["IPC_LOCK"], "drop": ["ALL"]}


@pytest.mark.parametrize("name", ["base", "pairs"])
def test_doctor_runs_before_each_program(name: str) -> None:
    for pod in pods(rendered(FOLDER / name)):
        (doctor,) = pod["initContainers"]
        assert doctor["command"] == ["nixl-stripe", "doctor", "--expect-nics=8"]
        assert doctor["resources"] == pod["containers"][0]["resources"]


@pytest.mark.parametrize("name", OURS)
def test_what_ends_is_a_job_and_not_started_again_and_again(name: str) -> None:
    for each in rendered(FOLDER / name):
        for container in containers([each]) if each["kind"] != "ConfigMap" else []:
            if {"verify", "fleet"} & set(" ".join(container["command"]).split()):
                assert each["kind"] == "Job"
                assert each["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_registry_tag_and_namespace_are_set_in_one_place(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(
        "namespace: mine\nresources: [../kubernetes/overlays/p5, ../kubernetes/check]\n"
        "images: [{name: registry.example.com/team/nixl-stripe, newName: mine/s, newTag: v7}]\n"
    )
    manifests = rendered(mine)
    assert {each["metadata"]["namespace"] for each in manifests} == {"mine"}
    assert {each["image"] for each in containers(manifests)} == {"mine/s:v7"}


def limits(name: str) -> list[dict[str, str]]:
    return [each["resources"]["limits"] for each in containers(rendered(FOLDER / name))]


def test_machines_differ_only_where_they_must() -> None:
    base = rendered(FOLDER / "base")
    for name in ("gb200", "p5", "hgx-h100-ib", "hgx-h100-multus"):
        other = rendered(FOLDER / "overlays" / name)
        for manifest in (*base, *other):
            if manifest["kind"] == "Service":
                continue
            template = manifest["spec"]["template"]
            template["spec"].pop("nodeSelector", None)
            template["metadata"].pop("annotations", None)
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


def test_each_network_of_multus_has_its_resource() -> None:
    for manifest in rendered(FOLDER / "overlays/hgx-h100-multus"):
        if manifest["kind"] == "Service":
            continue
        said = manifest["spec"]["template"]["metadata"]["annotations"]
        networks = said["k8s.v1.cni.cncf.io/networks"].split(",")
        assert len(set(networks)) == 8
        for each in containers([manifest]):
            found = {key for key in each["resources"]["limits"] if "rail" in key}
            assert found == {f"nvidia.com/{network}" for network in networks}


#: A machine of each manifest, and the NICs that it has for NIXL.
NICS = {
    "base": ("dgx_h100", 8),
    "overlays/gb200": ("gb200", 4),
    "overlays/gb300": ("gb300", 8),
    "overlays/p5": ("p5", 32),
    "overlays/hgx-h100-ib": ("dgx_h100", 8),
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
    manifests = rendered(FOLDER / "overlays/flat-vm")
    (made,) = [each for each in manifests if each["kind"] == "ConfigMap"]
    assert re.fullmatch(r"nixl-stripe-topology-\w{10}", made["metadata"]["name"])
    for pod in pods(manifests):
        (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "topology"]
        assert volume["configMap"] == {"name": made["metadata"]["name"]}
    for each in containers(manifests):
        (mount,) = [mount for mount in each["volumeMounts"] if mount["name"] == "topology"]
        (variable,) = [entry for entry in each["env"] if entry["name"] == "NCCL_TOPO_FILE"]
        (file,) = made["data"]
        assert variable["value"] == f"{mount['mountPath']}/{file}"


def test_the_topology_file_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    file = FOLDER / "overlays/flat-vm/topology.xml"
    assert main(["topo", "--source", str(file)]) == 0
    assert capsys.readouterr().out.count("PIX") >= 2


def test_the_two_share_a_token_that_no_manifest_holds() -> None:
    programs = [pod["containers"][0] for pod in pods(rendered(FOLDER / "base"))]
    for each in programs:
        (token,) = [entry for entry in each["env"] if entry["name"] == "NIXL_STRIPE_TOKEN"]
        assert token["valueFrom"] == {"secretKeyRef": {"name": "nixl-stripe", "key": "token"}}
        assert "value" not in token
    assert all(each["kind"] != "Secret" for each in rendered(FOLDER / "base"))


@pytest.mark.parametrize("name", ["base", "pairs"])
def test_both_sides_and_the_service_use_one_port(name: str) -> None:
    manifests = rendered(FOLDER / name)
    (service,) = [each for each in manifests if each["kind"] == "Service"]
    port = service["spec"]["ports"][0]["port"]
    said = " ".join(word for each in containers(manifests) for word in each["command"])
    assert re.findall(r":(\d+)", said) == [str(port)] * 2


def typed(command: list[str]) -> list[list[str]]:
    """Return the command lines of ours in a container's command, a script's too."""
    if command[0] != "sh":
        return [command]
    return [shlex.split(line) for line in re.findall(r"exec (nixl-stripe .*)", command[-1])]


@pytest.mark.parametrize("name", OURS)
def test_the_command_takes_what_pods_say(name: str) -> None:
    for each in containers(rendered(FOLDER / name)):
        probe = each.get("readinessProbe", {}).get("exec", {}).get("command")
        said = [*typed(each["command"]), *([probe] if probe else [])]
        assert said
        for program, *arguments in said:
            assert program == "nixl-stripe"
            assert accepted(arguments)


def test_of_each_pair_one_listens_and_the_next_connects(tmp_path: Path) -> None:
    (pod,) = pods(rendered(FOLDER / "pairs"))
    tool = tmp_path / "nixl-stripe"
    tool.write_text('#!/bin/sh\necho "$@"\n')
    tool.chmod(0o755)

    def started(index: int) -> str:
        path = f"{tmp_path}:{os.environ['PATH']}"
        variables = {"PATH": path, "JOB_COMPLETION_INDEX": str(index)}
        command = pod["containers"][0]["command"]
        return subprocess.run(
            command, env=variables, capture_output=True, text=True, check=True
        ).stdout

    for index in (0, 2, 10):
        assert started(index).startswith("verify --listen 0.0.0.0:18517 ")
        host = f"nixl-stripe-pairs-{index}.{pod['subdomain']}"
        assert started(index + 1).startswith(f"verify --connect {host}:18517 ")


def test_each_pod_of_a_fleet_knows_its_rank_and_where_pod_0_is() -> None:
    manifests = rendered(FOLDER / "fleet")
    (job,) = [each for each in manifests if each["kind"] == "Job"]
    (service,) = [each for each in manifests if each["kind"] == "Service"]
    (container,) = containers([job])
    given = {each["name"]: each.get("value", "") for each in container["env"]}
    count = job["spec"]["completions"]
    assert count == job["spec"]["parallelism"] >= 2
    name = job["metadata"]["name"]
    for index in range(count):
        # What Kubernetes adds to each pod of an Indexed Job.
        pod = {"JOB_COMPLETION_INDEX": str(index), "HOSTNAME": f"{name}-{index}"}
        found = find({**given, **pod})
        assert (found.number, found.ranks) == (index, count)
        assert found.hub.host == f"{name}-0.{service['metadata']['name']}"
        assert found.hub.port == service["spec"]["ports"][0]["port"]
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert job["spec"]["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    assert job["spec"]["backoffLimitPerIndex"] == 0


def test_the_command_takes_what_the_dockerfile_says() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    lines = re.findall(r"^RUN (nixl-stripe .*)$", text, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        assert accepted(shlex.split(line)[1:])


def test_a_wrong_option_is_noticed_bad_flow() -> None:
    with pytest.raises(Exception, match="No such option"):
        accepted(["patch", "--stats"])
