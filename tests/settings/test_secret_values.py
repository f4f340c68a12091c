"""What takopi never says, wherever it stands in the configuration."""

from pathlib import Path

from takopi.settings import parse_settings
from takopi.settings.secret_values import secret_values


def test_secrets_of_takopi_and_of_plug_ins_are_found() -> None:
    """By the names of their keys; what is short stands in ordinary words too."""
    token = "123456789:" + "x" * 30
    document = {
        "voice": {"api_key": "voice-key-1"},
        "plugins": {"enabled": [], "hello": {"api_key": "hello-key-1", "colour": "long-enough"}},
        "transports": {
            "telegram": {"bot_token": token},
            "slack": {"app": {"token": "slack-token-1"}, "password": "short", "secret": 5},
        },
    }
    found = set(secret_values(parse_settings(document, Path("takopi.toml"), {})))
    assert found == {token, "voice-key-1", "hello-key-1", "slack-token-1"}
