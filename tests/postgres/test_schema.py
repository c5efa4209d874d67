#!/usr/bin/env python3
"""A schema of version 1, as the library of then made and filled it, is migrated by whoever opens it first."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
from kecs_cli import KECS, kecs, run  # noqa: E402
from server import USER, Server, clean_environment  # noqa: E402

VERSION_1 = (pathlib.Path(__file__).resolve().parent / "driver" / "schema_1.sql").read_text()
shared = None


def old_database(name):
    shared.create_database(name)
    shared.sql(name, "SET SESSION AUTHORIZATION %s;\n%s" % (USER, VERSION_1))
    assert versions(name) == ["1"]
    return shared.url(name, schema="old")


def versions(name, schema="old"):
    return shared.sql(name, "SELECT version FROM %s.schema_version ORDER BY 1" % schema).split()


def tables(name):
    return shared.sql(name, "SELECT relname FROM pg_class WHERE relnamespace='old'::regnamespace "
                            "AND relkind IN ('r','p') AND relname <> 'schema_version' ORDER BY 1").split()


def columns(name, table):
    return shared.sql(name, "SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute "
                            "WHERE attrelid='old.%s'::regclass AND attnum > 0 AND NOT attisdropped" % table)


def content(name, known):
    """Every value of the columns that are known, of every row."""
    ask = ("SELECT count(*)||' '||coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') "
           "FROM (SELECT %s FROM old.%s) t")
    return {table: shared.sql(name, ask % (known[table], table)) for table in known}


def shape(name, schema):
    """Columns, keys and indexes as the server has them, the schema's name aside."""
    text = shared.sql(name, """
        SELECT 'column '||c.relname||' '||a.attname||' '||format_type(a.atttypid,a.atttypmod)||' '||a.attnotnull
          FROM pg_attribute a JOIN pg_class c ON c.oid=a.attrelid
          WHERE c.relnamespace='%(s)s'::regnamespace AND c.relkind IN ('r','p') AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT 'index '||indexdef FROM pg_indexes WHERE schemaname='%(s)s'
        UNION ALL SELECT 'key '||conrelid::regclass||' '||pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace='%(s)s'::regnamespace ORDER BY 1""" % {"s": schema})
    return sorted(text.replace(schema + ".", "").split("\n"))


def check_migrated(name, url, known, before):
    assert content(name, known) == before
    kecs("--db", shared.url(name, schema="fresh"), "stat")
    kecs("--db", shared.url(name, schema="fresh"), "put", "cluster", "-", stdin='{"clusterName":"first"}')
    assert versions(name) == versions(name, "fresh"), versions(name)
    assert len(versions(name)) > 1
    assert shape(name, "old") == shape(name, "fresh"), set(shape(name, "old")) ^ set(shape(name, "fresh"))
    kecs("--db", url, "put", "cluster", "-", stdin='{"clusterName":"later"}')
    kecs("--db", url, "get", "cluster", "later")
    kecs("--db", url, "put", "task_definition", "-", stdin='{"family":"gone","containerDefinitions":[]}')
    kecs("--db", url, "get", "task_definition", "gone:2")  # the counter goes on


def test_one_process():
    url = old_database("one")
    known = {table: columns("one", table) for table in tables("one")}
    before = content("one", known)
    assert sum(int(text.split()[0]) for text in before.values()) > 30, before
    refused = kecs("--db", url, "--read-only", "list", "task", code=None)
    assert refused.code != 0 and b"must be migrated" in refused.err, refused
    assert versions("one") == ["1"] and content("one", known) == before
    assert kecs("--db", url, "list", "task", "--json").json()
    check_migrated("one", url, known, before)


def test_several_at_once():
    for number in range(3):
        name = "many%d" % number
        url = old_database(name)
        known = {table: columns(name, table) for table in tables(name)}
        before = content(name, known)
        openers = [subprocess.Popen([KECS, "--db", url, "list", "task", "--json"], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, env=clean_environment()) for _ in range(2 + 4 * number)]
        said = [(one.communicate()[0], one.returncode) for one in openers]
        assert all(code == 0 for _, code in said), said
        assert len({text for text, _ in said}) == 1, said
        check_migrated(name, url, known, before)


def test_who_may_not_changes_nothing():
    """Another login may not migrate: it says so, and the schema stays as it was."""
    old_database("guarded")
    shared.create_user("guest", "gu3st")
    shared.sql("guarded", "GRANT USAGE ON SCHEMA old TO guest; "
                          "GRANT SELECT,INSERT,UPDATE,DELETE ON ALL TABLES IN SCHEMA old TO guest")
    answer = kecs("--db", shared.url("guarded", user="guest", password="gu3st", schema="old"), "list", "task", code=7)
    assert b"owner" in answer.err, answer
    assert versions("guarded") == ["1"]


if __name__ == "__main__":
    os.environ.pop("KECS_DB", None)
    with Server() as shared:
        result = run(globals())
    sys.exit(result)
