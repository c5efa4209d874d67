#!/usr/bin/env python3
"""Adding a column is one line: in a copy of the sources, a row is added as src/kinds/README.md says; a file that the
present program wrote is then opened with the new one, and the other way round. Prints ok / not ok lines."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KECS = os.environ.get("KECS_BIN", os.path.join(ROOT, "build", "kecs"))

# One more than the last schema version: what a release that brings columns has.
with open(os.path.join(ROOT, "src/store/migrate.c")) as steps:
    NEXT = 1 + max(int(version) for version in re.findall(r"^    \{(\d+), ", steps.read(), re.M))

ROW = '''  KECS_KEPT_COLUMNS(X, K) \\
  X(K, maintenance_window, JSON, SPEC, SINCE(NEXT), NONE, "maintenanceWindow", "When the cluster may be changed.") \\
  X(K, priority_class, TEXT, SPEC, NN | SINCE(NEXT), "normal", "priorityClass", "How urgent its work is.")
'''.replace("NEXT", str(NEXT))
failed = 0


def check(name, condition, reason=""):
    global failed
    failed += 0 if condition else 1
    print("ok " + name if condition else "not ok %s %s" % (name, reason.replace("\n", " ")[:400]), flush=True)


def run(program, *args, stdin=None):
    return subprocess.run([program, *args], input=stdin, capture_output=True, text=True, timeout=120)


def build(folder):
    """The command line of the changed sources: our code anew, SQLite's object as it is."""
    made = run(sys.executable, os.path.join(folder, "amalgamate.py"))
    if made.returncode:
        return made
    settings = open(os.path.join(ROOT, "build", next(f for f in sorted(os.listdir(os.path.join(ROOT, "build")))
                                                     if re.fullmatch(r"sqlite-.*\.mk", f)))).read()
    directory = re.search(r"SQLITE_DIR := (\S*)", settings).group(1)
    include = ["-I" + os.path.join(ROOT, directory)] if directory else []
    sqlite = [os.path.join(ROOT, "build/obj/normal/sqlite3.o")] if directory else ["-lsqlite3"]
    with open(os.path.join(folder, "impl.c"), "w") as f:
        f.write("#define KECS_STORE_IMPLEMENTATION\n#include \"kecs_store.h\"\n")
    return run(os.environ.get("CC", "cc"), "-O0", "-std=c99", "-Wall", "-Werror", "-I" + folder, *include,
               os.path.join(folder, "examples/kecs.c"), os.path.join(folder, "impl.c"), *sqlite, "-pthread", "-lm",
               "-o", os.path.join(folder, "kecs"))


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def main():
    folder = tempfile.mkdtemp(prefix="kecs_column_")
    try:
        for name in ("src", "tools", "examples", "amalgamate.py", "README.md", "docs"):
            source = os.path.join(ROOT, name)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, os.path.join(folder, name))
        with open(os.path.join(folder, "src/kinds/README.md")) as guide:
            check("the_guide_shows_the_next_version", "SINCE(%d)" % NEXT in guide.read(), str(NEXT))
        kind = os.path.join(folder, "src/kinds/cluster.h")
        text = open(kind).read()
        check("the_row_goes_after_the_last", text.count("  KECS_KEPT_COLUMNS(X, K)\n") == 1)
        with open(kind, "w") as f:
            f.write(text.replace("  KECS_KEPT_COLUMNS(X, K)\n", ROW))
        built = build(folder)
        check("one_line_is_all_that_it_takes", built.returncode == 0, built.stdout + built.stderr)
        if built.returncode:
            return
        new = os.path.join(folder, "kecs")
        db = os.path.join(folder, "old.db")
        document = '{"clusterName":"shop","maintenanceWindow":{"day" : "Sunday"},"settings":[ ]}'
        check("the_old_program_writes", run(KECS, "--db", db, "put", "cluster", "-", stdin=document).returncode == 0)
        before = json.loads(run(KECS, "--db", db, "get", "cluster", "shop", "--json").stdout)

        after = run(new, "--db", db, "get", "cluster", "shop", "--json")
        check("the_new_program_reads_without_migrating_first", after.returncode in (0, 7), after.stderr)
        put = run(new, "--db", db, "put", "cluster", "-", stdin='{"clusterName":"second","priorityClass":"high"}')
        check("the_new_program_migrates", put.returncode == 0, put.stderr)
        after = json.loads(run(new, "--db", db, "get", "cluster", "shop", "--json").stdout)
        check("the_old_row_is_whole", all(after.get(k) == v for k, v in before.items()), json.dumps(after))
        check("the_default_stands_in_old_rows", after.get("priorityClass") == "normal", json.dumps(after))
        update = run(new, "--db", db, "update", "cluster", "shop", "--set", 'maintenance_window={"day":"Monday"}')
        check("the_new_column_is_written", update.returncode == 0, update.stderr)
        after = json.loads(run(new, "--db", db, "get", "cluster", "shop", "--json").stdout)
        check("and_takes_the_member_over", after.get("maintenanceWindow") == {"day": "Monday"}, json.dumps(after))
        check("it_is_described", "maintenance_window" in run(new, "describe-kind", "cluster").stdout)
        second = run(new, "--db", db, "list", "cluster", "--where", "priority_class=high", "--json").stdout
        check("it_is_a_filter", [c["clusterName"] for c in json.loads(second)["items"]] == ["second"], second)

        bytes_before = digest(db)
        refused = run(KECS, "--db", db, "put", "cluster", "-", stdin=document)
        check("the_old_program_refuses_the_newer_schema",
              refused.returncode == 6 and "schema version %d" % NEXT in refused.stderr, refused.stderr)
        check("and_leaves_the_file_alone", digest(db) == bytes_before)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
sys.exit(1 if failed else 0)
