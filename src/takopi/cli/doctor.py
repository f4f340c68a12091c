"""`takopi doctor`: what is right, what is wrong, and what to do about it."""

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from takopi.app.checks import Check

__all__ = ["doctor", "table"]

MARKS = {"ok": "✓", "note": "·", "warning": "!", "wrong": "✗"}
MIN_TEXT_COLUMNS = 30


def doctor(
    *,
    fix: Annotated[
        bool, typer.Option("--fix", help="First mend what can be: folders, and who may read them.")
    ] = False,
) -> None:
    """Check token, chat, access, engines, permissions, plug-ins; exit status 1 if any is wrong."""
    import anyio

    from takopi.app.doctor import examine
    from takopi.app.home import locate_home
    from takopi.logging import redact

    if fix:
        _fix()
    checks = anyio.run(examine, locate_home())
    print(redact(table(checks, shutil.get_terminal_size((100, 24)).columns)))
    wrong = sum(check.state == "wrong" for check in checks)
    if wrong:
        print(f"\n{wrong} {'thing is' if wrong == 1 else 'things are'} wrong.")
        raise typer.Exit(1)
    print("\nEverything is in order.")


def _fix() -> None:
    from takopi.app.doctor_fix import mend
    from takopi.app.home import locate_home

    repairs = mend(locate_home())
    for repair in repairs:
        print(f"{'mended' if repair.done else 'not mended'}: {repair.text}")
    print("" if repairs else "Nothing was to be mended.\n")


def table(checks: "Sequence[Check]", columns: int) -> str:
    """Lay the checks out in three columns: mark, subject, text; on a narrow terminal in two."""
    from takopi.terminal.wrapping import wrapped

    width = max(len(check.subject) for check in checks)
    room = columns - width - 4
    if room < MIN_TEXT_COLUMNS:
        texts = (
            [f"{MARKS[check.state]} {check.subject}", *wrapped(check.text, max(columns - 2, 8))]
            for check in checks
        )
        return "\n".join("\n  ".join(text) for text in texts)
    lines: list[str] = []
    before = None
    for check in checks:
        parts = wrapped(check.text, room)
        subject = "" if check.subject == before else check.subject
        lines.append(f"{MARKS[check.state]} {subject:<{width}}  {parts[0]}")
        lines += [" " * (width + 4) + line for line in parts[1:]]
        before = check.subject
    return "\n".join(lines)
