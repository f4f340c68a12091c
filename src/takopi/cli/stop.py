"""`takopi stop`: end the bot and its runs."""

__all__ = ["stop"]


def stop() -> None:
    """End the bot and every engine it started, also when the bot does not answer."""
    from functools import partial

    import anyio

    from takopi.app.owned_home import owned_home
    from takopi.app.stop import stop_everything

    anyio.run(stop_everything, owned_home(), partial(print, flush=True))
