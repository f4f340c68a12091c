"""What takopi says about preferences: what holds, why, and what can be chosen instead."""

from collections.abc import Sequence

from takopi.core.chat import ChatMessage
from takopi.core.commands import nearest_names
from takopi.core.missing_engines import missing_line
from takopi.core.preference_buttons import all_have_buttons, buttons_of, page_count, page_of
from takopi.core.preference_choices import PreferenceKind, is_of_engine
from takopi.core.preference_views import PreferenceChange, PreferenceView, place_name
from takopi.core.preferences import PreferenceSource
from takopi.core.replies import bold, marked, message
from takopi.core.shorten import one_line
from takopi.core.texts import tr

__all__ = [
    "chosen_toast",
    "no_place_reply",
    "preference_reply",
    "private_trigger_reply",
    "refused_word_reply",
    "usage_reply",
]

_VALUE_UNITS = 60
_TOAST_UNITS = 30
_MAX_LISTED = 25

_EXAMPLES: dict[PreferenceKind, str] = {
    "agent": "claude",
    "model": "gpt-5",
    "reasoning": "high",
    "mode": "plan",
    "trigger": "mentions",
    "verbose": "full",
}


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
    return message(*pieces, buttons=buttons_of(view))


def chosen_toast(change: PreferenceChange) -> str:
    """Say to whoever pressed a button what it did."""
    value = change.value
    if value is None and not change.nearest:
        return tr("Taken back")
    if value is None:
        return tr("Nothing is chosen here any more")
    return tr("{value} from now on", value=one_line(value, _TOAST_UNITS))


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
    return message(text, buttons=buttons_of(view))


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
        return tr(
            "In a private chat every message counts. `/trigger mentions for project` chooses what "
            "counts in the groups of its project."
        )
    if is_of_engine(view.kind) and view.kind != "model" and not view.accepted:
        return tr(
            "{engine} takes no word of /{command}: its own configuration decides.",
            engine=view.engine,
            command=view.kind,
        )
    if view.missing:
        words.append(missing_line(view.missing))
    if view.unlisted:
        words.append(tr("{engine} did not say what it has.", engine=view.engine))
    if not all_have_buttons(view):
        words.append(tr("It takes: {accepted}.", accepted=_listed(view.accepted)))
    pages = page_count(view)
    if pages > 1:
        words.append(
            tr("{count} can be chosen; the buttons are page {page} of {pages}.",
               count=len(view.accepted), page=page_of(view) + 1, pages=pages)
        )  # fmt: skip
    words.append(
        tr(
            "`/{command} {example}` chooses, `/{command} default` takes it back; `for chat` or "
            "`for project` behind it names the place.",
            command=view.kind,
            example=_example_here(view),
        )
    )
    return " ".join(words)


def _example_here(view: PreferenceView) -> str:
    """Name a choice that is taken here, and none that holds already when there is another."""
    held = view.held
    others = [word for word in view.accepted if held is None or word != held.value]
    if view.accepted:
        return _value((others or view.accepted)[0])
    return tr("NAME") if view.kind == "model" else _EXAMPLES[view.kind]


def _example(kind: PreferenceKind) -> str:
    return f"/{kind} {_EXAMPLES[kind]}"


def _value(word: str) -> str:
    return one_line(word, _VALUE_UNITS).replace("`", "'")


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(_value(word) for word in words[:_MAX_LISTED])
    rest = len(words) - _MAX_LISTED
    return shown if rest <= 0 else tr("{words} and {count} more", words=shown, count=rest)
