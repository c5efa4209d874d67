#!/usr/bin/env python3
"""docs/postgresql/partitions.sql: what was there stays, the store works on the partitioned tables as before (contract
tests run on them), partitions are made ahead, dropped whole, and reached through the table alone."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
from kecs_cli import Box, kecs, run  # noqa: E402
from kecs_migrate import export, fill, line, migrate  # noqa: E402
from server import Server, clean_environment, find_program  # noqa: E402

SCRIPTS = ROOT / "docs" / "postgresql"
CONTRACT = ROOT / "build" / "test" / "postgres" / "contract"
ARN = "arn:aws:ecs:us-east-1:000000000000:"
shared = None


def script(database, *names, **variables):
    options = [word for pair in variables.items() for word in ("-v", "%s=%s" % pair)]
    files = [word for name in names for word in ("-f", str(SCRIPTS / name))]
    done = subprocess.run([find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, *files,
                           shared.socket_url(database)], env=clean_environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, timeout=120)
    assert done.returncode == 0 and done.stdout.strip() == "", done.stdout


def log(name, time, **more):
    return line("task_log", id=name, taskArn=ARN + "task/shop/1", containerName="web", timestamp=time, createdAt=time,
                logLine="line " + name, **more)


def event(name, time):
    return line("event", id=name, eventType="TASK", resourceArn=ARN + "task/shop/1", action="CREATE",
                resourceType="task", data={"n": name}, timestamp=time)


def load(url, *lines):
    answer = kecs("--db", url, "import", "-", "--json", stdin="\n".join(lines)).json()
    assert not answer["refused"], answer["refused"]


def epoch(text):
    """Of a moment in SQL; the server's time zone is UTC."""
    return int(shared.sql("kecs", "SELECT extract(epoch FROM %s)::bigint" % text))


def parts(database, table):
    return shared.sql(database, "SELECT part FROM kecs_partitions.list('kecs', '%s') ORDER BY 1" % table).split("\n")


def rows(database, table):
    return int(shared.sql(database, "SELECT count(*) FROM kecs.%s" % table))


def ids(url, kind, *arguments):
    return [item["id"] for item in kecs("--db", url, "list", kind, "--json", *arguments).json()["items"]]


def database(name, lines):
    """Two tenants with rows of every sort, partitioned."""
    shared.create_database(name)
    a, b = (shared.url(name, schema="kecs", tenant=tenant) for tenant in "ab")
    with Box() as box:
        fill(box.db)
        migrate(box.db, a)
    if lines:
        load(b, *lines)
    before = export(a), export(b)
    script(name, "partitions.sql")
    assert (export(a), export(b)) == before
    return a, b


def test_what_was_there_stays():
    now = epoch("now()")
    a, b = database("stay", [log("old", now - 86400 * 400), log("far", now + 86400 * 400), event("new", now)])
    assert shared.sql("stay", "SELECT string_agg(relkind::text, '') FROM pg_class WHERE relname IN ('task_logs', "
                              "'events') AND relnamespace = 'kecs'::regnamespace") == "pp"
    for table in ("task_logs", "events"):
        made = parts("stay", table)
        assert len(made) == 4 and table + "_before" in made and table + "_rest" in made, made
        assert rows("stay", table + "_rest") == (1 if table == "task_logs" else 0)
    text = export(a), export(b)
    script("stay", "partitions.sql")  # again
    assert (export(a), export(b)) == text
    # Imported again nothing changes; rid goes on.
    kecs("--db", b, "import", "-", stdin=text[1])
    assert (export(a), export(b)) == text
    load(b, log("later", now), event("later", now + 86400 * 40))
    assert set(ids(b, "task_log")) == {"old", "far", "later"} and ids(b, "event") == ["later", "new"]
    assert int(shared.sql("stay", "SELECT count(*) - count(DISTINCT rid) FROM kecs.task_logs")) == 0
    kecs("--db", b, "get", "event", "later")
    kecs("--db", b, "delete", "event", "later")
    kecs("--db", b, "get", "event", "later", code=3)
    # A later version finds its indexes by their names.
    names = shared.sql("stay", "SELECT string_agg(indexname, ' ' ORDER BY 1) FROM pg_indexes WHERE schemaname = 'kecs' "
                               "AND tablename = 'task_logs'")
    for name in ("task_logs_task", "task_logs_newest", "task_logs_retention"):
        assert name in names.split(), names
    with Box() as box:
        copy = str(box.path / "copy.db")
        migrate(b, copy)
        assert export(copy) == export(b)


def test_upkeep():
    months = {name: epoch("date_trunc('month', now()) + interval '%s'" % name)
              for name in ("-2 months", "1 month", "2 months", "3 months", "5 months")}
    a, b = database("upkeep", [])

    def upkeep(months_later, **keep):
        keeps = "".join(", %s => '%s'" % pair for pair in keep.items())
        return shared.sql("upkeep", "SELECT did || ' ' || part || ' ' || row_count FROM kecs_partitions.upkeep('kecs', "
                                    "today => date_trunc('month', now()) + interval '%d months 20 days'%s)"
                          % (months_later, keeps)).split("\n")

    assert upkeep(0) == [""]
    for url in (a, b):
        load(url, *[log("%s %s" % (url[-1], name), time + 3600) for name, time in months.items()])
        load(url, *[event("%s %s" % (url[-1], name), time + 3600) for name, time in months.items()])
    assert rows("upkeep", "task_logs_rest") == rows("upkeep", "events_rest") == 4  # in 3 and 5 months
    text = export(a), export(b)
    told = upkeep(1)
    assert len(told) == 2 and all(one.startswith("made ") for one in told), told
    assert rows("upkeep", "task_logs_rest") == 2 and (export(a), export(b)) == text
    # All of the first partitions is older now; of the next one, a part.
    told = upkeep(3, keep_logs="40 days")
    assert [one.split()[0] for one in told] == ["made"] * 2 + ["dropped"] * 2 + ["deleted"] + ["made"] * 2, told
    assert told[2] == "dropped task_logs_before 8" and told[3].endswith(" 2") and told[4] == "deleted task_logs 2", told
    assert "task_logs_before" not in parts("upkeep", "task_logs") and "events_before" in parts("upkeep", "events")
    left = {name.split(" ", 1)[1] for name in ids(b, "task_log")}
    assert "3 months" in left and "5 months" in left and "-2 months" not in left, left
    # Empty ones of the past go, whoever has emptied them; events stay.
    for url in (a, b):
        for name in ids(url, "event"):
            kecs("--db", url, "delete", "event", name)
    told = upkeep(4)
    assert "dropped events_before 0" in told, told
    assert not any(one.startswith("deleted") for one in told), told
    load(a, event("again", months["-2 months"]))  # no month of its own any more
    assert ids(a, "event") == ["again"]


def test_roles_on_partitions():
    database("roles", [log("1", 1700000000), event("1", 1700000000)])
    secret = "s3cret"
    script("roles", "roles.sql", "rls.sql")
    b = shared.socket_url("roles", schema="kecs", tenant="b")  # the tables are another owner's now
    shared.sql("roles", "CREATE ROLE shop LOGIN PASSWORD '%s' IN ROLE kecs_app; "
                        "INSERT INTO kecs_access.role_tenants VALUES ('shop', 'a')" % secret)
    mine, other = (shared.url("roles", user="shop", password=secret, schema="kecs", tenant=tenant) for tenant in "ab")
    load(mine, log("mine", 1700000000), event("mine", 4000000000))
    assert "mine" in ids(mine, "task_log") and export(other) == b"" and "1" in ids(b, "event")
    kecs("--db", other, "import", "-", stdin=log("x", 1700000000), code=7)
    for table in ("task_logs_before", "task_logs_rest", "events_before", "events_rest"):
        try:
            shared.sql("roles", "SET ROLE shop; SELECT count(*) FROM kecs.%s" % table)
            raise AssertionError(table + " can be read past the policies")
        except Exception as problem:
            assert "permission denied" in str(problem), problem
    # Roles first, partitions then.
    shared.create_database("roles2", owner="postgres")
    script("roles2", "roles.sql")
    shared.sql("roles2", "ALTER ROLE kecs_owner LOGIN PASSWORD '%s'" % secret)
    kecs("--db", shared.url("roles2", user="kecs_owner", password=secret, schema="kecs"), "stat")
    script("roles2", "roles.sql", "rls.sql")
    shared.sql("roles2", "INSERT INTO kecs_access.role_tenants VALUES ('shop', 'a')")
    script("roles2", "partitions.sql")
    for _ in range(2):
        url = shared.url("roles2", user="shop", password=secret, schema="kecs", tenant="a")
        load(url, log("mine", 1700000000), event("mine", 4000000000))
        assert ids(url, "task_log") == ["mine"]
        assert export(shared.url("roles2", user="shop", password=secret, schema="kecs", tenant="b")) == b""
        for table in ("task_logs", "events"):
            assert shared.sql("roles2", "SET ROLE shop; SELECT string_agg(tenant, '') FROM kecs.%s" % table) == "a"
        script("roles2", "roles.sql", "rls.sql")


def test_the_contract_holds():
    names = ("test_ecs_operations", "test_every_kind", "test_rows", "test_paging", "test_query", "test_refusals")
    programs = [CONTRACT / name for name in names if (CONTRACT / name).is_file()]
    for program in programs:
        name = "contract_" + program.name
        shared.create_database(name)
        kecs("--db", shared.url(name), "stat")
        script(name, "partitions.sql", schema="public")
        done = subprocess.run([str(program)], env=dict(os.environ, KECS_TEST_POSTGRES=shared.url(name),
                                                       CMOCKA_MESSAGE_OUTPUT="TAP"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=300)
        bad = [text for text in done.stdout.split("\n") if text.startswith("not ok")]
        assert done.returncode == 0 and not bad, "%s: %s\n%s" % (program.name, bad, done.stdout[-3000:])


if __name__ == "__main__":
    os.environ.pop("KECS_DB", None)
    with Server() as shared:
        result = run(globals())
    sys.exit(result)
