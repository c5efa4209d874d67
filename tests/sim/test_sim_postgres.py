#!/usr/bin/env python3
"""The simulation with a hub on PostgreSQL: each seed must come to the same there and on the model of a hub. Half of
them are run again with pushes that go by COPY, which the model knows nothing of.

    tests/sim/test_sim_postgres.py               seeds from 1 on
    tests/sim/test_sim_postgres.py --many N      N other seeds, others each day"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_sim import heed_signals, other_seed, simulate  # noqa: E402

from server import Server  # noqa: E402

SEEDS = 50


def main():
    heed_signals()
    first, count = (other_seed(), sys.argv[2]) if sys.argv[1:2] == ["--many"] else (1, SEEDS)
    with Server() as server:
        compared = simulate("-f", first, "-n", count, "-p", server.url())
        return simulate("-c", "-f", first, "-n", int(count) // 2 + 1, "-p", server.url()) or compared


if __name__ == "__main__":
    sys.exit(main())
