#!/usr/bin/env python3
"""kecs hub init, sync, sync status, conflicts."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ROOT, run_tests  # noqa: E402

from server import PASSWORD, Server, clean_environment, heed_signals  # noqa: E402

KECS = os.environ.get("KECS", str(ROOT / "build/kecs"))
server = None


def kecs(*words, code=0, **variables):
    done = subprocess.run([KECS, *map(str, words)], text=True, capture_output=True,
                          env=dict(clean_environment(), **variables))
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    assert PASSWORD not in done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_two_edges_and_a_hub():
    hub = server.url() + ("&" if "?" in server.url() else "?") + "tenant=cli"
    with tempfile.TemporaryDirectory() as folder:
        one, two = os.path.join(folder, "one.db"), os.path.join(folder, "two.db")
        for path in (one, two):
            kecs("--db", path, "track", "on")
        assert "kecs hub init" in kecs("--db", one, "sync", "--hub", hub, "--site", "one", code=1)
        kecs("--db", hub, "hub", "init")
        kecs("--db", hub, "hub", "retain", 30)
        told = server.sql("kecs", "SELECT value FROM change_state WHERE tenant='cli' AND id=10")
        assert told == str(30 * 86400 * 1000000), told
        cluster = os.path.join(folder, "cluster.json")
        with open(cluster, "w") as file:
            file.write('{"clusterName": "shop"}')
        kecs("--db", one, "put", "cluster", cluster)
        assert "pushed 1," in kecs("--db", one, "sync", "--hub", hub, "--site", "one")
        assert "pulled 1," in kecs("--db", two, "sync", KECS_HUB=hub, KECS_SITE="two")
        kecs("--db", one, "update", "cluster", "shop", "--set", "status=INACTIVE")
        kecs("--db", two, "update", "cluster", "shop", "--set", "status=FAILED")
        kecs("--db", two, "sync", "--hub", hub, "--site", "two")
        assert "conflicts 1;" in kecs("--db", one, "sync", "--hub", hub, "--site", "one")
        assert '"status":"INACTIVE"' in kecs("--db", one, "conflicts")
        state = kecs("--db", one, "sync", "status", "--hub", hub, "--site", "one")
        with open(one, "rb") as file, open(two + ".copy", "wb") as copy:
            copy.write(file.read())
        for path in (one, two + ".copy"):
            kecs("--db", path, "update", "cluster", "shop", "--set", "status=DRAINING")
        kecs("--db", one, "sync", "--hub", hub, "--site", "one")
        assert "repaired: this file was copied" in kecs("--db", two + ".copy", "sync", "--hub", hub, "--site", "one")
        assert "one#" in kecs("--db", two + ".copy", "sync", "status", "--hub", hub, "--site", "one")
        assert re.search(r"one \(\d+\)", state) and "conflicts  1" in state, state


def test_limits():
    hub = server.url() + ("&" if "?" in server.url() else "?") + "tenant=limits"
    with tempfile.TemporaryDirectory() as folder:
        edge = os.path.join(folder, "edge.db")
        kecs("--db", edge, "track", "on")
        kecs("--db", hub, "hub", "init")
        kecs("--db", hub, "hub", "limit", "*", "--every", 60, "--batch", 5)
        for _ in range(2):  # the first one brings the cursor, the second one tells of it
            told = kecs("--db", edge, "sync", "--hub", hub, "--site", "cellar")
        assert "every 60 s" in told and "at most 5\n" in told, told
        told = kecs("--db", hub, "hub", "sites")
        assert "cursor 1" in told and "every 60000  batch 5" in told, told
        kecs("--db", hub, "hub", "limit", "cellar", "--pause", "moved to \"there\"")
        line = json.loads(kecs("--db", hub, "hub", "sites", "--json"))
        told = line["cursor"], line["everyMs"], line["batch"], line["pause"]
        assert told == (1, 60000, 5, "moved to \"there\""), line
        assert "moved to \"there\"" in kecs("--db", edge, "sync", "--hub", hub, "--site", "cellar", code=5)
        state = kecs("--db", edge, "sync", "status", "--hub", hub, "--site", "cellar")
        assert "conflicts" in state, state
        for site in ("cellar", "*"):
            kecs("--db", hub, "hub", "limit", site, "none")
        assert "asks" not in kecs("--db", edge, "sync", "--hub", hub, "--site", "cellar")
        line = json.loads(kecs("--db", hub, "hub", "sites", "--json"))
        assert "pause" not in line and "everyMs" not in line, line
        for words in (("limit",), ("limit", "cellar"), ("limit", "cellar", "all"), ("limit", "a", "none", "--batch", 5),
                      ("limit", "a", "--every", 0), ("limit", "a", "--every", "x"), ("limit", "a", "--batch", 0),
                      ("sites", "--batch", 5), ("init", "--pause", "x")):
            kecs("--db", hub, "hub", *words, code=2)
        for words in (("--every", 86401), ("--batch", 100001), ("--pause", "x" * 201), ("--pause", "")):
            kecs("--db", hub, "hub", "limit", "a", *words, code=2)


def test_command_lines():
    with tempfile.TemporaryDirectory() as folder:
        edge = os.path.join(folder, "edge.db")
        kecs("--db", edge, "track", "on")
        assert kecs("--db", edge, "conflicts") == ""
        assert "--hub" in kecs("--db", edge, "sync", code=2)
        assert "--site" in kecs("--db", edge, "sync", "--hub", server.url(), code=2)
        kecs("--db", edge, "sync", "twice", code=2)
        kecs("--db", edge, "hub", "init", code=2)
        for words in (("retain",), ("retain", "x"), ("retain", 0), ("retain", "7d"), ("init", 3), ("drop",)):
            kecs("--db", server.url(), "hub", *words, code=2)
        kecs("--db", edge, "sync", "--hub", "postgres://x@127.0.0.1:1/none", "--site", "a", code=5)


def main():
    global server
    heed_signals()
    with Server() as server:
        return run_tests(globals())


def test_the_demonstration():
    """make run-sync, with a server of its own."""
    done = subprocess.run([sys.executable, "-B", str(ROOT / "scripts/run_sync.py")], universal_newlines=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(clean_environment(), KECS=KECS),
                          timeout=240)
    assert done.returncode == 0 and "All three agree." in done.stdout, done.stdout[-3000:]


if __name__ == "__main__":
    sys.exit(main())
