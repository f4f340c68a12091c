"""A chat in another language: all that takopi says is translated, at the moment it is said."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.world import serving
from fakes.scripted_engine import until_cancelled
from takopi.core.texts import use_texts
from takopi.errors import EngineMissing, TakopiError
from takopi.locale_files import speak
from takopi.runners._config_table import ConfigTable
from takopi.settings import load_settings, parse_settings

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _spanish():
    speak("es")
    yield
    use_texts("en", {})


async def test_a_whole_conversation_is_in_the_language_of_the_configuration() -> None:
    """Help, status, a turn, its end by /cancel, an error, and the menu."""
    async with serving() as world:
        chat = world.chat
        menu = {command.name: command.description for command in chat.menu}
        assert menu["cancel"] == "Cancelar un turno que corre o espera"
        assert menu["codex"] == "Preguntar a codex (el predeterminado)"

        chat.write("/help")
        await world.rest()
        shown = chat.find("Escribe qué quieres que se haga. codex se pone a ello").text
        assert "\nTrabajo\n/cancel – Cancelar un turno que corre o espera: /cancel all\n" in shown
        assert "\nMotores\n/codex (predeterminado) /claude\n" in shown

        chat.write("/status")
        await world.rest()
        shown = chat.find("No corre nada y no espera nada.").text
        assert "Versiones\ntakopi 9.9\ncodex 1.2.3\nclaude no instalado" in shown

        chat.write("hola")
        await world.clock.advance(5)
        assert world.chat.find("✓ hecho · codex").text.startswith("✓ hecho · codex · 0s\n\n")

        world.codex.default = until_cancelled
        chat.write("espera")
        await world.clock.advance(5)
        running = chat.find("trabajando · codex")
        assert [button.label for row in running.message.buttons for button in row] == ["Cancelar"]
        chat.write("/cancel")
        await world.clock.advance(20)
        assert chat.has("■ cancelado · codex")

        chat.write("/cancel")
        chat.write("/nadie")
        await world.clock.advance(5)
        assert chat.has("Aquí no se ejecuta ni espera nada, así que no hay nada que cancelar.")
        assert chat.has("Aquí nadie conoce /nadie, así que no se envió nada. /help muestra lo que")


async def test_an_error_is_told_in_the_language_of_the_configuration() -> None:
    """Errors that takopi itself makes are translated where they are made."""

    async def fails(turn):
        raise EngineMissing("codex", "codex", "npm i -g codex")
        yield

    async with serving() as world:
        world.codex.default = fails
        world.chat.write("hola")
        await world.clock.advance(5)
        shown = world.chat.find("✗ error · codex").text
        assert "`codex` no está en PATH" in shown or "codex no está en PATH" in shown
        assert "instálalo con npm i -g codex, e inténtalo de nuevo" in shown


def told(wrong: Callable[[], object]) -> str:
    with pytest.raises(TakopiError) as caught:
        wrong()
    return str(caught.value)


def test_what_is_wrong_in_a_changed_configuration_is_told_in_its_language(tmp_path: Path) -> None:
    """A bot that serves tells it in the chat; keys, values and commands stay as they are typed."""
    path = tmp_path / "takopi.toml"

    def read(text: str) -> Callable[[], object]:
        return lambda: parse_settings(tomllib.loads(text), path, {})

    assert told(read("max_runs = 0")) == (
        f"{path}: max_runs es 0; se acepta: un número entero desde 1"
    )
    assert "se acepta: una tabla, escrita como [codex]" in told(
        lambda: parse_settings({"codex": 1}, path, {}).engine_table("codex")
    )
    assert "projects.zed no tiene path" in told(read("[projects.zed]"))
    assert "¿querías decir `model`? claves que se aceptan: " in told(
        lambda: wrong_key(ConfigTable("codex", {"modle": "x"}, path))
    )
    path.write_bytes(b"=")
    path.chmod(0o600)
    assert "no es TOML válido: línea 1, columna 1: " in told(lambda: load_settings(path, {}))


def wrong_key(table: ConfigTable) -> None:
    table.text("model")
    table.done()
