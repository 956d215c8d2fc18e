# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Variants of a written tree that must not matter: names, their order, slots of the GID table."""

from __future__ import annotations

from sysfs_trees import Tree


def rename_devices(tree: Tree, stem: str) -> dict[str, str]:
    """Give every RDMA device another name, in the opposite order; return the new ones by the old.

    stem: what the names begin with.
    """
    folder = tree.sys / "class/infiniband"
    old = sorted(each.name for each in folder.iterdir())
    names = {name: f"{stem}{len(old) - i}" for i, name in enumerate(old)}
    for name in names:  # aside first: new names may be those of others
        (folder / name).rename(folder / f"aside-{name}")
    for name, new in names.items():
        (folder / f"aside-{name}").rename(folder / new)
    for verbs in (tree.sys / "class/infiniband_verbs").iterdir():
        ibdev = verbs / "ibdev"
        ibdev.write_text(names[ibdev.read_text().strip()] + "\n")
    return names


def shift_gids(tree: Tree, by: int) -> None:
    """Move the GIDs of every port `by` slots up, behind slots that are free.

    On InfiniBand slot 0 has the port's own address for good, with its subnet: a copy stays there.
    On RoCE it is that of the port's own interface for good, whose name stays.
    """
    for device in (tree.sys / "class/infiniband").iterdir():
        for port in (device / "ports").iterdir():
            gids = sorted((port / "gids").iterdir(), key=lambda each: int(each.name))
            texts = [each.read_text() for each in gids]
            free = [":".join(["0000"] * 8) + "\n"] * by
            if "InfiniBand" in (port / "link_layer").read_text():
                free[0] = texts[0]
            for slot, text in enumerate(free + texts):
                (port / "gids" / str(slot)).write_text(text)
            for ndev in sorted(
                (port / "gid_attrs/ndevs").glob("*"), key=lambda each: -int(each.name)
            ):
                own = ndev.read_text()
                ndev.rename(ndev.with_name(str(int(ndev.name) + by)))
                if ndev.name == "0":
                    ndev.write_text(own)
