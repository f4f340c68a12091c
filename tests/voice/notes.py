"""Voice notes and waiting, for the tests of transcribers."""

from pathlib import Path

from takopi.transcription import VoiceNote

SPEECH = Path(__file__).parents[1] / "fixtures" / "voice" / "go_forward.ogg"


def note(folder: Path, content: bytes = b"OggS sound", name: str = "a b.oga") -> VoiceNote:
    """Write a voice note."""
    path = folder / name
    path.write_bytes(content)
    return VoiceNote(path, "audio/ogg", 3.0)


class Impatient:
    """Be a clock on which waiting takes no time; it keeps how long each wait was."""

    def __init__(self) -> None:
        self.moment = 100.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.moment

    def wall(self) -> float:
        return self.moment

    async def sleep_until(self, deadline: float) -> None:
        self.waits.append(deadline - self.moment)
        self.moment = max(self.moment, deadline)
