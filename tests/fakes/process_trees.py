"""Random process trees, an engine that grows them, and the five ways in which a run ends.

    tree = random_tree(random.Random(7))
    left = await left_after("cancel", tree, host, folder)

A node may have a session of its own, lose its parent (double fork), clear its environment, or be
deaf to every signal that can be ignored. `left_after` returns what still lives when the run is
over, as command lines; nothing may.
"""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import anyio
import anyio.to_thread

from takopi.process.host import LocalRunHost
from takopi.process.identity import command_line, stat_fields
from takopi.process.run import LocalRun
from takopi.process.run_directory import RunDirectory
from takopi.run_host import RunSpec

Way = Literal["cancel", "normal end", "engine killed", "holder killed", "takopi killed"]
WAYS: tuple[Way, ...] = get_args(Way)
Then = Literal["stay", "stay deaf", "exit"]


@dataclass(frozen=True)
class Node:
    """Be one process of a tree.

    Args:
        own_session: It calls setsid, as tools that engines start do.
        orphan: Its parent ends, as that of a daemon does.
        bare: It has no environment, so no mark.
        deaf: It ignores SIGTERM, SIGINT and SIGHUP.
        children: What it starts.
    """

    own_session: bool = False
    orphan: bool = False
    bare: bool = False
    deaf: bool = False
    children: tuple["Node", ...] = ()

    def size(self) -> int:
        """Count the processes."""
        return 1 + sum(child.size() for child in self.children)

    def findable(self, below_known: bool = True) -> "Node":
        """Return the tree as it can be found when the holder is gone, too.

        Then a process is known by its mark or by its parent alone. One that has neither, the
        daemon that cleared its environment, is the case that takopi does not promise to end.
        """
        known = not self.bare or (below_known and not self.orphan)
        return replace(
            self,
            bare=self.bare and known,
            children=tuple(child.findable() for child in self.children),
        )


@dataclass(frozen=True)
class Tree:
    """Be what an engine starts, and what the engine does then."""

    nodes: tuple[Node, ...]
    deaf_engine: bool = False

    def size(self) -> int:
        """Count the processes, without the engine."""
        return sum(node.size() for node in self.nodes)

    def findable(self) -> "Tree":
        """Return the tree as it can be found when the holder is gone, too."""
        return replace(self, nodes=tuple(node.findable() for node in self.nodes))


def random_tree(rng: random.Random, most: int = 7) -> Tree:
    """Make a tree of one to `most` processes."""
    left = rng.randint(1, most)
    nodes = []
    while left:
        size = rng.randint(1, left)
        nodes.append(_random_node(rng, size))
        left -= size
    return Tree(tuple(nodes), deaf_engine=rng.random() < 0.25)


def _random_node(rng: random.Random, size: int) -> Node:
    children, left = [], size - 1
    while left:
        part = rng.randint(1, left)
        children.append(_random_node(rng, part))
        left -= part
    return Node(
        own_session=rng.random() < 0.4,
        orphan=rng.random() < 0.4,
        bare=rng.random() < 0.3,
        deaf=rng.random() < 0.25,
        children=tuple(children),
    )


# Nodes fork without exec while the tree grows, so that a parent is there when its children are, and
# become `sleep` in the end; only then their environment is what they want it to be.
GROW = """
import json, os, signal, sys, time

nodes, pids, then = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
SLEEP = next(path for path in ("/bin/sleep", "/usr/bin/sleep") if os.path.exists(path))
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def grow(node):
    child = os.fork()
    if child:
        if node["orphan"]:
            os.waitpid(child, 0)
        return
    if node["orphan"] and os.fork():
        os._exit(0)
    if node["own_session"]:
        os.setsid()
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN if node["deaf"] else signal.SIG_DFL)
    for inner in node["children"]:
        grow(inner)
    out = os.open(pids, os.O_WRONLY | os.O_APPEND)
    os.write(out, b"%d\\n" % os.getpid())
    silence = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(silence, number)
    os.closerange(3, 64)
    os.execve(SLEEP, ["sleep", "600"], {} if node["bare"] else dict(os.environ))


def count(nodes):
    return sum(1 + count(node["children"]) for node in nodes)


def grown():
    with open(pids) as file:
        found = file.read().split()
    return len(found) == count(nodes) and all(is_sleep(pid) for pid in found)


def is_sleep(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read() == "sleep\\n"


for node in nodes:
    grow(node)
while not grown():
    time.sleep(0.001)
if then == "stay deaf":
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
os.write(1, b"ready\\n")
while then != "exit":
    time.sleep(600)
"""

# Starts a run and says so; it is killed then.
STARTER = """
import json, sys, anyio
from pathlib import Path
from takopi.process.host import LocalRunHost
from takopi.run_host import RunSpec

given = json.loads(sys.argv[1])

async def main():
    host = LocalRunHost(Path(given["runs"]), given["home_id"])
    spec = RunSpec(
        engine="tree", argv=tuple(given["argv"]), cwd=Path("/"), env=given["env"],
        run_id=given["run_id"],
    )
    run = await host.start(spec)
    async for _ in run.follow():
        print("ready", flush=True)

anyio.run(main)
"""


def tree_spec(tree: Tree, pids: Path, then: Then, run_id: str | None = None) -> RunSpec:
    """Return an engine that grows a tree, writes its pids down, says `ready`, then stays or not."""
    nodes = json.dumps([asdict(node) for node in tree.nodes])
    return RunSpec(
        engine="tree",
        argv=(sys.executable, "-I", "-S", "-c", GROW, nodes, str(pids), then),
        cwd=Path("/"),
        env={"PATH": os.environ["PATH"]},
        run_id=run_id,
    )


async def left_after(way: Way, tree: Tree, host: LocalRunHost, folder: Path) -> list[str]:
    """Run a tree, end it in one of the ways, and return what still lives.

    Args:
        way: How it ends.
        tree: What the engine starts; without the holder only the findable part of it.
        host: Owns the run.
        folder: Where the pids are written down; one for each call.
    """
    if way == "holder killed":
        tree = tree.findable()
    pids = folder / "pids"
    pids.touch()
    staying: Then = "stay deaf" if tree.deaf_engine else "stay"
    spec = tree_spec(tree, pids, "exit" if way == "normal end" else staying, folder.name)
    if way == "takopi killed":
        run = await _abandoned(host, spec)
    else:
        run = await host.start(spec)
        async for _ in run.follow():
            break
    known = [(pid, fields) for pid in _written(pids) if (fields := stat_fields(pid))]
    if way != "normal end":
        assert len(known) == tree.size()
    facts = RunDirectory(run.directory).process_facts()
    assert facts.holder
    assert facts.engine
    if way == "engine killed":
        os.kill(facts.engine.pid, signal.SIGKILL)
    elif way == "holder killed":
        os.kill(facts.holder.pid, signal.SIGKILL)
    if way in ("normal end", "engine killed"):
        await run.settle(20)
    else:
        await run.cancel()
    everybody = [*((pid, fields[2]) for pid, fields in known), facts.engine]
    return [
        f"{pid} {command_line(pid)}"
        for pid, start in everybody
        if (now := stat_fields(pid)) and now[0] and now[2] == start
    ]


def _written(pids: Path) -> list[int]:
    return [int(pid) for pid in pids.read_text().split()]


async def _abandoned(host: LocalRunHost, spec: RunSpec) -> LocalRun:
    """Let another takopi start a run, kill that takopi, and take the run over."""
    given = {
        "runs": str(host.runs_dir),
        "home_id": host.home_id,
        "argv": spec.argv,
        "env": dict(spec.env),
        "run_id": spec.run_id,
    }
    with subprocess.Popen(  # noqa: ASYNC220 - it is there at once
        [sys.executable, "-c", STARTER, json.dumps(given)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as takopi:
        assert takopi.stdout
        said = await anyio.to_thread.run_sync(takopi.stdout.readline)
        assert said == b"ready\n"
        os.killpg(takopi.pid, signal.SIGKILL)
    assert spec.run_id
    run = host.attach(spec.run_id)
    assert run is not None
    return run
