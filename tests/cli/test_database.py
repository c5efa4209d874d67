#!/usr/bin/env python3
"""Which database the command line opens: --db, --storage, --postgres-url, KECS_DB, the environment; and what --verbose
tells. What needs a server is in tests/postgres/test_database.py."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, kecs, run  # noqa: E402

CLUSTER = '{"clusterName":"shop"}'
NAMES = ("KECS_DB", "KECS_STORAGE_TYPE", "KECS_STORAGE", "STORE_TYPE", "KECS_DATABASE_URL", "KECS_POSTGRES_URL",
         "DATABASE_URL", "KECS_STORAGE_PATH", "KECS_DATA_DIR")


def put(*arguments, **keywords):
    return kecs("put", "cluster", "-", *arguments, stdin=CLUSTER, **keywords)


def has_shop(*arguments, **keywords):
    return b"shop" in kecs("list", "cluster", *arguments, **keywords).out


def test_nothing_says_which():
    assert b"which database" in kecs("stat", code=2).err
    for name in ("KECS_DATA_DIR", "KECS_DATABASE_URL", "KECS_STORAGE_TYPE"):
        assert b"which database" in kecs("stat", code=2, **{name: ""}).err, name


def test_the_environment():
    with Box() as box:
        folder = {"KECS_DATA_DIR": str(box.path)}
        put(**folder)
        assert (box.path / "kecs.db").is_file() and has_shop(**folder)
        assert has_shop(**{"KECS_STORAGE_PATH": str(box.path / "kecs.db")})
        assert has_shop(**{"KECS_STORAGE_PATH": str(box.path / "kecs.db"), "KECS_STORAGE": "duckdb"})
        assert not has_shop(**{"STORE_TYPE": "memory"})
        told = kecs("list", "cluster", "--verbose", code=0, KECS_STORAGE_TYPE="DuckDB", **folder)
        assert b"duckdb: opened as SQLite" in told.err, told
        assert kecs("list", "cluster", KECS_STORAGE_TYPE="DuckDB", **folder).err == b""
        kecs("list", "cluster", code=3, KECS_DATA_DIR=str(box.path / "no"))
        answer = kecs("list", "cluster", code=2, KECS_STORAGE_TYPE="oracle")
        assert b"KECS_STORAGE_TYPE" in answer.err and b"valid:" in answer.err, answer
        answer = kecs("list", "cluster", code=2, KECS_STORAGE_TYPE="sqlite", KECS_STORAGE="memory")
        assert b"KECS_STORAGE_TYPE and KECS_STORAGE" in answer.err, answer


def test_what_wins():
    with Box() as box:
        put("--db", box.db)
        other = {"KECS_DB": str(box.path / "other.db"), "KECS_DATA_DIR": str(box.path), "KECS_STORAGE": "sqlite"}
        assert has_shop("--db", box.db, **other)
        kecs("list", "cluster", code=3, **other)  # KECS_DB
        other["KECS_DB"] = box.db
        assert has_shop(**other)
        assert has_shop("--storage", "SQLite", **other)
        assert not has_shop("--storage", "memory", **other)
        del other["KECS_DB"]
        put("--storage", "sqlite", **dict(other, KECS_STORAGE="memory", STORE_TYPE="postgres"))
        assert (box.path / "kecs.db").is_file()


def test_flags_that_do_not_fit():
    url = "postgres://kecs:s3cret@localhost:1/kecs"
    with Box() as box:
        put("--db", box.db)
        for arguments, word in ((["--storage", "oracle", "--db", box.db], "valid: sqlite"),
                                (["--storage", "postgres", "--db", box.db], "does not fit"),
                                (["--storage", "sqlite", "--postgres-url", url], "does not fit"),
                                (["--storage", "sqlite", "--db", url], "does not fit"),
                                (["--storage", "memory", "--db", box.db], "does not fit"),
                                (["--db", box.db, "--postgres-url", url], "both"),
                                (["--postgres-url", "mysql://kecs:s3cret@h/d"], "postgres://"),
                                (["--postgres-url", "kecs:s3cret@h/d"], "postgres://"),
                                (["--postgres-url"], "URL")):
            answer = kecs("stat", *arguments, code=2)
            assert word in answer.err.decode(), answer
            assert b"s3cret" not in answer.err, answer
        assert has_shop("--storage", "duckdb", "--db", box.db)


if __name__ == "__main__":
    for name in NAMES:
        os.environ.pop(name, None)
    sys.exit(run(globals()))
