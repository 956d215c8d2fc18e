# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""The map of the Python package: which room imports which, as a picture and in figures.

    python tools/import_graph.py --svg docs/img/rooms.svg

A room is a package below `nixl_stripe`, or a module beside them. An arrow is at least one import
from one room in another, wherever it stands: within a function and for a type checker alone too.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "python" / "nixl_stripe"

Graph = Mapping[str, frozenset[str]]

_WIDTH, _HEIGHT, _GAP, _ROW, _EDGE = 124, 34, 22, 84, 20


def modules_of(package: Path) -> dict[str, Path]:
    """Return a package's modules by their dotted names."""
    found = {}
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.pyi")]):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(source: str) -> Iterator[tuple[str, str | None]]:
    """Yield module and name of each import, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)


def module_graph(package: Path) -> Graph:
    """Return what each module imports of its own package."""
    modules = modules_of(package)
    graph = {}
    for name, path in modules.items():
        seen = set()
        for module, member in imports_of(path.read_text("utf-8")):
            full = f"{module}.{member}"
            seen.add(full if member and full in modules else module)
        graph[name] = frozenset((seen & modules.keys()) - {name})
    return graph


def room_graph(modules: Graph) -> Graph:
    """Return the same between rooms; the package's own `__init__` is the room `nixl_stripe`."""
    rooms: dict[str, set[str]] = {}
    for name, used in modules.items():
        room = _room(name)
        rooms.setdefault(room, set()).update(_room(other) for other in used)
    return {room: frozenset(used - {room}) for room, used in rooms.items()}


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def cycles_of(graph: Graph) -> list[list[str]]:
    """Return the sets of two and more that import each other, directly or not."""
    reach = {name: _reached(graph, name) for name in graph}
    found = {
        tuple(sorted(other for other in reach[name] if name in reach[other]))
        for name in graph
        if name in reach[name]
    }
    return sorted(map(list, found))


def _reached(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += graph[name]
    return reached


def floors_of(graph: Graph) -> list[list[str]]:
    """Return the rooms of a graph without cycles from the ground up: each above what it uses."""
    level: dict[str, int] = {}
    while len(level) < len(graph):
        ready = [n for n in graph if n not in level and graph[n] <= level.keys()]
        if not ready:
            raise ValueError(f"rooms in a cycle have no floors: {cycles_of(graph)}")
        level |= {n: 1 + max((level[other] for other in graph[n]), default=-1) for n in ready}
    return [sorted(n for n in level if level[n] == at) for at in range(max(level.values()) + 1)]


def figures(package: Path) -> dict[str, int]:
    """Return how many rooms, arrows and cycles a package has; `entangled`: modules in cycles."""
    modules = module_graph(package)
    rooms = room_graph(modules)
    return {
        "rooms": len(rooms),
        "arrows": sum(map(len, rooms.values())),
        "room cycles": len(cycles_of(rooms)),
        "modules": len(modules),
        "module cycles": len(cycles_of(modules)),
        "entangled": sum(map(len, cycles_of(modules))),
    }


def svg(rooms: Graph) -> str:
    """Return the picture of a graph without cycles: arrows point down, to what is used.

    An arrow that follows from others is left out: A uses C where A uses B and B uses C.
    """
    floors = floors_of(rooms)[::-1]
    widest = max(map(len, floors))
    width = 2 * _EDGE + widest * (_WIDTH + _GAP) - _GAP
    height = 2 * _EDGE + len(floors) * _ROW - (_ROW - _HEIGHT)
    places = {}
    for row, floor in enumerate(floors):
        start = (width - len(floor) * (_WIDTH + _GAP) + _GAP) / 2
        for column, room in enumerate(floor):
            places[room] = (start + column * (_WIDTH + _GAP), _EDGE + row * _ROW)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="13">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#7a8699"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for room in sorted(rooms):
        x, y = places[room]
        through = {end for used in rooms[room] for end in _reached(rooms, used)}
        for used in sorted(rooms[room] - through):
            to_x, to_y = places[used]
            lines.append(
                f'<path d="M{x + _WIDTH / 2:g} {y + _HEIGHT} C{x + _WIDTH / 2:g} {y + _ROW - 20}'
                f' {to_x + _WIDTH / 2:g} {to_y - 30} {to_x + _WIDTH / 2:g} {to_y - 2}" '
                'fill="none" stroke="#7a8699" marker-end="url(#head)"/>'
            )
    for room, (x, y) in sorted(places.items()):
        lines.append(
            f'<rect x="{x:g}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" '
            f'fill="#e8f0fb" stroke="#35618e"/><text x="{x + _WIDTH / 2:g}" y="{y + 22}" '
            f'text-anchor="middle">{room}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; write the picture where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--package", type=Path, default=PACKAGE)
    parser.add_argument("--svg", type=Path, help="where to write the picture")
    options = parser.parse_args(argv)
    modules = module_graph(options.package)
    print(", ".join(f"{count} {name}" for name, count in figures(options.package).items()))
    for cycle in [*cycles_of(room_graph(modules)), *cycles_of(modules)]:
        print("cycle:", " <-> ".join(cycle))
    if options.svg:
        options.svg.write_text(svg(room_graph(modules)), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
