"""The configuration's word about files."""

from pathlib import Path

from takopi.app.home import Home
from takopi.app.project_files import project_files
from takopi.core.file_rules import DENIED, MB
from takopi.settings import parse_settings


def test_the_configuration_says_which_files_go(tmp_path: Path) -> None:
    """Its patterns come on top of the secrets, which are never given out."""
    table = {"incoming": "in", "max_down_mb": 3, "max_up_mb": 4, "deny_globs": ["*.sqlite"]}
    settings = parse_settings({"files": table}, tmp_path / "takopi.toml", {})
    rules = project_files(Home(tmp_path), settings).rules
    assert (rules.enabled, rules.incoming) == (True, "in")
    assert (rules.max_down, rules.max_up) == (3 * MB, 4 * MB)
    assert rules.denied == (*DENIED, "*.sqlite")
