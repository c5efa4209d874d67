#!/usr/bin/env python3
"""The simulation of edges and a hub on a model of the hub (docs/sync.md 16): the laws of merge, the named seeds, then
seeds from 1 on. On PostgreSQL: test_sim_postgres.py.

    tests/sim/test_sim.py                what is said above
    tests/sim/test_sim.py --many N       N other seeds, others each day
    tests/sim/test_sim.py SEED           that one, told step by step"""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
from server import clean_environment, heed_signals  # noqa: E402

SEEDS = 2000
SIM = os.environ.get("KECS_SIM", str(ROOT / "build/test/normal/sim"))


def simulate(*words):
    sys.stdout.flush()
    return subprocess.run([SIM] + [str(word) for word in words], env=clean_environment()).returncode


def other_seed():
    """The first of today's."""
    return 1000000 + int(time.time()) // 86400 * 100000


def main():
    heed_signals()
    if sys.argv[1:2] == ["--many"]:
        return simulate("-f", other_seed(), "-n", sys.argv[2])
    if len(sys.argv) > 1:
        return simulate("-v", "-n", 1, "-f", sys.argv[1])
    failed = simulate("-l", "-n", 20) + simulate("-s") + simulate("-n", SEEDS)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
