"""Own one engine process, so that it outlives takopi and its end is always seen.

Run by path, in a session of its own, with the engine's environment inherited:
`python -I -S holder.py <run directory>`. Standard library only, and little of it: every running
engine has one of these, so it must be small (12 MB) and quick to start (20 ms).

This file only finds the program, which is `takopi.process.holding`: a script that is run by path
is compiled at each start (1 MB, 10 ms), a module is compiled once.
"""
# ruff: noqa: PTH100, PTH120 (pathlib would cost each holder a megabyte)

import os
import sys

if __name__ == "__main__":
    # At the end of the path: nothing beside takopi can hide a module of the standard library.
    package = os.path.dirname(os.path.abspath(__file__))
    sys.path.append(os.path.dirname(os.path.dirname(package)))

    from takopi.process.holding import Holder

    sys.exit(Holder(sys.argv[1]).main())
