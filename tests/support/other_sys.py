# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a program with another machine's tree in the place of /sys and of its device nodes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sysfs_trees import Tree

#: $0: folder of the tree; the rest is the command. /dev is made anew with what Python needs.
_MOUNT = """
set -e
mkdir -p "$0/new"
mount -t tmpfs none "$0/new"
mkdir "$0/new/shm"
for node in null zero full random urandom tty; do
    touch "$0/new/$node"
    mount --bind "/dev/$node" "$0/new/$node"
done
mount --rbind /dev/shm "$0/new/shm"
cp -r "$0/dev/infiniband" "$0/new/"
mount --rbind "$0/new" /dev
mount --rbind "$0/sys" /sys
exec "$@"
"""
_NAMESPACES = ("unshare", "--map-root-user", "--mount")


def why_not() -> str:
    """Return why this machine has no mount namespaces for that, "" where it has."""
    probe = subprocess.run([*_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return f"no mount namespace here: {probe.stderr.strip()}" if probe.returncode else ""


def over_sys(tree: Tree) -> tuple[str, ...]:
    """Return what to put before a command; the mounts end with it."""
    folder: Path = tree.sys.parent
    return (*_NAMESPACES, "sh", "-c", _MOUNT, str(folder))
