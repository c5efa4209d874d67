#!/usr/bin/env python3
"""Runs each example that is built, and the demonstration, in a folder of its own; each must end well and print."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def problem_of(program):
    """Why an example failed, or None."""
    in_root = program.name == "kecs-demo"  # it reads examples/data
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([str(program)], cwd=str(ROOT) if in_root else folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        print(output)
        return "exit code %d" % done.returncode
    return None if output.strip() else "it printed nothing"


def main():
    programs = sorted((ROOT / "build/examples").glob("*")) + sorted((ROOT / "build").glob("kecs-demo"))
    sources = {path.stem for path in (ROOT / "examples").rglob("*.c*")} | {"kecs-demo"}
    failed = False
    for program in programs:
        if program.name in sources:  # not one whose source is gone
            problem = problem_of(program)
            print("not ok example_%s %s" % (program.name, problem) if problem else "ok example_" + program.name)
            failed = failed or bool(problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
