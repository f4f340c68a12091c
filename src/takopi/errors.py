"""Every error that takopi raises, one leaf for each decision a caller can take.

    TakopiError
    ├── ConfigError             the person mends the configuration; exit status 78
    │   └── DirectiveError      the first words of a message contradict each other: tell the person
    ├── UsageError              the person asked for what cannot be; exit status 2
    ├── AccessError             a file or folder is open to others, or cannot be used; the text has
    │                           the command that mends it; exit status 78
    ├── FileRefused             a file is neither given out nor taken: name another one
    ├── EngineError             a run cannot start or cannot go on
    │   ├── EngineMissing       the CLI is not installed; `install_cmd` mends it
    │   ├── WorkDirMissing      the session's directory is gone
    │   ├── WorkDirSilent       the disk of a directory does not answer: mend that, try again
    │   ├── PromptRefused       the prompt cannot be handed to this engine
    │   ├── SessionMismatch     the engine answered with another session than the one asked for
    │   └── RunFailed           the holder could not start the engine, or the disk refused
    │       └── RunIdTaken      another run has the id already
    ├── VoiceError              a voice note did not become words
    │   ├── VoiceNotConfigured      nothing is set up, or what is set up is not there: set it up
    │   └── TranscriptionFailed     this one gave no words; `retry_may_help` says what to offer
    ├── GitRefused              git did not do it; the text has its words and what to do
    │   ├── BranchRefused       no branch can be called so: name another one
    │   ├── NotARepository      the directory is in no repository: make one, or work elsewhere
    │   └── GitTooSlow          git or a hook of the repository took too long and was ended
    ├── PluginError             a drop-in or entry point cannot be used; the rest goes on
    │   └── RunnerUnavailableError  nobody knows the engine that a command asks for: name another
    ├── StoreError              the journal did not take it; nothing may rest on it
    │   ├── StoreFull           the disk is full: start nothing, tell it, try again later
    │   ├── StoreDamaged        the file is no journal any more: move it aside, rebuild
    │   └── OfferClosed         somebody decided before: say so, do nothing
    └── TransportError          a chat service refused or did not answer
        ├── TransportUnavailable    try again later with backoff (network, 5xx)
        ├── FloodLimited        try again after `retry_after_s`, this chat only
        ├── TargetLost          the message to edit or delete is gone: send a new one
        ├── ReplyTargetLost     the message to reply to is gone: send without reply
        ├── ThreadLost          the topic is gone: send to the chat
        │   └── ThreadClosed    the topic takes no messages now: the same, but it is still there
        ├── TopicsUnavailable   the chat has no topics, or the bot may not make one
        ├── FormatRefused       entities or buttons are refused: send plain text
        ├── ChatLost            blocked, kicked or deleted: stop sending there
        │   └── ChatMoved       the group has a new id: send there
        ├── FileTooLarge        a file is larger than what is taken: ask for a smaller one
        ├── PollConflict        somebody else takes this bot's updates: warn, try again
        └── Unauthorized        the token is wrong or revoked; exit status 78

Texts say what to do next. Fields carry what the text is made of, so that no caller parses one.
"""

from pathlib import Path

from takopi.texts import tr

__all__ = [
    "AccessError",
    "BranchRefused",
    "ChatLost",
    "ChatMoved",
    "ConfigError",
    "DirectiveError",
    "EngineError",
    "EngineMissing",
    "FileRefused",
    "FileTooLarge",
    "FloodLimited",
    "FormatRefused",
    "GitRefused",
    "GitTooSlow",
    "NotARepository",
    "OfferClosed",
    "PluginError",
    "PollConflict",
    "PromptRefused",
    "ReplyTargetLost",
    "RunFailed",
    "RunIdTaken",
    "RunnerUnavailableError",
    "SessionMismatch",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "TakopiError",
    "TargetLost",
    "ThreadClosed",
    "ThreadLost",
    "TopicsUnavailable",
    "TranscriptionFailed",
    "TransportError",
    "TransportUnavailable",
    "Unauthorized",
    "UsageError",
    "VoiceError",
    "VoiceNotConfigured",
    "WorkDirMissing",
    "WorkDirSilent",
]


class TakopiError(Exception):
    """Be the root of every error a person may see; its text is ready to show."""


class ConfigError(TakopiError):
    """Say which key of which file is wrong, what was found and what is accepted."""


class DirectiveError(ConfigError):
    """Say why the directives or the context line of a message cannot be followed."""


class UsageError(TakopiError):
    """Say what was asked for that cannot be, with an example of what can."""


class AccessError(TakopiError):
    """Say which path is open to others, with the command that mends it."""


class FileRefused(TakopiError):
    """Say why a file is neither given out nor taken.

    Args:
        name: The name as it was asked for.
        why: What is wrong with it.
    """

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why
        shown = name.encode("unicode_escape").decode()[:120]
        super().__init__(
            tr(
                "the file {name} is refused: {why}; name another one in the project",
                name=shown,
                why=why,
            )
        )


class EngineError(TakopiError):
    """Say why a run cannot start or go on."""


class EngineMissing(EngineError):
    """Say that an engine's CLI is not installed.

    Args:
        engine: Id of the engine.
        program: The executable that was looked for.
        install_cmd: The command that installs it, when the engine declares one.
    """

    def __init__(self, engine: str, program: str, install_cmd: str | None = None) -> None:
        self.engine = engine
        self.program = program
        self.install_cmd = install_cmd
        text = (
            tr(
                "`{program}` is not on PATH; install it with `{command}`, then try again",
                program=program,
                command=install_cmd,
            )
            if install_cmd
            else tr("`{program}` is not on PATH; install it, then try again", program=program)
        )
        # Whoever shows it names the engine; most are called like their program.
        super().__init__(text if program == engine else f"{engine}: {text}")


class WorkDirMissing(EngineError):
    """Say that the directory in which a session lives is gone.

    Args:
        path: The directory that was looked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            tr(
                "the working directory {path} does not exist; restore it, or begin a new session "
                "elsewhere: set `work_dir`, or the project's `path`, to one that exists",
                path=path,
            )
        )


class WorkDirSilent(EngineError):
    """Say that the disk of a directory does not answer, so that nobody may wait for it.

    Args:
        path: The directory that was asked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            tr(
                "the disk of {path} does not answer; look whether it is still there (a network "
                "folder may be gone), or work in another directory",
                path=path,
            )
        )


class PromptRefused(EngineError):
    """Say why this prompt cannot be handed to the engine."""


class SessionMismatch(EngineError):
    """Say that the engine reported another session than the one asked for, or than before.

    Args:
        expected: Id of the session asked for, or reported before.
        found: Id that the engine reported.
        asked: Whether anybody asked for the first.
    """

    def __init__(self, engine: str, expected: str, found: str, *, asked: bool = True) -> None:
        self.expected = expected
        self.found = found
        text = (
            tr("{engine} answered in session {found}, not in {expected} as asked; the answer was "
               "not taken over: start a new session, or check the resume line",
               engine=engine, found=found, expected=expected)
            if asked
            else tr("{engine} went from session {expected} to {found} within one turn; the answer "
                    "was not taken over: ask again, and report this to the author of its module",
                    engine=engine, found=found, expected=expected)
        )  # fmt: skip
        super().__init__(text)


class RunFailed(EngineError):
    """Say why the holder could not start or keep the engine's process."""


class RunIdTaken(RunFailed):
    """Say that a run of this id was started before; it is not started again."""


class VoiceError(TakopiError):
    """Say why a voice note did not become words; the text is for the chat."""


class VoiceNotConfigured(VoiceError):
    """Say that nothing can transcribe here, and what to set up."""


class TranscriptionFailed(VoiceError):
    """Say why this voice note gave no words.

    Args:
        text: What happened and what to do next.
        retry_may_help: Whether the same voice note may succeed later, as it is.
    """

    def __init__(self, text: str, *, retry_may_help: bool = False) -> None:
        self.retry_may_help = retry_may_help
        super().__init__(text)


class GitRefused(TakopiError):
    """Say what git did not do, in its own words, and what to do next."""


class BranchRefused(GitRefused):
    """Say why no branch can be called so."""


class NotARepository(GitRefused):
    """Say that a directory is in no git repository with a working tree."""


class GitTooSlow(GitRefused):
    """Say which git command took too long; it was ended, and what it had changed so far stays."""


class PluginError(TakopiError):
    """Say which file or entry point cannot be used, and why."""


class RunnerUnavailableError(PluginError):
    """Say that an engine cannot be used.

    Args:
        engine: Its id.
        issue: Why.
    """

    def __init__(self, engine: str, issue: str | None = None) -> None:
        self.engine = engine
        self.issue = issue
        super().__init__(issue or tr("there is no engine {engine}", engine=engine))


class StoreError(TakopiError):
    """Say why the journal did not take a change; the change did not happen."""


class StoreFull(StoreError):
    """Say that the disk has no room for the journal."""


class StoreDamaged(StoreError):
    """Say that the journal cannot be read."""


class OfferClosed(StoreError):
    """Say that a decision was taken before, or is not known any more."""


class TransportError(TakopiError):
    """Say what a chat service refused."""


class TransportUnavailable(TransportError):
    """Say that the service did not answer; trying again later is right.

    Args:
        maybe_accepted: The request may have been carried out: only the answer is missing.
    """

    def __init__(self, text: str = "", *, maybe_accepted: bool = False) -> None:
        self.maybe_accepted = maybe_accepted
        super().__init__(text)


class FileTooLarge(TransportError):
    """Say that a file is larger than what is taken from the chat service."""


class FloodLimited(TransportError):
    """Say that the service wants silence in one chat.

    Args:
        retry_after_s: Seconds to wait; all of them count.
    """

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            tr("the chat service asks to wait {seconds} s", seconds=f"{retry_after_s:g}")
        )


class TargetLost(TransportError):
    """Say that the message to edit or delete is gone."""


class ReplyTargetLost(TransportError):
    """Say that the message to reply to is gone."""


class ThreadLost(TransportError):
    """Say that the topic is gone."""


class ThreadClosed(ThreadLost):
    """Say that the topic is closed, and that the bot may not write there until it is reopened."""


class TopicsUnavailable(TransportError):
    """Say why a topic cannot be made or renamed in a chat, and what would let it be."""


class FormatRefused(TransportError):
    """Say that entities or buttons were refused."""


class ChatLost(TransportError):
    """Say that the bot may not write to this chat any more."""


class ChatMoved(ChatLost):
    """Say that a group became a supergroup.

    Args:
        chat_id: The id it had.
        new_chat_id: The id to send to and to allow from now on.
    """

    def __init__(self, chat_id: int | None, new_chat_id: int) -> None:
        self.chat_id = chat_id
        self.new_chat_id = new_chat_id
        super().__init__(
            tr(
                "the group {old} became a supergroup with the id {new}; put {new} into the "
                "configuration",
                old=chat_id,
                new=new_chat_id,
            )
        )


class PollConflict(TransportError):
    """Say that somebody else takes the updates of this bot."""


class Unauthorized(TransportError):
    """Say that the token is wrong or revoked."""
