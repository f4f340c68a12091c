"""What a message asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decisions.chat_updates import TABLE, bot_message, message
from takopi.core.decisions import (
    BoundTurn,
    Command,
    EngineConflict,
    EngineExplained,
    Ignored,
    NothingSaid,
    Prompt,
    Route,
    UnknownCommand,
)
from takopi.core.route import last_resume, route
from takopi.model import ResumeToken

pytestmark = pytest.mark.timeout(300)

CODEX = ResumeToken("codex", "abc")
CLAUDE = ResumeToken("claude", "xyz")
KNOWN = BoundTurn(turn_id="t1", conversation="t1", engine="codex", session=CODEX)
NEW = BoundTurn(turn_id="t1", conversation="t1", engine="codex")


def routed(text: str, bound: BoundTurn | None = None, **more: object) -> Route:
    """Route a text."""
    return route(message(text, **more), TABLE, bound)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix it", Prompt(text="fix it", engine="codex")),
        ("  fix\nit  ", Prompt(text="fix\nit", engine="codex")),
        ("/claude fix it", Prompt(text="fix it", engine="claude")),
        ("/Claude\nfix it", Prompt(text="fix it", engine="claude")),
        ("/claude /claude fix", Prompt(text="fix", engine="claude")),
        ("//compact now", Prompt(text="/compact now", engine="codex")),
        ("/claude //compact", Prompt(text="/compact", engine="claude")),
        ("// a comment", Prompt(text="// a comment", engine="codex")),
        ("/etc/hosts is odd", Prompt(text="/etc/hosts is odd", engine="codex")),
        ("/ alone", Prompt(text="/ alone", engine="codex")),
        ("/?", Prompt(text="/?", engine="codex")),
        ("say /help to me", Prompt(text="say /help to me", engine="codex")),
        ("/help", Command("help")),
        ("/HELP me  please ", Command("help", "me  please")),
        ("/cancel all", Command("cancel", "all")),
        ("/start", Command("start")),
        ("/cancle", UnknownCommand("cancle", ("cancel",))),
        ("/st", UnknownCommand("st", ("start", "status"))),
        ("/x", UnknownCommand("x", ())),
        ("/code-review", UnknownCommand("code-review", ())),
        ("/claude /help", UnknownCommand("help", ("help",))),
        ("/claude /review it", UnknownCommand("review", ())),
        ("/codex", EngineExplained("codex")),
        ("/claude  ", EngineExplained("claude")),
        ("/claude /codex go", EngineConflict("codex", "claude", in_session=False)),
        ("", NothingSaid()),
        (" \n", NothingSaid()),
    ],
)
def test_the_first_word_decides(text: str, expected: Route) -> None:
    """Commands, directives, escapes and paths are told apart by the first word."""
    assert routed(text) == expected


@pytest.mark.parametrize("text", ["/cancel", "/claude go", "`codex resume abc`", "/nobody"])
def test_forwarded_text_is_content(text: str) -> None:
    """Nothing in it is a command, a directive or a resume line."""
    reply = bot_message("codex resume abc")
    assert routed(text, KNOWN, forwarded=True, reply=reply) == Prompt(text=text, engine="codex")
    assert routed("", forwarded=True) == NothingSaid()


def test_another_bots_command_is_ignored() -> None:
    """`/x@otherbot` is not ours, whatever it says."""
    assert routed("/help", addressed_to_other=True) == Ignored()


@pytest.mark.parametrize(
    ("text", "prompt", "session"),
    [
        ("codex resume abc", "continue", CODEX),
        ("`codex resume abc`\nfix it", "fix it", CODEX),
        ("fix it\n\n`claude resume xyz`", "fix it", CLAUDE),
        ("claude resume xyz\nfix\ncodex resume abc", "claude resume xyz\nfix", CODEX),
        ("codex resume abc\ncodex resume abc\ngo", "go", CODEX),
        ("`codex resume abc` fix it", "fix it", CODEX),
        ("/claude claude resume xyz", "continue", CLAUDE),
        ("/claude go\nclaude resume xyz", "go", CLAUDE),
    ],
)
def test_the_last_resume_line_of_the_own_text_wins(
    text: str, prompt: str, session: ResumeToken
) -> None:
    """It names session and engine, is stripped, and an empty rest continues."""
    assert routed(text) == Prompt(text=prompt, engine=session.engine, resume=session)


def test_a_directive_does_not_move_a_session_to_another_engine() -> None:
    """Neither for a line of the own text nor for a reply; it is answered, not ignored."""
    conflict = EngineConflict("claude", "codex")
    assert routed("/claude go\ncodex resume abc") == conflict
    assert routed("/claude go", KNOWN) == conflict
    assert routed("/claude go", NEW) == conflict
    assert routed("/claude go", reply=bot_message("codex resume abc")) == conflict


def test_a_known_message_decides_over_lines() -> None:
    """The replied-to message's session holds; a line that names another one is content."""
    expected = Prompt(text="claude resume xyz\ngo", engine="codex", resume=CODEX, follows=KNOWN)
    assert routed("claude resume xyz\ngo\ncodex resume abc", KNOWN) == expected
    reply = bot_message("claude resume xyz")
    assert routed("go", KNOWN, reply=reply) == Prompt(
        text="go", engine="codex", resume=CODEX, follows=KNOWN
    )


def test_a_reply_to_a_turn_without_a_session_follows_it() -> None:
    """It joins the conversation, unless the person names a session themselves."""
    assert routed("go", NEW) == Prompt(text="go", engine="codex", follows=NEW)
    assert routed("/codex", NEW) == Prompt(text="continue", engine="codex", follows=NEW)
    assert routed("go\nclaude resume xyz", NEW) == Prompt(text="go", engine="claude", resume=CLAUDE)


def test_a_line_in_the_replied_to_message_counts_only_when_this_bot_wrote_it() -> None:
    """Other people's messages start nothing of a session."""
    text = "done\n\ncodex resume old\nclaude resume xyz"
    assert routed("go", reply=bot_message(text)) == Prompt(
        text="go", engine="claude", resume=CLAUDE
    )
    theirs = message("go", reply=bot_message(text)).reply
    assert theirs is not None
    from msgspec.structs import replace

    assert routed("go", reply=replace(theirs, from_this_bot=False)) == Prompt(
        text="go", engine="codex"
    )
    assert routed("go", reply=bot_message("no line")) == Prompt(text="go", engine="codex")


class Liar:
    """Claim every line, and name sessions of another engine."""

    engine = "liar"

    def is_resume_line(self, line: str) -> bool:
        """Say yes."""
        return True

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        """Name what is not ours."""
        return ResumeToken("codex", "stolen")


def test_a_codec_cannot_name_sessions_of_another_engine() -> None:
    """A plug-in that claims every line takes nobody's sessions."""
    assert last_resume("codex resume abc", (Liar(),)) is None


@given(text=st.text(), forwarded=st.booleans(), known=st.sampled_from([None, KNOWN, NEW]))
def test_routing_is_total_and_prompts_are_never_empty(
    text: str, forwarded: bool, known: BoundTurn | None
) -> None:
    """Any text has an answer; a prompt has words and a session of its own engine."""
    decision = routed(text, known, forwarded=forwarded)
    if isinstance(decision, Prompt):
        assert decision.text.strip()
        assert decision.resume is None or decision.resume.engine == decision.engine


@given(word=st.from_regex(r"\A\w[^\s/]{0,20}\Z"), rest=st.text())
def test_a_word_that_nobody_knows_is_never_sent(word: str, rest: str) -> None:
    """It is a command, a directive or answered; doubled, it is text."""
    decision = routed(f"/{word} {rest}")
    assert not isinstance(decision, Prompt) or word.lower() in TABLE.engines
    escaped = routed(f"//{word} {rest}")
    assert isinstance(escaped, Prompt)
    assert escaped.text.startswith(f"/{word}")


@given(
    lines=st.lists(
        st.sampled_from(["fix it", "codex resume abc", "`claude resume xyz`", "", "x codex"]),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_not_a_line_of_the_session_stays(lines: list[str]) -> None:
    """Only lines that name the chosen session go."""
    decision = routed("\n".join(lines))
    if not isinstance(decision, Prompt):
        return
    mine = {CODEX: "codex resume abc", CLAUDE: "`claude resume xyz`"}.get(decision.resume or CODEX)
    kept = [line for line in lines if decision.resume is None or line != mine]
    assert decision.text == ("\n".join(kept).strip() or "continue")
