"""`takopi chat`: the bridge with the terminal as its chat."""

import re
import signal
import subprocess

import pytest

from fakes.pty_user import CTRL_C, CTRL_D, PtyUser

GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")
RESUME = re.compile(r"^toy --resume (toy-[0-9a-f]+)$", re.MULTILINE)


@pytest.mark.long
def test_a_machine_without_engines_sees_a_scripted_turn(cli) -> None:
    """`echo hello | takopi chat` shows the main job, and says that it is played."""
    done = cli("chat", stdin="hello\n")
    assert done.returncode == 0
    assert "no engine is installed here, so `mock` answers" in done.stderr
    assert "▸ git status" in done.stderr
    assert "✓ done · mock" in done.stdout
    assert "hello" in done.stdout
    assert "mock --resume mock-" in done.stdout


@pytest.mark.long
@pytest.mark.usefixtures("toy")
def test_the_lines_of_a_pipe_are_one_conversation(cli) -> None:
    """Each line is answered in its order and continues the session; `/new` starts another."""
    done = cli("chat", stdin="one\n\ntwo\n/new\nthree\n/toy four")
    assert done.returncode == 0
    assert re.findall(r"toy heard: (\w+)", done.stdout) == ["one", "two", "three", "four"]
    first, second, third, fourth = RESUME.findall(done.stdout)
    assert first == second
    assert len({first, third, fourth}) == 3
    assert "new conversation" in done.stderr


@pytest.mark.long
@pytest.mark.usefixtures("toy")
def test_words_that_only_look_like_directives_change_no_session(cli) -> None:
    """Without any project a branch is text, and an engine's name before no session is a word."""
    lines = ["one", "@param is wrong", "toy - is it there?", "toy resume the work"]
    done = cli("chat", stdin="\n".join(lines))
    sessions = RESUME.findall(done.stdout)
    assert (len(sessions), len(set(sessions))) == (4, 1)
    done = cli("chat", stdin=f"one\ntoy --resume {sessions[0]}\ntwo\n")
    other, *again = RESUME.findall(done.stdout)
    assert again == [sessions[0]] * 2 != [other] * 2


@pytest.mark.long
@pytest.mark.usefixtures("toy", "traced")
def test_commands_are_answered(cli) -> None:
    """What takopi answers itself does not disturb the conversation."""
    lines = "one\n/status\n/nosuch\n/ctx\n/help\n/cancel\ntwo\n"
    done = cli("chat", "--engine", "toy", stdin=lines)
    assert "Nothing runs and nothing waits." in done.stdout
    assert "Nobody here knows /nosuch" in done.stdout
    assert "Prompts run where this chat was started." in done.stdout
    assert "/worktrees – " in done.stdout
    assert "/topic" not in done.stdout
    assert "Reply" not in done.stdout
    assert "nothing runs" in done.stderr
    first, second = RESUME.findall(done.stdout)
    assert first == second


@pytest.mark.long
@pytest.mark.usefixtures("toy", "traced")
def test_projects_can_be_named_here_too(cli, takopi_home, tmp_path) -> None:
    """The directory one stands in is its project; another project is another session."""
    for name in ("shop", "blog"):
        subprocess.run(["git", "init", "-q", tmp_path / name], check=True)
        commit = [*GIT, "commit", "-q", "--allow-empty", "-m", "Begin"]
        subprocess.run(commit, cwd=tmp_path / name, check=True)
    path = takopi_home / "takopi.toml"
    path.touch(mode=0o600)
    path.write_text(
        "".join(f'[projects.{name}]\npath = "{tmp_path / name}"\n' for name in ("shop", "blog"))
    )
    lines = ["/ctx", "one", "@feat/a two", "three", "/worktrees", "/BLOG four"]
    done = cli("chat", stdin="\n".join(lines), cwd=tmp_path / "shop")
    assert done.stdout.startswith("ctx: shop\n")
    sessions = RESUME.findall(done.stdout)
    assert sessions[1] == sessions[2]
    assert len(set(sessions)) == 3
    assert re.findall(r"^ctx: .*", done.stdout, re.MULTILINE)[1:] == [
        "ctx: shop",
        "ctx: shop @feat/a",
        "ctx: shop @feat/a",
        "ctx: blog",
    ]
    assert "@feat/a – clean" in done.stdout


@pytest.mark.long
@pytest.mark.usefixtures("toy")
def test_a_failed_turn_is_told_and_the_next_one_runs(cli) -> None:
    """One bad turn does not end the chat."""
    done = cli("chat", stdin="exit: 2\nhello\n")
    assert done.returncode == 0
    assert "✗ error · toy" in done.stdout
    assert "toy heard: hello" in done.stdout


@pytest.mark.long
@pytest.mark.usefixtures("traced")
def test_an_engine_that_is_not_installed_is_told_at_once(cli) -> None:
    """Before the first prompt fails; others can be named all the same."""
    done = cli("chat", "--engine", "codex")
    assert "Not installed here: codex (`npm install -g @openai/codex`)." in done.stderr


@pytest.mark.long
@pytest.mark.usefixtures("traced")
def test_the_scripted_engine_can_be_asked_for(cli) -> None:
    """`--engine mock` plays on any machine, and no warning is needed."""
    done = cli("chat", "--engine", "mock", "--debug", stdin="")
    assert (done.returncode, done.stdout) == (0, "")
    assert "debug log" in done.stderr
    assert "no engine is installed" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "config", "status", "told"),
    [
        (["--engine", "tyo"], "", 2, "there is no engine `tyo`; did you mean `toy`?"),
        (["--engine", "zzzz"], "", 2, "there is no engine `zzzz`; known engines:"),
        ([], 'default_engine = "nosuch"', 78, 'default_engine is "nosuch"; accepted: '),
    ],
)
@pytest.mark.usefixtures("toy")
def test_an_unknown_engine_is_told(inside, takopi_home, arguments, config, status, told) -> None:
    """Whoever names it, the text says which there are."""
    path = takopi_home / "takopi.toml"
    path.write_text(config)
    path.chmod(0o600)
    done = inside("chat", *arguments)
    assert done.returncode == status
    assert told in done.stderr


@pytest.mark.long
@pytest.mark.usefixtures("toy", "traced")
def test_a_person_chats_on_a_terminal(argv, environment, tmp_path) -> None:
    """Progress is live, Ctrl-C cancels the turn and not the chat, Ctrl-D leaves."""
    with PtyUser([*argv, "chat"], environment) as user:
        user.expect("toy answers in")
        user.see("you>")
        user.type("hello\r")
        user.expect("toy heard: hello")
        user.expect("toy --resume ")
        token = user.expect("you>").split()[0]
        for turn in range(2):
            user.type(f"wait: {tmp_path / 'never'}\r")
            user.see("▸ waiting")
            if turn:
                user.type("/cancel\r")
            else:
                user.type(CTRL_C)
                user.expect("cancelling; Ctrl-C again leaves")
            user.expect("■ cancelled · toy")
            user.expect(f"toy --resume {token}")
        user.type("still there\r")
        user.expect("toy heard: still there")
        user.see_last(f"toy --resume {token}", "you>")
        user.type(CTRL_D)
        assert user.leave() == 0


@pytest.mark.long
@pytest.mark.usefixtures("toy")
def test_lines_typed_quickly_are_one_conversation(argv, environment, tmp_path) -> None:
    """Also behind `/new`, when nothing was shown of the first of them yet."""
    with PtyUser([*argv, "chat"], environment) as user:
        user.see("you>")
        user.type("before\r")
        user.expect("toy heard: before")
        user.type("/new\rone\rtwo\rthree\r")
        for word in ("one", "two", "three"):
            user.expect(f"toy heard: {word}")
            user.expect("toy --resume ")
        user.type(CTRL_D)
        assert user.leave() == 0
        before, *sessions = re.findall(r"toy --resume (toy-[0-9a-f]+)", user.shown)
        assert len(set(sessions)) == 1
        assert before not in sessions


@pytest.mark.long
@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("keys", ["/cancel\r", CTRL_C], ids=["command", "key"])
def test_what_waits_behind_a_cancelled_turn_goes_on(argv, environment, tmp_path, keys) -> None:
    """Cancelling means the running turn, as it does in every chat."""
    with PtyUser([*argv, "chat"], environment) as user:
        user.see("you>")
        user.type(f"wait: {tmp_path / 'never'}\r")
        user.see("▸ waiting")
        user.type("second\r")
        user.see("queued · toy")
        user.type(keys)
        user.expect("■ cancelled · toy")
        user.expect("toy heard: second")
        user.type(CTRL_D)
        assert user.leave() == 0


@pytest.mark.long
@pytest.mark.usefixtures("toy")
def test_ctrl_c_with_nothing_running_leaves(argv, environment) -> None:
    """Exit status 0, as for the bot."""
    with PtyUser([*argv, "chat"], environment) as user:
        user.see("you>")
        user.type(CTRL_C)
        assert user.leave() == 0
        assert user.echoes()


@pytest.mark.long
@pytest.mark.usefixtures("toy")
def test_ctrl_c_again_and_again_leaves_at_once(argv, environment, tmp_path) -> None:
    """The first cancels, the second stops, the third does not wait any more."""
    with PtyUser([*argv, "chat"], environment) as user:
        user.see("you>")
        user.type(f"run: trap '' INT TERM; touch {tmp_path / 'on'}; while :; do sleep 1; done\r")
        user.expect("▸")
        while not (tmp_path / "on").exists():
            user.expect("s")  # the clock goes on
        user.type(CTRL_C)
        user.expect("cancelling")
        user.signal(signal.SIGTERM)
        user.signal(signal.SIGTERM)
        assert user.leave() in (0, 130)
        assert user.echoes()
