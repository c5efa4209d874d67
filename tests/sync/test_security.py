#!/usr/bin/env python3
"""docs/postgresql/sync_roles.sql: a login for each site, held to its scope by row-level security, and a login that
sites share, which may only call functions that ask for a token. Both sync, and neither lets anybody out of his scope:
not by raw SQL, by guessed names, tenants and tokens, nor by settings."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, ROOT, Driver, run_tests  # noqa: E402

from server import PASSWORD as OWNERS_PASSWORD, Server, clean_environment, find_program, heed_signals  # noqa: E402

SCRIPTS = ROOT / "docs" / "postgresql"
BASE = "hubs"
PASSWORD = "s3cret"
TABLES = ("clusters", "services", "tasks", "account_settings", "resource_tags")
server = None


def script(name):
    done = subprocess.run([find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(SCRIPTS / name),
                           server.socket_url(BASE)], env=clean_environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def url(role, tenant="fleet"):
    return server.url(BASE, user=role, password=PASSWORD, schema="kecs", tenant=tenant)


def sql(text):
    return server.sql(BASE, "SET search_path=kecs; " + text)


def psql(role, text):
    """What a login's SQL gives: rows as lines; or its SQLSTATE and message."""
    done = subprocess.run([find_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-v",
                           "VERBOSITY=verbose", "-c", text, server.url(BASE, user=role, password=PASSWORD)],
                          env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.split("\n")[0].replace("ERROR:  ", "")


def denied(role, text, state="42501"):
    answer = psql(role, text)
    assert answer.startswith(state), (role, text, answer)


class Edge:
    """A file of its own, synced by a login as a site."""

    count = 0

    def __init__(self, site, login, tenant="fleet", token=None, path=None):
        Edge.count += 1
        self.folder = tempfile.TemporaryDirectory(prefix="kecs_sec_")
        self.path = path or os.path.join(self.folder.name, "edge.db")
        self.words = ("edge", "e", site, 100, url(login, tenant)) + (("token=" + token,) if token else ())
        self.driver = Driver()
        self.driver.ok("open", "e", self.path)
        self.driver.ok(*self.words)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.close()
        self.folder.cleanup()

    def put(self, kind, /, **document):
        self.driver.ok("put", "e", kind, json.dumps(document))

    def sync(self):
        numbers = list(map(int, self.driver.ok("sync", "e").split()))
        return {"pushed": numbers[0], "refused": numbers[1], "pulled": numbers[2], "left": numbers[-1]}

    def fails(self, code, word=""):
        status, text = self.driver.ask("sync", "e")
        assert status == code and word in text, (status, text)
        assert self.words[-1] not in text and PASSWORD not in text, text
        return text

    def has(self, kind, key):
        return self.driver.ask("get", "e", kind, key)[0] == "KECS_OK"


def prepare():
    server.create_database(BASE, owner="postgres")
    script("roles.sql")
    server.sql(BASE, "ALTER ROLE kecs_owner LOGIN PASSWORD '%s'" % PASSWORD)
    with_driver = Driver()
    for tenant in ("fleet", "other"):
        with_driver.ok("init", url("kecs_owner", tenant))
    for _ in range(2):  # all may run again
        for name in ("roles.sql", "rls.sql", "sync_roles.sql"):
            script(name)
    for role, group in (("cellar", "site"), ("attic", "site"), ("stranger", "site"), ("edges", "edges"),
                        ("app", "app")):
        server.sql(BASE, "CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE kecs_%s" % (role, PASSWORD, group))
    server.sql(BASE, "INSERT INTO kecs_access.role_sites VALUES ('cellar','fleet','cellar'),('attic','fleet','attic'); "
                     "INSERT INTO kecs_access.role_tenants VALUES ('app','fleet')")
    return with_driver


def owner(*words):
    driver = Driver()
    try:
        return driver.ok(words[0], url("kecs_owner", "fleet"), *words[1:])
    finally:
        driver.close()


def fill():
    """By the program of the tenant: two clusters, and what belongs to none. The same names in another tenant."""
    for tenant, login in (("fleet", "app"), ("other", "kecs_owner")):
        driver = Driver()
        driver.ok("open", "p", url(login, tenant))
        for name in ("shop", "back"):
            driver.ok("put", "p", "cluster", json.dumps({"clusterName": name}))
            driver.ok("put", "p", "service", json.dumps({"serviceName": "web", "cluster": name, "desiredCount": 1,
                                                         "taskDefinition": "web:1"}))
            driver.ok("put", "p", "task", json.dumps({"taskArn": ARN + "task/%s/t1" % name, "cluster": name,
                                                      "taskDefinitionArn": "web:1"}))
        driver.ok("put", "p", "account_setting", json.dumps({"name": "taskLongArnFormat", "value": "enabled",
                                                             "principalArn": "root"}))
        driver.close()


def content(tenant, where="true"):
    return [sql("SELECT row_to_json(t) FROM %s t WHERE tenant='%s' AND sync_owner_%s(t)<>'%scluster/shop' AND %s ORDER "
                "BY rid" % (table, tenant, table, ARN, where)) for table in TABLES]


# ---- a login for each site ----

def test_0_a_login_of_the_whole_tenant():
    with Edge("attic", "attic") as edge:
        assert edge.sync()["pulled"] == 7
        edge.put("cluster", clusterName="roof")
        assert edge.sync() == {"pushed": 1, "refused": 0, "pulled": 0, "left": 0}
        assert edge.driver.ok("del", "e", "cluster", "roof") == ""
        assert edge.sync()["pushed"] == 1
    with Edge("attic", "attic", tenant="other") as edge:
        edge.fails("KECS_E_DENIED")
    with Edge("cellar", "attic") as edge:
        edge.fails("KECS_E_DENIED")


def test_1_a_login_of_a_cluster():
    owner("grant", "cellar", "shop")
    with Edge("cellar", "cellar") as edge:
        assert edge.sync()["pulled"] == 3
        assert edge.has("cluster", "shop") and not edge.has("cluster", "back")
        edge.driver.ok("set", "e", "service", "shop,web", "desired_count=5")
        edge.put("cluster", clusterName="mine")
        edge.put("task", taskArn=ARN + "task/shop/gone", cluster="shop", taskDefinitionArn="web:1")
        assert edge.sync() == {"pushed": 2, "refused": 1, "pulled": 0, "left": 0}
        edge.driver.ok("del", "e", "task", ARN + "task/shop/gone")
        assert edge.sync()["refused"] == 1
        assert sql("SELECT count(*) FROM tasks WHERE arn LIKE '%gone'") == "0"
        assert sql("SELECT desired_count FROM services WHERE tenant='fleet' AND arn LIKE '%shop/web'") == "5"
        before = content("fleet"), content("other")
        owner("revoke", "cellar", "shop")
        assert edge.sync()["left"] == 3
        owner("grant", "cellar", "shop")
        assert edge.sync()["pulled"] == 3
        assert (content("fleet"), content("other")) == before


def test_1_a_login_is_told_what_is_asked_of_it():
    with Edge("cellar", "cellar") as edge:
        edge.sync()
        for site in ("cellar", "*"):
            owner("limit", site, 0, 0, "the database is moved")
            edge.fails("KECS_E_BUSY", "the database is moved")
            owner("limit", site, "none")
        owner("limit", "attic", 0, 0, "not for the cellar")
        edge.sync()
        owner("limit", "attic", "none")


def test_2_raw_sql_of_a_site():
    before = content("fleet"), content("other"), content("fleet", "false")
    seen = "SELECT count(*) FROM kecs.%s t WHERE tenant<>'fleet' OR kecs.sync_owner_%s(t)<>'%scluster/shop'"
    for table in TABLES:
        assert psql("cellar", seen % (table, table, ARN)) == "0", table
        assert psql("stranger", "SELECT count(*) FROM kecs." + table) == "0", table
        assert psql("cellar", "WITH d AS (DELETE FROM kecs.%s t WHERE kecs.sync_owner_%s(t)<>'%scluster/shop' "
                              "RETURNING 1) SELECT count(*) FROM d" % (table, table, ARN)) == "0", table
    assert psql("cellar", "SELECT count(*) FROM kecs.tasks") == "1"
    copy = ("INSERT INTO kecs.tasks(tenant,arn,id,cluster_arn,task_definition_arn,containers,last_status,"
            "desired_status,launch_type,enable_execute_command,family,created_at,updated_at,version,{more}) "
            "SELECT {tenant},{arn},'x1',{cluster},'','','','','',false,'',1,1,1,{values} FROM kecs.tasks t LIMIT 1")
    needed = [line.split("|") for line in sql(
        "SELECT column_name,data_type FROM information_schema.columns WHERE table_schema='kecs' AND table_name='tasks' "
        "AND is_nullable='NO' AND column_default IS NULL AND is_identity='NO'").split("\n")]
    known = copy.split("(")[1].split(")")[0].split(",")
    extra = [(name, kind) for name, kind in needed if name not in known]
    more = ",".join([name for name, _ in extra] + ["overrides"])
    values = ",".join(["''" if kind == "text" else "false" if kind == "boolean" else "0" for _, kind in extra]
                      + ["NULL"])
    for tenant, arn, cluster in (("'other'", "task/shop/x1", "shop"), ("'fleet'", "task/back/x1", "back"),
                                 ("'fleet'", "task/shop/x1", "back"), ("'fleet'", "task/x1", "shop")):
        denied("cellar", copy.format(more=more, values=values, tenant=tenant, arn="'%s%s'" % (ARN, arn),
                                     cluster="'%scluster/%s'" % (ARN, cluster)))
    denied("cellar", "UPDATE kecs.services SET tenant='other'", "23001")
    denied("cellar", "UPDATE kecs.services SET cluster_arn='%scluster/back'" % ARN)
    number = sql("SELECT site FROM sync_sites WHERE tenant='fleet' AND name='cellar'")
    theirs = sql("SELECT site FROM sync_sites WHERE tenant='fleet' AND name='attic'")
    for text in ("TRUNCATE kecs.tasks", "DROP TABLE kecs.tasks", "ALTER TABLE kecs.tasks DISABLE ROW LEVEL SECURITY",
                 "DROP POLICY kecs_site_rows ON kecs.tasks", "SET row_security=off; SELECT * FROM kecs.tasks",
                 "INSERT INTO kecs.sync_grants VALUES('fleet','cellar','-')", "DELETE FROM kecs.sync_grants",
                 "UPDATE kecs.sync_grants SET cluster='-'", "SELECT * FROM kecs.sync_tokens",
                 "INSERT INTO kecs.sync_limits(tenant,site) VALUES('fleet','cellar')", "DELETE FROM kecs.sync_limits",
                 "UPDATE kecs.sync_limits SET pause=NULL",
                 "INSERT INTO kecs_access.role_sites VALUES('stranger','fleet','attic')",
                 "UPDATE kecs_access.role_sites SET site='attic'", "SET ROLE attic", "SET SESSION AUTHORIZATION attic",
                 "SET ROLE kecs_owner", "UPDATE kecs.sync_sites SET name='attic'", "UPDATE kecs.sync_sites SET site=1",
                 "UPDATE kecs.sync_hubs SET id=md5('x')::uuid", "SELECT * FROM kecs.sync_conflicts",
                 "SELECT past FROM kecs.change_queue", "SELECT * FROM kecs.history", "DELETE FROM kecs.changes",
                 "INSERT INTO kecs.sync_sites(tenant,site,name) VALUES('fleet',99,'new')",
                 "INSERT INTO kecs.change_queue(tenant,kind,rid,groups,op,stamp,key) VALUES('fleet',4,0,15,3,1,"
                 "'%stask/back/t1')" % ARN,
                 "INSERT INTO kecs.change_queue(tenant,kind,rid,groups,op,stamp) VALUES('other',4,1,15,2,1)",
                 "INSERT INTO kecs.sync_refused VALUES('fleet',%s,4,'x','y')" % theirs,
                 "INSERT INTO kecs.sync_conflicts(tenant,kind,key,groups,reason,kept_stamp,kept_site,lost_stamp,"
                 "lost_site,lost,site,at) VALUES('fleet',4,'%stask/back/t1',1,'x',1,1,1,1,'{}',%s,1)" % (ARN, number),
                 "SELECT kecs.gate_told('x','attic','fleet','attic')", "SELECT kecs.sync_check('fleet','attic','x')"):
        denied("cellar", text)
    assert psql("cellar", "WITH u AS (UPDATE kecs.sync_sites SET push='x' WHERE name='attic' RETURNING 1) "
                          "SELECT count(*) FROM u") == "0"
    assert psql("cellar", "SELECT count(*) FROM kecs.sync_grants WHERE site<>'cellar'") == "0"
    for site in ("cellar", "attic", "*"):
        owner("limit", site, 0, 5)
    assert psql("cellar", "SELECT string_agg(site,',' ORDER BY site) FROM kecs.sync_limits") == ",cellar"
    assert psql("stranger", "SELECT count(*) FROM kecs.sync_limits") == "0"
    for site in ("cellar", "attic", "*"):
        owner("limit", site, "none")
    assert psql("cellar", "SELECT count(*) FROM kecs.change_tombstones "
                          "WHERE kecs.sync_scope(kind,key)<>'%scluster/shop'" % ARN) == "0"
    for setting in ("kecs_store.sender", "kecs_store.site", "kecs_store.push", "kecs.schema", "application_name"):
        assert psql("cellar", "SET %s='%s'; SELECT count(*) FROM kecs.tasks" % (setting, theirs)) == "1", setting
    assert (content("fleet"), content("other"), content("fleet", "false")) == before


def test_3_functions_as_somebody_else():
    """The functions run as who calls them: another site's number opens nothing."""
    theirs = sql("SELECT site FROM sync_sites WHERE tenant='fleet' AND name='attic'")
    assert psql("cellar", "SELECT count(*) FROM kecs.sync_page_tasks('fleet',%s,0,100,NULL,NULL)"
                % theirs) in ("0", "1")
    assert psql("cellar", "SELECT count(*) FROM kecs.sync_page_tasks('other',%s,0,100,NULL,NULL)" % theirs) == "0"
    denied("cellar", "SELECT kecs.sync_begin('fleet',%s,'new',(SELECT push FROM kecs.sync_sites WHERE site=%s),false,0)"
           % (theirs, theirs), "KS001")
    denied("cellar", "SELECT kecs.sync_hello('fleet','attic',0,'',0)")


def test_4_a_login_that_is_revoked():
    server.sql(BASE, "CREATE ROLE shed LOGIN PASSWORD '%s' IN ROLE kecs_site; INSERT INTO kecs_access.role_sites "
                     "VALUES ('shed','fleet','shed')" % PASSWORD)
    with Edge("shed", "shed") as edge:
        edge.sync()
        edge.put("cluster", clusterName="late")
        server.sql(BASE, "REVOKE kecs_site FROM shed")
        edge.fails("KECS_E_DENIED")
        assert edge.has("cluster", "late") and edge.has("cluster", "shop")
        server.sql(BASE, "GRANT kecs_site TO shed; DELETE FROM kecs_access.role_sites WHERE role='shed'")
        edge.fails("KECS_E_DENIED")
        assert edge.has("cluster", "late")
        server.sql(BASE, "INSERT INTO kecs_access.role_sites VALUES ('shed','fleet','shed')")
        assert edge.sync()["pushed"] == 1
        assert sql("SELECT count(*) FROM clusters WHERE name='late'") == "1"
        edge.driver.ok("del", "e", "cluster", "late")
        edge.sync()


# ---- a login for all, and tokens ----

def test_5_a_token():
    token = owner("token", "porch")
    owner("grant", "porch", "back")
    assert len(token) == 64 and token not in sql("SELECT t::text FROM sync_tokens t")
    assert sql("SELECT length(hash) FROM sync_tokens WHERE site='porch'") == "32"
    with Edge("porch", "edges", token=token) as edge:
        assert edge.sync()["pulled"] == 3
        edge.driver.ok("set", "e", "service", "back,web", "desired_count=4")
        edge.put("cluster", clusterName="mine")
        edge.put("task", taskArn=ARN + "task/back/gone", cluster="back", taskDefinitionArn="web:1")
        assert edge.sync() == {"pushed": 2, "refused": 1, "pulled": 0, "left": 0}
        edge.driver.ok("del", "e", "task", ARN + "task/back/gone")
        edge.sync()
        assert sql("SELECT desired_count FROM services WHERE tenant='fleet' AND arn LIKE '%back/web'") == "4"
        assert sql("SELECT count(*) FROM tasks WHERE arn LIKE '%gone'") == "0"
        sql("UPDATE change_batches SET id=md5(random()::text)::uuid WHERE tenant='fleet'")
        edge.sync()  # a reconciliation goes the same way
        owner("revoke", "porch", "back")
        assert edge.sync()["left"] == 3
        owner("grant", "porch", "back")
        assert edge.sync()["pulled"] == 3


def test_5_a_token_is_told_what_is_asked_of_its_site():
    token = owner("token", "garden")
    with Edge("garden", "edges", token=token) as edge:
        edge.sync()
        owner("limit", "garden", 0, 0, "the database is moved")
        edge.fails("KECS_E_BUSY", "the database is moved")
        owner("limit", "garden", "none")
        edge.sync()
    for text in ("SELECT * FROM kecs.sync_limits", "SELECT kecs.sync_limits_of('fleet','garden')"):
        denied("edges", text)


def test_6_wrong_tokens():
    right, other = owner("token", "porch"), owner("token", "yard")
    with Edge("porch", "edges", token=right) as edge:
        edge.sync()
        edge.driver.ok("set", "e", "service", "back,web", "desired_count=11")
        for token in (other, "0" * 64, right[:-1] + ("0" if right[-1] != "0" else "1"), None):
            with Edge("porch", "edges", token=token, path=edge.path) as thief:
                thief.fails("KECS_E_DENIED", "" if token is None else "token")
        with Edge("porch", "edges", tenant="other", token=right) as thief:
            thief.fails("KECS_E_DENIED", "token")
        with Edge("nobody", "edges", token=right) as thief:
            thief.fails("KECS_E_DENIED", "token")
        owner("revoke", "porch")
        edge.fails("KECS_E_DENIED", "kecs hub token")
        assert edge.has("service", "back,web")
        again = owner("token", "porch")
        edge.fails("KECS_E_DENIED", "token")  # the old one is worth nothing
        with Edge("porch", "edges", token=again, path=edge.path) as edge2:
            assert edge2.sync()["pushed"] == 1
    status, text = Driver().ask("edge", "e", "porch", 100, url("edges"), "token=short")
    assert status == "KECS_E_INVALID" and "short" not in text, (status, text)


def test_7_raw_sql_of_the_shared_login():
    token, other = owner("token", "porch"), owner("token", "yard")
    sites = {name: sql("SELECT coalesce((SELECT site FROM sync_sites WHERE tenant='fleet' AND name='%s'),0)" % name)
             for name in ("porch", "attic")}
    before = content("fleet"), content("other"), content("fleet", "false")
    for table in sql("SELECT tablename FROM pg_tables WHERE schemaname='kecs'").split("\n"):
        for verb in ("SELECT * FROM kecs.%s", "DELETE FROM kecs.%s", "INSERT INTO kecs.%s DEFAULT VALUES",
                     "COPY kecs.%s TO STDOUT", "TRUNCATE kecs.%s"):
            denied("edges", verb % table)
    assert psql("edges", "SELECT count(*) FROM pg_proc p WHERE pronamespace='kecs'::regnamespace "
                         "AND proname !~ '^gate_' AND proname NOT IN ('sync_version','sync_policy') "
                         "AND has_function_privilege(p.oid,'EXECUTE')") == "0"
    page = "SELECT count(*) FROM kecs.gate_page_tasks('%s','%s','%s',%s,0,100,NULL,NULL)"
    assert psql("edges", page % (token, "porch", "fleet", sites["porch"])) == "1"
    for text in (page % (token, "attic", "fleet", sites["attic"]), page % (token, "porch", "fleet", sites["attic"]),
                 page % (other, "porch", "fleet", sites["porch"]), page % (token, "porch", "other", sites["porch"]),
                 page % ("", "porch", "fleet", sites["porch"]), page % (token, "porch", "fleet", "NULL"),
                 "SELECT kecs.gate_told('%s','porch','fleet','attic')" % token,
                 "SELECT kecs.gate_scopes('%s','porch','fleet','attic',NULL)" % token,
                 "SELECT kecs.gate_hello('%s','porch','fleet','attic',0,'',0)" % token,
                 "SELECT kecs.gate_begin('%s','porch','fleet',%s,'a','b',false,0)" % (token, sites["attic"])):
        for setting in ("", "SET kecs_store.sender='%s'; " % sites["attic"], "SET kecs_store.push='open'; ",
                        "SET search_path=pg_temp; CREATE TEMP TABLE sync_tokens(tenant text,site text,hash bytea); "):
            denied("edges", setting + text, "KS006")
    # A key that says one thing and columns that say another; a deletion of what is another's; another's number in it.
    bury = ("SET kecs_store.push='open'; SET kecs_store.sender='%s'; "
            "SELECT kecs.gate_bury_tasks('%s','porch','fleet',%s,0,"
            "ARRAY['%s'],ARRAY[9223372036854775807>>1],ARRAY['%s'])")
    for key, column in (("task/shop/t1", "task/shop/t1"), ("task/back/t1", "task/shop/t1"),
                        ("task/shop/t1", "task/back/t1")):
        for number in (sites["porch"], sites["attic"]):
            answer = psql("edges", bury % (sites["attic"], token, number, ARN + key, ARN + column))
            assert answer == "", answer
    assert sql("SELECT count(*) FROM sync_refused WHERE site=%s AND code='KS005'" % sites["porch"]) != "0"
    assert (content("fleet"), content("other"), content("fleet", "false")) == before
    assert sql("SELECT count(*) FROM tasks WHERE tenant='fleet'") == "2"


def test_8_no_token_is_written_anywhere():
    token = owner("token", "porch")
    with Edge("porch", "edges", token=token) as edge, Edge("porch", "edges", token="f" * 64) as thief:
        edge.sync()
        thief.fails("KECS_E_DENIED")
        activity = server.sql(BASE, "SELECT query FROM pg_stat_activity")
        with open(edge.path, "rb") as file:
            assert token.encode() not in file.read()
    tables = server.sql(BASE, "SELECT tablename FROM pg_tables WHERE schemaname='kecs'").split("\n")
    assert token not in activity and "f" * 64 not in activity
    for table in tables:
        assert token not in server.sql(BASE, "SELECT t::text FROM kecs.%s t" % table), table
    logs = [path for path in pathlib.Path(server.folder.path).rglob("*")
            if path.is_file() and path.suffix in ("", ".log") and "base" not in path.parts and "log" in path.name]
    for path in logs:
        text = path.read_bytes()
        assert token.encode() not in text and b"f" * 64 not in text, path
    kecs = os.environ.get("KECS", str(ROOT / "build/kecs"))
    done = subprocess.run([kecs, "--db", url("kecs_owner"), "hub", "token", "garage"], text=True, capture_output=True,
                          env=clean_environment())
    printed = done.stdout.strip()
    assert done.returncode == 0 and len(printed) == 64 and printed not in done.stderr, done
    with tempfile.TemporaryDirectory() as folder:
        edge = os.path.join(folder, "e.db")
        subprocess.run([kecs, "--db", edge, "put", "cluster", "-"], text=True, input='{"clusterName":"x"}', check=True,
                       env=clean_environment(), stdout=subprocess.DEVNULL)
        words = [kecs, "--db", edge, "sync", "--hub", url("edges"), "--site", "garage"]
        for token, code in ((printed, 0), ("0" * 64, 7)):
            done = subprocess.run(words, text=True, capture_output=True,
                                  env=dict(clean_environment(), KECS_TOKEN=token))
            assert done.returncode == code and token not in done.stdout + done.stderr, done


def main():
    global server
    heed_signals()
    with Server() as server:
        prepare().close()
        fill()
        return run_tests(globals(), sys.argv[1] if len(sys.argv) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
