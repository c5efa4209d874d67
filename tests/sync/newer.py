"""A driver of a later release: the sources with two columns more for clusters, as src/kinds/README.md has them."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def newest():
    """The schema version of the release after this one."""
    steps = (ROOT / "src/store/migrate.c").read_text()
    return 1 + max(int(version) for version in re.findall(r"^    \{(\d+), ", steps, re.M))


ROWS = '''  KECS_KEPT_COLUMNS(X, K) \\
  X(K, maintenance_window, JSON, SPEC, SINCE(%d), NONE, "maintenanceWindow", "When the cluster may be changed.") \\
  X(K, priority_class, TEXT, SPEC, NN | SINCE(%d), "normal", "priorityClass", "How urgent its work is.")
'''


def build(folder):
    """The path of the driver."""
    for name in ("src", "tools", "examples", "amalgamate.py", "README.md", "docs"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, os.path.join(folder, name))
    kind = pathlib.Path(folder, "src/kinds/cluster.h")
    text = kind.read_text()
    assert text.count("  KECS_KEPT_COLUMNS(X, K)\n") == 1
    kind.write_text(text.replace("  KECS_KEPT_COLUMNS(X, K)\n", ROWS % (newest(), newest())))
    subprocess.run([sys.executable, os.path.join(folder, "amalgamate.py")], check=True, stdout=subprocess.DEVNULL)
    settings = next(ROOT.glob("build/sqlite-*.mk")).read_text()
    directory = re.search(r"SQLITE_DIR := (\S*)", settings).group(1)
    sqlite = [str(ROOT / "build/obj/normal/sqlite3.o")] if directory else ["-lsqlite3"]
    include = ["-I" + str(ROOT / directory)] if directory else []
    postgres = "-I" + subprocess.run(["pg_config", "--includedir"], check=True, capture_output=True,
                                     text=True).stdout.strip()
    whole = os.path.join(folder, "whole.c")
    pathlib.Path(whole).write_text('#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n')
    other = os.path.join(folder, "whole_pg.c")
    pathlib.Path(other).write_text('#define KECS_STORE_PG_IMPLEMENTATION\n#include "kecs_store_pg.h"\n')
    program = os.path.join(folder, "sync_driver")
    subprocess.run([os.environ.get("CC", "cc"), "-O0", "-std=c99", "-D_GNU_SOURCE", "-I" + folder, *include, postgres,
                    str(ROOT / "tests/sync/driver/sync_driver.c"), whole, other, *sqlite, "-lpq", "-pthread", "-lm",
                    "-o", program], check=True)
    return program
