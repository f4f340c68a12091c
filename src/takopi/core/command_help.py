"""What /help says of one command beside its line: how it works, and what to type."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from takopi.core.commands import CommandSpec
from takopi.core.texts import tr_later, translated

__all__ = ["examples_of", "more_about"]


class _More(msgspec.Struct, frozen=True):
    words: str
    examples: tuple[str, ...]


_MORE: Mapping[str, _More] = MappingProxyType(
    {
        "cancel": _More(
            tr_later(
                "Alone it ends the running turn, or asks which one when several run. As a reply"
                " to a message it ends the turn of that message. With `all` it ends everything "
                "that runs or waits here."
            ),
            ("/cancel", "/cancel all"),
        ),
        "ctx": _More(
            tr_later(
                "Alone it shows where prompts run that are written here, and why. `set` binds "
                "this chat or topic to a project, a branch or both; `clear` ends that. A "
                "directive at the start of one prompt, as in `/project @branch fix it`, goes "
                "before it."
            ),
            ("/ctx", "/ctx set /project @branch", "/ctx clear"),
        ),
        "worktrees": _More(
            tr_later(
                "A prompt that begins with @branch runs in a worktree of that branch. This lists "
                "them, with buttons that open and remove; what is in no commit is asked about "
                "first."
            ),
            ("/worktrees", "/worktrees project", "/worktrees remove @branch"),
        ),
        "diff": _More(
            tr_later(
                "Alone it shows what is in no commit here; as a reply to a message of a turn, what "
                "was changed since that turn began; with @branch, what the branch has changed. "
                "Buttons commit it or put it back."
            ),
            ("/diff", "/diff @branch", "/diff commit fix the login"),
        ),
        "topic": _More(
            tr_later(
                "In a chat it makes a topic for a project or a branch, or leads to the one there "
                "is. In a topic it binds that topic."
            ),
            ("/topic shop", "/topic shop @feat/login"),
        ),
        "new": _More(
            tr_later(
                "Alone it lets the next prompt begin a new session; with a prompt behind it, that "
                "one begins it at once."
            ),
            ("/new", "/new fix the failing test", "/new /claude explain this repository"),
        ),
        "sessions": _More(
            tr_later(
                "Each session stands there with its engine, age and first words, those of the "
                "desktop too, and has a button that goes on with it."
            ),
            ("/sessions", "/sessions /claude", "/sessions /project @branch"),
        ),
        "resume": _More(
            tr_later(
                "Behind it goes the id or the resume line of a session; a prompt may follow. As a "
                "reply to a message of a turn it needs nothing."
            ),
            ("/resume 0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d", "/resume"),
        ),
        "queue": _More(
            tr_later("Each prompt that waits has buttons: cancel it, move it up, run it next."),
            ("/queue",),
        ),
        "usage": _More(
            tr_later(
                "It counts by day, engine and project, as far as the engines say what their turns "
                "cost."
            ),
            ("/usage", "/usage week", "/usage month"),
        ),
        "status": _More(
            tr_later(
                "It also says how long each turn has been running and what the others wait for."
            ),
            ("/status",),
        ),
        "help": _More(
            tr_later("Alone it lists everything; with the name of a command it explains that one."),
            ("/help", "/help cancel"),
        ),
        "file": _More(
            tr_later(
                "`get` sends a file of the project, and a folder as a zip file. `put` saves the"
                " file whose caption it is, or to which it replies."
            ),
            ("/file get docs/plan.md", "/file put docs/plan.pdf"),
        ),
        "agent": _More(
            tr_later(
                "Alone it shows which engine is asked here and why. A place may follow the "
                "name: `for chat`, `for project`. `default` takes the choice back."
            ),
            ("/agent", "/agent claude", "/agent claude for project", "/agent default"),
        ),
        "model": _More(
            tr_later(
                "Alone it shows which model is used here and why, with buttons where the engine "
                "lists its models."
            ),
            ("/model", "/model gpt-5", "/model gpt-5 for chat", "/model default"),
        ),
        "reasoning": _More(
            tr_later("Alone it shows how much the engine thinks here and why, with its levels."),
            ("/reasoning", "/reasoning high", "/reasoning default"),
        ),
        "mode": _More(
            tr_later(
                "`plan` reads and changes nothing, `ask` does what needs no permission, `edit` "
                "changes files as well, `full` does everything."
            ),
            ("/mode", "/mode plan", "/mode edit for project"),
        ),
        "trigger": _More(
            tr_later(
                "`all` takes every message of a group as a prompt; `mentions` takes those that "
                "mention the bot or reply to it."
            ),
            ("/trigger", "/trigger mentions", "/trigger all"),
        ),
        "verbose": _More(
            tr_later(
                "`quiet` shows one line while a turn runs, `normal` the last steps, `full` "
                "every step below the answer."
            ),
            ("/verbose", "/verbose full", "/verbose quiet"),
        ),
        "every": _More(
            tr_later(
                "First comes an interval, a time of every day or a cron line, then what to ask. It "
                "runs where it was asked for: same project, branch and engine."
            ),
            (
                "/every 2h check the build",
                "/every weekday 9:00 what is new in the issues?",
                "/every 0 9 * * 1 summarise last week",
            ),
        ),
        "at": _More(
            tr_later("First comes a time, then what to ask once."),
            ("/at 18:30 run the slow tests", "/at tomorrow 9:00 update the packages"),
        ),
        "schedules": _More(
            tr_later("Each one has buttons that run it now, pause it or delete it."),
            ("/schedules",),
        ),
    }
)


def more_about(name: str) -> str:
    """Return what else is to be said of a command; empty when its line says all."""
    more = _MORE.get(name)
    return "" if more is None else translated(more.words)


def examples_of(spec: CommandSpec) -> tuple[str, ...]:
    """List what a person would type for a command."""
    more = _MORE.get(spec.name)
    return (spec.example,) if more is None else more.examples
