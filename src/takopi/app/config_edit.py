"""Change the configuration file without touching what a person wrote around the keys."""

import fcntl
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from takopi.core.os_remedies import remedy
from takopi.core.redact import Redactor
from takopi.errors import ConfigError, UsageError
from takopi.settings import bad_toml, check_private, check_value
from takopi.settings.keys import KEYS, key_inside, known_key, near_key
from takopi.settings.kinds import LISTS, TYPED
from takopi.settings.secret_values import SECRET_NAME

__all__ = [
    "MASK",
    "edit_document",
    "flatten",
    "get_value",
    "is_secret",
    "read_document",
    "set_values",
    "shown",
    "typed_value",
    "unset_value",
]

MASK = "********"


def read_document(path: Path) -> tomlkit.TOMLDocument:
    """Read the file with its comments; one that does not exist is empty.

    Raises:
        ConfigError: It cannot be read or is not TOML.
        AccessError: Others may read it.
        UsageError: It would lie in what is no folder.
    """
    try:
        with path.open("rb") as file:
            check_private(path, os.fstat(file.fileno()))
            text = file.read().decode("utf-8")
        tomllib.loads(text)  # its words about a mistake are those of the bot's start
        return tomlkit.parse(text)
    except FileNotFoundError:
        return tomlkit.document()
    except NotADirectoryError as error:
        raise UsageError(f"{path.parent} is not a folder; set TAKOPI_HOME to one") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}; {remedy(error.errno, path)}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise bad_toml(path, error) from error
    except TOMLKitError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; mend that line") from error


def parts_of(name: str) -> tuple[str, ...]:
    """Split a dotted key as TOML does, so that `"a.b".c` has two parts.

    Raises:
        UsageError: It is no key.
    """
    try:
        value: Any = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:
        value = {}
    parts: list[str] = []
    while isinstance(value, dict) and len(value) == 1:
        part, value = next(iter(value.items()))
        parts.append(part)
    if value != 0 or "\n" in name:
        raise UsageError(f"`{name}` is not a key; write it like `transports.telegram.chat_id`")
    return tuple(parts)


def flatten(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted key with its plain value."""
    for key, value in document.items():
        name = prefix + _key(key)
        if isinstance(value, Mapping) and value:
            yield from flatten(value, name + ".")
        else:
            yield name, value.unwrap() if hasattr(value, "unwrap") else value


def is_secret(name: str) -> bool:
    """Tell whether a key's value is masked."""
    spec = known_key(name)
    return spec.secret if spec is not None else bool(SECRET_NAME.search(name))


def shown(name: str, value: Any, *, reveal: bool) -> str:
    """Return a value as TOML, masked when it is secret."""
    text = _inline(name, value, reveal=reveal)
    return text if reveal else Redactor().text(text)


def _inline(name: str, value: Any, *, reveal: bool) -> str:
    if is_secret(name) and not reveal:
        return f'"{MASK}"'
    if isinstance(value, Mapping):
        items = (f"{_key(k)} = {_inline(k, v, reveal=reveal)}" for k, v in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline("", item, reveal=reveal) for item in value) + "]"
    return str(tomlkit.item(value).as_string())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else tomlkit.string(key).as_string()


def get_value(document: Mapping[str, Any], name: str) -> Any:
    """Return the plain value of a key, its default, or None.

    Raises:
        UsageError: The name is no key.
    """
    value: Any = document
    for part in parts_of(name):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        spec = known_key(name)
        default = spec.default if spec is not None else None
        return list(default) if isinstance(default, tuple) else default
    return value.unwrap() if hasattr(value, "unwrap") else value


def typed_value(name: str, text: str, path: Path) -> Any:
    """Make the value of a key from what a person typed.

    A string needs no quotes and a list no brackets where the key is known to be one; other keys
    take any TOML value, and what is none is a string.

    Raises:
        ConfigError: The key does not accept it.
        UsageError: There is no such key, but one very like it.
    """
    spec = known_key(name)
    if spec is None:
        value = _toml_or_text(text)
        _refuse_misspelt(name, value)
        return value
    if spec.kind in LISTS and not text.lstrip().startswith("["):
        items = [item for item in re.split(r"[,\s]+", text) if item]
        value = [_toml_or_text(item) for item in items]
    elif spec.kind in TYPED:
        value = _toml_or_text(text)
    else:
        value = text
    check_value(name, value, path)
    return value


def _refuse_misspelt(name: str, value: Any) -> None:
    top = name.partition(".")[0]
    if _is_free(name):
        return
    # With a table in the place of a value, or a value in that of a table, nothing starts any more.
    close = near_key(name)
    above = _value_above(name)
    if above is not None:
        raise UsageError(
            f"`{above}` is a value, not a table, so there is no key `{name}`; "
            f"did you mean `{close or above}`?"
        )
    inside = key_inside(name)
    if inside is not None and not isinstance(value, Mapping):
        raise UsageError(f"`{name}` is a table; set one of its keys, like `{inside}`")
    if close and ("." not in name or any(spec.name.startswith(top + ".") for spec in KEYS)):
        raise UsageError(f"there is no key `{name}`; did you mean `{close}`?")


def _value_above(name: str) -> str | None:
    """Return the key that a name would make a table of, or None."""
    parts = parts_of(name)
    above = (".".join(parts[:count]) for count in range(1, len(parts)))
    return next((one for one in above if known_key(one) is not None), None)


def _is_free(name: str) -> bool:
    """Tell whether a key stands in a table that somebody else reads, as that of a plug-in."""
    parts = parts_of(name)
    above = known_key(".".join(parts[:2]))
    return len(parts) > 2 and above is not None and above.kind == "table"


def _toml_or_text(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return value["value"] if len(value) == 1 else text


def set_values(document: tomlkit.TOMLDocument, values: Mapping[str, Any]) -> None:
    """Put values into the document, making the tables they need.

    Raises:
        UsageError: A part of a key is a value, not a table.
    """
    for name, value in values.items():
        *tables, last = parts_of(name)
        table: MutableMapping[str, Any] = document
        made = False
        for index, part in enumerate(tables):
            made = part not in table
            if made:
                # Only the innermost table gets a header of its own.
                table[part] = tomlkit.table(is_super_table=index < len(tables) - 1)
            inner = table[part]
            if not isinstance(inner, MutableMapping):
                above = ".".join(tables[: index + 1])
                raise UsageError(
                    f"`{above}` is a value, not a table; `takopi config unset {above}` takes it out"
                )
            table = inner
        if isinstance(table.get(last), Mapping):
            raise UsageError(f"`{name}` is a table; set one of its keys, like `{name}.key`")
        table[last] = value
        if made and isinstance(table, Table) and list(document)[-1] != tables[0]:
            table.add(tomlkit.nl())  # another table follows, and its header keeps its distance


def unset_value(document: tomlkit.TOMLDocument, name: str) -> bool:
    """Take a key or a whole table out; tell whether it was there."""
    *tables, last = parts_of(name)
    table: Any = document
    for part in tables:
        table = table.get(part) if isinstance(table, Mapping) else None
    if not isinstance(table, MutableMapping) or last not in table:
        return False
    del table[last]
    return True


@contextmanager
def edit_document(path: Path) -> Iterator[tomlkit.TOMLDocument]:
    """Hand out the document and write it when the block ends without an error.

    The file is replaced in one step, with mode 0600; two editors wait for each other. A symbolic
    link stays one: its target is replaced.

    Raises:
        ConfigError: The file cannot be read or written.
    """
    target = path.resolve()
    try:
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(
            f"{target.parent} cannot be opened: {error.strerror}; "
            f"{remedy(error.errno, target.parent)}"
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        document = read_document(target)
        before = tomlkit.dumps(document)
        yield document
        after = tomlkit.dumps(document)
        if after != before:
            _replace(target, after, folder)
    finally:
        os.close(folder)


def _not_written(target: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{target} cannot be written: {error.strerror}; {remedy(error.errno, target)}"
    )


def _replace(target: Path, text: str, folder: int) -> None:
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _not_written(target, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        os.fsync(folder)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
