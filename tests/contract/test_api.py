"""The public names of plug-ins: all there, with the fields and defaults they rely on."""

import importlib
import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path

import msgspec
import pytest

from takopi import api

NAMES: dict[str, str] = {
    "takopi.api": "TAKOPI_PLUGIN_API_VERSION HOME_CONFIG_PATH RESERVED_COMMAND_IDS read_config "
    "write_config get_logger list_backends get_command list_command_ids install_issue",
    "takopi.model": "EngineId ActionKind Action ResumeToken StartedEvent ActionEvent "
    "CompletedEvent TakopiEvent",
    "takopi.events": "EventFactory",
    "takopi.backends": "EngineConfig EngineBackend SetupIssue",
    "takopi.runner": "Runner BaseRunner SessionLockMixin ResumeTokenMixin JsonlRunState "
    "JsonlSubprocessRunner",
    "takopi.runners.run_options": "EngineRunOptions get_run_options apply_run_options "
    "set_run_options reset_run_options",
    "takopi.runners.tool_actions": "tool_input_path tool_kind_and_title",
    "takopi.config": "ConfigError read_config write_config HOME_CONFIG_PATH",
    "takopi.context": "RunContext",
    "takopi.transport": "MessageRef RenderedMessage SendOptions",
    "takopi.base_runner": "capabilities_of",
    "takopi.command_runtime": "CommandRuntime ResolvedMessage ResolvedRunner",
    "takopi.core.usage": "Usage read_usage",
    "takopi.desktop_sessions": "DesktopSession",
    "takopi.core.chat": "Button ButtonPressed ChatMessage ChatMigrated ChatUpdate Document "
    "IncomingFile MessageEdited MessageReceived RepliedTo Scope",
    "takopi.core.outbox_budget": "OutboxLimits",
    "takopi.core.richtext": "Entity RichText",
    "takopi.errors": "ChatLost ChatMoved DirectiveError FileTooLarge FloodLimited FormatRefused "
    "PluginError ReplyTargetLost RunnerUnavailableError TargetLost ThreadLost TopicsUnavailable "
    "TransportError TransportUnavailable Unauthorized",
    "takopi.transports": "BaseTransport MenuCommand ServedTransport SetupTalk Transport "
    "TransportBackend TransportCapabilities TransportConfig",
    "takopi.commands": "CommandBackend CommandContext CommandResult CommandExecutor RunRequest "
    "RunResult RunMode",
    "takopi.logging": "get_logger bind_run_context clear_context suppress_logs",
    "takopi.utils.streams": "iter_jsonl iter_bytes_lines drain_stderr",
    "takopi.utils.subprocess": "manage_subprocess",
    "takopi.utils.paths": "get_run_base_dir set_run_base_dir reset_run_base_dir relativize_path "
    "relativize_command",
    "takopi.utils.git": "git_stdout git_run git_ok git_is_worktree resolve_main_worktree_root",
}


# What `takopi.api` of the public takopi 0.23.4 exports.
PUBLIC = (
    "Action ActionEvent ActionState BaseRunner CommandBackend CommandContext CommandExecutor "
    "CommandResult CompletedEvent ConfigError DirectiveError EngineBackend EngineConfig EngineId "
    "EventFactory ExecBridgeConfig HOME_CONFIG_PATH IncomingMessage JsonlSubprocessRunner "
    "MessageRef Presenter ProgressState ProgressTracker RESERVED_COMMAND_IDS RenderedMessage "
    "ResolvedMessage ResolvedRunner ResumeToken RunContext RunMode RunRequest RunResult Runner "
    "RunnerUnavailableError RunningTask RunningTasks SendOptions SetupIssue SetupResult "
    "StartedEvent TAKOPI_PLUGIN_API_VERSION ThreadJob ThreadScheduler Transport TransportBackend "
    "TransportRuntime bind_run_context clear_context get_command get_logger handle_message "
    "install_issue list_backends list_command_ids load_settings read_config reset_run_base_dir "
    "set_run_base_dir suppress_logs write_config"
)


@pytest.mark.parametrize("module", NAMES)
def test_every_public_name_is_there_and_in_the_api(module: str) -> None:
    """In its own module, and the same object re-exported."""
    for name in NAMES[module].split():
        assert name in api.__all__
        assert getattr(api, name) == getattr(importlib.import_module(module), name)


def test_all_is_exactly_what_is_there() -> None:
    """Sorted, without repeats, nothing public beside it."""
    assert len(set(api.__all__)) == len(api.__all__)
    public = {n for n in vars(api) if not n.startswith("_") and not inspect.ismodule(vars(api)[n])}
    public -= {"Any", "Collection", "Path", "Settings", "TYPE_CHECKING", "find_engines"}
    assert public - {"home_directory"} == set(api.__all__) - {"HOME_CONFIG_PATH"}
    assert api.TAKOPI_PLUGIN_API_VERSION == 1
    with pytest.raises(AttributeError, match="nothing_here"):
        api.nothing_here  # noqa: B018


def names_of(cls: type) -> list[str]:
    """List the fields of a dataclass or struct."""
    if is_dataclass(cls):
        return [f.name for f in fields(cls)]
    return [f.name for f in msgspec.structs.fields(cls)]


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (api.Action, "id kind title detail"),
        (api.ResumeToken, "engine value"),
        (api.StartedEvent, "engine resume title meta"),
        (api.ActionEvent, "engine action phase ok message level"),
        (api.CompletedEvent, "engine ok answer resume error usage"),
        (api.EngineBackend, "id build_runner cli_cmd install_cmd env_pass"),
        (api.SetupIssue, "title lines"),
        (api.JsonlRunState, "note_seq"),
        (api.EngineRunOptions, "model reasoning"),
        (api.RunContext, "project branch"),
        (api.MessageRef, "channel_id message_id raw thread_id sender_id"),
        (api.RenderedMessage, "text extra"),
        (api.SendOptions, "reply_to notify replace thread_id"),
        (api.CommandResult, "text notify reply_to"),
        (api.RunRequest, "prompt engine context"),
        (api.RunResult, "engine message"),
        (api.ResolvedMessage, "prompt resume_token engine_override context context_source"),
        (api.ResolvedRunner, "engine runner available issue"),
    ],
)
def test_values_have_the_public_fields_in_their_order(cls: type, names: str) -> None:
    """Plug-ins build them by position and by name."""
    assert names_of(cls) == names.split()


HOOKS = {
    "command": "self",
    "build_args": "self prompt resume *state",
    "stdin_payload": "self prompt resume *state",
    "env": "self *state",
    "new_state": "self prompt resume",
    "start_run": "self prompt resume *state",
    "decode_jsonl": "self *line",
    "translate": "self data *state *resume *found_session",
    "note_event": "self message *state *ok *detail",
    "next_note_id": "self state",
    "invalid_json_events": "self *raw *line *state",
    "decode_error_events": "self *raw *line *error *state",
    "translate_error_events": "self *data *error *state",
    "process_error_events": "self rc *resume *found_session *state",
    "stream_end_events": "self *resume *found_session *state",
    "handle_started_event": "self event *expected_session *found_session",
    "get_logger": "self",
    "tag": "self",
    "pipes_error_message": "self",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_keep_their_signatures(hook: str) -> None:
    """A star marks what is given by name only."""
    signature = inspect.signature(getattr(api.JsonlSubprocessRunner, hook))
    star = {inspect.Parameter.KEYWORD_ONLY: "*"}
    shown = [star.get(p.kind, "") + name for name, p in signature.parameters.items()]
    assert " ".join(shown) == HOOKS[hook]


def test_engines_that_can_be_loaded_are_listed(takopi_home: Path) -> None:
    """One that cannot be loaded is left to `takopi plugins`."""
    folder = takopi_home / "runners"
    folder.mkdir(mode=0o700)
    (folder / "api_bad.py").write_text("BACKEND = 1\n")
    (folder / "api_good.py").write_text(
        "from takopi.api import EngineBackend\nBACKEND = EngineBackend('api_good', print)\n"
    )
    for path in folder.iterdir():
        path.chmod(0o600)
    ids = [backend.id for backend in api.list_backends(allowlist=["api_good", "api_bad"])]
    assert ids == ["api_good"]


def test_the_configuration_is_read_with_its_place(takopi_home: Path) -> None:
    """That of takopi, or another."""
    (takopi_home / "takopi.toml").write_text("max_runs = 2\n")
    (takopi_home / "takopi.toml").chmod(0o600)
    settings, path = api.load_settings()
    assert (settings.max_runs, path) == (2, takopi_home / "takopi.toml")
    assert api.load_settings(str(takopi_home / "other.toml"))[0].max_runs == 8


def test_names_of_the_public_takopi_are_there() -> None:
    """Those that engines and commands import; what only its transports import is left out."""
    assert api.TransportRuntime is api.CommandRuntime
    assert str(api.RunnerUnavailableError("toy")) == "there is no engine toy"
    left_out = (
        "ActionState ExecBridgeConfig IncomingMessage Presenter ProgressState ProgressTracker "
        "RunningTask RunningTasks SetupResult ThreadJob ThreadScheduler handle_message"
    )
    assert set(PUBLIC.split()) - set(api.__all__) == set(left_out.split())


def test_a_missing_program_is_described_with_its_remedy() -> None:
    """For the set-up, in the words of the engine's author."""
    assert api.install_issue("toy", "get toy") == api.SetupIssue("install toy", ("run `get toy`",))
    assert api.install_issue("toy").lines == ("install `toy` and put it on PATH",)
