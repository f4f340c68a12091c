"""Whether what a person writes resumes a session of one of the engines here."""

from takopi.bridge.border import border
from takopi.bridge.ports import EngineDirectory
from takopi.core.route import last_resume

__all__ = ["names_session"]


def names_session(engines: EngineDirectory, text: str) -> bool:
    """Tell whether a text has a line that resumes a session; loads only an engine that it names.

    Args:
        engines: Whose sessions count.
        text: What a person wrote.
    """
    lines = (line.split(maxsplit=1) for line in text.replace("`", " ").splitlines())
    words = {line[0] for line in lines if line}
    for engine in engines.ids():
        if engine in words:
            with border("reading a resume line", engine=engine):
                if last_resume(text, [engines.runner(engine)]) is not None:
                    return True
    return False
