"""One person's whole day with takopi, the real codex and the real claude, without any network."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from e2e.real_engines import needs
from e2e.whole_day import morning, noon
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
    morning.second_project,
    morning.first_answers,
    noon.a_branch,
    noon.a_file,
    noon.files_come_back,
    noon.a_picture,
    noon.a_voice_note,
    noon.a_killed_bot,
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
    """Play the scenes in their order; a scene that fails is told with the day's chats."""
    try:
        for scene in SCENES:
            try:
                await scene(day)
                day.look_around()
            except BaseException as error:
                error.add_note(f"in the scene {scene.__name__}; the chats:\n{day.transcript()}")
                error.add_note(f"the bot printed:\n{day.printed()}")
                raise
    finally:
        await day.close()
