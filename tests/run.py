#!/usr/bin/env python3
"""Runs test programs and scripts side by side, each in bounded time, and counts what they report.

    tests/run.py [-j N] [-t SECONDS] [-k WORD] [-v] FILE ...

A FILE is a program (cmocka, told to print TAP) or a .py or .sh script; both say "ok ..." and "not ok ..." line by line.
A file that is killed, ends with an error that no line told of, or reports nothing at all, counts as one failure. The
last line is "N passed, N failed"; the exit code is 0 only when nothing failed and something passed.

Programs below build/test/postgres (and postgres-asan, postgres-tsan) find a server that runs for them, with a database
each, in KECS_TEST_POSTGRES; those below build/test/pgbouncer find it behind PgBouncer in transaction mode.
Each file runs in the repository's root with TMPDIR set to a folder of its own, removed afterwards."""

import argparse
import importlib
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
LINE = re.compile(r"^(ok|not ok)\b[ \t]*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)$", re.M)
SANITIZER = re.compile(r"^(?:SUMMARY: )?(\w+Sanitizer: .*|\S+: runtime error: .*)$", re.M)
TAIL_LINES = 60


class Outcome:
    def __init__(self, name):
        self.name, self.passed, self.skipped, self.failures, self.seconds, self.output = name, 0, 0, [], 0.0, ""

    def read(self, code, timed_out, limit):
        """Counts the report's lines, and judges how the run ended."""
        for text in self.output.split("\n"):
            match = LINE.match(text)
            if not match:
                continue
            if re.search(r"#\s*skip", match.group(2), re.I):  # cmocka writes "not ok 3 # SKIP"
                self.skipped += 1
            elif match.group(1) == "not ok":
                self.failures.append(match.group(2).strip() or "(no name)")
            else:
                self.passed += 1
        planned = sum(int(number) for number in PLAN.findall(self.output))
        reported = self.passed + self.skipped + len(self.failures)
        if timed_out:
            self.failures.append("stopped after %d s" % limit)
        elif code < 0:
            self.failures.append("died of signal %d" % -code)
        elif code and not self.failures:
            self.failures.append("exit code %d without a failed test" % code)
        elif not code and not reported:
            self.failures.append("ran no test")
        elif reported < planned:
            self.failures.append("reported %d of %d tests" % (reported, planned))
        for summary in sorted(set(SANITIZER.findall(self.output))):
            self.failures.append(summary)


def command_of(path):
    if path.suffix == ".py":
        return [sys.executable, "-B", str(path)]
    if path.suffix == ".sh":
        return ["sh", str(path)]
    return [str(path)]


def environment_for(box):
    environment = dict(os.environ, TMPDIR=box, KECS_TMP=box, CMOCKA_MESSAGE_OUTPUT="TAP")
    environment.setdefault("ASAN_OPTIONS", "strict_string_checks=1")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    environment.setdefault("TSAN_OPTIONS", "halt_on_error=1:second_deadlock_stack=1")
    return environment


class Postgres:
    """The server for the programs that want one: started for the first of them."""

    def __init__(self):
        self.lock, self.server, self.pooler, self.databases = threading.Lock(), None, None, 0

    def url(self, pooled):
        servers = importlib.import_module("server")
        with self.lock:
            self.server = self.server or servers.Server(trust=True)
            if pooled and not self.pooler:
                self.pooler = servers.Pooler(self.server)
            self.databases += 1
            name = "kecs_test_%d" % self.databases
            self.server.create_database(name)
            return self.pooler.url(name) if pooled else self.server.socket_url(name)

    def stop(self):
        for one in (self.pooler, self.server):
            if one:
                one.close()


class Servers:
    """One for the programs of each way of building: roles belong to a server, and the same programs make the same."""

    def __init__(self):
        self.lock, self.servers = threading.Lock(), {}

    def url(self, variant):
        built = variant.replace("pgbouncer", "postgres")
        with self.lock:
            server = self.servers.setdefault(built, Postgres())
        return server.url(variant.startswith("pgbouncer"))

    def stop(self):
        for server in self.servers.values():
            server.stop()


POSTGRES = Servers()


def run_one(path, name, limit):
    outcome, started, timed_out = Outcome(name), time.monotonic(), False
    box = tempfile.mkdtemp(prefix="kecs-test-")
    os.chmod(box, 0o755)  # tests that drop root must be able to reach their files
    try:
        environment = environment_for(box)
        variant = name.split(" ")[0]
        if variant.split("-")[0] in ("postgres", "pgbouncer"):
            environment["KECS_TEST_POSTGRES"] = POSTGRES.url(variant)
        process = subprocess.Popen(command_of(path), cwd=str(ROOT), env=environment, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        outcome.output = output.decode("utf-8", "replace")
        outcome.read(process.returncode, timed_out, limit)
    except (OSError, RuntimeError) as error:
        outcome.failures.append("cannot be run: %s" % error)
    finally:
        shutil.rmtree(box, ignore_errors=True)
    outcome.seconds = time.monotonic() - started
    return outcome


def name_of(path):
    """"asan contract/cluster" for build/test/asan/contract/cluster, "cli/errors.py" for tests/cli/errors.py."""
    try:
        parts = path.resolve().relative_to(ROOT).parts
    except ValueError:
        return str(path)
    if parts[:2] == ("build", "test") and len(parts) > 3:
        return "%s %s" % (parts[2], "/".join(parts[3:]))
    return "/".join(parts[1:] if parts[0] == "tests" else parts)


def show(outcome, verbose):
    print("%-4s %-44s %4d ok%s%s  %5.1f s" % (
        "FAIL" if outcome.failures else "", outcome.name, outcome.passed,
        ", %d failed" % len(outcome.failures) if outcome.failures else "",
        ", %d skipped" % outcome.skipped if outcome.skipped else "", outcome.seconds), flush=True)
    if outcome.failures or verbose:
        lines = [line for line in outcome.output.rstrip().split("\n") if line and
                 (verbose or not line.startswith("ok "))]
        if len(lines) > TAIL_LINES and not verbose:
            print("     | ... %d lines before these" % (len(lines) - TAIL_LINES))
            lines = lines[-TAIL_LINES:]
        for line in lines:
            print("     | " + line)
        for failure in outcome.failures:
            print("     failed: " + failure, flush=True)


def run_all(paths, jobs, limit, verbose):
    """Runs the files on `jobs` threads; shows each as it ends. Returns the outcomes."""
    waiting, done, outcomes = queue.Queue(), queue.Queue(), []
    for path in paths:
        waiting.put(path)

    def work():
        while True:
            try:
                path = waiting.get_nowait()
            except queue.Empty:
                return
            # A script may build and run many programs; it gets more time than a program.
            done.put(run_one(path, name_of(path), limit * (3 if path.suffix in (".py", ".sh") else 1)))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    while len(outcomes) < len(paths):
        outcomes.append(done.get())
        show(outcomes[-1], verbose)
    return outcomes


def main():
    parser = argparse.ArgumentParser(description="Runs tests and counts.")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("-j", type=int, default=min(os.cpu_count() or 1, 4), help="how many at once")
    parser.add_argument("-t", type=int, default=int(os.environ.get("KECS_TEST_SECONDS", "300")),
                        help="seconds that a program may take; scripts get three times as many")
    parser.add_argument("-k", default=os.environ.get("KECS_TEST_ONLY", ""), help="only files with this in their name")
    parser.add_argument("-v", action="store_true", help="show all output")
    args = parser.parse_args()
    paths = [path.resolve() for path in args.files if args.k in name_of(path)]
    try:
        outcomes = run_all(paths, max(args.j, 1), args.t, args.v)
    finally:
        POSTGRES.stop()
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(len(outcome.failures) for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    if not passed and not failed:
        print("no test ran")
        failed = 1
    bad = [outcome.name for outcome in outcomes if outcome.failures]
    if bad:
        print("failed in: " + ", ".join(sorted(bad)))
    if skipped:
        print("%d skipped" % skipped)
    print("%d passed, %d failed" % (passed, failed), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
