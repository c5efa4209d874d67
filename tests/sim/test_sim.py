#!/usr/bin/env python3
"""The simulation of edges and a hub (docs/sync.md 16): the laws of merge, the named seeds, then seeds on the model of a
hub and on a PostgreSQL.

    tests/sim/test_sim.py          as many as an ordinary test has time for; with KECS_FULL or --all 2000 and 50
    tests/sim/test_sim.py SEED     that one, on the model, told step by step"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
from server import Server, clean_environment, heed_signals  # noqa: E402

SIM = os.environ.get("KECS_SIM", str(ROOT / "build/test/normal/sim"))


def simulate(*words):
    sys.stdout.flush()
    return subprocess.run([SIM] + [str(word) for word in words], env=clean_environment()).returncode


def main():
    heed_signals()
    if len(sys.argv) > 1 and sys.argv[1] != "--all":
        return simulate("-v", "-n", 1, "-f", sys.argv[1])
    whole = len(sys.argv) > 1 or bool(os.environ.get("KECS_FULL"))
    failed = simulate("-l", "-n", 20) + simulate("-s") + simulate("-n", 2000 if whole else 1000)
    with Server() as server:
        failed += simulate("-n", 50 if whole else 6, "-p", server.url())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
