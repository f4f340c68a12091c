"""Whatever a run started is gone when it ends, in whichever way it ends."""

import random
from pathlib import Path

import anyio
import pytest

from fakes.process_trees import WAYS, Node, Tree, Way, left_after, random_tree
from takopi.process.host import LocalRunHost

pytestmark = [pytest.mark.timeout(120), pytest.mark.long]

DAEMON = Node(own_session=True, orphan=True, bare=True, deaf=True)
HARD = (
    Tree((DAEMON,)),
    Tree((Node(children=(DAEMON, Node(deaf=True, children=(DAEMON,)))),), deaf_engine=True),
    Tree((Node(orphan=True, children=(Node(own_session=True, bare=True),)), Node(deaf=True))),
)


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_left_of_a_tree(way: Way, host: LocalRunHost, tmp_path: Path) -> None:
    """The hardest trees side by side; those at random are promise 9."""
    left: dict[int, list[str]] = {}

    async def end(number: int, tree: Tree) -> None:
        folder = tmp_path / f"tree-{number}"
        folder.mkdir()
        left[number] = await left_after(way, tree, host, folder)

    async with anyio.create_task_group() as tasks:
        for number, tree in enumerate(HARD):
            tasks.start_soon(end, number, tree)
    assert left == {number: [] for number in range(len(HARD))}


def test_what_is_not_promised_is_known() -> None:
    """Without its holder only the daemon without environment and parents cannot be found."""
    findable = Tree((DAEMON, Node(children=(Node(bare=True),)))).findable()
    assert findable.nodes[0] == Node(own_session=True, orphan=True, deaf=True)
    assert findable.nodes[1].children == (Node(bare=True),)


def test_random_trees_have_everything() -> None:
    """Within 200 trees each kind of process comes in every depth up to three."""
    found: set[tuple[int, str]] = set()

    def walk(node: Node, depth: int) -> None:
        for kind in ("own_session", "orphan", "bare", "deaf"):
            if getattr(node, kind):
                found.add((min(depth, 3), kind))
        for child in node.children:
            walk(child, depth + 1)

    trees = [random_tree(random.Random(seed)) for seed in range(200)]
    for tree in trees:
        assert 1 <= tree.size() <= 7
        for node in tree.nodes:
            walk(node, 1)
    assert len(found) == 12
    assert {tree.deaf_engine for tree in trees} == {True, False}
