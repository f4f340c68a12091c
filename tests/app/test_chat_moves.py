"""A group that moves is followed in the configuration, wherever it stands."""

from pathlib import Path

import pytest

from takopi.app.chat_moves import follow_chat

WRITTEN = """\
chat_id = -5  # as long ago
max_runs = 3
[transports.telegram]
chat_id = -5  # ours
allowed_chat_ids = [1, -5]
[projects.shop]
path = "/srv/shop"
chat_id = -5
[projects.blog]
path = "/srv/blog"
chat_id = -6
[plugins.mine]
chat_id = -5
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "takopi.toml"
    path.write_text(WRITTEN)
    path.chmod(0o600)
    return path


def test_every_place_of_the_old_id_gets_the_new_one(config: Path) -> None:
    """The chat, the further chats, the project; what belongs to a plug-in stays."""
    follow_chat(config, -5, -1005)
    before, own = WRITTEN.rsplit("[plugins.mine]", 1)
    assert config.read_text() == before.replace("-5", "-1005") + "[plugins.mine]" + own


def test_another_group_changes_nothing(config: Path) -> None:
    """The file stays byte for byte."""
    follow_chat(config, -7, -1007)
    assert config.read_text() == WRITTEN


def test_a_file_that_cannot_be_read_stops_nothing(config: Path) -> None:
    """The bot goes on; the log has it."""
    config.write_text("a = [")
    follow_chat(config, -5, -1005)
    assert config.read_text() == "a = ["
