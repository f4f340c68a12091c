"""Show the commands in the chat service's own menu; nothing rests on it."""

from functools import partial

from takopi.bridge.border import border
from takopi.bridge.commands.plugin import load_descriptions
from takopi.bridge.commands.registry import menu
from takopi.bridge.options import BridgePorts
from takopi.bridge.waiting import wait_until
from takopi.errors import FloodLimited, TransportUnavailable
from takopi.model import EngineId

__all__ = ["publish_menu"]

_TRIES = 5
_LOADED_WITHIN_S = 15.0


async def publish_menu(ports: BridgePorts, default_engine: EngineId) -> None:
    """Publish the menu; a service that does not take it is asked a few times.

    Args:
        ports: The world.
        default_engine: Runs what names no engine.
    """
    clock = ports.clock
    if ports.plugins is not None:
        # One that hangs while it is imported keeps nobody's name from the menu.
        load = partial(load_descriptions, ports.plugins)
        await wait_until(load, clock, clock.now() + _LOADED_WITHIN_S)
    commands = menu(ports.engines, default_engine, ports.plugins)
    for attempt in range(_TRIES):
        pause_s = 5.0 * 2**attempt
        with border("publishing the menu"):
            try:
                await ports.transport.set_menu(commands)
            except FloodLimited as error:
                pause_s = error.retry_after_s
            except TransportUnavailable:
                pass
            else:
                return
            await clock.sleep_until(clock.now() + pause_s)
            continue
        return
