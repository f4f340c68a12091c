"""Start takopi with `python -m takopi`."""

import sys

from takopi.cli import main

if __name__ == "__main__":
    sys.exit(main())
