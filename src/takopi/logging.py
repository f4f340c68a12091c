"""Logs: structured, redacted, silent on the terminal but for warnings.

`get_logger` costs nothing until a record is really written: structlog is imported then, because
most commands of the CLI log nothing and structlog takes longer to import than they take to run.
Everything a record contains goes through `core.redact`, the text of exceptions included. Prompts
belong into `debug` records only; those reach the debug file (`--debug`) and nothing else.

Records of other libraries (they use the standard library's logging) take the same way once
`configure_logging` was called.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from takopi.core.redact import Redactor, secrets_of_environment

if TYPE_CHECKING:
    import logging

__all__ = [
    "Logger",
    "add_secrets",
    "adopt_structlog",
    "bind_run_context",
    "clear_context",
    "configure_logging",
    "get_logger",
    "redact",
    "route_terminal",
    "suppress_logs",
]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
WARNING = LEVELS["warning"]
NOISY = ("markdown_it",)  # ten records for each block of each message that is rendered
MAX_DEBUG_FILE_BYTES = 20 * 1024 * 1024

_context: ContextVar[Mapping[str, Any]] = ContextVar(
    "takopi_log_context",
    default=MappingProxyType({}),
)
_suppress_below: ContextVar[int] = ContextVar("takopi_log_suppress_below", default=0)


def _to_stderr(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return  # closed, or whoever read it has gone: a warning must not become a failure


class _Sink:
    """Hold where records go, and what must not be in them."""

    def __init__(self) -> None:
        self.secrets: set[str] = set(secrets_of_environment(os.environ))
        self.redactor = Redactor(self.secrets)
        self.file_descriptor: int | None = None
        self.file_path: Path | None = None
        self.room_bytes = 0
        self.terminal: Callable[[str], None] = _to_stderr
        self.structlog_ready = False

    def threshold(self) -> int:
        lowest = LEVELS["debug"] if self.file_descriptor is not None else WARNING
        return max(lowest, _suppress_below.get())

    def open_file(self, path: Path) -> None:
        opened = _open_debug_file(path)
        self.close_file()
        self.file_descriptor, self.file_path = opened, path
        self.room_bytes = MAX_DEBUG_FILE_BYTES - os.fstat(opened).st_size

    def write_file(self, line: bytes) -> None:
        if self.file_descriptor is None:
            return
        try:
            if self.room_bytes < 0 and self.file_path is not None:
                self.open_file(self.file_path)
            self.room_bytes -= os.write(self.file_descriptor, line)
        except OSError:
            return  # a full disk must not end what the record is about

    def close_file(self) -> None:
        descriptor, self.file_descriptor = self.file_descriptor, None
        if descriptor is not None:
            os.close(descriptor)


_sink = _Sink()


def add_secrets(secrets: Iterable[str]) -> None:
    """Let no record contain any of these values from now on."""
    _sink.secrets.update(secrets)
    _sink.redactor = Redactor(_sink.secrets)


def redact(text: str) -> str:
    """Return `text` without the secrets that logs know of."""
    return _sink.redactor.text(text)


def bind_run_context(**fields: Any) -> None:
    """Add fields to every later record of this task and of those it starts."""
    _context.set({**_context.get(), **fields})


def clear_context() -> None:
    """Forget what `bind_run_context` added."""
    _context.set({})


@contextmanager
def suppress_logs(level: str = "warning") -> Iterator[None]:
    """Drop records below `level` (default: below warnings) inside the `with` block."""
    token = _suppress_below.set(LEVELS[level])
    try:
        yield
    finally:
        _suppress_below.reset(token)


@contextmanager
def route_terminal(write: Callable[[str], None]) -> Iterator[None]:
    """Hand lines meant for the terminal to `write`, so that a live display stays whole."""
    before = _sink.terminal
    _sink.terminal = write
    try:
        yield
    finally:
        _sink.terminal = before


def configure_logging(*, debug_file: Path | None = None) -> None:
    """Take over the records of all libraries, and write everything to `debug_file` when given.

    A debug file that was given before stays when none is given now. The file and its folder are
    made with modes 0600 and 0700. A file over 20 MB is kept beside the new one as `.1`.

    Raises:
        OSError: The file cannot be written.
    """
    import logging

    if debug_file is not None:
        _sink.open_file(debug_file)
    root = logging.getLogger()
    handler = _standard_handler()
    root.handlers = [handler]
    root.setLevel(logging.WARNING if _sink.file_descriptor is None else logging.DEBUG)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.INFO)
    adopt_structlog()


def _open_debug_file(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_DEBUG_FILE_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _standard_handler() -> "logging.Handler":
    import logging

    class Handler(logging.Handler):
        """Pass a record of another library on."""

        def emit(self, record: logging.LogRecord) -> None:
            level = _known_level(record.levelno)
            if level < _sink.threshold():
                return
            bound = _structlog(record.name)
            bound.log(level, _filled(record.msg, record.args), exc_info=record.exc_info)

    return Handler()


def _filled(words: Any, args: Any) -> str:
    """Fill a record's arguments in, as `%` does; they may not fit, and objects may be broken."""
    try:
        return str(words) % args if args else str(words)
    except Exception as error:  # noqa: BLE001 - foreign code: a record must not become a failure
        left = words if isinstance(words, str) else type(words).__name__
        return f"{left} (its arguments do not fit: {type(error).__name__})"


def _known_level(level: int) -> int:
    """Return the level of ours that a number of the standard library's belongs to."""
    return min(max(level // 10 * 10, LEVELS["debug"]), LEVELS["critical"])


class Logger:
    """Write records with a name and fields; made by `get_logger`."""

    __slots__ = ("_fields", "_name")

    def __init__(self, name: str | None, fields: dict[str, Any] | None = None) -> None:
        self._name = name
        self._fields = fields or {}

    def bind(self, **fields: Any) -> "Logger":
        """Return a logger whose records carry these fields as well."""
        return Logger(self._name, {**self._fields, **fields})

    def unbind(self, *names: str) -> "Logger":
        """Return a logger whose records lack these fields."""
        return Logger(self._name, {k: v for k, v in self._fields.items() if k not in names})

    def log(self, level: int, event: str, *args: Any, **fields: Any) -> None:
        """Write a record of a level given as the standard library's number."""
        level = _known_level(level)
        if level >= _sink.threshold():
            words = _filled(event, args)
            _structlog(self._name).log(level, words, **{**self._fields, **fields})

    def debug(self, event: str, *args: Any, **fields: Any) -> None:
        """Write what only a person hunting a fault wants; the one level for prompts."""
        self.log(10, event, *args, **fields)

    def info(self, event: str, *args: Any, **fields: Any) -> None:
        """Write what happened."""
        self.log(20, event, *args, **fields)

    def warning(self, event: str, *args: Any, **fields: Any) -> None:
        """Write what a person should know; shown on the terminal."""
        self.log(30, event, *args, **fields)

    warn = warning

    def error(self, event: str, *args: Any, **fields: Any) -> None:
        """Write what went wrong; shown on the terminal."""
        self.log(40, event, *args, **fields)

    def critical(self, event: str, *args: Any, **fields: Any) -> None:
        """Write what ends the program; shown on the terminal."""
        self.log(50, event, *args, **fields)

    def exception(self, event: str, *args: Any, **fields: Any) -> None:
        """Write an error with the exception that is being handled."""
        self.log(40, event, *args, **{"exc_info": True, **fields})


def get_logger(name: str | None = None, **fields: Any) -> Logger:
    """Return the logger of a module; takes no time until a record is written."""
    return Logger(name, fields)


def adopt_structlog() -> None:
    """Let records that are made with structlog itself go the same way, if anybody loaded it.

    Until then it would print to standard output, and print secrets.
    """
    if "structlog" in sys.modules and not _sink.structlog_ready:
        _configure_structlog()


def _structlog(name: str | None) -> Any:
    import structlog

    if not _sink.structlog_ready:
        _configure_structlog()
    return structlog.get_logger().bind(logger=name) if name else structlog.get_logger()


def _configure_structlog() -> None:
    import structlog

    structlog.configure(
        processors=[
            _drop_suppressed,
            _merge_context,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
            _write,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(10),
        cache_logger_on_first_use=False,
    )
    _sink.structlog_ready = True


def _drop_suppressed(
    _logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # A plug-in that calls structlog itself comes by here without passing Logger.log.
    import structlog

    if LEVELS.get(method, WARNING) < _sink.threshold():
        raise structlog.DropEvent
    return event


def _merge_context(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {**_context.get(), **event}


def _write(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    import json

    import structlog

    clean: dict[str, Any] = _sink.redactor.value(dict(event))
    level = str(clean.get("level", "info"))
    if _sink.file_descriptor is not None:
        line = _sink.redactor.text(json.dumps(clean, ensure_ascii=False, default=repr))
        _sink.write_file(line.encode("utf-8", "backslashreplace") + b"\n")
    if LEVELS.get(level, WARNING) >= WARNING:
        _sink.terminal(_sink.redactor.text(_terminal_line(level, clean)))
    raise structlog.DropEvent


def _terminal_line(level: str, record: dict[str, Any]) -> str:
    hidden = {"level", "event", "timestamp", "logger", "exception", "stack"}
    fields = " ".join(f"{key}={value}" for key, value in record.items() if key not in hidden)
    line = f"{level}: {record.get('event', '')}" + (f" ({fields})" if fields else "")
    trace = str(record.get("exception", "")).strip()
    if trace:
        # The whole trace is for the debug file; a person gets what went wrong.
        line += f": {trace.splitlines()[-1]}"
    return line
