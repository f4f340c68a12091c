"""Run the scripted model API by hand: `python -m fakes.model_api --port 0 --port-file F`."""

import argparse
from pathlib import Path

from fakes.model_api.server import FakeModelApi


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path, help="gets the port, written at once")
    parser.add_argument("--log", type=Path, help="gets each request as a JSON line")
    options = parser.parse_args()
    api = FakeModelApi(options.port, options.log)
    if options.port_file is not None:
        partial = options.port_file.with_name(options.port_file.name + ".part")
        partial.write_text(str(api.port), encoding="ascii")
        partial.replace(options.port_file)
    print(f"fake model on {api.url}", flush=True)
    try:
        api.serve()
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
