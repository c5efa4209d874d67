#!/usr/bin/env python3
"""kecs migrate between files and PostgreSQL: equal stores, tenants, runs that are killed, servers that go away."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
from kecs_cli import Box, kecs, run  # noqa: E402
from kecs_migrate import export, fill, kill_in_the_middle, migrate  # noqa: E402
from server import PASSWORD, Server  # noqa: E402

shared = None
databases = 0


def database():
    global databases
    databases += 1
    shared.create_database("migrate_%d" % databases)
    return "migrate_%d" % databases


def test_there_and_back():
    with Box() as box:
        text = fill(box.db)
        name, back = database(), str(box.path / "back.db")
        there = shared.url(name, tenant="a")
        # Not even the tables are made by a dry run.
        answer = migrate(box.db, there, "--dry-run", "--json")
        assert {row["to"] for row in answer.json()} == {0} and b"counts as empty" in answer.err, answer
        assert shared.sql(name, "SELECT count(*) FROM pg_tables WHERE schemaname='public'") == "0"
        first = migrate(box.db, there, "--json").json()
        assert first["copied"] == first["rows"] == text.count(b"\n"), first
        assert export(there) == text
        second = migrate(there, back, "--json").json()
        assert second == first, (first, second)
        assert export(back) == text
        assert migrate(back, there, "--json").json() == dict(first, copied=0, there=first["rows"])
        for db in (box.db, there, back):
            kecs("--db", db, "put", "task_definition", "-", stdin='{"family":"gone","containerDefinitions":[]}')
            kecs("--db", db, "get", "task_definition", "gone:4")


def test_tenants_are_apart():
    with Box() as box:
        text = fill(box.db)
        name = database()
        a, b, own = (shared.url(name, tenant=tenant, schema="kecs") for tenant in ("a", "b", "c"))
        kecs("--db", own, "put", "cluster", "-", stdin='{"clusterName":"mine"}')
        before = export(own)
        migrate(box.db, a)
        assert migrate(a, b, "--json").json()["there"] == 0
        assert export(b) == text and export(own) == before
        refused = migrate(box.db, own, code=4).err.decode()
        assert "not empty" in refused and "1 cluster" in refused and "***" in refused, refused
        assert export(own) == before


def test_a_killed_run_is_run_again():
    with Box() as box:
        total = 6000
        text = fill(box.db, tasks=total)
        name = database()

        def count():
            try:
                return int(shared.sql(name, "SELECT count(*) FROM k%d.tasks" % attempt))
            except Exception:
                return 0  # the table is not there yet

        for attempt in range(5):
            there = shared.url(name, schema="k%d" % attempt)
            if kill_in_the_middle(box.db, there, count, total):
                break
        else:
            raise AssertionError("migrate was too fast to be killed")
        answer = migrate(box.db, there, "--json").json()
        assert answer["there"] > 0 and answer["copied"] > 0, answer
        assert export(there) == text


def test_no_server_and_no_password():
    with Box() as box:
        fill(box.db)
        for url, code in ((shared.url("nowhere"), 3), (shared.url("kecs", password="wr0ng!"), 7),
                          ("postgres://kecs:s3cret@127.0.0.1:1/kecs", 5)):
            for ends in ((box.db, url), (url, box.db)):
                answer = migrate(*ends, code=None)
                said = (answer.out + answer.err).decode()
                assert answer.code == code, said
                assert "wr0ng" not in said and "s3cret" not in said and PASSWORD not in said, said
                assert "***" in said, said


if __name__ == "__main__":
    os.environ.pop("KECS_DB", None)
    with Server() as shared:
        result = run(globals())
    sys.exit(result)
