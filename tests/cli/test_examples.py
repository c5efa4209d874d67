#!/usr/bin/env python3
"""The examples run: each with a store in memory, with a fresh file, and with the file that it has left. The tour runs
on its own data, on none, and on whatever there is. A C++ program uses the declarations."""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, DATA, ROOT, run  # noqa: E402

BUILD = pathlib.Path(os.environ.get("KECS_EXAMPLES") or ROOT / "build")
NAMES = sorted(path.stem for path in (ROOT / "examples").glob("*.c") if path.stem not in ("kecs", "run"))


def call(*command, code=0, cwd=ROOT):
    done = subprocess.run([str(part) for part in command], cwd=str(cwd), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    text = done.stdout.decode("utf-8", "replace")
    assert code is None or done.returncode == code, "%s: exit code %d: %s" % (command, done.returncode, text[-1500:])
    return text


def test_examples_run():
    assert NAMES == ["conflict", "hello", "hooks", "pages", "transaction", "watch"], NAMES
    for name in NAMES:
        program = BUILD / "examples" / name
        with Box() as box:
            for path in (":memory:", box.db, box.db):
                text = call(program, path)
                assert len(text.split("\n")) > 3, "%s: %s" % (name, text)
            assert pathlib.Path(box.db).stat().st_size > 0
            assert call(program, box.path / "no" / "folder.db", code=1)


def test_what_the_examples_show():
    assert "nobody's change is lost" in call(BUILD / "examples/conflict")
    assert "KECS_E_CONFLICT" in call(BUILD / "examples/conflict")
    assert "0 left" in call(BUILD / "examples/hooks")
    assert "2024-05-01T10:00:02Z" in call(BUILD / "examples/hooks")
    assert "KECS_E_INVALID" in call(BUILD / "examples/pages")


def test_first_program_is_that_of_the_readme():
    assert (ROOT / "examples" / "hello.c").read_text() in (ROOT / "README.md").read_text()


def test_tour():
    with Box() as box:
        text = call(BUILD / "kecs-demo", DATA, box.db)
        for words in ("31 resources stored, 2 documents refused", "broken.json:4:79", "KECS_E_CONFLICT", "2 rows,",
                      "3+3+1 = 7 of 7 rows", "0 tasks inside, still 7", "DRAINING"):
            assert words in text, "%s in %s" % (words, text)
        assert all(len(line) <= 200 for line in text.split("\n"))
        text = call(BUILD / "kecs-demo", DATA, box.db)  # again, into the same file
        assert "KECS_E_CONFLICT" in text
        (box.path / "empty").mkdir()
        text = call(BUILD / "kecs-demo", box.path / "empty", box.path / "other.db")
        assert "0 resources stored" in text and "KECS_E_CONFLICT" in text
        call(BUILD / "kecs-demo", box.path / "missing", box.path / "third.db", code=1)
        text = call(BUILD / "kecs-demo", DATA, cwd=box.path)
        assert (box.path / "build" / "run" / "demo.db").is_file(), text


def test_tour_of_the_corpus():
    corpus = pathlib.Path(os.environ.get("KECS_CORPUS") or ROOT.parent / "shared" / "corpus")
    if corpus.is_dir():
        with Box() as box:
            text = call(BUILD / "kecs-demo", corpus, box.db)
            assert "KECS_E_CONFLICT" in text and "more reasons" in text and len(text.split("\n")) < 70, text


def test_cpp_program():
    """The implementation is compiled as C, as the two-line file says; the C++ file sees the declarations only."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    assert compiler, "there is no C++ compiler: install g++"
    objects = [path for path in (BUILD / "obj/normal/kecs_store.o", BUILD / "obj/normal/sqlite3.o") if path.is_file()]
    with Box() as box:
        libraries = ["-lpthread", "-lm"] + ([] if len(objects) == 2 else ["-lsqlite3"])
        if not objects:
            objects = [box.path / "impl.o"]
            call(os.environ.get("CC") or "cc", "-std=c99", "-I", ROOT, "-c", ROOT / "examples/cpp/kecs_store_impl.c",
                 "-o", objects[0])
        call(compiler, "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", ROOT,
             ROOT / "examples/cpp/cpp_user.cpp", *objects, *libraries, "-o", box.path / "program")
        for path in (":memory:", box.db, box.db):
            text = call(box.path / "program", path)
            assert text.startswith("service web\nservice web-admin\nKECS_E_NOT_FOUND"), text


if __name__ == "__main__":
    sys.exit(run(globals()))
