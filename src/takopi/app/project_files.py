"""The files of the projects, as the configuration wants them."""

from takopi.app.home import Home
from takopi.core.file_rules import DENIED, MB, FileRules
from takopi.files.project_files import LocalFiles
from takopi.settings import Settings

__all__ = ["project_files"]


def project_files(home: Home, settings: Settings) -> LocalFiles:
    """Make what files go through.

    Args:
        home: takopi's folder; what is about to be sent lies in a folder of it.
        settings: Which files may go, and how large they may be.
    """
    files = settings.files
    rules = FileRules(
        enabled=files.enabled,
        incoming=files.incoming,
        max_down=files.max_down_mb * MB,
        max_up=files.max_up_mb * MB,
        denied=(*DENIED, *files.deny_globs),
    )
    return LocalFiles(rules, home.outgoing)
