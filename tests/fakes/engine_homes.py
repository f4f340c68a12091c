"""Homes in which the real engine CLIs talk to the scripted model API, and to nothing else."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.model_api import CODEX_MODELS

__all__ = ["ENGINES", "EngineHome", "engine_programs", "find_program", "prepare_home"]

ENGINES = ("codex", "claude", "opencode", "pi")

_ROOT = Path(__file__).parent.parent.parent
# Native programs: the wrappers of codex and opencode leave the engine running when they are killed.
_PROGRAMS = {
    "codex": "@openai/codex-*/vendor/*/bin/codex",
    "claude": "@anthropic-ai/claude-code-*/claude",
    "opencode": "opencode-*/bin/opencode",
    "pi": ".bin/pi",
}
# A parent agent's variables would lead the engines to its own account.
_FOREIGN = ("CLAUDE", "CODEX", "ANTHROPIC", "OPENAI", "OPENCODE", "PI_")


@dataclass(frozen=True, slots=True)
class EngineHome:
    """Be what an engine needs to run against the scripted model.

    Args:
        engine: Id of the engine.
        home: The engine's HOME.
        program: The CLI's executable.
        environment: Variables that lead the engine to the scripted model; HOME and PATH included.
        config: The engine's table of takopi's configuration.
    """

    engine: str
    home: Path
    program: Path
    environment: dict[str, str]
    config: dict[str, Any] = field(default_factory=dict)

    def whole_environment(self) -> dict[str, str]:
        """Give an environment for starting the CLI by hand."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return kept | self.environment


def engines_dir() -> Path:
    """Give the folder in which `scripts/engines` installs the CLIs."""
    named = os.environ.get("TAKOPI_ENGINES_DIR")
    return Path(named) if named else _ROOT / ".engines"


def find_program(engine: str) -> Path | None:
    """Find an engine's executable; None when it is not installed."""
    modules = engines_dir() / engine / "node_modules"
    found = [
        path
        for path in sorted(modules.glob(_PROGRAMS[engine]))
        if os.access(path, os.X_OK) and not _is_variant(path.relative_to(modules).parts[0])
    ]
    return found[0] if found else None


def _is_variant(package: str) -> bool:
    """Say whether a package is opencode's build for another processor or C library."""
    return package.startswith("opencode-") and package.endswith(("-baseline", "-musl"))


def engine_programs() -> dict[str, Path]:
    """Give the executables of the engines that are installed."""
    found = {engine: find_program(engine) for engine in ENGINES}
    return {engine: path for engine, path in found.items() if path is not None}


def prepare_home(engine: str, home: Path, api_url: str) -> EngineHome:
    """Write an engine's configuration for the scripted model below `home`.

    Raises:
        FileNotFoundError: The engine is not installed.
    """
    program = find_program(engine)
    if program is None:
        raise FileNotFoundError(f"{engine} is not below {engines_dir()}; run scripts/engines")
    home.mkdir(parents=True, exist_ok=True)
    bin_dir = home / "bin"
    bin_dir.mkdir(exist_ok=True)
    link = bin_dir / engine
    if not link.exists():
        link.symlink_to(program)
    # pi's own folder comes first: it holds the node that pi needs.
    path = os.pathsep.join((str(bin_dir), str(program.parent), os.environ["PATH"]))
    near = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    environment = {"HOME": str(home), "PATH": path} | near | _WRITERS[engine](home, api_url)
    return EngineHome(engine, home, program, environment, _CONFIGS[engine])


def _codex(home: Path, api_url: str) -> dict[str, str]:
    folder = home / ".codex"
    folder.mkdir(exist_ok=True)
    config = f"""\
model = "fake-model"
model_provider = "fake"
model_catalog_json = {json.dumps(str(CODEX_MODELS))}

[model_providers.fake]
name = "fake"
base_url = "{api_url}/v1"
wire_api = "responses"
env_key = "CODEX_FAKE_KEY"
request_max_retries = 1
stream_max_retries = 1

[tools.update_plan]
enabled = true

[analytics]
enabled = false
"""
    (folder / "config.toml").write_text(config, encoding="utf-8")
    return {"CODEX_HOME": str(folder), "CODEX_FAKE_KEY": "sk-fake"}


def _claude(home: Path, api_url: str) -> dict[str, str]:
    return {
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "ANTHROPIC_BASE_URL": api_url,
        "ANTHROPIC_API_KEY": "sk-ant-fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1",
    }


def _opencode(home: Path, api_url: str) -> dict[str, str]:
    model = {
        "name": "Fake Model",
        "tool_call": True,
        "reasoning": True,
        "limit": {"context": 200_000, "output": 8192},
        "attachment": True,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "variants": {"high": {"reasoningEffort": "high"}},
    }
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Fake",
        "options": {"baseURL": f"{api_url}/v1", "apiKey": "fake-key"},
        "models": {"fake-model": model},
    }
    config = {
        "autoupdate": False,
        "share": "disabled",
        "model": "fake/fake-model",
        "small_model": "fake/fake-model",
        "enabled_providers": ["fake"],
        "permission": {"*": "allow"},
        "provider": {"fake": provider},
    }
    folder = home / ".config" / "opencode"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "opencode.json").write_text(json.dumps(config), encoding="utf-8")
    return {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    } | {f"XDG_{name}_HOME": str(home / folder) for name, folder in _XDG.items()}


_XDG = {
    "CONFIG": ".config",
    "DATA": ".local/share",
    "STATE": ".local/state",
    "CACHE": ".cache",
}


def _pi(home: Path, api_url: str) -> dict[str, str]:
    cost = {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0}
    model = {
        "id": "fake-model",
        "name": "Fake",
        "reasoning": True,
        "input": ["text", "image"],
        "contextWindow": 200_000,
        "maxTokens": 8192,
        "cost": cost,
    }
    provider = {
        "baseUrl": f"{api_url}/v1",
        "api": "openai-completions",
        "apiKey": "fake-key",
        "models": [model],
    }
    folder = home / ".pi" / "agent"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.json").write_text(json.dumps({"providers": {"fake": provider}}), "utf-8")
    return {"PI_OFFLINE": "1", "PI_CODING_AGENT_DIR": str(folder)}


_WRITERS: dict[str, Callable[[Path, str], dict[str, str]]] = {
    "codex": _codex,
    "claude": _claude,
    "opencode": _opencode,
    "pi": _pi,
}
_CONFIGS: dict[str, dict[str, Any]] = {
    "codex": {"sandbox": "danger-full-access"},
    "claude": {"use_api_billing": True, "dangerously_skip_permissions": True},
    "opencode": {},
    "pi": {"provider": "fake", "model": "fake-model"},
}
