"""One person's whole day with takopi, the real codex and the real claude, without any network."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from e2e.real_engines import needs
from e2e.whole_day import afternoon, evening, morning, noon
from e2e.whole_day.day import Day, begin_day
from fakes.model_api import FakeModelApi
from fakes.telegram_api import TelegramApi

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.codex,
    pytest.mark.claude,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("real-claude"),
]

Scene = Callable[[Day], Awaitable[None]]

SCENES: tuple[Scene, ...] = (
    morning.set_up,
    morning.service_files,
    Day.start_bot,
    afternoon.plan_for_later,
    morning.second_project,
    morning.first_answers,
    noon.a_branch,
    noon.a_file,
    noon.files_come_back,
    noon.a_picture,
    noon.a_voice_note,
    noon.a_killed_bot,
    afternoon.a_topic,
    afternoon.sessions,
    evening.changes,
    afternoon.what_was_planned,
    evening.a_budget,
    evening.the_end,
)


async def test_a_whole_day(tmp_path: Path) -> None:
    """From the set-up in the morning to the end of the bot in the evening, in one story."""
    for engine in ("codex", "claude"):
        needs(engine)
    with FakeModelApi() as model:
        async with TelegramApi() as api:
            day = begin_day(tmp_path, api, model)
            await play(day)


async def play(day: Day) -> None:
    """Play the scenes in their order; how it went stands in `transcript.txt` afterwards."""
    took: list[str] = []
    try:
        for scene in SCENES:
            began = time.monotonic()
            try:
                await scene(day)
                day.look_around()
            except BaseException as error:
                error.add_note(f"in the scene {scene.__name__}; the chats:\n{day.transcript()}")
                error.add_note(f"the bot printed:\n{day.printed()}")
                raise
            took.append(f"{scene.__name__}: {time.monotonic() - began:.1f} s")
    finally:
        await day.close()
        told = "\n".join([day.transcript(), *took])
        (day.folder / "transcript.txt").write_text(told, "utf-8")
