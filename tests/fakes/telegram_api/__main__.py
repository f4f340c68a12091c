"""`python -m fakes.telegram_api --port-file F`: the stand-in as a process of its own.

The file gets the chosen port once the server listens; the process serves until it is ended.
"""

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

from .server import TOKEN, TelegramApi


async def _serve(port: int, port_file: Path | None, token: str) -> None:
    api = TelegramApi(token=token)
    await api.start(port)
    if port_file is not None:
        partial = port_file.with_suffix(".part")
        partial.write_text(str(api.port))
        partial.replace(port_file)
    print(f"{api.base_url} token {api.token}", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await api.stop()


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description="a strict stand-in for the Telegram Bot API")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--token", default=TOKEN)
    chosen = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(chosen.port, chosen.port_file, chosen.token))


if __name__ == "__main__":
    main()
