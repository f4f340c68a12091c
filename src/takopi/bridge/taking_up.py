"""How a session becomes the one that goes on in a place, and how a prompt is asked in one."""

from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.following import Where
from takopi.bridge.records import PlacePut, TurnRecord
from takopi.context import RunContext
from takopi.core.chat import Scope
from takopi.core.decisions import BoundTurn, Prompt
from takopi.core.gathering import PromptPiece, held_until
from takopi.core.places import PlaceRecord, SessionPoint, with_session_point
from takopi.core.session_replies import taken_up_reply
from takopi.model import EngineId, ResumeToken

__all__ = ["Found", "ask", "begun_anew", "engine_here", "take_up"]

FORWARD_WAIT_S = 2.0
"""How long a prompt waits at most for what came with it: that is read next, and lets it start."""


@dataclass(frozen=True, slots=True)
class Found:
    """Be a session that somebody named, and what is known of it.

    Args:
        session: Its name.
        context: Where it lives.
        first: Its first words; empty when nobody knows them.
    """

    session: ResumeToken
    context: RunContext
    first: str = ""


async def begun_anew(ports: CommandPorts, where: Where, point: SessionPoint) -> PlaceRecord:
    """Return what is known of a place once a session there began anew.

    Args:
        ports: Know the places.
        where: Which session.
        point: From when on, and with what.

    Raises:
        StoreError: The journal did not answer.
    """
    point = await ports.follower.behind_all(where, point)
    return with_session_point(ports.places.of(where.scope), where.key, point)


async def take_up(ports: CommandPorts, call: CommandCall | PressCall, found: Found) -> None:
    """Let a session go on in a place, where sessions do so, and send the message to reply to.

    Taken up twice it stays what it is: what was asked there since goes on.

    Args:
        ports: What commands work with.
        call: Who asked for it.
        found: The session.

    Raises:
        StoreError: The journal did not take it, so nothing happened.
    """
    scope, session = call.destination.scope, found.session
    line = ports.engines.runner(session.engine).format_resume(session)
    handled = [call.handled]
    how = _directives(ports, scope, found)
    if how is not None:
        where = Where(scope, found.context, session.engine)
        goes_on = await ports.follower.session_here(where)
        held = goes_on.session if isinstance(goes_on, BoundTurn) else goes_on
        if held != session:
            after = call.received.message_id if isinstance(call, CommandCall) else 0
            point = SessionPoint(call.arrived_at, session, after)
            await ports.places.put(await begun_anew(ports, where, point), handled)
            handled = []
    words = taken_up_reply(line, found.context, found.first, how)
    await ports.answers.give(call.destination, words, handled)


async def ask(ports: CommandPorts, call: CommandCall, prompt: Prompt) -> None:
    """Ask what stands behind a command at once, in the session that the prompt names.

    Args:
        ports: What commands work with.
        call: The command.
        prompt: What is asked; None for its session begins one.

    Raises:
        StoreError: The journal did not take it, so nothing happened.
    """
    received = call.received
    piece = PromptPiece(
        message_id=received.message_id,
        text=received.text.strip(),
        arrived_at=call.arrived_at,
        sent_at=received.date,
        album=received.album,
        opening=prompt.text,
        files=received.files,
    )
    asked = TurnRecord(
        turn_id="",
        scope=received.scope,
        engine=prompt.engine,
        chat_kind=received.chat_kind,
        messages=(received.message_id,),
        person=received.sender_id,
        pieces=(piece,),
        files=received.files,
        held_until=_held_until(ports, call, piece),
    )
    # As for any message, its arrival counts: what came with it in one answer is told apart by that.
    turn = replace(ports.asking.draft(prompt, asked), accepted_at=call.arrived_at)
    if ports.settings.session_mode != "chat":
        await ports.asking.submit(turn, [call.handled])
        return
    # It is the first of what counts, also when it is cancelled before it starts.
    point = SessionPoint(call.arrived_at, prompt.resume, received.message_id - 1)
    where = Where(received.scope, prompt.where.context, prompt.engine)
    place = await begun_anew(ports, where, point)
    await ports.asking.submit(turn, [PlacePut(place), call.handled])
    ports.places.took(place)


def _held_until(ports: CommandPorts, call: CommandCall, piece: PromptPiece) -> float | None:
    """Say until when a prompt waits for what belongs to it."""
    until = held_until([piece])
    if not call.followed:
        return until
    # From now: on a busy machine it may have come long ago.
    return max(until or 0.0, ports.clock.wall() + FORWARD_WAIT_S)


def engine_here(ports: CommandPorts, scope: Scope, context: RunContext) -> EngineId:
    """Say which engine a prompt in a context goes to that names none."""
    return ports.router.table(scope).engine_of(context)


def _directives(ports: CommandPorts, scope: Scope, found: Found) -> tuple[str, ...] | None:
    """List the directives with which a prompt goes on with a session; None when none ever does."""
    context, here = found.context, ports.router.context_here(scope).context
    if ports.settings.session_mode != "chat" or (context != here and context.project is None):
        return None
    words = []
    if context != here:
        words.append(f"/{context.project}")
        if context.branch is not None:
            words.append(f"@{context.branch}")
    if found.session.engine != engine_here(ports, scope, context):
        words.append(f"/{found.session.engine}")
    return tuple(words)
