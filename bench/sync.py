#!/usr/bin/env python3
"""Runs a benchmark of sync with a server of its own: bench/sync.py [--scale LIBRARY] PROGRAM [OPTION...]

--scale: for bench_sync_scale. LIBRARY is the one made of bench/slow_disk.c. The program gets

    KECS_BENCH_DISK         the file that says how slow the server's log is
    KECS_BENCH_POOLER       the URL through PgBouncer, where that is installed
    KECS_BENCH_POOLER_PID   its process"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "postgres"))
import server  # noqa: E402
from pg import SETTINGS  # noqa: E402

ROOM = ["max_connections = 400"]  # for edges that stay connected
POOLER = ["max_client_conn = 1200", "default_pool_size = 8"]


def run(command):
    with server.Server(settings=SETTINGS + ["fsync = on"]) as own:
        return subprocess.run(command, env=dict(os.environ, KECS_TEST_POSTGRES=own.socket_url())).returncode


def run_scale(library, command):
    """The server's processes read how slow their disk is; nobody else heeds it."""
    with tempfile.TemporaryDirectory(prefix="kecs_slow_disk_") as folder:
        os.chmod(folder, 0o755)
        disk = pathlib.Path(folder, "microseconds")
        disk.write_text("0\n")
        disk.chmod(0o644)
        loaded = {"KECS_SLOW_DISK": str(disk), "LD_PRELOAD": shutil.copy(library, folder)}
        os.chmod(loaded["LD_PRELOAD"], 0o755)
        plain = dict(os.environ)
        os.environ.update(loaded)
        try:
            own = server.Server(settings=SETTINGS + ["fsync = on"] + ROOM)
        finally:
            os.environ.clear()
            os.environ.update(plain)
        with own:
            return run_beside(own, command, dict(plain, KECS_TEST_POSTGRES=own.socket_url(), KECS_BENCH_DISK=str(disk)))


def run_beside(own, command, environment):
    try:
        pooler = server.Pooler(own, settings=POOLER)
    except server.Failed as failed:
        print("without PgBouncer: %s" % failed, file=sys.stderr)
        return subprocess.run(command, env=environment).returncode
    with pooler:
        environment.update(KECS_BENCH_POOLER=pooler.url(), KECS_BENCH_POOLER_PID=str(pooler.process.pid))
        return subprocess.run(command, env=environment).returncode


def main():
    server.heed_signals()
    if sys.argv[1:2] == ["--scale"]:
        return run_scale(sys.argv[2], sys.argv[3:])
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
