"""Decide when a turn of claude is over, and with what answer.

Usually that is the one line of type `result`. But claude goes on after it when a command or an
agent works in the background: it waits (for a command some seconds, for an agent until it is
done), is told how it ended, and answers once more, with a result of its own. Then the answers
together are the answer. Until the last one the results are held back; when the process ends
before, they are given out as they are.
"""

from takopi.model import ResumeToken, TakopiEvent
from takopi.runners._claude_errors import result_error, with_hint
from takopi.runners._claude_messages import denied
from takopi.runners._claude_state import ENGINE, ClaudeState, HeldResult, plan_event, went_on
from takopi.runners._claude_system import SAFE_ID
from takopi.schemas.claude import ClaudeEvent

__all__ = ["end_events", "result_events", "task_ended"]

_SUMMED = ("input_tokens", "cached_tokens", "cache_creation_input_tokens", "output_tokens")


def result_events(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Return the events of a result: what is left to say, and the end unless more is to come."""
    out: list[TakopiEvent] = []
    state.results += 1
    for denial in event.permission_denials:
        out += denied(state, denial.tool_name or "a tool")
    held = state.held = state.held or HeldResult()
    _add_usage(held, event)
    failed = event.is_error or event.subtype.startswith("error")
    if failed:
        held.error = result_error(event, state.api_error)
        words = state.answer
    else:
        held.error = ""
        words = event.result or state.answer or state.command_output
        out += went_on(state)
    if words and words not in held.answers[-1:]:
        held.answers.append(words)
    state.answer = state.command_output = ""
    if not failed and (state.background or state.turns > state.results):
        return out
    return [*out, *_complete(state, event.session_id)]


def task_ended(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Return the end when the last background task was stopped: claude says no more then."""
    waiting = state.held is not None and state.turns <= state.results
    if not waiting or state.background or event.status == "completed":
        return []
    return _complete(state, "")


def end_events(
    state: ClaudeState, *, session: ResumeToken | None, failure: str
) -> list[TakopiEvent]:
    """Return the end of a run that gave no last result.

    Args:
        state: What is remembered.
        session: The session, as far as it is known.
        failure: How the process failed; empty when it ended well, or nobody knows how.
    """
    writing = state.writing.text() if state.writing else ""
    answer = writing or state.answer or state.command_output
    if state.held is not None:
        if answer:  # of a turn that claude began by itself and did not finish
            state.held.answers.append(answer)
        return _complete(state, "")
    if state.cut and not failure and '"is_error":true' not in state.cut:
        # claude exits without waiting for its output to be read; the message came whole before.
        return [state.events.completed_ok(answer=answer, resume=session)]
    error = failure or "claude ended without a result"
    if state.api_error:
        error = f"{with_hint(state.api_error)}\n({error})"
    return [state.events.completed_error(error=error, answer=answer, resume=session)]


def _complete(state: ClaudeState, session_id: str) -> list[TakopiEvent]:
    held = state.held or HeldResult()
    state.held = None
    out: list[TakopiEvent] = [plan_event(state, "completed")] if state.plan.shown else []
    answer = "\n\n".join([*held.answers, *_stopped_words(state)])
    resume = state.events.resume
    if held.error:
        event = state.events.completed_error(
            error=held.error, answer=answer, usage=held.usage or None
        )
    else:
        if resume is None and SAFE_ID.fullmatch(session_id):
            resume = ResumeToken(ENGINE, session_id)
        event = state.events.completed_ok(answer=answer, resume=resume, usage=held.usage or None)
    return [*out, event]


def _stopped_words(state: ClaudeState) -> list[str]:
    """Say what does not run any more, though the answer may speak of it as running."""
    if not state.stopped:
        return []
    what = ", ".join(f"`{title}`" for title in state.stopped)
    count = len(state.stopped)
    return [f"(claude ended {count} background task{'s' if count > 1 else ''}: {what})"]


def _add_usage(held: HeldResult, event: ClaudeEvent) -> None:
    """Add the tokens of a turn; cost is of the whole process already."""
    numbers, usage = held.usage, event.usage
    counts = (0, 0, 0, 0)
    if usage is not None:
        cached, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
        counts = (
            usage.input_tokens + cached + written,  # claude counts only what is beside the cache
            cached,
            written,
            usage.output_tokens,
        )
    if not any(counts) and not event.total_cost_usd:
        return  # nothing was asked of the model
    for key, count in zip(_SUMMED, counts, strict=True):
        numbers[key] = numbers.get(key, 0) + count
    numbers["num_turns"] = numbers.get("num_turns", 0) + event.num_turns
    numbers["duration_ms"] = numbers.get("duration_ms", 0) + event.duration_ms
    if event.total_cost_usd is not None:
        numbers["cost_usd"] = event.total_cost_usd
    if event.modelUsage:
        numbers["model"] = next(iter(event.modelUsage))
