#!/usr/bin/env python3
"""Runs the benchmark of sync with a server of its own: bench/sync.py PROGRAM [OPTION...]"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "postgres"))
import server  # noqa: E402
from pg import SETTINGS  # noqa: E402


def main():
    server.heed_signals()
    with server.Server(settings=SETTINGS + ["fsync = on"]) as own:
        environment = dict(os.environ, KECS_TEST_POSTGRES=own.socket_url())
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
