# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The component that puts every NIC before an unmodified image: rendered, and its steps run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from clients.image_root import Image
from clients.kustomized import FOLDER, KustomizeError, Manifest, rendered
from fake_plugins import contents
from nixl_stripe.versions import NEWEST

WheelOf = Callable[[str, str], Path]

#: A program of somebody who knows nothing of ours: two agents, a WRITE, every byte compared.
PROGRAM = """
import importlib.util, sys, time
import numpy as np
from nixl_cu12._api import nixl_agent, nixl_agent_config

assert importlib.util.find_spec("nixl_stripe") is None
agents, memory, regions, said = [], [], [], []
for index, name in enumerate(("a", "b")):
    agent = nixl_agent(name, nixl_agent_config(backends=[]))
    said.append("stripe" in agent.get_plugin_params("UCX"))
    agent.create_backend("UCX", {"max_rma_rails": "3"} if len(sys.argv) > 1 else {})
    memory.append(np.full(1 << 20, index, np.uint8))
    region = [(memory[-1].ctypes.data, memory[-1].nbytes, 0, "")]
    agents.append(agent)
    regions.append(agent.register_memory(region, "DRAM"))
peer = agents[0].add_remote_agent(agents[1].get_agent_metadata())
ends = (regions[0].trim(), regions[1].trim())
handle = agents[0].initialize_xfer("WRITE", *ends, peer)
state = agents[0].transfer(handle)
while state == "PROC":
    time.sleep(0.001)
    state = agents[0].check_xfer_state(handle)
print("SAID", *said, state, int(memory[1].sum()))
"""


def outcome(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what the program found, among what NIXL logs."""
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("SAID ")]
    return line.split()[1:]


def deployment(folder: Path) -> Manifest:
    (found,) = [each for each in rendered(folder) if each["kind"] == "Deployment"]
    return found


@pytest.fixture(scope="module")
def needs_namespaces() -> None:
    """Skip, with the reason, where nobody may make a root file system of their own."""
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "true"], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no user namespaces here: {done.stderr.decode().strip()}")


@pytest.fixture(scope="module")
def image(
    needs_namespaces: None, unpacked: WheelOf, tmp_path_factory: pytest.TempPathFactory
) -> Image:
    return Image(tmp_path_factory.mktemp("image"), unpacked("nixl-cu12", NEWEST))


def test_the_rest_of_the_deployment_stays() -> None:
    theirs = yaml.safe_load((FOLDER / "no-rebuild/deployment.yaml").read_text())
    found = deployment(FOLDER / "no-rebuild")
    pod = found["spec"]["template"]["spec"]
    carrier, maker = pod.pop("initContainers")
    (volume,) = pod.pop("volumes")
    (server,) = pod["containers"]
    (mount,) = server.pop("volumeMounts")
    added = {each["name"] for each in server["env"]} - {"MODEL"}
    assert added == {"NIXL_PLUGIN_DIR", "NIXL_UCX_STRIPE"}
    server["env"] = [each for each in server["env"] if each["name"] == "MODEL"]
    # The image is the user's own, in the tag that the user's own kustomization sets.
    assert server["image"] == maker["image"] == "vllm/vllm-openai:v0.33.0"
    assert carrier["image"] == "registry.example.com/team/nixl-stripe-wheels:0.1.0"
    server["image"] = "vllm/vllm-openai:latest"
    assert found == theirs
    assert volume["emptyDir"] == {}
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)


def test_modelexpress_gets_it_beside_its_own_variables() -> None:
    (server,) = deployment(FOLDER / "modelexpress")["spec"]["template"]["spec"]["containers"]
    said = {each["name"]: each["value"] for each in server["env"]}
    assert said.items() >= {
        ("NIXL_PLUGIN_DIR", "/nixl-stripe/plugins"),
        ("NIXL_UCX_STRIPE", "all"),
        ("MX_RDMA_NIC_PIN", "off"),
        ("MX_SERVER_ADDRESS", "modelexpress-server:8001"),
    }


def test_taking_the_component_out_undoes_it(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    mine = tmp_path / "kubernetes/no-rebuild"
    text = (mine / "kustomization.yaml").read_text()
    assert "components:\n  - ../components/no-rebuild\n" in text
    (mine / "kustomization.yaml").write_text(
        text.replace("components:\n  - ../components/no-rebuild\n", "")
    )
    assert "nixl-stripe" not in yaml.safe_dump(deployment(mine))


def test_a_container_of_another_name_is_noticed_bad_flow(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    file = tmp_path / "kubernetes/no-rebuild/deployment.yaml"
    file.write_text(file.read_text().replace("- name: server", "- name: other"))
    with pytest.raises(KustomizeError, match="image"):
        rendered(tmp_path / "kubernetes/no-rebuild")


def test_the_very_steps_put_every_nic_before_a_stock_image(image: Image, unpacked: WheelOf) -> None:
    stock = unpacked("nixl-cu12", NEWEST)
    before = {name: mode for name, (mode, _) in contents(stock).items()}
    pod = deployment(FOLDER / "no-rebuild")["spec"]["template"]["spec"]
    for each in pod["initContainers"]:
        done = image.run(each["command"], each.get("env"))
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"nixl-cu12 {NEWEST}: a patched copy of its plugins is in /nixl-stripe" in done.stdout
    (server,) = pod["containers"]
    done = image.run(["python3", "-c", PROGRAM, "rails"], server["env"])
    assert outcome(done) == ["True", "True", "DONE", "0"]
    # Started again, as after the pod's node was: the volume is there already.
    again = image.run(pod["initContainers"][1]["command"])
    assert again.returncode == 0, again.stderr
    assert {name: mode for name, (mode, _) in contents(stock).items()} == before


def test_without_it_the_image_is_stock_bad_flow(image: Image) -> None:
    done = image.run(["python3", "-c", PROGRAM])
    assert outcome(done) == ["False", "False", "DONE", "0"]


def test_an_image_without_nixl_says_so_bad_flow(image: Image) -> None:
    pod = deployment(FOLDER / "no-rebuild")["spec"]["template"]["spec"]
    carrier, maker = pod["initContainers"]
    assert image.run(carrier["command"]).returncode == 0
    done = image.run(maker["command"], [{"name": "PYTHONPATH", "value": "/nothing"}])
    assert done.returncode != 0
    assert "no NIXL is installed for this Python" in done.stderr


@pytest.mark.usefixtures("needs_namespaces")
def test_an_image_of_a_python_without_a_wheel_says_which_bad_flow(
    unpacked: WheelOf, tmp_path: Path
) -> None:
    image = Image(tmp_path, unpacked("nixl-cu12", NEWEST))
    (ours,) = image.wheels.glob("nixl_stripe-*.whl")
    ours.rename(ours.with_name("nixl_stripe-1-cp39-cp39-linux_x86_64.whl"))
    carrier, maker = deployment(FOLDER / "no-rebuild")["spec"]["template"]["spec"]["initContainers"]
    assert image.run(carrier["command"]).returncode == 0
    done = image.run(maker["command"])
    assert done.returncode != 0
    assert re.search(r"nixl-stripe-wheels has no wheels/\*-cp3\d+-\*_\w+\.whl", done.stderr)
    assert not (image.volume / "plugins").exists()
