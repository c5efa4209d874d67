#!/usr/bin/env python3
"""docs/postgresql/roles.sql and rls.sql: what each role may do, and that a tenant's login can neither read nor write
another tenant's rows, nor learn by errors and counts what there is."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
from kecs_cli import Box, DATA, kecs, run  # noqa: E402
from kecs_migrate import export, fill, migrate  # noqa: E402
from server import Server, clean_environment, find_program  # noqa: E402

SCRIPTS = ROOT / "docs" / "postgresql"
KECS_DATABASE = "roles"
ARN = "arn:aws:ecs:us-east-1:000000000000:"
PASSWORD = "s3cret"
shared = None


def script(name, **variables):
    options = [word for pair in variables.items() for word in ("-v", "%s=%s" % pair)]
    done = subprocess.run([find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, "-f",
                           str(SCRIPTS / name), shared.socket_url(KECS_DATABASE)], env=clean_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def url(role, tenant, **options):
    return shared.url(KECS_DATABASE, user=role, password=PASSWORD, schema="kecs", tenant=tenant, **options)


def psql(role, text):
    """What a login's SQL gives: rows as lines; or its SQLSTATE and message."""
    done = subprocess.run([find_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-v",
                           "VERBOSITY=verbose", "-c", text,
                           shared.url(KECS_DATABASE, user=role, password=PASSWORD)], env=clean_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.split("\n")[0].replace("ERROR:  ", "")


def prepare():
    """The owner makes the tables; two tenants with a login and rows each; a reader of the first."""
    shared.create_database(KECS_DATABASE, owner="postgres")
    script("roles.sql")
    shared.sql(KECS_DATABASE, "ALTER ROLE kecs_owner LOGIN PASSWORD '%s'" % PASSWORD)
    kecs("--db", url("kecs_owner", "owner"), "stat")
    for role, group in (("shop_a", "app"), ("shop_b", "app"), ("look_a", "reader"), ("nobody_yet", "app")):
        shared.sql(KECS_DATABASE, "CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE kecs_%s" % (role, PASSWORD, group))
    for _ in range(2):  # both may run again
        script("roles.sql")
        script("rls.sql")
    shared.sql(KECS_DATABASE, "INSERT INTO kecs_access.role_tenants VALUES ('shop_a', 'a'), ('look_a', 'a'), "
                              "('shop_b', 'b')")
    kecs("--db", url("shop_b", "b"), "import", DATA)
    kecs("--db", url("shop_b", "b"), "put", "cluster", "-", stdin='{"clusterName":"secret"}')


def tables():
    return shared.sql(KECS_DATABASE, "SELECT table_name FROM information_schema.columns WHERE table_schema = 'kecs' "
                                     "AND column_name = 'tenant'").split("\n")


def test_0_the_store_works():
    with Box() as box:
        text = fill(box.db)
        before = export(url("shop_b", "b"))
        migrate(box.db, url("shop_a", "a"))
        assert export(url("shop_a", "a")) == text
        for arguments in (("update", "service", "shop,web", "--set", "desired_count=8"), ("list", "task"), ("stat",),
                          ("delete", "cluster", "shop"), ("import", str(DATA)), ("get", "service", "shop,web")):
            kecs("--db", url("shop_a", "a"), *arguments)
        assert export(url("shop_b", "b")) == before
        assert export(url("look_a", "a")) == export(url("shop_a", "a"))


def test_another_tenant_is_not_there():
    for role in ("shop_a", "look_a", "nobody_yet"):
        assert export(url(role, "b")) == b"", role
        answer = kecs("--db", url(role, "b"), "put", "cluster", "-", stdin='{"clusterName":"mine"}', code=7)
        assert b"42501" in answer.err or b"policy" in answer.err or b"permission" in answer.err, answer
    assert export(url("nobody_yet", "a")) == b""
    assert len(tables()) >= 20, tables()
    for table in tables():
        assert psql("shop_a", "SELECT count(*) FROM kecs.%s WHERE tenant <> 'a'" % table) == "0", table
        assert psql("nobody_yet", "SELECT count(*) FROM kecs.%s" % table) == "0", table


def test_nothing_is_written_there():
    before = export(url("shop_b", "b"))
    for table in tables():
        assert psql("shop_a", "WITH d AS (DELETE FROM kecs.%s WHERE tenant = 'b' RETURNING 1) SELECT count(*) FROM d"
                    % table) == "0", table
        assert psql("shop_a", "WITH d AS (UPDATE kecs.%s SET tenant = 'a' WHERE tenant = 'b' RETURNING 1) "
                              "SELECT count(*) FROM d" % table) == "0", table
        for verb in ("TRUNCATE kecs.%s", "ALTER TABLE kecs.%s DISABLE ROW LEVEL SECURITY", "DROP TABLE kecs.%s",
                     "DROP POLICY kecs_tenant ON kecs.%s"):
            assert psql("shop_a", verb % table).startswith("42501"), verb % table
    assert psql("shop_a", "UPDATE kecs.clusters SET tenant = 'b'").startswith("42501")
    for text in ("INSERT INTO kecs.schema_version VALUES (99, 0)", "CREATE TABLE kecs.mine (a int)",
                 "INSERT INTO kecs_access.role_tenants VALUES ('shop_a', 'b')",
                 "UPDATE kecs_access.role_tenants SET tenant = 'b'", "SET ROLE shop_b", "SET ROLE kecs_owner",
                 "SET SESSION AUTHORIZATION shop_b", "SELECT nextval('kecs.clusters_rid_seq')"):
        assert psql("shop_a", text).startswith("42501"), text
    assert psql("look_a", "DELETE FROM kecs.clusters").startswith("42501")
    assert export(url("shop_b", "b")) == before


def test_no_setting_opens_it():
    count = "SELECT count(*) FROM kecs.clusters WHERE tenant = 'b'"
    for text in ("SET kecs.tenant = 'b'; ", "SET kecs.schema = 'b'; ", "SET search_path = kecs_access; ",
                 "SET application_name = 'shop_b'; ", "SET ROLE kecs_app; "):
        assert psql("shop_a", text + count) == "0", text
    assert psql("shop_a", "SET row_security = off; " + count).startswith("42501")
    assert psql("shop_a", "SELECT count(*) FROM kecs.clusters; " + count).split("\n")[-1] == "0"
    assert psql("shop_a", "SELECT role, tenant FROM kecs_access.role_tenants") == "shop_a|a"
    assert psql("shop_a", "SELECT count(*) FROM pg_stats WHERE schemaname = 'kecs' AND attname <> 'version'") == "0"


def copy_of(columns, **change):
    """An INSERT of one of the tenant's own clusters with other values."""
    names = columns.split(",")
    return "INSERT INTO kecs.clusters (%s) SELECT %s FROM kecs.clusters LIMIT 1 RETURNING 1" % (
        columns, ",".join(change.get(name, name) for name in names))


def test_errors_tell_nothing():
    kecs("--db", url("shop_a", "a"), "put", "cluster", "-", stdin='{"clusterName":"own"}')
    columns = shared.sql(KECS_DATABASE, "SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE "
                                        "table_schema = 'kecs' AND table_name = 'clusters' AND column_name <> 'rid'")
    there, not_there = "'%scluster/secret'" % ARN, "'%scluster/nothing'" % ARN
    # The key that b has and one that nobody has: the same answer.
    for change in ({"tenant": "'b'", "id": "'x'", "name": "'x'"}, {"tenant": "'b'"}, {"tenant": "'nobody'"}):
        answers = {psql("shop_a", copy_of(columns, arn=arn, **change)) for arn in (there, not_there)}
        assert len(answers) == 1 and answers.pop().startswith("42501"), change
        answers = {psql("shop_a", copy_of(columns, arn=arn, **change).replace(
            "RETURNING", "ON CONFLICT DO NOTHING RETURNING")) for arn in (there, not_there)}
        assert len(answers) == 1 and answers.pop().startswith("42501"), change
    # b's own key is free for a, and b's cluster is no parent for a's rows.
    assert psql("shop_a", copy_of(columns, arn=there, id="'own-1'", name="'secret'")) == "1"
    assert psql("shop_a", "DELETE FROM kecs.clusters WHERE id = 'own-1'") == ""
    told = [psql("shop_a", "UPDATE kecs.services SET cluster_arn = %s" % arn) for arn in (there, not_there)]
    assert all(answer.startswith("23503") for answer in told), told
    assert told[0].replace("secret", "nothing") == told[1], told


def test_a_missing_grant_is_named():
    shared.sql(KECS_DATABASE, "REVOKE INSERT ON kecs.nodes FROM kecs_app; CREATE ROLE guest LOGIN PASSWORD '%s'"
               % PASSWORD)
    node = '{"nodeId":"fresh","hostname":"h","port":1,"status":"online"}'
    answer = kecs("--db", url("shop_a", "a"), "put", "node", "-", stdin=node, code=7).err.decode()
    assert "nodes" in answer and "GRANT" in answer and "roles.sql" in answer, answer
    script("roles.sql")
    kecs("--db", url("shop_a", "a"), "put", "node", "-", stdin=node)
    answer = kecs("--db", url("guest", "a"), "list", "node", code=7).err.decode()
    assert "GRANT" in answer, answer
    # A table that a later version makes is closed until the scripts have run.
    psql("kecs_owner", "CREATE TABLE kecs.later (tenant text NOT NULL)")
    try:
        assert psql("shop_a", "SELECT * FROM kecs.later").startswith("42501")
        script("roles.sql")
        script("rls.sql")
        psql("kecs_owner", "INSERT INTO kecs.later VALUES ('a'), ('b')")
        assert psql("shop_a", "SELECT tenant FROM kecs.later") == "a"
    finally:
        psql("kecs_owner", "DROP TABLE kecs.later")
    # Its own tables are not migrated by a program.
    shared.sql(KECS_DATABASE, "CREATE SCHEMA empty; GRANT USAGE ON SCHEMA empty TO shop_a")
    answer = kecs("--db", shared.url(KECS_DATABASE, user="shop_a", password=PASSWORD, schema="empty"), "put", "node",
                  "-", stdin=node, code=7).err.decode()
    assert "owner" in answer, answer


def test_many_rows_without_temporary_tables():
    """Many rows at once go through a temporary table; who may not make one stores the same rows all the same."""
    tasks = ['{"taskArn":"%stask/shop/%032x","clusterArn":"%scluster/shop","lastStatus":"%s"}' %
             (ARN, number, ARN, "%s") for number in range(200)]
    shared.sql(KECS_DATABASE, "REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC" % KECS_DATABASE)
    try:
        assert psql("shop_a", "CREATE TEMPORARY TABLE mine (a int)").startswith("42501")
        for status in ("PENDING", "RUNNING"):  # new rows, then changed ones
            answer = kecs("--db", url("shop_a", "a"), "import", "-", "--json",
                          stdin="\n".join(task % status for task in tasks)).json()
            assert answer["imported"] == {"task": 200} and not answer["refused"], answer
            assert psql("shop_a", "SELECT count(*) FROM kecs.tasks WHERE last_status='%s' AND arn LIKE '%%/shop/000%%'"
                        % status) == "200"
    finally:
        shared.sql(KECS_DATABASE, "GRANT TEMPORARY ON DATABASE %s TO PUBLIC" % KECS_DATABASE)


def test_another_schema():
    script("roles.sql", schema="fle et")
    script("rls.sql", schema="fle et")
    owner = shared.sql(KECS_DATABASE, "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'fle et'")
    assert owner == "kecs_owner", owner


if __name__ == "__main__":
    os.environ.pop("KECS_DB", None)
    with Server() as shared:
        prepare()
        result = run(globals())
    sys.exit(result)
