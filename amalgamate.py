#!/usr/bin/env python3
"""Makes everything that is generated: kecs_store.h and kecs_store_pg.h from src/, src/gen and docs/kinds.md from
src/kinds, and the table of kinds in README.md.

    python3 amalgamate.py                             write what differs
    python3 amalgamate.py --check                     change nothing; fail when a file is not what it should be
    python3 amalgamate.py --list                      the modules of each header, in order, with their lines
    python3 amalgamate.py --bundle-sqlite DIR [-o F]  one file with SQLite inside (default: dist/kecs_store.h)

The output depends on the sources alone: no date, no path, no locale. How the parts work is told in tools/."""

import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True

from tools import printing  # noqa: E402 (after the line above, which keeps the tree clean)
from tools.kinds import Reader  # noqa: E402
from tools.packing import Tree, pack_all  # noqa: E402
from tools.problems import Failed, Problems  # noqa: E402
from tools.sqlite import Bundle  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent


def print_generated(problems):
    """{path: text} of what comes from the kinds alone."""
    kinds = Reader(ROOT / "src", problems).read()
    problems.stop_if_any()
    texts = {
        "src/gen/kinds_public.h": printing.kinds_public(kinds),
        "src/gen/api_public.h": printing.api_public(kinds),
        "src/gen/api.c": printing.api_source(kinds),
        "docs/kinds.md": printing.kinds_page(kinds),
    }
    readme = ROOT / "README.md"
    if readme.is_file():
        texts["README.md"] = printing.refresh_readme(readme.read_text(encoding="utf-8"), kinds)
    return texts


def write(path, text):
    """Writes a file whole or not at all, and only when it differs."""
    data = text.encode("utf-8")
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name("%s.%d.tmp" % (path.name, os.getpid()))
    temporary.write_bytes(data)
    temporary.replace(path)
    print("wrote %s" % os.path.relpath(str(path)))


def first_difference(old, new):
    """(line number, line there, line that should be there)"""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    for number in range(max(len(old_lines), len(new_lines))):
        here = old_lines[number] if number < len(old_lines) else "(end of file)"
        wanted = new_lines[number] if number < len(new_lines) else "(end of file)"
        # The digest in a header's second line differs whenever anything does; show what made it differ.
        if here != wanted and not (number == 1 and len(old_lines) > 2 and here.startswith(" * ")):
            return number + 1, here, wanted
    return 2, old_lines[1], new_lines[1]


def check(texts, problems):
    """Adds a problem for each file that is not what it should be."""
    for name, text in texts.items():
        path = ROOT / name
        if not path.is_file():
            problems.add(name, 0, "missing", "run  python3 amalgamate.py")
            continue
        old = path.read_bytes().decode("utf-8", "replace")
        if old != text:
            number, here, wanted = first_difference(old, text)
            problems.add(name, number, "stale or edited by hand; it has\n      %s\n    instead of\n      %s"
                         % (here[:160], wanted[:160]), "edit src/ (never this file), then run  python3 amalgamate.py")


def list_modules(packers, tree):
    for packer in packers:
        print("%s.h" % packer.name)
        total = 0
        for path in packer.reached:
            lines = tree.text(path).count("\n")
            total += lines
            print("  %6d  %s%s" % (lines, path, "  (public)" if path in packer.public else ""))
        print("  %6d  lines in %d modules" % (total, len(packer.reached)))


def main():
    parser = argparse.ArgumentParser(description="Joins src/ into the single headers.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when something is stale")
    parser.add_argument("--list", action="store_true", help="print the modules of each header")
    parser.add_argument("--bundle-sqlite", metavar="DIR", type=pathlib.Path, help="folder with sqlite3.c")
    parser.add_argument("-o", metavar="FILE", type=pathlib.Path, default=ROOT / "dist" / "kecs_store.h",
                        help="where --bundle-sqlite writes")
    args = parser.parse_args()

    problems = Problems()
    texts = print_generated(problems)
    if not (args.check or args.list or args.bundle_sqlite):
        for name, text in texts.items():  # even when the join fails below: the modules need src/gen to be mended
            write(ROOT / name, text)
    tree = Tree(ROOT, texts, problems)
    packers, headers = pack_all(tree, Bundle(args.bundle_sqlite) if args.bundle_sqlite else None)
    problems.stop_if_any()
    if args.list:
        list_modules(packers, tree)
    elif args.bundle_sqlite:
        write(args.o, headers["kecs_store.h"])
    elif args.check:
        texts.update(headers)
        check(texts, problems)
        problems.stop_if_any()
    else:
        for name, text in headers.items():
            write(ROOT / name, text)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit("amalgamate.py: cannot go on.\n%s" % failed)
