"""A program of the person's choice transcribes."""

import os
import sys
from pathlib import Path

import anyio
import pytest

from fakes.outside import holds
from takopi.errors import TranscriptionFailed, VoiceNotConfigured
from takopi.process.identity import stat_fields
from takopi.voice.choose import VoiceSettings, make_transcriber
from takopi.voice.command import CommandTranscriber, command_line
from voice.notes import note

pytestmark = pytest.mark.anyio

HOME = Path("/home/ann")
FILE = Path("/tmp/a b.oga")


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        (["hear"], ["hear", "/tmp/a b.oga"]),
        (["hear", "-f", "{file}", "-q"], ["hear", "-f", "/tmp/a b.oga", "-q"]),
        (["hear", "--in={file}"], ["hear", "--in=/tmp/a b.oga"]),
        (["~/hear", "-m", "~/m.bin"], ["/home/ann/hear", "-m", "/home/ann/m.bin", "/tmp/a b.oga"]),
        (["hear", "$HOME; ~ {other}"], ["hear", "$HOME; ~ {other}", "/tmp/a b.oga"]),
    ],
)
def test_the_file_takes_its_place(command, argv) -> None:
    """No shell reads the command; `{file}` is replaced where it stands, or the file goes last."""
    assert command_line(command, FILE, HOME) == argv


@pytest.mark.parametrize("command", [[], [""], ["bin/hear"], ["./hear"], ["hear", "a\0b"]])
def test_a_command_that_cannot_be_one_is_refused(command) -> None:
    with pytest.raises(VoiceNotConfigured, match="must begin with a program on the PATH"):
        CommandTranscriber(command)


async def test_what_it_prints_is_what_was_said(tmp_path) -> None:
    """It gets the file, no input, an empty folder of its own and none of takopi's secrets."""
    script = tmp_path / "hear.sh"
    script.write_text(
        'cat "$1"; echo; cat; ls -A | wc -l; echo x > left; pwd; env | grep -c -i secret; exit 0'
    )
    os.environ["TAKOPI_TELEGRAM_TOKEN"] = os.environ["MY_SECRET"] = "a-secret"
    try:
        transcriber = make_transcriber(VoiceSettings(command=("sh", str(script))))
        assert transcriber is not None
        heard = await transcriber.transcribe(note(tmp_path, b"Run it.\n"))
    finally:
        del os.environ["TAKOPI_TELEGRAM_TOKEN"], os.environ["MY_SECRET"]
    said, _, rest = heard.text.partition("\n\n")
    files, folder, secrets = rest.split()
    assert (said, files, secrets) == ("Run it.", "0", "0")
    assert not await anyio.Path(folder).exists()


async def test_a_failure_says_what_the_program_said(tmp_path) -> None:
    command = ["sh", "-c", "echo first >&2; echo 'no model' >&2; exit 3", "{file}"]
    with pytest.raises(TranscriptionFailed) as caught:
        await CommandTranscriber(command).transcribe(note(tmp_path))
    assert str(caught.value) == (
        "`voice.command` failed (exit status 3): run it yourself with a voice note to see why. "
        "It says: no model"
    )
    assert not caught.value.retry_may_help


async def test_a_silent_failure_is_told_too(tmp_path) -> None:
    with pytest.raises(TranscriptionFailed, match=r"to see why\.$"):
        await CommandTranscriber(["false"]).transcribe(note(tmp_path))


async def test_a_program_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(VoiceNotConfigured, match=r"no-such-program: No such file or directory\."):
        await CommandTranscriber(["no-such-program"]).transcribe(note(tmp_path))
    plain = tmp_path / "plain"
    plain.touch()
    with pytest.raises(VoiceNotConfigured, match="Permission denied"):
        await CommandTranscriber([str(plain)]).transcribe(note(tmp_path))


async def test_a_program_that_prints_without_end_is_ended(tmp_path) -> None:
    with pytest.raises(TranscriptionFailed, match="let it print the words alone"):
        await CommandTranscriber(["yes"]).transcribe(note(tmp_path))


async def test_errors_without_end_do_not_stop_it(tmp_path) -> None:
    """Standard error is read away, and only its end is kept."""
    code = "import sys; sys.stderr.write('e' * 3_000_000); print('done')"
    command = [sys.executable, "-c", code]
    assert (await CommandTranscriber(command).transcribe(note(tmp_path))).text == "done\n"


SLOW = "sleep 300 & echo $! $$ > {file}.pids.new; mv {file}.pids.new {file}.pids; wait"


def _ended(pids: Path) -> bool:
    return not any(
        (fields := stat_fields(int(pid))) is not None and fields[0]
        for pid in pids.read_text().split()
    )


async def test_a_cancelled_command_ends_with_all_that_it_started(tmp_path) -> None:
    voice = note(tmp_path, name="v.oga")
    pids = tmp_path / "v.oga.pids"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(CommandTranscriber(["sh", "-c", SLOW]).transcribe, voice)
        await holds(pids.exists, 20)
        tasks.cancel_scope.cancel()
    assert _ended(pids)


async def test_a_command_over_its_time_ends(tmp_path) -> None:
    transcriber = make_transcriber(VoiceSettings(command=("sh", "-c", SLOW), timeout_s=0.5))
    assert transcriber is not None
    with pytest.raises(TranscriptionFailed, match=r"ended after 0.5 s: try again, or r") as caught:
        await transcriber.transcribe(note(tmp_path, name="v.oga"))
    assert caught.value.retry_may_help
    assert _ended(tmp_path / "v.oga.pids")
