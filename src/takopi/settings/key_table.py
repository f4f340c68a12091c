"""The table of every key of the configuration; `takopi.settings.keys` asks it."""

from typing import Any

import msgspec

from takopi.settings.kinds import ACCEPTED, KeyKind

__all__ = [
    "APPROVALS",
    "BUDGET",
    "FILES",
    "KEYS",
    "PLUGINS",
    "PROJECT",
    "TELEGRAM",
    "TOKEN_VARIABLE",
    "TOPICS",
    "VOICE",
    "KeySpec",
]

TOKEN_VARIABLE = "TAKOPI_TELEGRAM_TOKEN"  # noqa: S105 - the name of a variable, not a secret


class KeySpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one key of the configuration.

    Args:
        name: Dotted path; `*` stands for the id of an engine or plug-in, or a project's alias.
        kind: What is accepted.
        default: What holds without the key; None where nothing does.
        meaning: One sentence for a person.
        secret: Whether `takopi config` masks it.
    """

    name: str
    kind: KeyKind
    default: Any = None
    meaning: str
    secret: bool = False

    @property
    def accepted(self) -> str:
        """Say which values are accepted."""
        return ACCEPTED[self.kind]


TELEGRAM = "transports.telegram."
TOPICS = TELEGRAM + "topics."
APPROVALS = "approvals."
FILES = "files."
VOICE = "voice."
BUDGET = "budget."
PLUGINS = "plugins."
PROJECT = "projects.*."
KEYS: tuple[KeySpec, ...] = (
    KeySpec(
        name="default_engine",
        kind="engine",
        meaning="Engine of prompts that name none; without it the first one installed.",
    ),
    KeySpec(
        name="transport",
        kind="transport",
        default="telegram",
        meaning="Chat service that the bot serves.",
    ),
    KeySpec(
        name="work_dir",
        kind="path",
        meaning="Where new sessions start; without it the directory in which takopi is started.",
    ),
    KeySpec(
        name="default_project",
        kind="alias",
        meaning="Project of prompts that name none, where the chat or topic is bound to none.",
    ),
    KeySpec(
        name="session_mode",
        kind="session_mode",
        default="stateless",
        meaning="Whether the last session of a chat or topic goes on without a reply to it.",
    ),
    KeySpec(
        name="language",
        kind="language",
        default="en",
        meaning="Language of what takopi says in the chat.",
    ),
    KeySpec(
        name="watch_config",
        kind="bool",
        default=True,
        meaning="Whether a running bot takes changes of this file over.",
    ),
    KeySpec(
        name="update_check",
        kind="bool",
        default=False,
        meaning="Whether takopi asks PyPI at its start whether there is a newer one.",
    ),
    KeySpec(
        name="max_runs",
        kind="count",
        default=8,
        meaning="How many engines may run at once; further prompts wait.",
    ),
    KeySpec(
        name="backlog",
        kind="backlog",
        default="answer",
        meaning="What becomes of prompts that came while takopi was away.",
    ),
    KeySpec(
        name="on_stop",
        kind="on_stop",
        default="detach",
        meaning="Whether a takopi that is told to end leaves its engines running.",
    ),
    KeySpec(
        name="stall_after_s",
        kind="seconds",
        default=300,
        meaning="After so long without output the progress message says that an engine is silent.",
    ),
    KeySpec(
        name="kill_after_s",
        kind="seconds",
        default=0,
        meaning="After so long without output an engine is ended.",
    ),
    KeySpec(
        name="max_run_mb",
        kind="count",
        default=1024,
        meaning="Output that one run may write, in MB; beyond it the run is ended.",
    ),
    KeySpec(
        name="keep_runs_days",
        kind="amount",
        default=7,
        meaning="How many days the directories of runs that are over stay.",
    ),
    KeySpec(
        name="keep_runs_gb",
        kind="amount",
        default=2,
        meaning="How much room they may take, in GB; the oldest go first.",
    ),
    KeySpec(
        name=APPROVALS + "who",
        kind="who",
        default="asker",
        meaning="Who may press a button that decides: who asked, or anybody allowed.",
    ),
    KeySpec(
        name=TELEGRAM + "bot_token",
        kind="token",
        secret=True,
        meaning=f"Token of the bot; the variable {TOKEN_VARIABLE} goes before it.",
    ),
    KeySpec(
        name=TELEGRAM + "chat_id",
        kind="chat",
        meaning="The chat that is served; your own user id for a private chat.",
    ),
    KeySpec(
        name=TELEGRAM + "allowed_chat_ids",
        kind="ids",
        default=(),
        meaning="Further chats that are served.",
    ),
    KeySpec(
        name=TELEGRAM + "allowed_user_ids",
        kind="ids",
        default=(),
        meaning="Exactly the people who may speak; empty means the owner of a private chat_id.",
    ),
    KeySpec(
        name=TELEGRAM + "api_base_url",
        kind="url",
        meaning="A Bot API server of your own in place of Telegram's.",
    ),
    KeySpec(
        name=TELEGRAM + "message_overflow",
        kind="overflow",
        default="split",
        meaning="A long answer comes as several messages, cut short, or as a file.",
    ),
    KeySpec(
        name=TELEGRAM + "show_resume_line",
        kind="bool",
        default=True,
        meaning="Whether an answer ends with the line that resumes its session.",
    ),
    KeySpec(
        name=TELEGRAM + "final_notify",
        kind="bool",
        default=True,
        meaning="A new message that notifies for the answer, or an edit of the progress message.",
    ),
    KeySpec(
        name=TELEGRAM + "trigger",
        kind="trigger",
        default="all",
        meaning="Whether in groups only mentions of the bot and replies to it are prompts.",
    ),
    KeySpec(
        name=TELEGRAM + "verbose",
        kind="verbose",
        default="normal",
        meaning="How much of the work a message shows; full adds the log of tools to the answer.",
    ),
    KeySpec(
        name=TELEGRAM + "reactions",
        kind="bool",
        default=True,
        meaning="Whether a reaction on a prompt says that it was seen.",
    ),
    KeySpec(
        name=TOPICS + "enabled",
        kind="bool",
        default=False,
        meaning="Whether topics carry projects, branches and sessions of their own.",
    ),
    KeySpec(
        name=TOPICS + "scope",
        kind="topic_scope",
        default="auto",
        meaning="Chats in which topics are used: the main one, those of projects, or all.",
    ),
    KeySpec(
        name=TOPICS + "auto",
        kind="bool",
        default=False,
        meaning="Whether each new session gets a topic of its own.",
    ),
    KeySpec(
        name=PROJECT + "path",
        kind="path",
        meaning="Directory of the project; every project needs one.",
    ),
    KeySpec(
        name=PROJECT + "worktrees_dir",
        kind="place",
        default=".worktrees",
        meaning="Where the worktrees of its branches go.",
    ),
    KeySpec(
        name=PROJECT + "worktree_base",
        kind="branch",
        meaning="What a new branch starts from; without it the remote's default branch.",
    ),
    KeySpec(
        name=PROJECT + "default_engine",
        kind="engine",
        meaning="Engine of its prompts that name none.",
    ),
    KeySpec(
        name=PROJECT + "chat_id",
        kind="chat",
        meaning="A chat that is bound to the project, and served.",
    ),
    KeySpec(
        name=FILES + "enabled",
        kind="bool",
        default=True,
        meaning="Whether files go between chat and project.",
    ),
    KeySpec(
        name=FILES + "incoming",
        kind="folder",
        default="incoming",
        meaning="Folder of the project for files from the chat.",
    ),
    KeySpec(
        name=FILES + "max_down_mb",
        kind="count",
        default=20,
        meaning="The largest file that is taken from the chat, in MB.",
    ),
    KeySpec(
        name=FILES + "max_up_mb",
        kind="count",
        default=50,
        meaning="The largest file that is sent to the chat, in MB.",
    ),
    KeySpec(
        name=FILES + "deny_globs",
        kind="globs",
        default=(),
        meaning="Names of files that never go through the chat, beyond secrets, which never do.",
    ),
    KeySpec(
        name=VOICE + "base_url",
        kind="url",
        meaning="Service that writes voice notes down, as the OpenAI API does.",
    ),
    KeySpec(
        name=VOICE + "api_key",
        kind="text",
        secret=True,
        meaning="Its key.",
    ),
    KeySpec(
        name=VOICE + "model",
        kind="text",
        meaning="Its model.",
    ),
    KeySpec(
        name=VOICE + "command",
        kind="words",
        default=(),
        meaning="Program that prints what the voice note in {file} says.",
    ),
    KeySpec(
        name=VOICE + "model_dir",
        kind="path",
        meaning="Folder of a model for the extra takopi[voice].",
    ),
    KeySpec(
        name=VOICE + "language",
        kind="text",
        meaning="Language that is spoken, like en; without it that is found out.",
    ),
    KeySpec(
        name=VOICE + "timeout_s",
        kind="count",
        default=120,
        meaning="How many seconds one voice note may take.",
    ),
    KeySpec(
        name=BUDGET + "daily_usd",
        kind="amount",
        meaning="What all turns of a day may cost before takopi asks.",
    ),
    KeySpec(
        name=BUDGET + "per_turn_usd",
        kind="amount",
        meaning="What one turn may cost before its answer says that it cost more.",
    ),
    KeySpec(
        name=PLUGINS + "enabled",
        kind="packages",
        default=(),
        meaning="Packages whose plug-ins are loaded; empty means all.",
    ),
    KeySpec(
        name=PLUGINS + "*",
        kind="table",
        meaning="What a plug-in itself reads.",
    ),
    KeySpec(
        name="env.*.pass",
        kind="env",
        default=(),
        meaning="Further environment variables that the engine gets; a final * matches a prefix.",
    ),
)
