#!/usr/bin/env python3
"""What the edge profile costs: bytes that reach a block device, and memory.

    tests/edge/test_edge.py     EDGE_WRITER names the program (default: build/test/normal/edge_writer)

The device is a loop device with ext4, which needs root; where it can't be had, that part is skipped and says why. The
store is left alone for 5 seconds, for a minute with KECS_FULL=1."""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WRITER = os.environ.get("EDGE_WRITER", str(ROOT / "build/test/normal/edge_writer"))
MEGABYTES = 64


class Skip(Exception):
    pass


def tool(*words):
    """Runs a tool of the system; what it says, or Skip with its complaint."""
    try:
        run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    except FileNotFoundError:
        raise Skip("%s is not installed" % words[0])
    text = run.stdout.decode("utf-8", "replace").strip()
    if run.returncode:
        raise Skip("%s: %s" % (words[0], text.split("\n")[0]))
    return text


def run_writer(*words):
    return subprocess.run([WRITER, *words], timeout=500).returncode


def on_device(folder, seconds):
    """Runs the part about the disk on a file system of its own."""
    if os.geteuid() != 0:
        raise Skip("a loop device needs root")
    image, mount = os.path.join(folder, "disk"), os.path.join(folder, "mount")
    os.mkdir(mount)
    with open(image, "wb") as file:
        file.truncate(MEGABYTES << 20)
    tool("mkfs.ext4", "-q", "-F", image)
    device = tool("losetup", "-f", "--show", image)
    try:
        tool("mount", "-o", "noatime", device, mount)
        try:
            return run_writer("disk", mount, os.path.basename(device), str(seconds))
        finally:
            tool("umount", mount)
    finally:
        tool("losetup", "-d", device)


def main():
    if not os.access(WRITER, os.X_OK):
        print("not ok edge %s is not there; build it with: make tests" % WRITER)
        return 1
    with tempfile.TemporaryDirectory(prefix="kecs_edge_") as folder:
        code = run_writer("heap", folder)
        sys.stdout.flush()
        try:
            code = on_device(folder, 60 if os.environ.get("KECS_FULL") == "1" else 5) or code
        except Skip as reason:
            print("ok edge_disk # SKIP %s" % reason)
    return code


if __name__ == "__main__":
    sys.exit(main())
