#!/usr/bin/env python3
"""Runs the benchmark of PostgreSQL with a server of its own: bench/pg.py [--no-flush] [--one-core] PROGRAM [OPTION...]

The server waits for the disk at each commit, as it does in life, and has room for all rows. --no-flush: it never waits,
so that what is measured is the way to the server and back. --one-core: program and server share a processor; on a
virtual machine, to wake another one up may take longer than all that is measured."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "postgres"))
import server  # noqa: E402

SETTINGS = ["full_page_writes = on", "shared_buffers = '512MB'", "max_wal_size = '8GB'", "checkpoint_timeout = '1h'",
            "autovacuum = off", "work_mem = '64MB'"]


def main():
    command = sys.argv[1:]
    flush, one_core = True, False
    while command and command[0] in ("--no-flush", "--one-core"):
        flush, one_core = flush and command[0] != "--no-flush", one_core or command[0] == "--one-core"
        command = command[1:]
    if one_core:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    server.heed_signals()
    with server.Server(settings=SETTINGS + ["fsync = %s" % ("on" if flush else "off")]) as own:
        environment = dict(os.environ, KECS_TEST_POSTGRES=own.socket_url())
        return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
