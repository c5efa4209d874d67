#!/usr/bin/env python3
"""Four processes write one file, and one after the other is killed and started again.

    tests/kill/test_processes.py     for 5 seconds, a minute with KECS_FULL=1. KECS_SEED repeats the choices;
                                     KILL_COUNTER names the program (default: build/test/normal/kill_counter)

Each process has some threads, each with a row of its own whose version it counts up; the threads of a process share
commits. Whatever a thread has acknowledged must be there when its process starts again, and at most one version more.
No process may end by itself: that is what it does when a call fails, with BUSY or anything else."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COUNTER = os.environ.get("KILL_COUNTER", str(ROOT / "build/test/normal/kill_counter"))
PROCESSES, THREADS = 4, 3
STARTED_WITHIN = 30  # seconds


class Wrong(Exception):
    pass


class Process:
    """One place of the four; the process in it changes."""

    def __init__(self, path, prefix):
        self.path, self.prefix, self.acknowledged, self.total, self.wrong = path, prefix, {}, 0, None
        self.start()

    def start(self):
        self.found = threading.Event()
        self.waiting_for = THREADS
        self.killed = False
        self.process = subprocess.Popen([COUNTER, self.path, self.prefix, str(THREADS)], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stdout:
            words = line.decode("utf-8", "replace").split()
            if len(words) == 3 and words[0] == "v":
                self.acknowledged[words[1]] = int(words[2])
                self.total += 1
            elif len(words) == 3 and words[0] == "at":
                before, now = self.acknowledged.get(words[1], 0), int(words[2])
                if not before <= now <= before + 1 + (before == 0):
                    self.wrong = "%s had acknowledged version %d and is at %d" % (words[1], before, now)
                self.acknowledged[words[1]] = now
                self.waiting_for -= 1
                if self.waiting_for == 0:
                    self.found.set()
            else:
                self.wrong = self.wrong or line.decode("utf-8", "replace").strip()
        if not self.killed:
            self.wrong = self.wrong or "%s ended by itself" % self.prefix
        self.found.set()

    def kill(self):
        self.killed = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.listener.join()


def check(processes):
    for process in processes:
        if process.wrong:
            raise Wrong(process.wrong)


def play(path, seconds, chance):
    """The number of kills and of acknowledged writes."""
    processes, kills = [Process(path, prefix) for prefix in "abcd"[:PROCESSES]], 0
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(chance.random() * 0.2)
            victim = chance.choice(processes)
            if not victim.found.wait(STARTED_WITHIN):
                raise Wrong("%s has not begun in %d s" % (victim.prefix, STARTED_WITHIN))
            check(processes)
            victim.kill()
            check(processes)
            victim.start()
            kills += 1
        for process in processes:
            if not process.found.wait(STARTED_WITHIN):
                raise Wrong("%s has not begun in %d s" % (process.prefix, STARTED_WITHIN))
        check(processes)
    finally:
        for process in processes:
            process.kill()
    return kills, processes


def integrity(path):
    import sqlite3
    with sqlite3.connect(path, timeout=30) as db:
        found = db.execute("PRAGMA integrity_check").fetchone()[0]
        rows = dict(db.execute("SELECT name,version FROM clusters"))
    if found != "ok":
        raise Wrong("integrity_check: %s" % found)
    return rows


def main():
    seed = int(os.environ.get("KECS_SEED") or random.SystemRandom().randrange(1 << 32))
    seconds = 60 if os.environ.get("KECS_FULL") == "1" else 5
    print("# seed %d (KECS_SEED=%d repeats the choices)" % (seed, seed), flush=True)
    if not os.access(COUNTER, os.X_OK):
        print("not ok processes %s is not there; build it with: make tests" % COUNTER)
        return 1
    with tempfile.TemporaryDirectory(prefix="kecs_processes_") as folder:
        path = os.path.join(folder, "store.db")
        try:
            kills, processes = play(path, seconds, random.Random(seed))
            rows = integrity(path)
            for process in processes:
                for name, version in process.acknowledged.items():
                    if not version <= rows.get(name, 0) <= version + 1:
                        raise Wrong("%s had acknowledged version %d and is at %s" % (name, version, rows.get(name)))
        except Wrong as problem:
            print("not ok processes seed %d: %s" % (seed, problem))
            return 1
    print("ok processes (%d kills in %d s, %d acknowledged writes, all there; nobody was told BUSY)" %
          (kills, seconds, sum(process.total for process in processes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
