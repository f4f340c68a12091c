"""Reading and writing the configuration, as plug-ins do."""

from pathlib import Path

import pytest

from takopi import config
from takopi.config import ConfigError, read_config, write_config


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Whole, in a folder that is made, readable by its owner only."""
    path = tmp_path / "new" / "takopi.toml"
    values = {"default_engine": "codex", "codex": {"model": "big", "list": [1, 2]}}
    write_config(values, path)
    assert read_config(path) == values
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["takopi.toml"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """No value of a wrong kind, and no folder that cannot be written, loses it."""
    path = tmp_path / "takopi.toml"
    write_config({"a": 1}, path)
    with pytest.raises(ConfigError, match="was not written"):
        write_config({"a": None}, path)
    assert read_config(path) == {"a": 1}
    blocked = tmp_path / "takopi.toml" / "below"
    with pytest.raises(ConfigError, match="cannot be written"):
        write_config({}, blocked)


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    """The temporary file goes away again."""
    path = tmp_path / "takopi.toml"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be written"):
        write_config({}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["takopi.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """People keep the real file in a repository of dotfiles."""
    real, link = tmp_path / "dotfiles.toml", tmp_path / "takopi.toml"
    real.write_text("")
    link.symlink_to(real)
    write_config({"a": 1}, link)
    assert link.is_symlink()
    assert read_config(real) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "does not exist; run `takopi` to set it up"),
        (b"a = \n", "is not valid TOML"),
        (b"a = '\xff'\n", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes | None, text: str
) -> None:
    """With what to do next."""
    path = tmp_path / "takopi.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=text):
        read_config(path)


def test_a_folder_in_place_of_the_file_says_so(tmp_path: Path) -> None:
    """An OSError becomes a text."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path)


def test_the_path_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TAKOPI_HOME counts as it is when the name is used."""
    monkeypatch.setenv("TAKOPI_HOME", str(tmp_path))
    assert tmp_path / "takopi.toml" == config.HOME_CONFIG_PATH
    with pytest.raises(AttributeError, match="NOTHING"):
        config.NOTHING  # noqa: B018
