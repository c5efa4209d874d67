#!/usr/bin/env python3
"""Kills writing processes and looks at what they leave.

    tests/kill/test_kill.py     25 rounds on one file, 200 with KECS_FULL=1. KECS_SEED repeats a run;
                                KILL_WRITER names the program (default: build/test/normal/kill_writer)

In a round one process, or two at once, write until a SIGKILL at a random moment. Then every acknowledged write must be
there with its version; a write that was begun and not acknowledged must be there as a whole or not at all; and
integrity_check must be content. The next round goes on with the same file."""

import os
import pathlib
import random
import select
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WRITER = os.environ.get("KILL_WRITER", str(ROOT / "build/test/normal/kill_writer"))
STARTED_WITHIN = 30  # seconds for a writer to acknowledge its first write
LONGEST = 0.06       # seconds between that and the kill


class Wrong(Exception):
    pass


class Writer:
    """One writing process and what it said."""

    def __init__(self, path, prefix, seed):
        self.prefix, self.heard = prefix, b""
        self.process = subprocess.Popen([WRITER, "write", path, prefix, str(seed)], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait_for_first(self):
        end = time.monotonic() + STARTED_WITHIN
        while b"ack " not in self.heard:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not more:
                raise Wrong("the writer %s did not begin: %s" % (self.prefix, self.heard.decode("utf-8", "replace")))
            self.heard += more

    def listen(self, seconds):
        """Reads what it says, so that it never waits for a full pipe."""
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                return
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return
            self.heard += more

    def kill(self):
        """Kills it; the acknowledged changes in order, and the one that was begun last, if it was not acknowledged."""
        self.process.send_signal(signal.SIGKILL)
        rest, _ = self.process.communicate()
        text = (self.heard + rest).decode("ascii", "replace")
        if self.process.returncode != -signal.SIGKILL:
            raise Wrong("the writer %s ended by itself: %s" % (self.prefix, text[-500:]))
        done, begun = [], None
        for line in text.split("\n")[:-1]:
            words = line.split(" ")
            if words[0] == "try":
                begun = (words[1], changes_of(words[2:]))
            elif words[0] == "ack" and begun and words[1] == begun[0]:
                done.append(begun[1])
                begun = None
            else:
                raise Wrong("the writer %s says: %s" % (self.prefix, line))
        return done, begun[1] if begun else []


def changes_of(words):
    return [(words[i], int(words[i + 1]), words[i + 2]) for i in range(0, len(words), 3)]


def applied(model, changes):
    changed = dict(model)
    for name, version, status in changes:
        if version:
            changed[name] = (version, status)
        else:
            changed.pop(name, None)
    return changed


def dump(path):
    run = subprocess.run([WRITER, "dump", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    lines = run.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if run.returncode or not lines or lines[-1] != "checked ok":
        raise Wrong("after the kill: %s" % " / ".join(lines[-3:]))
    found = {}
    for line in lines[:-1]:
        _, name, version, status = line.split(" ")
        found[name] = (int(version), status)
    return found


def difference(found, expected):
    names = sorted(name for name in set(found) | set(expected) if found.get(name) != expected.get(name))
    return ", ".join("%s is %s, not %s" % (name, found.get(name), expected.get(name)) for name in names[:4])


def play(path, model, chance, number):
    """One round; the model afterwards, the number of acknowledged writes, whether a begun one was found in the file."""
    writers = [Writer(path, prefix, chance.randrange(1 << 40)) for prefix in ("ab" if number % 4 == 3 else "a")]
    acknowledged, landed = 0, False
    try:
        for writer in writers:
            writer.wait_for_first()
        while writers:
            writer = writers[0]
            longest = LONGEST * (8 if number % 8 == 5 else 1)  # now and then long enough for a checkpoint
            moment = time.monotonic() + chance.random() ** 2 * longest
            while time.monotonic() < moment:
                for other in writers:
                    other.listen(0.001)
            del writers[0]
            done, begun = writer.kill()
            for changes in done:
                model = applied(model, changes)
            acknowledged += len(done)
            mine = {name: row for name, row in dump(path).items() if name.startswith(writer.prefix)}
            before = {name: row for name, row in model.items() if name.startswith(writer.prefix)}
            if mine != before:
                if not begun or mine != applied(before, begun):
                    raise Wrong("round %d: %s" % (number, difference(mine, before)))
                model, landed = applied(model, begun), True
    finally:
        for writer in writers:
            writer.process.kill()
            writer.process.communicate()
    return model, acknowledged, landed


def main():
    seed = int(os.environ.get("KECS_SEED") or random.SystemRandom().randrange(1 << 32))
    rounds = 200 if os.environ.get("KECS_FULL") == "1" else 25
    print("# seed %d (KECS_SEED=%d repeats the run)" % (seed, seed), flush=True)
    if not os.access(WRITER, os.X_OK):
        print("not ok kill %s is not there; build it with: make tests" % WRITER)
        return 1
    chance, model, total, landed = random.Random(seed), {}, 0, 0
    with tempfile.TemporaryDirectory(prefix="kecs_kill_") as folder:
        path = os.path.join(folder, "store.db")
        try:
            for number in range(rounds):
                model, acknowledged, was_landed = play(path, model, chance, number)
                total, landed = total + acknowledged, landed + was_landed
        except (Wrong, subprocess.TimeoutExpired) as problem:
            print("not ok kill round %d of %d, seed %d: %s" % (number + 1, rounds, seed, problem))
            return 1
    print("ok kill (%d rounds, %d acknowledged writes, all there; %d begun ones had landed)" % (rounds, total, landed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
