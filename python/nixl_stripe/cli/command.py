# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Commands of click made from functions: a parameter with its `Option` or `Argument` is one.

    def show(nics: Annotated[int, Option(help="How many.")] = 4) -> None:
        ...

    app.command("show", example="nixl-stripe show --nics 8")(show)

Every option is named here, by its parameter or by the names that are given, never by a library's
rule for it.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import click

Function = Callable[..., Any]


@dataclass(frozen=True, init=False)
class Option:
    """How a parameter is given: by names with dashes, its own one unless others are said.

    min, max: of a number. parser: makes the value of the text; writer: the text of a default, for
    the help. hidden: not in the help. case_sensitive: of the words of an Enum.
    """

    names: tuple[str, ...]
    more: Mapping[str, Any]

    def __init__(self, *names: str, **more: Any) -> None:
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "more", more)


@dataclass(frozen=True)
class Argument:
    """How a parameter is given: by its place."""

    metavar: str | None = None
    help: str = ""


class Exit(click.exceptions.Exit):
    """Ends a command with an exit code; what is to be said has been said."""


class _Group(click.Group):
    """A command of verbs: without one it shows its help on standard error and ends with 2.

    click does so itself since 8.2; before, it took that for a success.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; see the class."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True, color=ctx.color)
            ctx.exit(2)
        return super().parse_args(ctx, args)


class App:
    """A group of commands."""

    def __init__(self, name: str, about: str, example: str, **more: Any) -> None:
        text = f"{about}\n\n{_example(example)}"
        self.group = _Group(name, help=text, short_help=about, no_args_is_help=True, **more)

    def command(self, name: str, example: str = "") -> Callable[[Function], Function]:
        """Return what adds a function as a command; its text is the help, with the example."""

        def add(function: Function) -> Function:
            self.group.add_command(_made(name, function, example))
            return function

        return add

    def add(self, app: App) -> None:
        """Add another group."""
        self.group.add_command(app.group)


def _made(name: str, function: Function, example: str) -> click.Command:
    signature = inspect.signature(function, eval_str=True)
    made = [_parameter(each) for each in signature.parameters.values()]
    parts = [inspect.cleandoc(function.__doc__ or ""), *_of_arguments(signature)]
    if example:
        parts.append(_example(example))
    short = " ".join(re.split(r"(?<=\w)\.(?:\s|$)|\n\n", parts[0])[0].split())
    return click.Command(
        name, params=made, callback=function, help="\n\n".join(parts), short_help=short
    )


def _example(line: str) -> str:
    """Return the paragraph of a help text that shows a command line, as it is typed."""
    return f"\b\nExample:\n  {line}"


def _of_arguments(signature: inspect.Signature) -> list[str]:
    """Return a paragraph for each argument, which click itself says nothing of."""
    found = []
    for each in signature.parameters.values():
        how = typing.get_args(each.annotation)[1]
        if isinstance(how, Argument) and how.help:
            found.append(f"{(how.metavar or each.name.upper()).strip('[]')}: {how.help}")
    return found


def _parameter(parameter: inspect.Parameter) -> click.Parameter:
    declared, how = typing.get_args(parameter.annotation)[:2]
    wanted, many = _type_of(declared)
    default = None if parameter.default is inspect.Parameter.empty else parameter.default
    if isinstance(default, Enum):
        default = default.value
    if isinstance(how, Argument):
        return click.Argument(
            [parameter.name],
            type=_click_type(wanted, {}),
            nargs=-1 if many else 1,
            required=parameter.default is inspect.Parameter.empty,
            metavar=how.metavar,
            callback=_plural if many else None,
        )
    more = dict(how.more)
    if "writer" in more:
        writer = more.pop("writer")
        default = None if default is None else writer(default)
    names = how.names or ("--" + parameter.name.replace("_", "-"),)
    about = {key: more.pop(key) for key in ("help", "metavar", "hidden") if key in more}
    if wanted is bool:
        more["is_flag"] = True
        return click.Option([*names, parameter.name], default=default, **about, **more)
    about.setdefault("metavar", "N" if wanted in (int, float) else None)
    return click.Option(
        [*names, parameter.name],
        type=_click_type(wanted, more),
        default=default,
        multiple=many,
        callback=_plural if many else _member_of(wanted),
        show_default=default is not None and not many and default != "",
        **about,
        **more,
    )


def _type_of(declared: Any) -> tuple[Any, bool]:
    """Return the type of one value, None left out, and whether there may be several."""
    if typing.get_origin(declared) in (typing.Union, types.UnionType):
        (declared,) = (each for each in typing.get_args(declared) if each is not type(None))
    if typing.get_origin(declared) is list:
        return typing.get_args(declared)[0], True
    return declared, False


def _click_type(wanted: Any, more: dict[str, Any]) -> click.ParamType[Any]:
    """Return click's type for one of Python's; takes out of `more` what belongs to it."""
    parser = more.pop("parser", None)
    low, high = more.pop("min", None), more.pop("max", None)
    sensitive = more.pop("case_sensitive", True)
    if parser is not None:
        return click.types.FuncParamType(parser)
    if wanted is int and (low is not None or high is not None):
        return click.IntRange(low, high)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return click.Choice([each.value for each in wanted], case_sensitive=sensitive)
    if wanted is Path:
        return click.Path(path_type=Path, file_okay=more.pop("file_okay", True))
    made: click.ParamType[Any] = click.types.convert_type(wanted)
    return made


def _plural(_: click.Context, __: click.Parameter, given: Any) -> list[Any] | None:
    return list(given) if given else None


def _member_of(wanted: Any) -> Callable[..., Any] | None:
    """Return what makes a member of an Enum of its word."""
    if not (isinstance(wanted, type) and issubclass(wanted, Enum)):
        return None
    return lambda _, __, given: None if given is None else wanted(given)
