"""All rows, and the play that brings them to one kind of chat."""

import shutil
from pathlib import Path

import anyio

from e2e.every_command import choices, looks, places, words
from e2e.every_command.kinds import Kind, Spot, open_spot
from e2e.every_command.row import Row
from e2e.every_command.talk import Talk
from fakes.bot_process import write_config
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine

__all__ = ["COMMAND_ROWS", "ROWS", "alias_of", "begin", "configure"]

COMMAND_ROWS: tuple[Row, ...] = (*looks.ROWS, *places.ROWS, *choices.ROWS)
ROWS: tuple[Row, ...] = (*COMMAND_ROWS, *words.ROWS)


def alias_of(row: Row) -> str:
    """Name the project that a row alone works on."""
    return f"{row.name.replace(' ', '_')}_box"


async def _repository(path: Path) -> None:
    """Make a repository with one commit."""
    await anyio.run_process(["git", "init", "-q", "--initial-branch=main", str(path)])
    (path / "a.txt").write_text("one\n")
    (path / "plan.pdf").write_bytes(b"%PDF-1.4\n")
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for args in (("add", "."), ("commit", "-q", "-m", "first")):
        await anyio.run_process(["git", "-C", str(path), *who, *args])


async def configure(folder: Path, api: TelegramApi, kind: Kind, *people: int) -> None:
    """Make a home whose bot knows a project for each row and serves a place of the kind for it.

    Args:
        folder: For everything of the test.
        api: The stand-in.
        kind: Of the chats.
        people: More ids that are listed as people who are served.
    """
    home, template = folder / "home", folder / "template"
    await _repository(template)
    lines = ['default_engine = "toy"', "max_runs = 64", 'session_mode = "chat"']
    for row in ROWS:
        root = folder / "code" / alias_of(row)
        await anyio.to_thread.run_sync(shutil.copytree, template, root)
        lines += [f"[projects.{alias_of(row)}]", f'path = "{root}"']
    if kind.topics:
        lines += ["[transports.telegram.topics]", "enabled = true"]
    config = write_config(home, api, folder, "\n".join(lines))
    spots = [Spot.numbered(kind, number) for number in range(len(ROWS))]
    more = [
        f"allowed_chat_ids = {sorted({spot.chat for spot in spots})}",
        f"allowed_user_ids = {sorted({*people, *(spot.person for spot in spots)})}",
    ]
    if kind.mentions:
        more.append('trigger = "mentions"')
    config.write_text(config.read_text("utf-8") + "\n".join(more) + "\n", "utf-8")
    install_toy_engine(home, folder / "bin")
    choices.let_toy_choose(home)


def begin(folder: Path, api: TelegramApi, kind: Kind, number: int) -> Talk:
    """Begin the talk about a row."""
    spot, row = Spot.numbered(kind, number), ROWS[number]
    own = folder / "talks" / alias_of(row)
    own.mkdir(parents=True)
    return Talk(
        api=api,
        kind=kind,
        person=api.person(spot.person),
        chat=spot.chat,
        thread=open_spot(api, kind, spot),
        project=alias_of(row),
        root=folder / "code" / alias_of(row),
        folder=own,
    )
