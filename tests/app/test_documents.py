"""The example and the reference of the configuration are complete and true."""

import re
import tomllib
from pathlib import Path

import pytest

from takopi.app.config_edit import flatten
from takopi.app.home import Home
from takopi.engines import find_engines
from takopi.errors import ConfigError
from takopi.settings import parse_settings
from takopi.settings.keys import KEYS, accept, known_key, unknown_keys

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = (ROOT / "config.example.toml").read_text("utf-8")
WHOLE = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", EXAMPLE)
REFERENCE = (ROOT / "docs" / "reference" / "config.md").read_text("utf-8")
ENGINES = ("codex", "claude", "opencode", "pi")


def documented() -> dict[str, tuple[str, str]]:
    """Give type and default of every key in the tables of the reference."""
    rows = re.findall(r"(?m)^\| `([^`]+)` \| (.*?) \| (.*?) \| .* \|$", REFERENCE)
    return {name: (kind, default) for name, kind, default in rows}


def key_of(name: str) -> str:
    """Name the table in place of what only its plug-in knows."""
    found = re.match(r"plugins\.(?!enabled$)[^.]+", name)
    return found[0] if found else name


@pytest.mark.parametrize("text", [EXAMPLE, WHOLE], ids=["as it is", "with every key"])
def test_the_example_is_accepted(text: str) -> None:
    """Nobody who copies it gets an error, or a key that nothing reads."""
    document = tomllib.loads(text)
    parse_settings(document, Path("takopi.toml"), {})
    assert not unknown_keys(document, ENGINES)


def test_the_example_has_every_key() -> None:
    """Each key of the table stands in it, and no other outside the engines' tables."""
    names = {name for name, _ in flatten(tomllib.loads(EXAMPLE))}
    own = {key_of(name) for name in names if name.partition(".")[0] not in ENGINES}
    assert {spec.name for name in own if (spec := known_key(name))} == {s.name for s in KEYS}
    assert all(known_key(name) for name in own)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_example_has_every_key_of_an_engine(engine: str, tmp_path: Path) -> None:
    """The engine takes the whole table, and knows no key that is missing in it."""
    table = tomllib.loads(WHOLE)[engine]
    backend = find_engines(tmp_path).load(engine)
    backend.build_runner(dict(table), tmp_path)
    with pytest.raises(ConfigError, match="accepted keys: ") as caught:
        backend.build_runner({**table, "no_such_key": 1}, tmp_path)
    accepted = str(caught.value).partition("accepted keys: ")[2].split(", ")
    assert set(table) | {"keep_background"} == set(accepted)
    for key in accepted:
        assert {f"{engine}.{key}", f"<any>.{key}"} & set(documented()), key


@pytest.mark.parametrize("spec", KEYS, ids=lambda spec: spec.name)
def test_the_reference_has_every_key(spec) -> None:
    """With its default, where there is one."""
    _, default = documented()[spec.name]
    if spec.default is not None:
        written = default.strip("`")
        value = tomllib.loads(f"x = {written}")["x"]
        assert accept(spec.kind, value) == spec.default


def test_the_example_shows_the_defaults() -> None:
    """A key with a default has it there, but for lists that would be empty."""
    values = dict(flatten(tomllib.loads(EXAMPLE)))
    for spec in KEYS:
        if spec.default not in (None, ()):
            assert values[spec.name.replace("*", "shop")] == spec.default, spec.name


def test_every_meaning_is_a_sentence() -> None:
    """What `KEYS` says can be shown to a person."""
    for spec in KEYS:
        assert re.fullmatch(r"[A-Z].*\.", spec.meaning), spec.name


def test_the_reference_names_what_lies_in_the_folder() -> None:
    """Nobody finds a file there that no page explains."""
    section = REFERENCE.partition("\n## What lies in the folder\n")[2]
    home = Home(Path("/home"))
    places = [value for name, value in vars(Home).items() if isinstance(value, property)]
    assert places
    for place in places:
        assert f"`{place.fget(home).relative_to(home.path)}" in section
