# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The manifests as kubectl's own kustomize renders them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from clients.example_texts import EXAMPLES

FOLDER = EXAMPLES / "kubernetes"
Manifest = dict[str, Any]


class KustomizeError(Exception):
    """What kubectl said."""


@functools.cache
def _text(folder: Path) -> str:
    """Return what `kubectl kustomize FOLDER` prints."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise KustomizeError(done.stderr)
    return done.stdout


def rendered(folder: Path) -> list[Manifest]:
    """Return the manifests that `kubectl kustomize FOLDER` prints, the caller's to change."""
    return list(yaml.safe_load_all(_text(folder)))


def pods(manifests: list[Manifest]) -> list[Manifest]:
    """Return the pods of all workloads."""
    return [each["spec"]["template"]["spec"] for each in manifests if "template" in _spec(each)]


def _spec(manifest: Manifest) -> Manifest:
    spec: Manifest = manifest.get("spec", {})
    return spec


def containers(manifests: list[Manifest]) -> list[Manifest]:
    """Return all containers, those that run first in front."""
    return [
        each
        for pod in pods(manifests)
        for each in pod.get("initContainers", []) + pod["containers"]
    ]
