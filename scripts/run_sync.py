#!/usr/bin/env python3
"""make run-sync: two sites and a hub on one terminal. Starts a PostgreSQL of its own in a temporary folder, syncs two
edges, cuts the link, edits both, heals the link, shows the conflict and decides it. Every command is shown as one
would type it; nothing is left behind."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
from proxy import Proxy  # noqa: E402
from server import Failed, Server, clean_environment  # noqa: E402

KECS = os.environ.get("KECS", str(ROOT / "build" / "kecs"))


class Demo:
    def __init__(self, folder, hub, link):
        self.folder, self.hub, self.link = folder, hub, link

    def run(self, *words, stdin=None, code=0):
        """Shows a command and what it says; fails unless it ends with `code`."""
        line = "$ %s%s" % ("echo '%s' | " % stdin if stdin else "", " ".join(("kecs",) + words))
        print("\033[1m%s\033[0m" % line if sys.stdout.isatty() else line, flush=True)
        shown = {"$HUB": self.hub, "$LINK": self.link}
        done = subprocess.run([KECS] + [shown.get(word, word) for word in words], cwd=self.folder, input=stdin,
                              env=clean_environment(), universal_newlines=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        print(done.stdout, end="", flush=True)
        if done.returncode != code:
            raise Failed("%s ended with %d instead of %d" % (" ".join(words), done.returncode, code))
        return done.stdout

    def sync(self, site, code=0):
        return self.run("--db", site + ".db", "sync", "--hub", "$LINK", "--site", site, code=code)

    def count(self, site, number):
        self.run("--db", site + ".db", "update", "service", "shop,web", "--set", "desired_count=%d" % number)


def say(text):
    print("\n# " + text, flush=True)


def play(demo, proxy):
    say("The hub: a tenant of a PostgreSQL. Two edges, cellar and attic: a SQLite file each, and nothing else.")
    demo.run("--db", "$HUB", "hub", "init")
    demo.run("--db", "cellar.db", "track", "on")
    demo.run("--db", "cellar.db", "put", "cluster", "-", stdin='{"clusterName":"shop"}')
    demo.run("--db", "cellar.db", "put", "service", "-",
             stdin='{"serviceName":"web","cluster":"shop","desiredCount":1}')
    demo.sync("cellar")
    demo.run("--db", "attic.db", "track", "on")
    demo.sync("attic")
    demo.run("--db", "attic.db", "list", "service", "--limit", "5")
    say("The link is cut. Both go on working, and both change the same thing.")
    proxy.cut(refuse=True)
    demo.sync("cellar", code=5)
    demo.count("cellar", 2)
    demo.count("attic", 3)
    say("The link is back. Attic's edit is the later one; cellar's has lost, and is kept.")
    proxy.heal()
    demo.sync("attic")
    demo.sync("cellar")
    lost = demo.run("--db", "cellar.db", "conflicts")
    say("Somebody looks at it, and decides that cellar was right: an ordinary edit, which travels like any other.")
    demo.run("--db", "cellar.db", "conflicts", "resolve", lost.split()[0], "--take", "lost")
    demo.sync("cellar")
    demo.sync("attic")
    say("All three agree.")
    for place in ("cellar.db", "attic.db", "$HUB"):
        document = json.loads(demo.run("--db", place, "get", "service", "shop,web", "--json"))
        if document["desiredCount"] != 2:
            raise Failed("%s has %d" % (place, document["desiredCount"]))


def main():
    if not os.access(KECS, os.X_OK):
        sys.exit("there is no %s: run make first" % KECS)
    try:
        with Server(trust=True) as server, Proxy(server) as proxy, \
                tempfile.TemporaryDirectory(prefix="kecs_run_sync_") as folder:
            play(Demo(folder, server.url(tenant="shop"), proxy.url(tenant="shop")), proxy)
    except Failed as failure:
        sys.exit("run-sync: %s" % failure)


if __name__ == "__main__":
    main()
