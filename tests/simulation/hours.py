"""Run random hours and say which law broke in which.

python -m simulation.hours SEED [SEED ...]     run these hours and tell
python -m simulation.hours SEED --hours 1000   and the ones after it
"""

import argparse
import os
import sys
import time

from simulation.laws import broken_laws
from simulation.loop import run_virtually
from simulation.world import Plan, World

__all__ = ["COMMAND", "hour", "plan_of"]

COMMAND = "PYTHONPATH=tests .venv/bin/python -m simulation.hours {seed}"


def plan_of(seed: int) -> Plan:
    """Return what the hour of a seed is made of."""
    return Plan(seed, on_disk=seed % 2 == 1)


def hour(seed: int) -> tuple[list[str], World]:
    """Live through an hour; return what broke, and the world as it was in the end."""

    async def live() -> tuple[list[str], World]:
        world = World(plan_of(seed))
        # Sessions are locked in files there; two hours side by side must not see each other's.
        before = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = world.folder
        try:
            await world.run()
            return await broken_laws(world), world
        finally:
            os.environ.pop("XDG_STATE_HOME")
            if before is not None:
                os.environ["XDG_STATE_HOME"] = before
            await world.aclose()

    return run_virtually(live)


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--hours", type=int, default=1)
    asked = parser.parse_args()
    bad = 0
    for first in asked.seeds:
        for seed in range(first, first + asked.hours):
            began = time.process_time()
            broken, world = hour(seed)
            took = time.process_time() - began
            print(
                f"{seed}: {len(world.people.said)} prompts, {len(world.processes.all)} runs, "
                f"{world.service.calls} calls, {world.ledger.commits} commits, "
                f"{len(world.lives)} lives, {took:.2f} s: {'BROKEN' if broken else 'ok'}"
            )
            for line in broken:
                print(f"   {line}")
            bad += bool(broken)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
