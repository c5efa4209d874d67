#!/usr/bin/env python3
"""Finds the SQLite to build with, and writes what the Makefile must know about it.

    scripts/fetch_sqlite.py [-o FILE]     FILE is a make fragment (default: standard output)

In this order:
    1. KECS_SQLITE=DIR      a folder with sqlite3.c and sqlite3.h
       KECS_SQLITE=system   the installed library and nothing else
    2. build/sqlite         what an earlier run fetched
    3. npm                  the pinned amalgamation, as the package below carries it; its sha256 is checked
    4. the installed library, 3.38 or newer
    5. apt                  libsqlite3-dev, when this may install packages
One run at a time; another one waits and finds the result."""

import argparse
import fcntl
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.sqlite import OPTIONS  # noqa: E402 (needs the path above)

BUILD = ROOT / "build"
FETCHED = BUILD / "sqlite"
PACKAGE = "better-sqlite3@12.11.1"
SHA256 = "60d2f39a3726cd6b9021da6f4e868608d66fbb6528a9f513dc8ffcc640493422"  # of its sqlite3.c, SQLite 3.53.2
NEEDED = ("sqlite3.c", "sqlite3.h")


def is_amalgamation(folder):
    return all((folder / name).is_file() for name in NEEDED)


def check_digest(data, where):
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        sys.exit("%s is not the pinned SQLite: its sha256 is\n  %s\ninstead of\n  %s\n"
                 "It was not used. Remove it and run this again; if it stays so, set KECS_SQLITE to a folder with an "
                 "amalgamation that you trust." % (where, digest, SHA256))


def chosen():
    """What KECS_SQLITE asks for, or None."""
    choice = os.environ.get("KECS_SQLITE", "")
    if not choice:
        return None
    if choice == "system":
        if not need("sqlite"):
            sys.exit("KECS_SQLITE=system: there is no usable SQLite library (3.38 or newer, with its header).")
        return "system"
    folder = pathlib.Path(choice).resolve()
    if not is_amalgamation(folder):
        sys.exit("KECS_SQLITE=%s: no sqlite3.c and sqlite3.h there. Name a folder that has both, or `system`." % choice)
    return folder


def fetched_before():
    if not is_amalgamation(FETCHED):
        return None
    check_digest((FETCHED / "sqlite3.c").read_bytes(), FETCHED / "sqlite3.c")
    return FETCHED


def members(data):
    """{name: bytes} of the amalgamation's files in a package, also when they are in an archive within it."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name = member.name.rsplit("/", 1)[-1]
            if not member.isfile():
                continue
            if name in NEEDED and name not in found:
                found[name] = archive.extractfile(member).read()
            elif name == "sqlite3.tar.gz":
                found.update(members(archive.extractfile(member).read()))
    return found


def by_npm():
    """Fetches the package into build/ and takes two files out of it. None when that cannot be done here."""
    if not shutil.which("npm"):
        return None
    box = BUILD / "npm"
    shutil.rmtree(str(box), ignore_errors=True)
    box.mkdir(parents=True)
    print("fetching SQLite (npm package %s)" % PACKAGE, file=sys.stderr)
    command = ["npm", "pack", PACKAGE, "--silent", "--fetch-retries=1", "--fetch-timeout=60000",
               "--pack-destination", "."]
    try:
        subprocess.run(command, cwd=str(box), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=240, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    packages = list(box.glob("*.tgz"))
    files = members(packages[0].read_bytes()) if packages else {}
    if any(name not in files for name in NEEDED):
        return None
    check_digest(files["sqlite3.c"], "sqlite3.c in " + PACKAGE)
    for name in NEEDED:
        (box / name).write_bytes(files[name])
    packages[0].unlink()
    shutil.rmtree(str(FETCHED), ignore_errors=True)
    box.rename(FETCHED)
    return FETCHED


def need(what, install=True):
    """Whether it is there, or could be installed. What to do otherwise is said by the caller, once."""
    environment = dict(os.environ) if install else dict(os.environ, KECS_NO_INSTALL="1")
    return subprocess.run([str(ROOT / "scripts" / "need.sh"), what], env=environment,
                          stderr=subprocess.DEVNULL).returncode == 0


def find():
    """A folder with the amalgamation, or "system"."""
    place = chosen() or fetched_before() or by_npm()
    if place is None and (need("sqlite", install=False) or need("sqlite")):
        print("SQLite: not fetched; building with the installed library", file=sys.stderr)
        place = "system"
    if place is None:
        sys.exit("No SQLite to build with: the npm package could not be fetched and no SQLite library is installed. "
                 "Install libsqlite3-dev (3.38 or newer), or put sqlite3.c and sqlite3.h into a folder and run "
                 "make KECS_SQLITE=FOLDER.")
    return place


def fragment(place):
    options = " ".join("-D%s=%s" % (name, value) for name, value, _ in OPTIONS)
    folder = "" if place == "system" else os.path.relpath(str(place), str(ROOT)) if ROOT in place.parents else place
    return ("# Written by scripts/fetch_sqlite.py. SQLITE_DIR is empty when the installed library is used.\n"
            "SQLITE_DIR := %s\nSQLITE_OPTIONS := %s\n" % (folder, options))


def main():
    parser = argparse.ArgumentParser(description="Finds or fetches SQLite.")
    parser.add_argument("-o", metavar="FILE", type=pathlib.Path)
    args = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    with open(str(BUILD / ".sqlite.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = fragment(find())
        if args.o:
            args.o.parent.mkdir(parents=True, exist_ok=True)
            args.o.write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(text)


if __name__ == "__main__":
    main()
