"""What /help says: all commands in one message, or one command with its examples."""

from collections.abc import Collection, Sequence

import msgspec

from takopi.core.chat import ChatMessage
from takopi.core.command_help import examples_of, more_about
from takopi.core.commands import COMMANDS, CommandGroup, CommandSpec
from takopi.core.replies import Styled, bold, code, marked, message
from takopi.core.richtext import utf16_len
from takopi.core.shorten import one_line
from takopi.core.split import MAX_UNITS
from takopi.core.texts import tr, tr_later, translated
from takopi.model import EngineId

__all__ = [
    "Engines",
    "command_help",
    "help_reply",
    "no_such_command",
    "takes_nothing",
]

_HEADINGS: dict[CommandGroup, str] = {
    "Work": tr_later("Work"),
    "Look": tr_later("Look"),
    "Place": tr_later("Place"),
    "Session": tr_later("Session"),
    "Choose": tr_later("Choose"),
    "Files": tr_later("Files"),
    "Time": tr_later("Time"),
    "Plug-ins": tr_later("Plug-ins"),
}
_ENGINE_UNITS = 400
_MISSING_UNITS = 100
_PLUGIN_UNITS = 60
_MAX_PLUGINS = 20
# Room for the line that counts what is left out, in any language.
_MORE_UNITS = 120

_Pieces = list[str | Styled]


class Engines(msgspec.Struct, frozen=True):
    """Name the engines that there are.

    Args:
        here: Those that can be asked.
        default: The one that need not be named.
        missing: Those that are known and cannot run here.
    """

    here: tuple[EngineId, ...]
    default: EngineId
    missing: tuple[EngineId, ...] = ()


def help_reply(
    engines: Engines,
    plugins: Sequence[CommandSpec] = (),
    projects: Sequence[str] = (),
    *,
    absent: Collection[str] = (),
    replies: bool = True,
) -> ChatMessage:
    """Say what can be done in this chat, in one message whatever is installed.

    Args:
        engines: Those that can be named.
        plugins: The commands that packages bring.
        projects: Aliases that prompts can name.
        absent: takopi's own commands that there is nothing for here.
        replies: Whether a message can answer another one.
    """
    pieces = marked(_beginning(engines.default, replies=replies) + "\n")
    listed = [spec for spec in COMMANDS if spec.name not in absent]
    for group in dict.fromkeys(spec.group for spec in listed):
        pieces += ["\n", bold(translated(_HEADINGS[group])), "\n"]
        for spec in listed:
            if spec.group == group:
                pieces += _line(spec)
    end = [
        *_engine_lines(engines),
        *_example_lines(engines, projects),
    ]
    room = MAX_UNITS - _units(pieces) - _units(end)
    return message(*pieces, *_plugin_lines(plugins, room), *end)


def _beginning(engine: EngineId, *, replies: bool) -> str:
    if not replies:
        return tr(
            "Write what you want done. {engine} starts on it, shows its progress and answers. "
            "`/help cancel` tells more of a command.",
            engine=engine,
        )
    return tr(
        "Write what you want done. {engine} starts on it, shows its progress in one message "
        "and answers in a new one. Reply to any of its messages to go on in the same session. "
        "`/help cancel` tells more of a command.",
        engine=engine,
    )


def command_help(spec: CommandSpec) -> ChatMessage:
    """Say what one command does, with examples.

    Args:
        spec: The command, of takopi or of a plug-in.
    """
    pieces: _Pieces = [code(f"/{spec.name}"), f" – {translated(spec.description)}\n"]
    more = more_about(spec.name)
    if more:
        pieces += ["\n", *marked(more), "\n"]
    pieces += ["\n", bold(tr("Examples"))]
    for example in examples_of(spec):
        pieces += ["\n", code(example)]
    return message(*pieces)


def no_such_command(word: str, near: Sequence[str]) -> ChatMessage:
    """Answer /help about something that is no command.

    Args:
        word: What was asked about.
        near: Names that it may have meant.
    """
    shown = one_line(word, 60)
    if near:
        names = ", ".join(f"/{name}" for name in near)
        said = tr("There is no command {word}. Did you mean {names}?", word=shown, names=names)
    else:
        said = tr("There is no command {word}.", word=shown)
    lists = tr("/help lists them all, and for example `/help cancel` tells more of one.")
    return message(said, *marked(f" {lists}"))


def takes_nothing(command: str) -> ChatMessage:
    """Say that a command has nothing behind it."""
    words = tr("/{command} takes nothing behind it, so nothing was done: send", command=command)
    return message(f"{words} ", code(f"/{command}"))


def _line(spec: CommandSpec) -> _Pieces:
    line: _Pieces = [f"/{spec.name} – {translated(spec.description)}"]
    if spec.example != f"/{spec.name}":
        line += [": ", code(spec.example)]
    return [*line, "\n"]


def _plugin_lines(plugins: Sequence[CommandSpec], room: int) -> _Pieces:
    """List as many commands of plug-ins as there is room for: others decide how many there are."""
    lines: _Pieces = ["\n", bold(translated(_HEADINGS["Plug-ins"])), "\n"] if plugins else []
    room -= _units(lines) + _MORE_UNITS
    shown = 0
    for spec in plugins[:_MAX_PLUGINS]:
        line = f"/{spec.name} – {one_line(spec.description, _PLUGIN_UNITS)}\n"
        room -= utf16_len(line)
        if room < 0:
            break
        lines.append(line)
        shown += 1
    if len(plugins) > shown:
        rest = len(plugins) - shown
        lines += marked(tr("and {count} more: `takopi plugins` lists them all", count=rest) + "\n")
    return lines


def _engine_lines(engines: Engines) -> _Pieces:
    if not engines.here and not engines.missing:
        return []
    words, units, shown = "", 0, 0
    for engine in engines.here:
        word = f"/{engine}"
        if engine == engines.default:
            word = tr("{command} (default)", command=word)
        units += utf16_len(word) + 1
        if units > _ENGINE_UNITS:
            break
        words += f" {word}" if words else word
        shown += 1
    if len(engines.here) > shown:
        words += " " + tr("and {count} more", count=len(engines.here) - shown)
    lines: _Pieces = ["\n", bold(tr("Engines")), "\n", *([words, "\n"] if words else [])]
    if engines.missing:
        names = one_line(", ".join(engines.missing), _MISSING_UNITS)
        example = f"`/help {engines.missing[0]}`"
        lines += marked(
            tr("Not here: {engines}. {example} tells more.", engines=names, example=example)
        )
        lines.append("\n")
    return lines


def _example_lines(engines: Engines, projects: Sequence[str]) -> _Pieces:
    example = engines.here[0] if engines.here else engines.default
    placed: _Pieces = []
    if projects:
        placed = [code(tr("/{project} @feat/login add a test", project=projects[0])), "\n"]
        others = ", ".join(f"/{alias}" for alias in projects[1:4])
        if others:
            placed.insert(1, " – " + tr("or {others}", others=others))
    return [
        "\n",
        bold(tr("Examples")),
        "\n",
        code(tr("fix the failing test in parser.py")),
        "\n",
        code(tr("/{engine} explain this repository", engine=example)),
        "\n",
        *placed,
        code("//compact"),
        " – " + tr("the text /compact, not a command"),
    ]


def _units(pieces: _Pieces) -> int:
    return sum(utf16_len(piece if isinstance(piece, str) else piece.text) for piece in pieces)
