# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Files of `stripe_metrics`: joined by `export`, named by `top`, refused where they are not so."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import prometheus_client
import pytest
from agent_texts import agent_text, start_ticks
from counter_trees import tree_of
from nixl_stripe.cli import main
from nixl_stripe.errors import StripeError
from nixl_stripe.proof import agents
from nixl_stripe.proof.agent_metrics import HELP, AgentCollector
from nixl_stripe.proof.agents import (
    MAX_ALL_BYTES,
    MAX_ALL_LINES,
    MAX_BYTES,
    MAX_FILES,
    MAX_NAMES,
    SAMPLES,
    parse,
    read_folder,
)
from nixl_stripe.proof.hidden import is_hidden
from nixl_stripe.proof.watch import Watch
from nixl_stripe.untrusted import RefusedError, open_file
from privileges import NOBODY, needs_root
from prometheus_client.openmetrics import exposition, parser


def put(folder: Path, name: str, text: str, age_s: float = 0) -> Path:
    file = folder / name
    file.write_text(text)
    if age_s:
        then = file.stat().st_mtime - age_s
        os.utime(file, (then, then))
    return file


def exported(folder: Path) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in AgentCollector(folder).collect()
        for sample in family.samples
    }


def test_files_of_a_host_are_joined(tmp_path: Path) -> None:
    put(tmp_path, "a.prom", agent_text("w0", "w1"))
    put(tmp_path, "b.prom", agent_text("w0"))
    put(tmp_path, "other.txt", "not ours")
    found = exported(tmp_path)
    for agent, process in (("w0", "a"), ("w1", "a"), ("w0", "b")):
        key = "nixl_stripe_agent_intended_bytes_total", (agent, process, "mlx5_1", "out")
        assert found[key] == 600
    info = next(labels for name, labels in found if name == "nixl_stripe_agent_info")
    assert info == ("w0", "a", "h", str(os.getpid()), "1.23.0", "1")
    assert found["nixl_stripe_agent_files_refused", ()] == 0


def test_resumes_are_of_agents_that_resume(tmp_path: Path) -> None:
    put(tmp_path, "a.prom", agent_text("w0", resumes=3))
    put(tmp_path, "b.prom", agent_text("w1"))
    behind = ("resumes_total", "nic_losses_total", "nic_returns_total")
    names = [f"nixl_stripe_agent_{name}" for name in behind]
    found = {key: value for key, value in exported(tmp_path).items() if key[0] in names}
    nic = ("w0", "a", "eth0")
    assert found == {
        (names[0], ("w0", "a")): 3,
        (names[1], nic): 3,
        (names[2], nic): 1,
    }


def test_the_plugins_samples_are_all_explained() -> None:
    assert list(HELP) == list(SAMPLES)


def test_openmetrics_reads_what_is_joined_and_what_is_written(tmp_path: Path) -> None:
    put(tmp_path, "a.prom", agent_text('w\\"0'))
    registry = prometheus_client.CollectorRegistry()
    registry.register(AgentCollector(tmp_path))
    write: Any = exposition.generate_latest  # it has no types, nor has the parser
    parse_all: Any = parser.text_string_to_metric_families
    for text in (write(registry).decode(), agent_text('w\\"0')):
        families = list(parse_all(text))
        assert any(
            sample.labels.get("agent_name") == 'w"0' for each in families for sample in each.samples
        )


def test_processes_that_ended_are_dropped(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    put(tmp_path, "ended.prom", agent_text(pid=ended.pid, start=1))
    put(tmp_path, "again.prom", agent_text(start=start_ticks(os.getpid()) + 1))
    put(tmp_path, "old.prom", agent_text(), age_s=61)
    put(tmp_path, "pod.prom", agent_text("pod", pid=1, start=1, namespace=7))
    put(tmp_path, "gone-pod.prom", agent_text(pid=1, start=1, namespace=7), age_s=61)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["pod"]
    assert (found.dead, found.refused) == (4, {})
    assert found.names() == {}, "a number of another PID namespace is nobody's here"


#: Reads a folder as nobody; the modules are root's to read.
_AS_NOBODY = f"""
import os, sys
from pathlib import Path
from nixl_stripe.proof.agents import read_folder
from nixl_stripe.proof.processes import _command
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
found = read_folder(Path(sys.argv[1]))
print([each.process for each in found.live], found.dead, *map(_command, map(int, sys.argv[2:])))
"""


@pytest.mark.parametrize("mode", ["0", "2"])
def test_processes_that_proc_hides_are_not_dropped(mode: str) -> None:
    """Hosts for several users mount /proc with hidepid=2: others' processes are not seen there."""
    needs_root()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        put(folder, "other.prom", agent_text())
        put(folder, "old.prom", agent_text(), age_s=61)
        put(folder, "ended.prom", agent_text(pid=ended.pid, start=1))
        mount = f'mount -t proc -o hidepid={mode} proc /proc && exec "$@"'
        program = [sys.executable, "-c", _AS_NOBODY, name, str(os.getpid()), str(ended.pid)]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount, "sh", *program],
            capture_output=True,
            text=True,
            check=False,
        )
    if "mount:" in done.stderr:
        pytest.skip(f"no /proc of its own can be mounted here: {done.stderr.strip()}")
    ours = "another user's" if mode == "2" else Path("/proc/self/comm").read_text().strip()
    assert done.stdout == f"['other'] 2 {ours} ended\n", done.stderr


@pytest.mark.parametrize("number", [0, 1 << 22 | 1, 1 << 70])
def test_a_number_that_is_no_process_is_not_hidden_bad_flow(number: int) -> None:
    assert not is_hidden(number)


def test_a_sandbox_that_tells_no_start_goes_by_age(tmp_path: Path) -> None:
    put(tmp_path, "live.prom", agent_text("live", start=0, namespace=0))
    put(tmp_path, "gone.prom", agent_text("gone", start=0, namespace=0), age_s=61)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["live"]
    assert (found.dead, found.refused) == (1, {})


GOOD = agent_text()
CHANGES: dict[str, Callable[[str], str]] = {
    "no end": lambda text: text.replace("# EOF\n", ""),
    "an unknown metric": lambda text: text.replace("agent_rails", "agent_railz"),
    "others' metric": lambda text: text.replace("nixl_stripe_agent_rails", "up"),
    "an unknown label": lambda text: text.replace("direction=", "process="),
    "no number": lambda text: text.replace("} 400", "} NaN"),
    "a long number": lambda text: text.replace("} 400", "} " + "9" * 21),
    "a negative one": lambda text: text.replace("} 400", "} -4"),
    "twice": lambda text: text.replace("# EOF", text.splitlines()[5] + "\n# EOF"),
    "two processes": lambda text: text.replace(
        "# EOF", text.splitlines()[0].replace("w0", "w1").replace('pid="', 'pid="1') + "\n# EOF"
    ),
    "no process": lambda text: "\n".join(text.splitlines()[1:]) + "\n",
    "an agent without info": lambda text: text.replace('ils{agent_name="w0', 'ils{agent_name="x'),
    "a word for a number": lambda text: text.replace(f'pid="{os.getpid()}"', 'pid="self"'),
    "an open quote": lambda text: text.replace('"w0"', '"w0', 1),
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_bad_file_is_refused_and_others_are_not_bad_flow(tmp_path: Path, what: str) -> None:
    changed = CHANGES[what](GOOD)
    assert changed != GOOD
    put(tmp_path, "bad.prom", changed)
    put(tmp_path, "good.prom", GOOD)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["good"]
    assert list(found.refused) == ["bad.prom"]
    assert len(found.refused["bad.prom"].splitlines()) == 1
    assert exported(tmp_path)["nixl_stripe_agent_files_refused", ()] == 1


def test_what_is_no_file_is_refused_bad_flow(tmp_path: Path) -> None:
    put(tmp_path, "secret", GOOD)
    (tmp_path / "link.prom").symlink_to(tmp_path / "secret")
    (tmp_path / "folder.prom").mkdir()
    os.mkfifo(tmp_path / "pipe.prom")
    put(tmp_path, "large.prom", "#" * (MAX_BYTES + 1))
    found = read_folder(tmp_path)
    assert found.live == ()
    assert set(found.refused) == {"link.prom", "folder.prom", "pipe.prom", "large.prom"}


def test_too_many_files_bad_flow(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 3):
        put(tmp_path, f"{number:03}.prom", GOOD)
    found = read_folder(tmp_path)
    assert (len(found.live), len(found.refused)) == (MAX_FILES, 3)


def test_files_of_the_dead_crowd_out_no_living_one(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 3):
        put(tmp_path, f"a{number:03}.prom", GOOD, age_s=3600)
    put(tmp_path, "z.prom", GOOD)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["z"]
    assert (found.dead, found.refused) == (MAX_FILES + 3, {})


def test_files_of_the_dead_are_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody deletes them: a scrape's time would grow from job to job."""
    opened: list[str] = []

    def counted(path: Path, flags: int) -> BinaryIO:
        opened.append(path.name)
        return open_file(path, flags)

    monkeypatch.setattr(agents, "open_file", counted)
    for number in range(100):
        put(tmp_path, f"{number}.prom", agent_text(), age_s=61)
    put(tmp_path, "z.prom", agent_text())
    (tmp_path / "link.prom").symlink_to(tmp_path / "0.prom")
    found = read_folder(tmp_path)
    assert (found.dead, [each.process for each in found.live]) == (100, ["z"])
    assert list(found.refused) == ["link.prom"]
    assert sorted(opened) == ["link.prom", "z.prom"]


def test_nobody_speaks_for_a_process_of_another_user_bad_flow(tmp_path: Path) -> None:
    needs_root()
    put(tmp_path, "forged.prom", agent_text("forged"))
    os.chown(tmp_path / "forged.prom", NOBODY, NOBODY)
    put(tmp_path, "pod.prom", agent_text("pod", pid=1, start=1, namespace=7))
    os.chown(tmp_path / "pod.prom", NOBODY, NOBODY)
    put(tmp_path, "mine.prom", agent_text("mine"))
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["mine", "pod"]
    assert "another user's than the process" in found.refused["forged.prom"]


def test_one_users_files_do_not_crowd_out_those_of_others(tmp_path: Path) -> None:
    needs_root()
    for number in range(MAX_ALL_BYTES // MAX_BYTES):
        put(tmp_path, f"0{number}.prom", "#" * MAX_BYTES)
        os.chown(tmp_path / f"0{number}.prom", NOBODY, NOBODY)
    put(tmp_path, "z.prom", GOOD)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["z"]
    assert len(found.refused) == MAX_ALL_BYTES // MAX_BYTES


def test_all_files_together_have_limits_bad_flow(tmp_path: Path) -> None:
    """Whoever may write there cannot make a look long: lines, bytes and names have an end."""
    half = agent_text(out={f"n{number}": 1 for number in range(MAX_ALL_LINES // 6)})
    for name in ("a", "b", "c"):
        put(tmp_path, f"{name}.prom", half)
    put(tmp_path, "d.prom", GOOD)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["a", "d"]
    (refused,) = set(found.refused.values())
    assert refused.startswith(f"accepted are {MAX_ALL_LINES} lines in all files")
    for number in range(MAX_ALL_BYTES // MAX_BYTES):
        put(tmp_path, f"0{number}.prom", "#" * MAX_BYTES)
    refused = read_folder(tmp_path).refused["d.prom"]
    assert refused.startswith(f"accepted are {MAX_ALL_BYTES} bytes in all files")
    for number in range(MAX_NAMES):
        (tmp_path / f"{number}.txt").touch()
    assert "*" not in read_folder(tmp_path).refused
    for number in range(MAX_NAMES):
        (tmp_path / f"{number}.prom").touch()
    assert f"{MAX_NAMES} names that end in .prom" in read_folder(tmp_path).refused["*"]


def test_nics_come_first_and_whatever_stands_in_the_folder(tmp_path: Path) -> None:
    tree = tree_of(tmp_path / "tree", "gb200")
    (tmp_path / "agents").mkdir()
    put(tmp_path / "agents", "a.prom", GOOD)
    out = tmp_path / "out.prom"
    command = ["export", "--sysfs", str(tree.root), "--agents", str(tmp_path / "agents")]
    assert main([*command, "--textfile", str(out), "--for", "0.1"]) == 0
    text = out.read_text()
    assert text.index("nixl_stripe_nic_up{") < text.index("nixl_stripe_agent_info{")


def test_a_time_in_the_future_is_refused_bad_flow(tmp_path: Path) -> None:
    put(tmp_path, "soon.prom", GOOD, age_s=-30)
    put(tmp_path, "never-old.prom", GOOD, age_s=-1e6)
    found = read_folder(tmp_path)
    assert [each.process for each in found.live] == ["soon"]
    assert found.refused == {"never-old.prom": "its time is in the future"}


def test_a_file_that_is_refused_later_is_named_once(tmp_path: Path) -> None:
    said: list[str] = []
    made = AgentCollector(tmp_path, lambda name, _: said.append(name))
    list(made.collect())
    put(tmp_path, "later.prom", "")
    for _ in range(3):
        list(made.collect())
    assert said == ["later.prom"]


def test_names_can_do_nothing_but_be_read() -> None:
    found = parse(agent_text("\x1b[31m").encode(), "a\u202e")
    assert found.agents == ("\\x1b[31m",)
    assert found.process == "a\\u202e"


def test_bytes_that_are_no_text_bad_flow() -> None:
    with pytest.raises(RefusedError, match="UTF-8"):
        parse(b"\xff" + GOOD.encode(), "a")


def test_a_folder_that_is_not_there_bad_flow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StripeError, match=r"--agents .*/no: No such file"):
        AgentCollector(tmp_path / "no")
    tree = tree_of(tmp_path / "tree", "gb200")
    for verb in (["export"], ["top", "--processes"]):
        command = [*verb, "--agents", str(tmp_path / "no"), "--sysfs", str(tree.root)]
        assert main([*command, "--for", "1"]) in (1, 2)
        assert "/no: No such file" in capsys.readouterr().err
    assert main(["top", "--agents", str(tmp_path), "--sysfs", str(tree.root)]) == 2
    assert "--processes, which is missing" in capsys.readouterr().err


def test_export_joins_and_says_what_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tree_of(tmp_path / "tree", "gb200")
    folder = tmp_path / "agents"
    folder.mkdir()
    put(folder, "a.prom", GOOD)
    put(folder, "bad.prom", "")
    out = tmp_path / "out.prom"
    command = ["export", "--sysfs", str(tree.root), "--agents", str(folder)]
    assert main([*command, "--textfile", str(out), "--for", "0.1"]) == 0
    text = out.read_text()
    assert 'nixl_stripe_agent_planned_nics{agent_name="w0",process="a"} 2\n' in text
    assert 'nixl_stripe_nic_up{nic="mlx5_0"} 1.0' in text
    assert "bad.prom is refused: " in capsys.readouterr().err


def test_top_names_the_agent_of_a_process(tmp_path: Path) -> None:
    tree = tree_of(tmp_path / "tree", "gb200")
    folder = tmp_path / "agents"
    folder.mkdir()
    put(folder, "a.prom", agent_text("w0", "w1"))
    watch = Watch(["mlx5_0"], ["mlx5_0"], tree.root, by_process=True, agents=folder)
    assert watch.agents == {os.getpid(): "w0, w1"}
    (folder / "a.prom").unlink()
    watch.sample()
    assert watch.agents == {os.getpid(): "w0, w1"}, "it is still shown in the summary"
    folder.rmdir()
    watch.sample()
    assert watch.agents == {os.getpid(): "w0, w1"}
