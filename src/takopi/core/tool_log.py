"""What an agent did in a turn, step by step, for the final of whoever wants to see it all.

A fold over the events of a turn like `progress`, which keeps only what is on screen. The log is
bounded too: of a turn with thousands of steps it has the last ones, and the number of the others.
"""

from pathlib import PurePath

import msgspec
from msgspec.structs import replace

from takopi.core.markdown.builder import RichBuilder
from takopi.core.progress import STEP_KINDS, ShownAction, shown_action
from takopi.core.progress_view import write_action
from takopi.core.richtext import RichText, plain, utf16_len
from takopi.core.split import cap_entities
from takopi.core.texts import tr_n
from takopi.model import ActionEvent, TakopiEvent

__all__ = ["LEAST_UNITS", "NO_LOG", "ToolLog", "advance_log", "render_log"]

MAX_ENTRIES = 100
LEAST_UNITS = 120
"""What shows one step and the number of the others; less room has no log."""


class ToolLog(msgspec.Struct, frozen=True, kw_only=True):
    """Be the steps of a turn, in order of first appearance.

    Args:
        entries: The last ones.
        left_out: How many there were before.
        away: Ids of those among them that had not ended, so that none is counted twice.
    """

    entries: tuple[ShownAction, ...] = ()
    left_out: int = 0
    away: tuple[str, ...] = ()


NO_LOG = ToolLog()


def advance_log(log: ToolLog, event: TakopiEvent) -> ToolLog:
    """Return the log after one more event; one that comes twice changes nothing."""
    if not isinstance(event, ActionEvent) or event.level == "debug":
        return log
    if event.action.kind not in STEP_KINDS or event.action.id in log.away:
        return log
    # What was heard of last is most likely to be heard of again.
    for place in range(len(log.entries) - 1, -1, -1):
        known = log.entries[place]
        if known.id == event.action.id:
            changed = shown_action(event, known)
            entries = (*log.entries[:place], changed, *log.entries[place + 1 :])
            return replace(log, entries=entries)
    entries = (*log.entries, shown_action(event, None))
    gone = entries[: max(0, len(entries) - MAX_ENTRIES)]
    away = (*log.away, *(action.id for action in gone if action.phase != "completed"))
    return ToolLog(
        entries=entries[len(gone) :],
        left_out=log.left_out + len(gone),
        away=away[-MAX_ENTRIES:],
    )


def render_log(
    log: ToolLog, cwd: PurePath | None, *, max_units: int, max_entities: int
) -> RichText:
    """Show the log in a quote that opens; empty where there is no room for it.

    Args:
        log: The steps.
        cwd: Directory the engine worked in; paths inside it are shown relative to it.
        max_units: UTF-16 units that it may have.
        max_entities: Counted entities that it may have, the quote included.
    """
    if not log.entries or max_units < LEAST_UNITS or max_entities < 1:
        return plain("")
    first = len(log.entries)
    room = max_units - LEAST_UNITS // 2
    for action in reversed(log.entries):
        room -= utf16_len(_written((action,), cwd).text) + 1
        if room < 0:
            break
        first -= 1
    out = RichBuilder()
    out.open("expandable_blockquote")
    missing = log.left_out + first
    if missing:
        out.text(tr_n("… {count} step before these", "… {count} steps before these", missing))
        out.gap(1)
    for action in log.entries[first:]:
        write_action(out, action, cwd)
    out.close()
    shown = out.build()
    return cap_entities(shown, max_entities) if utf16_len(shown.text) <= max_units else plain("")


def _written(actions: tuple[ShownAction, ...], cwd: PurePath | None) -> RichText:
    out = RichBuilder()
    for action in actions:
        write_action(out, action, cwd)
    return out.build()
