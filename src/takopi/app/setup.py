"""The first start: step by step to a bot that answers, and nothing is written before the end."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from takopi.app.asking import Asker
from takopi.app.config_edit import edit_document, flatten, set_values, shown
from takopi.app.engines import EngineShelf
from takopi.app.home import Home
from takopi.app.setup_bot import BotAccess, ask_owner, ask_token, bot_runs, greet, look
from takopi.app.setup_engine import ask_engine
from takopi.app.setup_place import ask_project, ask_work_dir
from takopi.core.onboarding import (
    STYLES,
    TITLES,
    BotFacts,
    Choice,
    StepId,
    allowed_after,
    bot_advice,
    changes,
    steps_again,
    style_of,
    style_values,
    wanted_steps,
)
from takopi.core.texts import tr
from takopi.engines import find_engines
from takopi.errors import ConfigError, TransportError, Unauthorized
from takopi.locale_files import speak
from takopi.settings import Settings
from takopi.settings.keys import TELEGRAM, TOKEN_VARIABLE
from takopi.settings.projects import read_projects

__all__ = ["Asker", "Interview", "missing", "not_set_up", "set_up"]

TOKEN = TELEGRAM + "bot_token"
CHAT = TELEGRAM + "chat_id"
ALLOWED = TELEGRAM + "allowed_user_ids"
TOPICS = TELEGRAM + "topics.enabled"
PROJECT_KEYS = ("projects.", "default_project")


def missing(settings: Settings) -> tuple[str, ...]:
    """Name the keys without which a bot of Telegram cannot start; nothing for another transport."""
    if settings.transport != "telegram":
        return ()
    values = {TOKEN: settings.telegram.bot_token, CHAT: settings.telegram.chat_id}
    return tuple(name for name, value in values.items() if value is None)


def not_set_up(settings: Settings) -> ConfigError:
    """Say what to do where nobody can be asked."""
    wanted = " and ".join(missing(settings))
    return ConfigError(
        f"takopi is not set up: {settings.path} has no {wanted}.\n"
        "Run `takopi` in a terminal once, it asks for what it needs; or write the file yourself "
        "(config.example.toml has every key), closed to others with `chmod 600`.\n"
        "Without Telegram, `takopi chat` works here and now."
    )


def set_up(home: Home, settings: Settings, asker: Asker, *, again: bool) -> bool:
    """Ask, write all at the end, and send a first message.

    Args:
        again: Ask for everything, with what is configured as the default; otherwise only for
            what is missing.

    Returns:
        Whether a takopi serves this folder already, so that none is to start.

    Raises:
        KeyboardInterrupt: The person left; nothing was written.
        ConfigError: The file cannot be written.
    """
    speak(settings.language)  # what is sent to the chat; the questions here stay English
    interview = Interview(home, settings, asker)
    values = interview.run(again=again)
    _write(home, values)
    try:
        return _after(interview, values)
    except KeyboardInterrupt:
        asker.say(f"{home.config} is written; `takopi` starts the bot.")
        raise SystemExit(130) from None


def _write(home: Home, values: Mapping[str, Any]) -> None:
    # Ctrl-C has to wait: "nothing was written" would be a lie behind it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with edit_document(home.config) as document:
            set_values(document, values)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _after(interview: "Interview", values: Mapping[str, Any]) -> bool:
    asker, access = interview.asker, interview.access
    assert access is not None
    asker.say(f"{interview.home.config} is written", "good" if values else "plain")
    text = tr(
        "takopi is set up. Write what you want done, for example: which files are here, and what "
        "are they for?"
    )
    try:
        greet(access, int(interview.present[CHAT]), text)
    except TransportError as error:
        asker.say(f"the test message did not arrive: {error}", "warning")
    else:
        asker.say("a test message is in your chat", "good")
    serves = bot_runs(interview.home)
    if serves:
        if interview.present.get("watch_config", True):
            asker.say("takopi is running already, and takes this within some seconds", "good")
        else:
            asker.say("takopi is running already: `takopi stop`, then `takopi`", "warning")
    return serves


class Interview:
    """Go through the steps and keep the answers.

    Args:
        home: takopi's folder.
        settings: What is configured.
        asker: Talks with the person.
    """

    def __init__(self, home: Home, settings: Settings, asker: Asker) -> None:
        self.home = home
        self.asker = asker
        token, base_url = settings.telegram.bot_token, settings.telegram.api_base_url
        self.access = BotAccess(token, base_url) if token is not None else None
        self._settings = settings
        self._base_url = base_url
        self._projects = read_projects(settings.document, settings.path)
        self._written = dict(flatten(settings.document))
        self._answers: dict[str, Any] = {}
        self._bot: BotFacts | None = None
        self._foreign_bot = False  # the owner of another bot has not met this one

    @property
    def present(self) -> dict[str, Any]:
        """Give what is configured, with the answers over it."""
        return self._written | self._answers

    def run(self, *, again: bool) -> dict[str, Any]:
        """Ask and return what is to be written.

        Raises:
            KeyboardInterrupt: The person left.
        """
        steps = wanted_steps(self._known(), again=again)
        self.asker.say(
            f"Welcome to takopi. {len(steps)} short steps; nothing is written before the last one, "
            f"Ctrl-C leaves at any time. Everything can be changed later, in {self.home.config} or "
            "with `takopi --onboard`."
        )
        for number, step in enumerate(steps, 1):
            self.asker.step(number, len(steps), TITLES[step])
            self._take(step)
        while (values := self._summary()) is None:
            pass
        return values

    def _known(self) -> set[StepId]:
        written = self._written
        known: dict[StepId, bool] = {
            "bot": self.access is not None,
            "owner": CHAT in written,
            "place": "work_dir" in written,
            "style": "session_mode" in written or TOPICS in written,
            "engine": "default_engine" in written,
            "project": bool(self._projects.all),
        }
        return {step for step, is_known in known.items() if is_known}

    def _take(self, step: StepId) -> None:
        steps: dict[StepId, Callable[[], None]] = {
            "bot": self._take_bot,
            "owner": self._take_owner,
            "place": self._take_place,
            "style": self._take_style,
            "engine": self._take_engine,
            "project": self._take_project,
        }
        steps[step]()

    def _take_bot(self) -> None:
        present = self.access.token if self.access is not None else None
        if os.environ.get(TOKEN_VARIABLE):
            self.asker.say(f"The token comes from the variable {TOKEN_VARIABLE}.")
            return
        self.access, self._bot = ask_token(self.asker, self._base_url, present)
        self._answers[TOKEN] = self.access.token
        self._foreign_bot = self.access.token.partition(":")[0] != (present or "").partition(":")[0]

    def _take_owner(self) -> None:
        chat = self.present.get(CHAT)
        if chat is not None and not self._foreign_bot:
            choices = (Choice(f"keep the chat {chat}"), Choice("learn it anew, by a link"))
            if self.asker.choose("Whom does the bot serve?", choices) == 0:
                return
        assert self.access is not None
        try:
            owner = ask_owner(self.home, self.access, self.asker, can_keep=chat is not None)
        except Unauthorized as error:
            if os.environ.get(TOKEN_VARIABLE):
                raise  # no answer here can mend the variable
            self.asker.say(str(error), "bad")
            self.access = None
            self._take_bot()
            self._take_owner()
            return
        if owner is not None:
            allowed = self._written.get(ALLOWED, [])
            old = self._written.get(CHAT)
            self._answers[CHAT] = owner.chat_id
            self._answers[ALLOWED] = allowed_after(allowed, old, owner.user_id)
            self._foreign_bot = False

    def _take_place(self) -> None:
        present = self.present.get("work_dir")
        path = ask_work_dir(self.asker, Path(present).expanduser() if present else None)
        self._answers["work_dir"] = str(path)

    def _take_style(self) -> None:
        present = self.present
        topics = present.get(TOPICS)
        default = STYLES.index(style_of(present.get("session_mode"), topics))
        question = "Which style?"
        style = STYLES[self.asker.choose(question, [one.choice for one in STYLES], default)]
        self._answers |= style_values(style, topics=topics)
        chat = present.get(CHAT)
        groups = style.topics or (isinstance(chat, int) and chat < 0)
        if groups and self.access is not None:
            self._advise(groups=groups, topics=style.topics)

    def _advise(self, *, groups: bool, topics: bool) -> None:
        assert self.access is not None
        try:
            bot = self._bot or look(self.access)
        except TransportError:
            return  # the doctor tells it
        self._bot = bot
        for advice in bot_advice(bot, groups=groups, topics=topics):
            self.asker.say(advice, "warning")

    def _take_engine(self) -> None:
        def shelf() -> EngineShelf:
            return EngineShelf(find_engines(self.home.path), self._settings)

        engine = ask_engine(self.asker, shelf, self.present.get("default_engine"))
        if engine is not None:
            self._answers["default_engine"] = engine

    def _take_project(self) -> None:
        for name in [name for name in self._answers if name.startswith(PROJECT_KEYS)]:
            del self._answers[name]
        work_dir = Path(self.present["work_dir"]).expanduser()
        engines = find_engines(self.home.path).ids
        answers = ask_project(self.asker, work_dir, self._projects, engines)
        self._answers |= {name: self._written.get(name, value) for name, value in answers.items()}

    def _summary(self) -> dict[str, Any] | None:
        """Show what will be written and ask; None when an answer was changed."""
        values = changes(self._answers, self._written)
        asker = self.asker
        asker.say("")
        asker.say(f"To be written to {self.home.config}:" if values else "Nothing changes.")
        for name, value in values.items():
            asker.say(f"{name} = {shown(name, value, reveal=False)}")
        then = "start" if "default_engine" in self.present else "end"  # it needs an engine
        choices = (
            Choice(f"write it and {then}" if values else then),
            Choice("change an answer"),
            Choice("leave, and write nothing"),
        )
        chosen = asker.choose("All right?", choices)
        if chosen == 1:
            steps = tuple(TITLES)
            again = asker.choose("Which one?", [Choice(TITLES[step]) for step in steps])
            for step in steps_again(steps[again]):
                self._take(step)
            return None
        if chosen > 1:
            raise KeyboardInterrupt
        return values
