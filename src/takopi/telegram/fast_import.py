"""Import aiogram without building its models.

Theory of operation. `import aiogram` builds about 630 pydantic schemas: `aiogram.types` calls
`model_rebuild()` on every type, and the methods build when their class is made. That is four
fifths of its import time and half of its memory, for a bot that uses a dozen of them. While
aiogram is imported here, `BaseModel.model_rebuild` does nothing and new models defer their build;
both are put back at once. What is left is that pydantic, when it builds a model at its first
use, looks for the names of annotations in the module that defines it: aiogram passes them in the
call that we skipped, so they are put into the modules instead.

It leans on how pydantic finds names, not on anything it promises. So everything the bot uses is
built here, and any failure ends in the plain import, which is slow and always right.
"""

import gc
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Literal, Optional, Union

from takopi.logging import get_logger

__all__ = ["USED_METHODS", "import_aiogram"]

logger = get_logger(__name__)

USED_METHODS = (
    "AnswerCallbackQuery",
    "DeleteMessage",
    "EditMessageText",
    "GetMe",
    "GetMyCommands",
    "GetUpdates",
    "SendDocument",
    "SendMessage",
    "SetMyCommands",
)

# What pydantic raises for a model it cannot build, and what a changed aiogram would raise here.
FAILURES = (
    ImportError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)


def import_aiogram(methods: Iterable[str] = USED_METHODS) -> ModuleType:
    """Import aiogram with its models unbuilt, or plainly where that fails.

    Not for two threads at once: the import system serialises callers, pydantic's switches do not.

    Args:
        methods: Names in `aiogram.methods` that are built right away.
    """
    if "aiogram" in sys.modules:
        return importlib.import_module("aiogram")
    try:
        return _deferred(methods)
    except FAILURES as error:
        logger.warning("aiogram.deferred_import_failed", error=f"{type(error).__name__}: {error}")
    _forget()
    return importlib.import_module("aiogram")


def _deferred(methods: Iterable[str]) -> ModuleType:
    with _collector_paused(), _builds_deferred():
        aiogram = importlib.import_module("aiogram")
    _give_names(aiogram)
    for name in methods:
        model = getattr(aiogram.methods, name)
        model.model_rebuild(raise_errors=True)
    return aiogram


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from looking, again and again, at modules that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _builds_deferred() -> Iterator[None]:
    from pydantic import BaseModel

    config = BaseModel.model_config
    rebuild: Callable[..., bool | None] = BaseModel.__dict__["model_rebuild"]
    BaseModel.model_config = {**config, "defer_build": True}
    setattr(BaseModel, "model_rebuild", classmethod(_rebuild_later))  # noqa: B010
    try:
        yield
    finally:
        setattr(BaseModel, "model_rebuild", rebuild)  # noqa: B010
        BaseModel.model_config = config


def _rebuild_later(_model: type[Any], /, **_options: Any) -> None:
    """Stand in for `BaseModel.model_rebuild` while aiogram is imported."""


def _give_names(aiogram: ModuleType) -> None:
    """Put every name that an annotation may use into the modules that define models."""
    names: dict[str, Any] = {name: getattr(aiogram.types, name) for name in aiogram.types.__all__}
    default = importlib.import_module("aiogram.client.default").Default
    names |= {"List": list, "Optional": Optional, "Union": Union, "Literal": Literal}
    names["Default"] = default
    for path, module in list(sys.modules.items()):
        if path.startswith(("aiogram.types.", "aiogram.methods.")):
            for name, value in names.items():
                vars(module).setdefault(name, value)


def _forget() -> None:
    for path in [path for path in sys.modules if path.partition(".")[0] == "aiogram"]:
        del sys.modules[path]
