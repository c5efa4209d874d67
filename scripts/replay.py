#!/usr/bin/env python3
"""Replays the fuzzing corpus: build/test/asan/fuzz/fuzz_NAME with every file of tests/fuzz/corpus/NAME."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def replay(name):
    """Why the replay failed, or None, and the number of files."""
    files = sorted(path for path in (ROOT / "tests/fuzz/corpus" / name).glob("[a-z0-9]*") if path.is_file())
    if not files:
        return "there is no corpus in tests/fuzz/corpus/%s" % name, 0
    program = ROOT / "build/test/asan/fuzz" / ("fuzz_" + name)
    for start in range(0, len(files), 500):
        done = subprocess.run([str(program)] + [str(path) for path in files[start:start + 500]], cwd=str(ROOT),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            print(done.stdout.decode("utf-8", "replace"))
            return "exit code %d" % done.returncode, len(files)
    return None, len(files)


def main():
    failed = False
    for source in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c")):
        name = source.stem[len("fuzz_"):]
        problem, count = replay(name)
        print("not ok fuzz_%s %s" % (name, problem) if problem else "ok fuzz_%s (%d files)" % (name, count), flush=True)
        failed = failed or bool(problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
