"""`takopi update-check`: whether there is a newer takopi."""

__all__ = ["update_check"]


def update_check() -> None:
    """Ask PyPI once whether there is a newer takopi; nothing is installed."""
    from takopi.app.update_check import newest_version, told

    print(told(newest_version()))
