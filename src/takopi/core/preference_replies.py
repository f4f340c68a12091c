"""What takopi says about preferences: what holds, why, and what can be chosen instead."""

from collections.abc import Sequence

import msgspec

from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import nearest_names, press_data
from takopi.core.missing_engines import MissingEngine, missing_line
from takopi.core.preference_choices import BACK, DEFAULT, PreferenceKind, is_of_engine
from takopi.core.preferences import Held, PreferenceSource
from takopi.core.replies import bold, marked, message
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = [
    "LayerLine",
    "PreferenceView",
    "chosen_toast",
    "no_place_reply",
    "preference_reply",
    "private_trigger_reply",
    "refused_word_reply",
    "usage_reply",
]

MAX_BUTTONS = 24
_ROW = 3
_ROW_CHARS = 42
_VALUE_UNITS = 60
_LABEL_UNITS = 30
_MAX_LISTED = 25

_EXAMPLES: dict[PreferenceKind, str] = {
    "agent": "claude",
    "model": "gpt-5",
    "reasoning": "high",
    "mode": "plan",
    "trigger": "mentions",
    "verbose": "full",
}


class LayerLine(msgspec.Struct, frozen=True):
    """Be one place where a preference may be chosen, and what was chosen there, if anything."""

    source: PreferenceSource
    value: str | None


class PreferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """Be what is to be said about one preference.

    Args:
        kind: Which.
        engine: Whose words it has, of models, levels and modes; else the engine that holds.
        lines: The places, the nearest first.
        project: The project that holds here.
        accepted: What can be chosen, as far as it is known.
        private: Whether it is asked in a private chat.
        unlisted: Whether an engine should have listed what can be chosen, and did not.
        change: What was just done; None for nothing.
        missing: Engines that are known and cannot run here, so that they are no choice.
    """

    kind: PreferenceKind
    engine: EngineId
    lines: tuple[LayerLine, ...]
    project: str | None = None
    accepted: tuple[str, ...] = ()
    private: bool = False
    unlisted: bool = False
    change: "PreferenceChange | None" = None
    missing: tuple[MissingEngine, ...] = ()

    @property
    def held(self) -> Held[str] | None:
        """Give what holds, and the place that says so."""
        for line in self.lines:
            if line.value is not None:
                return Held(line.value, line.source)
        return None


class PreferenceChange(msgspec.Struct, frozen=True):
    """Be a choice that was just made.

    Args:
        value: What was chosen; None when it was taken back.
        place: Where.
        nearest: Whether that is the place that buttons choose for.
    """

    value: str | None
    place: PreferenceSource
    nearest: bool = True


def preference_reply(view: PreferenceView) -> ChatMessage:
    """Say what holds, why, what else is said where, and how to change it."""
    paragraphs = []
    if view.change is not None:
        paragraphs.append(_changed(view, view.change))
    held = view.held
    if held is None:
        value = tr("{engine} decides, nothing was chosen", engine=view.engine)
    else:
        value = f"{_value(held.value)} ({place_name(held.source, view.project)})"
    before = "".join(f"{words}\n\n" for words in paragraphs)
    lines = "".join(
        f"\n{place_name(line.source, view.project)}: {_value(line.value or '–')}"
        for line in view.lines
    )
    rest = f": {value}\n{lines}\n\n{_how_to(view)}"
    pieces = [*marked(before), bold(_title(view)), *marked(rest)]
    return message(*pieces, buttons=_buttons(view))


def chosen_toast(change: PreferenceChange) -> str:
    """Say to whoever pressed a button what it did."""
    value = change.value
    if value is None and not change.nearest:
        return tr("Taken back")
    if value is None:
        return tr("Nothing is chosen here any more")
    return tr("{value} from now on", value=one_line(value, _LABEL_UNITS))


def usage_reply(kind: PreferenceKind) -> ChatMessage:
    """Say how a preference is chosen, to somebody who wrote it in another way."""
    text = tr(
        "Nothing was changed. One word says what is chosen, and a place may follow it: "
        "`{example}`, `{example} for project`, `/{command} default`. Alone, `/{command}` shows "
        "what holds.",
        example=_example(kind),
        command=kind,
    )
    return message(*marked(text))


def refused_word_reply(view: PreferenceView, said: str) -> ChatMessage:
    """Say that a word is not accepted, and which are.

    Args:
        view: The preference.
        said: The word.
    """
    word = _value(said)
    if view.kind == "model":
        return message(tr("{word} cannot be a model; nothing was changed.", word=word))
    if is_of_engine(view.kind) and not view.accepted:
        text = tr(
            "{engine} takes no word of /{command}: nothing was changed. Its own configuration "
            "decides.",
            engine=view.engine,
            command=view.kind,
        )
        return message(text)
    accepted = _listed(view.accepted)
    if is_of_engine(view.kind):
        text = tr(
            "{engine} does not take {word} for /{command}, so nothing was changed. It takes: "
            "{accepted}.",
            engine=view.engine,
            word=word,
            command=view.kind,
            accepted=accepted,
        )
    else:
        text = tr(
            "/{command} does not take {word}, so nothing was changed. It takes: {accepted}.",
            word=word,
            command=view.kind,
            accepted=accepted or "–",
        )
    if view.missing:
        text += " " + missing_line(view.missing)
    near = nearest_names(said, view.accepted, limit=1)
    if near:
        text += " " + tr("Did you mean {word}?", word=near[0])
    elif view.accepted:
        example = f"`/{view.kind} {view.accepted[0]}`"
        text += " " + tr("For example: {example}", example=example)
    return message(text, buttons=_buttons(view))


def no_place_reply(kind: PreferenceKind, place: PreferenceSource) -> ChatMessage:
    """Say that there is no such place here to choose something for."""
    if place == "topic":
        text = tr(
            "This is no topic, so nothing was changed. `{example} for chat` chooses it for the "
            "chat.",
            example=_example(kind),
        )
    else:
        text = tr(
            "No project holds here, so nothing was changed. Bind one with /ctx, or choose it for "
            "the chat: `{example} for chat`.",
            example=_example(kind),
        )
    return message(*marked(text))


def private_trigger_reply() -> ChatMessage:
    """Say that a private chat has nothing to choose about which messages count."""
    return message(
        tr(
            "In a private chat every message counts, so there is nothing to choose. /trigger "
            "mentions is for groups: there, only what mentions the bot or replies to it counts "
            "then."
        )
    )


def place_name(source: PreferenceSource, project: str | None) -> str:
    """Name a place where something may be chosen."""
    match source:
        case "topic":
            return tr("this topic")
        case "chat":
            return tr("this chat")
        case "project":
            return tr("project {name}", name=project or "")
        case "configuration":
            return tr("configuration")


def _title(view: PreferenceView) -> str:
    match view.kind:
        case "agent":
            return tr("Engine of prompts that name none")
        case "model":
            return tr("Model of {engine}", engine=view.engine)
        case "reasoning":
            return tr("Reasoning of {engine}", engine=view.engine)
        case "mode":
            return tr("Permission mode of {engine}", engine=view.engine)
        case "trigger":
            return tr("Messages of a group that count")
        case "verbose":
            return tr("How much messages show")


def _changed(view: PreferenceView, change: PreferenceChange) -> str:
    """Say what was done, and whether it makes a difference here."""
    place = place_name(change.place, view.project)
    if change.value is None:
        words = tr("Nothing is chosen for {place} any more.", place=place)
    else:
        words = tr(
            "{value} is chosen for {place}. It holds for what is asked from now on.",
            value=_value(change.value),
            place=place,
        )
    held = view.held
    order = [line.source for line in view.lines]
    if held is not None and order.index(held.source) < order.index(change.place):
        words += " " + tr(
            "Here {value} goes before it, which was chosen for {place}.",
            value=_value(held.value),
            place=place_name(held.source, view.project),
        )
    elif change.value in [one.engine for one in view.missing]:
        words += " " + tr("It cannot run here yet, so such prompts fail until that is mended.")
    elif change.value is not None and _is_unlisted(view, change.value):
        words += " " + tr(
            "{engine} does not list it; if it does not know it either, the next turn says so.",
            engine=view.engine,
        )
    return words


def _is_unlisted(view: PreferenceView, value: str) -> bool:
    return view.kind == "model" and bool(view.accepted) and value not in view.accepted


def _how_to(view: PreferenceView) -> str:
    """Say how to change it, with what is accepted where no buttons can say that."""
    words = []
    if view.kind == "trigger" and view.private:
        words.append(tr("In a private chat every message counts."))
    if view.missing:
        words.append(missing_line(view.missing))
    if view.unlisted:
        words.append(tr("{engine} did not say what it has.", engine=view.engine))
    if sum(len(row) for row in _choice_rows(view)) < len(view.accepted):
        words.append(tr("It takes: {accepted}.", accepted=_listed(view.accepted)))
    words.append(
        tr(
            "`/{command} {example}` chooses, `/{command} default` takes it back; `for chat` or "
            "`for project` behind it names the place.",
            command=view.kind,
            example=_value(view.accepted[0]) if view.accepted else _EXAMPLES[view.kind],
        )
    )
    return " ".join(words)


def _buttons(view: PreferenceView) -> tuple[tuple[Button, ...], ...]:
    row = []
    # A button chooses for the nearest place, so it takes back what was chosen there.
    if view.lines and view.lines[0].value is not None:
        row.append((tr("Take back"), _data(view, DEFAULT)))
    change = view.change
    if change is not None and change.value is not None and not change.nearest:
        place = place_name(change.place, view.project)
        label = one_line(tr("Take back for {place}", place=place), _LABEL_UNITS)
        row.append((label, _data(view, BACK, change.place)))
    back = tuple(Button(label, data) for label, data in row if data is not None)
    return (*_choice_rows(view), back) if back else _choice_rows(view)


def _choice_rows(view: PreferenceView) -> tuple[tuple[Button, ...], ...]:
    """Make a button of each word that goes into one."""
    if view.kind == "trigger" and view.private:
        return ()  # a button chooses for the chat, where there is nothing to choose
    held = view.held
    buttons: list[Button] = []
    for word in view.accepted:
        # An engine may list what nobody could type; such a word is no button either.
        data = _data(view, word) if word.isprintable() and word.split() == [word] else None
        if data is not None and len(buttons) < MAX_BUTTONS:
            mark = "✓ " if held is not None and held.value == word else ""
            buttons.append(Button(mark + one_line(word, _LABEL_UNITS), data))
    longest = max((len(button.label) for button in buttons), default=0)
    # A phone cuts labels that have no room.
    row = max(1, _ROW_CHARS // max(longest, _ROW_CHARS // _ROW))
    return tuple(tuple(buttons[n : n + row]) for n in range(0, len(buttons), row))


def _data(view: PreferenceView, *words: str) -> str | None:
    engine = (view.engine,) if is_of_engine(view.kind) else ()
    try:
        return press_data(view.kind, *engine, *words)
    except ValueError:
        return None


def _example(kind: PreferenceKind) -> str:
    return f"/{kind} {_EXAMPLES[kind]}"


def _value(word: str) -> str:
    return one_line(word, _VALUE_UNITS).replace("`", "'")


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(_value(word) for word in words[:_MAX_LISTED])
    rest = len(words) - _MAX_LISTED
    return shown if rest <= 0 else tr("{words} and {count} more", words=shown, count=rest)
