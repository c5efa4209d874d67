#!/usr/bin/env python3
"""A part of the contract tests under valgrind, which sees what the sanitizers can't: memory that was never set.

    tests/valgrind/test_valgrind.py [PROGRAM...]   build/test/normal/contract/... of PROGRAMS below, in memory; one with
                                                   nothing else said, all with KECS_FULL=1"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ["test_query", "test_rows", "test_transactions", "test_json", "test_elb_operations", "test_environment"]
COMMAND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
           "--errors-for-leak-kinds=definite,indirect"]


def run(name):
    program = ROOT / "build/test/normal/contract" / name
    if not program.exists():
        return "%s is not built" % program.relative_to(ROOT)
    done = subprocess.run(COMMAND + [str(program)], env=dict(os.environ, KECS_TEST_STORE="memory"),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return None
    said = done.stdout.decode("utf-8", "replace").splitlines()
    for line in said[-40:]:
        print("# " + line)
    return "exit code %d" % done.returncode


def main():
    if subprocess.run(["scripts/need.sh", "valgrind"], cwd=ROOT, check=False).returncode:
        print("not ok valgrind it is missing")
        return 1
    names = sys.argv[1:] or (PROGRAMS if os.environ.get("KECS_FULL") else PROGRAMS[:1])
    failed = 0
    for name in names:
        reason = run(name)
        failed += reason is not None
        print("not ok valgrind_%s %s" % (name, reason) if reason else "ok valgrind_%s" % name, flush=True)
    return 1 if failed else 0


sys.exit(main())
