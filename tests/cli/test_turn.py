"""`takopi <engine> "prompt"`: one turn in the terminal."""

import json
import signal
import subprocess

import pytest

from fakes.pty_user import CTRL_C, PtyUser, ends_soon

pytestmark = pytest.mark.usefixtures("toy")


def resume_line(stderr: str) -> str:
    return next(line for line in stderr.splitlines() if line.startswith("toy --resume"))


def test_the_answer_is_all_there_is_on_standard_output(cli) -> None:
    """Progress and resume line go to standard error; exit status 0."""
    done = cli("toy", "hello\nrun: true")
    assert done.returncode == 0
    assert done.stdout == "toy heard: hello\n"
    assert "working · toy · 0s" in done.stderr
    assert "✓ true" in done.stderr
    assert resume_line(done.stderr)


def test_a_failed_turn_ends_with_status_1(inside) -> None:
    """The reason and the resume line are told."""
    done = inside("toy", "exit: 3")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "exit status 3" in done.stderr
    assert "toy: told to fail" in done.stderr
    assert resume_line(done.stderr)


def test_a_run_that_writes_too_much_is_ended(inside, takopi_home) -> None:
    """`max_run_mb` of the configuration is the limit that holds."""
    config = takopi_home / "takopi.toml"
    config.write_text("max_run_mb = 1")
    config.chmod(0o600)
    done = inside("toy", "run: head -c 2000000 /dev/zero >&2\nrun: sleep 3600")
    assert done.returncode == 1
    assert "the run wrote more than 1 MB and was ended" in done.stderr


def test_events_come_as_json_lines(inside) -> None:
    """`--json` prints the events and nothing else; the last one is the end."""
    done = inside("toy", "--json", "run: true")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["type"] for event in events] == ["started", "action", "action", "completed"]
    assert events[-1]["answer"] == "toy heard: "
    assert done.stderr == ""
    assert inside("toy", "--json", "exit: 1").returncode == 1


@pytest.mark.long
def test_the_prompt_comes_from_standard_input(cli, inside) -> None:
    """`-` reads it to its end, and words need no quotes."""
    assert cli("toy", "-", stdin="one\ntwo").stdout == "toy heard: one / two\n"
    assert inside("toy", "one", "two").stdout == "toy heard: one two\n"


def test_words_behind_the_dash_go_before_what_is_read(inside) -> None:
    """`git diff | takopi toy - explain this` loses neither; a dash elsewhere is a word."""
    heard = inside("toy", "-", "explain", "this", stdin="one\ntwo").stdout
    assert heard == "toy heard: explain this /  / one / two\n"
    assert inside("toy", "-", "explain", stdin="\n").stdout == "toy heard: explain\n"
    assert inside("toy", "this", "-", stdin="x").stdout == "toy heard: this -\n"


def test_a_session_goes_on_where_it_began(inside, tmp_path) -> None:
    """By id or by its whole line, and in its own directory wherever one is now."""
    here, there = tmp_path / "here", tmp_path / "there"
    there.mkdir()
    line = resume_line(inside("toy", "hi").stderr)
    token = line.split()[-1]
    for given in (token, f"`{line}`"):
        done = inside("toy", "--resume", given, "--json", "and on", cwd=there)
        started = json.loads(done.stdout.splitlines()[0])
        assert started["resume"]["value"] == token
        assert started["meta"]["cwd"] == str(here)
        assert done.stderr == f"takopi: the session goes on in {here}\n"
    here.rename(tmp_path / "gone")
    done = inside("toy", "--resume", token, "hello", cwd=there)
    assert done.returncode == 1
    assert f"the working directory {here} does not exist" in done.stderr


def test_a_session_of_the_desktop_goes_on_where_its_engine_says(
    inside, tmp_path, takopi_home
) -> None:
    """takopi has never run it, but the engine's own store knows where it began."""
    engine, there = takopi_home / "runners" / "toy.py", tmp_path / "there"
    there.mkdir()
    hook = f"    async def session_directory(self, session):\n        return Path({str(there)!r})\n"
    text = engine.read_text("utf-8")
    before, found, after = text.partition("    def command(self)")
    assert found
    engine.write_text(f"{before}{hook}\n{found}{after}", "utf-8")
    done = inside("toy", "--resume", "toy-0123", "--json", "go on")
    assert json.loads(done.stdout.splitlines()[0])["meta"]["cwd"] == str(there)
    assert done.stderr == f"takopi: the session goes on in {there}\n"


def test_an_unknown_session_starts_here(inside, tmp_path) -> None:
    """A session that takopi never ran may be the engine's all the same."""
    done = inside("toy", "--resume", "toy-0123", "--json")
    started = json.loads(done.stdout.splitlines()[0])
    assert started["meta"]["cwd"] == str(tmp_path / "here")
    assert json.loads(done.stdout.splitlines()[-1])["ok"] in (True, False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["toy", ""], "the prompt is empty"),
        (["toy", "--debug", ""], "debug log: "),
        (["toy", "-"], "the prompt is empty"),
        (["toy", "--json"], "--json wants a prompt"),
        (["toy", "--resume", "-x y", "hi"], "cannot be a session of toy"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told(inside, arguments, told) -> None:
    """A wrong use is one line and exit status 2."""
    done = inside(*arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_missing_cli_is_told_with_its_remedy(inside, tmp_path) -> None:
    """The install command is in the text; exit status 1."""
    (tmp_path / "bin" / "toy").unlink()
    done = inside("toy", "hi")
    assert done.returncode == 1
    assert "`toy` is not on PATH; install it with `pip install toy`" in done.stderr


def test_a_wrong_configuration_is_told(inside, takopi_home) -> None:
    """The file and key are named; exit status 78."""
    path = takopi_home / "takopi.toml"
    path.write_text("toy = 3\n")
    path.chmod(0o600)
    done = inside("toy", "hi")
    assert done.returncode == 78
    assert f"{path}: toy is 3; accepted: a table" in done.stderr


@pytest.mark.long
def test_a_current_directory_that_is_gone_is_told(argv, environment, tmp_path) -> None:
    """Nothing starts in a place that does not exist."""
    script = f'mkdir {tmp_path}/x; cd {tmp_path}/x; rmdir {tmp_path}/x; exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *argv, "toy", "hi"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 2
    assert "the current directory is gone" in done.stderr


def test_the_environment_of_an_engine_is_an_allow_list(inside, takopi_home) -> None:
    """takopi's own settings and other keys stay out; what the configuration passes gets in."""
    path = takopi_home / "takopi.toml"
    path.write_text('[env.toy]\npass = ["CARGO_*"]\n')
    path.chmod(0o600)
    prompt = "run: env >&2; exit 1\nexit: 1"
    done = inside("toy", prompt, CARGO_HOME="/c", OTHER_API_KEY="canary-1")
    runs = "".join(file.read_text() for file in takopi_home.glob("runs/*/stderr.log"))
    assert done.returncode == 1
    assert "CARGO_HOME=/c" in runs
    assert "canary-1" not in runs
    assert "TAKOPI_HOME" not in runs


@pytest.mark.long
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_a_signal_ends_the_turn_and_its_tree(argv, environment, tmp_path, number, status) -> None:
    """What the engine started in a session of its own is ended as well."""
    marker = tmp_path / "pid"
    prompt = f"run: echo $$ > {marker}.new; mv {marker}.new {marker}; exec sleep 3600"
    with PtyUser([*argv, "toy", prompt], environment) as user:
        user.expect("▸")
        while not marker.exists():
            user.expect("working")
        user.signal(number)
        user.expect("toy --resume")
        assert user.leave() == status
    assert ends_soon(int(marker.read_text()))


@pytest.mark.long
def test_a_turn_is_live_on_a_terminal(argv, environment, tmp_path) -> None:
    """Progress is redrawn and goes away; answer and resume line stay."""
    go_on = tmp_path / "go-on"
    with PtyUser([*argv, "toy", f"**hello**\nwait: {go_on}"], environment) as user:
        user.expect("working · toy · 0s · step 1")
        user.expect("▸ waiting")
        user.expect("working · toy · 1s")  # the clock goes on while nothing happens
        go_on.touch()
        user.expect("toy heard: hello")
        user.expect("toy --resume toy-")
        assert user.leave() == 0


@pytest.mark.long
def test_a_terminal_that_cannot_redraw_gets_line_by_line(argv, environment) -> None:
    """An editor's shell sees the steps, too."""
    with PtyUser([*argv, "toy", "hello\nrun: true"], environment, term="dumb") as user:
        user.expect("working · toy · 0s")
        user.expect("✓ true")
        user.expect("toy heard: hello")
        assert user.leave() == 0


@pytest.mark.long
def test_ctrl_c_twice_leaves_at_once(argv, environment, tmp_path) -> None:
    """The second one does not wait for an engine that will not end."""
    marker = tmp_path / "pid"
    prompt = f"run: trap '' INT TERM; echo $$ > {marker}; while :; do sleep 1; done"
    with PtyUser([*argv, "toy", prompt], environment) as user:
        user.expect("▸")
        while not marker.exists():
            user.expect("working")
        user.type(CTRL_C)
        user.type(CTRL_C)
        assert user.leave() == 130
    assert ends_soon(int(marker.read_text()))


@pytest.mark.parametrize("home", ["file", "open"])
def test_a_folder_that_does_not_do_is_told(inside, tmp_path, home) -> None:
    """A file in its place, or a folder open to others, is refused with a remedy."""
    place = tmp_path / "place"
    if home == "file":
        place.write_text("")
    else:
        place.mkdir()
        place.chmod(0o755)
    done = inside("chat", TAKOPI_HOME=str(place))
    assert done.returncode == (2 if home == "file" else 78)
    assert ("TAKOPI_HOME" if home == "file" else f"chmod 700 {place}") in done.stderr


@pytest.mark.long
def test_a_reader_that_leaves_ends_the_turn(argv, environment, tmp_path) -> None:
    """`takopi ... | head -1` ends the engine too, without a traceback."""
    never = tmp_path / "never"
    script = f'"$@" "many: 50\nwait: {never}" | head -1'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *argv, "toy", "--json"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.long
def test_any_character_can_be_written(cli) -> None:
    """A terminal of another age gets a question mark, not an error."""
    done = cli("toy", "hä 🐙", LC_ALL="POSIX", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout == "toy heard: h? ?\n"


@pytest.mark.long
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(argv, environment, tmp_path, closed) -> None:
    """Whatever a service manager closed, the turn runs, and no file gets what a person should."""
    script = f'"$@" toy "run: touch {tmp_path}/ran" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *argv],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0
    assert (tmp_path / "ran").exists()
    assert "fault" not in done.stderr
