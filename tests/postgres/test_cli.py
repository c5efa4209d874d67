#!/usr/bin/env python3
"""The command line on PostgreSQL: import, list, get, update, export as on a file. Prints ok / not ok lines."""

import os
import pathlib
import subprocess
import sys

from server import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KECS = os.environ.get("KECS_BIN", str(ROOT / "build" / "kecs"))
failed = 0


def check(name, condition, reason=""):
    global failed
    failed += 0 if condition else 1
    print("ok " + name if condition else "not ok %s %s" % (name, reason.replace("\n", " ")[:400]), flush=True)


def kecs(url, *arguments):
    done = subprocess.run([KECS, "--db", url, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def main():
    box = os.environ.get("TMPDIR", "/tmp")
    with Server() as server:
        server.create_database("cli")
        url, file = server.url("cli"), os.path.join(box, "same.db")
        code, out, err = kecs(url, "import", str(ROOT / "examples" / "data"))
        code_file, out_file, _ = kecs(file, "import", str(ROOT / "examples" / "data"))
        check("import", code == code_file, err)
        for arguments in (("list", "task"), ("list", "service", "--limit", "2"), ("list", "listener"),
                          ("get", "service", "shop,web", "--json"),
                          ("update", "service", "shop,web", "--set", "desired_count=7"),
                          ("get", "service", "shop,web", "--json")):
            ours, theirs = kecs(url, *arguments), kecs(file, *arguments)
            # Times that the store filled in and ids that it made differ.
            same = ours[0] == theirs[0] and len(ours[1].split("\n")) == len(theirs[1].split("\n"))
            check(" ".join(arguments), same and ours[0] == 0, "%s\n%s" % (ours, theirs))
        code, out, err = kecs(url, "export")
        check("export", code == 0 and out.count("\n") > 10, err)
        copy = url + "?tenant=copy"
        dump = pathlib.Path(box, "dump.jsonl")
        dump.write_text(out)
        code, _, err = kecs(copy, "import", str(dump))
        check("import of the export", code == 0, err)
        check("both are the same", kecs(copy, "export")[1] == out)
        code, _, err = kecs(server.url("nowhere"), "list", "task")
        check("a missing database", code != 0 and "nowhere" in err and "p@ss" not in err and "p%40ss" not in err, err)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
