"""What happens while the bot is killed: at random instants, and at each commit of one scene."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kills.scene import Scene
from takopi.core.chat_settings import SessionMode

__all__ = ["at_commit", "killed_again_and_again"]

PLACES = ((1, 1, None), (1, -10, None), (2, 2, None))
_LONGEST_LIFE_S = 1.5


async def killed_again_and_again(
    home: Path, seed: int, kills: int, mode: SessionMode = "stateless"
) -> list[str]:
    """Kill a bot that is busy, so many times; then let it be, and return what is broken."""
    async with Scene(home, seed, mode) as scene:
        while scene.deaths < kills:
            something_is_said(scene)
            pid = await scene.begin(**some_death(scene))
            if scene.rng.random() < 0.1:
                await _leave(scene, pid)
                continue
            try:
                await scene.end(_LONGEST_LIFE_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):  # it died at the limit itself
                    os.kill(pid, signal.SIGKILL)
                await scene.end()
        return await _in_the_end(scene)


def something_is_said(scene: Scene) -> None:
    """Let people ask, reply and cancel."""
    rng, people = scene.rng, scene.people
    for _ in range(rng.choice((1, 1, 2, 3))):
        words = rng.choice(("", "step", "fail", "nap:0.02 step", "nap:0.1", "nap:0.4"))
        seen = [p for p in scene.service.posts.values() if not p.gone and p.chat != 66]
        if seen and rng.random() < 0.4:
            post = rng.choice(seen[-6:])
            spot = next(spot for spot in PLACES if spot[1] == post.chat)
            people.say(spot, f"{people.new_word()} {words}", reply_to=post)
        else:
            people.say(rng.choice(PLACES), f"{people.new_word()} {words}")
    if rng.random() < 0.15:
        people.say(rng.choice(PLACES), rng.choice(("/cancel", "/cancel all", "/status")))


def some_death(scene: Scene) -> dict[str, Any]:
    """Choose the instant at which a bot dies."""
    rng = scene.rng
    event = rng.choice(("commit", "commit", "call", "call", "start"))
    return {
        "event": event,
        "number": rng.randrange(1, 3 if event == "start" else 14),
        "after": rng.random() < 0.5,
        "delay_s": rng.choice((0.0, 0.0, 0.001, 0.005, 0.03, 0.15)),
    }


async def at_commit(home: Path, number: int, *, after: bool) -> tuple[list[str], bool]:
    """Play one scene in which the bot dies at a commit; return what is broken, and whether it died.

    Args:
        home: A new folder.
        number: The commit, from 1.
        after: Whether it dies once the commit is done, or before.
    """
    async with Scene(home, number) as scene:
        pid = await scene.begin(event="commit", number=number, after=after)
        ended = asyncio.ensure_future(scene.end(60))
        await _play(scene, ended)
        died = ended.done()
        if not died:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:  # it died at its commit just now
                died = True
        await ended
        broken = await _in_the_end(scene, _play_on)
        return broken, died


async def _play(scene: Scene, ended: asyncio.Future[Any]) -> None:
    """Ask, reply, ask what fails, ask and cancel; stop when the bot is gone."""
    people, (mine, group, _) = scene.people, PLACES
    first = people.say(mine, f"{people.new_word()} nap:0.05 step")
    people.say(mine, people.new_word(), reply_to=first)
    people.say(group, f"{people.new_word()} fail")
    endless = people.say(group, f"{people.new_word()} nap:30")
    await _until(lambda: ended.done() or "p4" in scene.log("start"))
    people.say(group, "/cancel", reply_to=endless)
    await _until(lambda: ended.done() or _finals(scene) >= 4)


async def _play_on(scene: Scene) -> None:
    """Cancel the endless turn, in case the bot that was told to is gone."""
    people = scene.people
    people.say(PLACES[1], "/cancel all")


def _finals(scene: Scene) -> int:
    posts = scene.service.posts.values()
    return sum(post.by_bot and post.text.startswith(("✓", "✗", "■")) for post in posts)


async def _until(condition: Callable[[], bool], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - other processes make it so
            await asyncio.sleep(0.01)


async def _leave(scene: Scene, pid: int) -> None:
    """Tell the bot to go and leave its engines working, unless it dies before."""
    await asyncio.sleep(scene.rng.choice((0.0, 0.05, 0.2)))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    await scene.end()


async def _in_the_end(scene: Scene, play_on: Callable[[Scene], Any] | None = None) -> list[str]:
    """Let a last bot do what is left to do, and look whether all is well."""
    pid = await scene.begin()
    if play_on is not None:
        await play_on(scene)
    try:
        await scene.quiet()
    except TimeoutError:
        scene.faults.append(f"a minute later there is left: {(await scene.left_over())[:5]}")
    os.kill(pid, signal.SIGTERM)
    await scene.end()
    broken = await scene.broken()
    if broken:
        broken.append((scene.home / "bot.log").read_text()[-3000:])
    return broken
