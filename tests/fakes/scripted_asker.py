"""A person who answers the set-up's questions as a script says, without a terminal."""

from collections.abc import Callable, Mapping, Sequence

from takopi.core.onboarding import Choice, Mood
from takopi.core.qr_code import QrCode

__all__ = ["ScriptedAsker"]


class ScriptedAsker:
    """Answer questions by their words; what the script does not name gets the default.

    Args:
        answers: What is answered, in turn, by the beginning of a question. To a choice the
            beginning of a label.
        opened: Is called with the link to the bot.
        leave_at: At which question, from 0, Ctrl-C is pressed.
    """

    def __init__(
        self,
        answers: Mapping[str, Sequence[str]] | None = None,
        opened: Callable[[str], object] = lambda link: None,
        *,
        leave_at: int | None = None,
    ) -> None:
        self._answers = {question: list(given) for question, given in (answers or {}).items()}
        self._opened = opened
        self._leave_at = leave_at
        self.drawn: list[QrCode] = []
        self.asked: list[str] = []
        self.said: list[str] = []

    @property
    def text(self) -> str:
        """Give everything that was said, a line each."""
        return "\n".join(self.said)

    def step(self, number: int, total: int, title: str) -> None:
        """Begin a step."""
        self.said.append(f"{number}/{total} {title}")

    def say(self, text: str, mood: Mood = "plain") -> None:
        """Tell something."""
        self.said.append(f"{mood}: {text}")

    def show(self, text: str) -> None:
        """Show a link."""
        self.said.append(text)
        if text.startswith("https://t.me/"):
            self._opened(text)

    def draw(self, code: QrCode) -> None:
        """Keep the picture."""
        self.drawn.append(code)

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line."""
        return self._next(question) or default

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        return self._next(question) or ""

    def choose(self, question: str, choices: Sequence[Choice], default: int = 0) -> int:
        """Ask for one of several answers."""
        self.said.extend(f"  {choice.label} - {choice.note}" for choice in choices)
        wanted = self._next(question)
        if wanted is None:
            return default
        labels = [choice.label for choice in choices]
        if wanted in labels:
            return labels.index(wanted)
        return next(n for n, label in enumerate(labels) if label.startswith(wanted))

    def forget(self) -> None:
        """Do nothing: nothing is typed ahead."""

    def _next(self, question: str) -> str | None:
        if self._leave_at == len(self.asked):
            raise KeyboardInterrupt
        self.asked.append(question)
        assert len(self.asked) < 50, "it asks for ever"
        given = next((a for q, a in self._answers.items() if question.startswith(q)), [])
        return given.pop(0) if given else None
