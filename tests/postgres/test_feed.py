#!/usr/bin/env python3
"""The change log on PostgreSQL: whoever writes is logged; numbers without a gap under writers that are slow, undone or
killed; nothing elsewhere holds it back; watches over servers that restart and connections that are cut.

    tests/postgres/test_feed.py [WORD]     only tests with WORD in their name"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
from kecs_cli import KECS, kecs, run  # noqa: E402
from server import Pooler, Proxy, Server, clean_environment, find_program  # noqa: E402
from test_outages import Driver  # noqa: E402
from test_roles import SCRIPTS  # noqa: E402

CREATED, UPDATED, DELETED = 1, 2, 3
NODE = ("INSERT INTO nodes(tenant,id,hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,version,"
        "omitted) VALUES('%s','%s','h',1,'up',0,0,0,0,1,0);\n")
shared = None
databases = 0


def database():
    global databases
    databases += 1
    shared.create_database("feed_%d" % databases)
    return "feed_%d" % databases


def tracked(tenant="a", name=None):
    """A database whose tenant is tracked, and its URL."""
    name = name or database()
    url = shared.url(name, tenant=tenant)
    kecs("--db", url, "track", "on")
    return name, url


def changes(url, since="oldest"):
    """(seq, op, kind, key, groups) of what is logged after a sequence."""
    answer = kecs("--db", url, "watch", "--from", since, "--for", "0", "--jsonl")
    return [(one["seq"], one["op"], one["kind"], one["key"], one.get("groups", [])) for one in answer.lines()]


def log(url):
    return kecs("--db", url, "track", "status", "--json").json()


class Session:
    """A psql that stays."""

    def __init__(self, name):
        self.process = subprocess.Popen(
            [find_program("psql"), "-X", "-A", "-t", "-q", "-h", str(shared.folder.path), "-p", str(shared.port), "-U",
             "postgres", "-d", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=clean_environment())

    def do(self, text):
        """Runs it to its end; what it printed."""
        self.process.stdin.write(text.rstrip(";\n") + ";\n\\echo ::done\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith("::done"):
                break
            lines.append(line.rstrip("\n"))
        return "\n".join(lines)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


# ---- What is logged -------------------------------------------------------------------------------------------------

def test_psql_writes_are_logged():
    name, url = tracked()
    shared.sql(name, NODE % ("a", "x") + "UPDATE nodes SET port=2 WHERE id='x'; UPDATE nodes SET status='down',port=3; "
               "UPDATE nodes SET updated_at=9; DELETE FROM nodes")
    assert [one[1:] for one in changes(url)] == [
        ("created", "node", "x", []), ("updated", "node", "x", ["spec"]), ("updated", "node", "x", ["spec", "status"]),
        ("updated", "node", "x", ["local"]), ("deleted", "node", "x", [])], changes(url)
    stamps = shared.sql(name, "SELECT stamp FROM changes WHERE tenant='a' ORDER BY seq").split("\n")
    assert stamps == sorted(stamps, key=int) and len(set(stamps)) == 6, stamps
    now = time.time() * 1000
    assert abs((int(stamps[-1]) >> 16) - now) < 600000, (stamps[-1], now)


def test_many_rows_of_one_statement():
    name, url = tracked()
    shared.sql(name, "".join(NODE % ("a", "n%03d" % i) for i in range(50)))
    since = log(url)["lastSeq"]
    shared.sql(name, "UPDATE nodes SET port=port+1; DELETE FROM nodes WHERE id < 'n020'")
    found = changes(url, since)
    assert [one[0] for one in found] == list(range(since + 1, since + 71)), found
    assert [(op, key) for _, op, _, key, _ in found] == \
        [("updated", "n%03d" % i) for i in range(50)] + [("deleted", "n%03d" % i) for i in range(20)], found
    shared.sql(name, "DELETE FROM nodes WHERE false; UPDATE nodes SET port=1 WHERE false")
    assert changes(url, since + 70) == [] and log(url)["lastSeq"] == since + 70


def test_an_upsert_tells_what_it_did():
    name, url = tracked()
    upsert = (NODE % ("a", "x")).rstrip(";\n") + " ON CONFLICT (tenant,id) DO UPDATE SET port=nodes.port+1;"
    shared.sql(name, upsert + upsert + upsert.replace("DO UPDATE SET port=nodes.port+1", "DO NOTHING"))
    assert [one[1] for one in changes(url)] == ["created", "updated"], changes(url)


def test_cascades_are_logged():
    name, url = tracked()
    kecs("--db", url, "put", "cluster", "-", stdin='{"clusterName":"web"}')
    for number in range(3):
        kecs("--db", url, "put", "container_instance", "-",
             stdin=json.dumps({"clusterArn": "web", "containerInstanceArn":
                               "arn:aws:ecs:us-east-1:000000000000:container-instance/web/%d" % number}))
    since = log(url)["lastSeq"]
    shared.sql(name, "DELETE FROM clusters WHERE name='web'")
    found = [(op, kind) for _, op, kind, _, _ in changes(url, since)]
    # A foreign key's own statements end after the one that set them off.
    assert found == [("deleted", "cluster")] + [("deleted", "container_instance")] * 3, found


def test_what_cannot_be_logged_is_refused():
    name, _ = tracked()
    shared.sql(name, NODE % ("a", "x"))
    for text in ("UPDATE nodes SET id='y'", "UPDATE nodes SET tenant='b'", "TRUNCATE nodes"):
        session = Session(name)
        answer = session.do(text)
        session.end()
        assert "kecs_store logs changes of nodes" in answer, answer
    assert shared.sql(name, "UPDATE nodes SET id=id,tenant=tenant; SELECT id FROM nodes") == "x"


def test_one_exchange_and_copy_are_logged():
    name, url = tracked()
    with Driver(url) as driver:
        driver.ok("many", "10", "few")    # a pipeline of INSERTs
        driver.ok("many", "1500", "copy")  # COPY, in two pieces
        driver.ok("set", "few-3")          # one UPDATE that compares, with COMMIT behind it
        driver.ok("put", "web")
    found = changes(url)
    assert [one[0] for one in found] == list(range(2, 2 + 1512)), (found[:3], len(found))
    assert found[0][3] == "few-0" and found[10][3] == "copy-0" and found[1509][3] == "copy-1499", found[1509]
    assert found[1510][1:] == ("updated", "node", "few-3", ["spec"]), found[1510]
    assert found[1511][1:3] == ("created", "cluster"), found[1511]
    # One transaction is one batch, with a name of its own.
    batches = shared.sql(name, "SELECT seq, id FROM change_batches ORDER BY seq").split("\n")
    assert [int(one.split("|")[0]) for one in batches] == [11, 1511, 1512, 1513], batches
    assert len({one.split("|")[1] for one in batches}) == 4, batches


def test_without_foreign_keys_triggers_fire_all_the_same():
    name, url = tracked()
    shared.sql(name, "BEGIN; SET LOCAL session_replication_role=replica; " + NODE % ("a", "x") +
               "UPDATE nodes SET port=7; COMMIT")
    assert [one[1] for one in changes(url)] == ["created", "updated"]


def test_logs_in_partitions():
    name, url = tracked()
    line = '{"taskArn":"arn:x","containerName":"c","logLine":"%s","id":"%s"}'
    kecs("--db", url, "put", "task_log", "-", stdin=line % ("one", "l1"))
    script("partitions.sql", name, schema="public")
    kecs("--db", url, "put", "task_log", "-", stdin=line % ("two", "l2"))
    kecs("--db", url, "delete", "task_log", "l1")
    assert [one[1:4] for one in changes(url)] == [("created", "task_log", "l1"), ("created", "task_log", "l2"),
                                                 ("deleted", "task_log", "l1")], changes(url)
    kecs("--db", url, "track", "off")
    kecs("--db", url, "track", "on")
    kecs("--db", url, "put", "task_log", "-", stdin=line % ("three", "l3"))
    assert [one[3] for one in changes(url)] == ["l3"]


# ---- Switching ------------------------------------------------------------------------------------------------------

def test_tenants_are_tracked_one_by_one():
    name, url = tracked()
    other = shared.url(name, tenant="b")
    kecs("--db", other, "put", "cluster", "-", stdin='{"clusterName":"unseen"}')
    assert not log(other)["tracked"] and log(other)["lastSeq"] == 0
    tracked("b", name)
    shared.sql(name, NODE % ("a", "of-a") + NODE % ("b", "of-b") + "UPDATE nodes SET port=2")
    assert [one[3] for one in changes(url)] == ["of-a", "of-a"]
    assert [one[3] for one in changes(other)] == ["of-b", "of-b"]
    kecs("--db", url, "track", "off")
    triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'feed%'"
    assert shared.sql(name, triggers) != "0"
    shared.sql(name, "UPDATE nodes SET port=3")
    assert len(changes(other)) == 3 and not log(url)["tracked"]
    before = log(url)["lastSeq"]
    kecs("--db", other, "track", "off")
    assert shared.sql(name, triggers) == "0"
    shared.sql(name, "UPDATE nodes SET port=4")
    assert shared.sql(name, "SELECT count(*) FROM change_queue") == "0"
    kecs("--db", url, "track", "on")
    assert log(url)["lastSeq"] == before + 1
    refused = kecs("--db", url, "watch", "--from", str(before), "--for", "0", code=None)
    assert refused.code != 0 and b"list anew" in refused.err, refused


def test_switching_waits_for_writers():
    name, url = tracked("b")
    url = shared.url(name, tenant="a")
    writer = Session(name)
    writer.do("BEGIN; " + NODE % ("a", "early"))
    switch = subprocess.Popen([KECS, "--db", url, "track", "on"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(0.5)
    assert switch.poll() is None
    writer.do("COMMIT")
    assert switch.wait(30) == 0, switch.stdout.read()
    switch.stdout.close()
    writer.do(NODE % ("a", "late"))
    writer.end()
    assert [one[3] for one in changes(url)] == ["late"]


def test_an_older_schema_is_migrated():
    name, url = tracked()
    shared.sql(name, NODE % ("a", "x"))
    newest = shared.sql(name, "SELECT max(version) FROM schema_version")
    tables = shared.sql(name, "SELECT string_agg(tablename, ',') FROM pg_tables WHERE tablename LIKE 'change%'")
    kecs("--db", url, "track", "off")
    shared.sql(name, "DROP TABLE %s; DROP FUNCTION change_number; DELETE FROM schema_version WHERE version>2" % tables)
    openers = [subprocess.Popen([KECS, "--db", url, "track", "on"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for _ in range(24)]
    said = [one.communicate(timeout=120)[0] for one in openers]
    assert [one.returncode for one in openers] == [0] * 24, said
    assert shared.sql(name, "SELECT max(version), count(*) FROM schema_version") == "%s|%s" % (newest, newest)
    assert log(url)["lastSeq"] == 1
    shared.sql(name, "UPDATE nodes SET port=9")
    assert [one[1:4] for one in changes(url)] == [("updated", "node", "x")]


# ---- Numbers --------------------------------------------------------------------------------------------------------

def test_no_gap_under_sixteen_writers():
    name, url = tracked()
    shared.sql(name, "".join(NODE % ("a", "row%d" % i) for i in range(40)))
    start = log(url)["lastSeq"]
    random.seed(7)
    scripts, expected = [], 0
    for writer in range(16):
        lines = []
        for step in range(25):
            kind = random.random()
            rows = random.randint(1, 3)
            # Rows in one order, so that no two writers wait for each other.
            body = "".join("UPDATE nodes SET port=port+1 WHERE id='row%d';\n" % row
                           for row in sorted(random.sample(range(40), rows)))
            if kind < 0.15:
                lines.append("BEGIN;\n%sROLLBACK;\n" % body)
                continue
            if kind < 0.3:
                body += "SELECT pg_sleep(0.02);\n"
            if kind > 0.8:
                body += "SAVEPOINT s;\n" + NODE % ("a", "undone") + "ROLLBACK TO s;\n"
            lines.append("BEGIN;\n%sCOMMIT;\n" % body)
            expected += rows
        scripts.append("".join(lines))
    stop = threading.Event()
    told = [[], []]

    def follow(into):
        with Driver(url) as driver:
            driver.ok("watch", str(start))
            while True:
                text = driver.ok("next", "200")
                if text:
                    into.append(text)
                elif stop.is_set():
                    return

    watchers = [threading.Thread(target=follow, args=(into,)) for into in told]
    writers = [threading.Thread(target=shared.sql, args=(name, script)) for script in scripts]
    for one in watchers + writers:
        one.start()
    for one in writers:
        one.join()
    time.sleep(0.3)
    stop.set()
    for one in watchers:
        one.join()
    assert told[0] == told[1], (len(told[0]), len(told[1]))
    numbers = [int(text.split(" ")[0]) for text in told[0]]
    assert numbers == list(range(start + 1, start + 1 + expected)), (len(numbers), expected)
    # What a row's entries say, in their order, is what was done to it: their stamps ascend.
    assert shared.sql(name, "SELECT count(*) FROM (SELECT stamp < lag(stamp) OVER (PARTITION BY rid ORDER BY seq) AS "
                            "back FROM changes WHERE tenant='a' AND kind<>0) x WHERE back") == "0"
    assert shared.sql(name, "SELECT count(*) FROM change_queue") == "0"


def test_a_slow_transaction_hides_and_loses_nothing():
    name, url = tracked()
    slow = Session(name)
    slow.do("BEGIN; " + NODE % ("a", "slow-1"))
    with Driver(url) as driver:
        driver.ok("watch", "1")
        for number in range(20):
            driver.ok("put", "quick-%d" % number)
            assert driver.ok("next", "5000").endswith("cluster/quick-%d" % number)
        slow.do(NODE % ("a", "slow-2"))
        assert driver.ok("next", "100") == ""
        slow.do("COMMIT")
        assert driver.ok("next", "5000") == "22 1 slow-1" and driver.ok("next", "5000") == "23 1 slow-2"
        assert driver.ok("next", "100") == ""
    slow.end()


def test_what_depends_comes_later():
    """The second transaction begins first, and changes what the first one makes."""
    name, url = tracked()
    first, second = Session(name), Session(name)
    second.do("BEGIN; " + NODE % ("a", "other"))
    first.do("BEGIN; " + NODE % ("a", "made"))
    first.do("COMMIT")
    second.do("UPDATE nodes SET port=5 WHERE id='made'")
    second.do("COMMIT")
    assert [one[1:4] for one in changes(url)] == [("created", "node", "made"), ("created", "node", "other"),
                                                 ("updated", "node", "made")], changes(url)
    first.end()
    second.end()


def test_nothing_elsewhere_holds_it_back():
    name, url = tracked()
    elsewhere = database()
    shared.sql(elsewhere, "CREATE TABLE t(a int)")
    other, reader = Session(elsewhere), Session(name)
    other.do("BEGIN; INSERT INTO t VALUES(1)")
    reader.do("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM nodes")
    shared.sql(name, NODE % ("a", "x"))
    assert [one[3] for one in changes(url)] == ["x"]
    other.end()
    reader.end()


def test_a_killed_writer_and_a_killed_numberer():
    name, url = tracked()
    writer, numberer = Session(name), Session(name)
    shared.sql(name, NODE % ("a", "kept"))
    writer.do("BEGIN; " + NODE % ("a", "lost"))
    numberer.do("BEGIN; SELECT change_number('a')")
    assert changes(url) == []  # somebody else is at it: nobody waits for him
    writer.kill()
    numberer.kill()
    with Driver(url) as driver:
        driver.ok("watch", "-1")
        assert driver.ok("next", "10000") == "2 1 kept"
        driver.ok("put", "later")
        assert driver.ok("next", "10000").startswith("3 1 ")
        assert driver.ok("next", "0") == ""


def test_a_long_queue_is_numbered_in_pieces():
    name, url = tracked()
    # One batch is longer than a piece; entries of others lie among it.
    shared.sql(name, "INSERT INTO change_queue(tenant,batch,kind,rid,groups,op,stamp) SELECT 'a',CASE WHEN g%100=0 "
                     "THEN g ELSE -1-g/115000 END,1,g,15,1,g FROM generate_series(1,130000) g")
    assert log(url)["lastSeq"] > 1
    while shared.sql(name, "SELECT change_number('a')") != "0":
        pass
    assert shared.sql(name, "SELECT count(*),min(seq),max(seq),count(DISTINCT rid) FROM changes WHERE kind=1") == \
        "130000|2|130001|130000"
    broken = ("SELECT count(*) FROM change_batches b, LATERAL (SELECT count(*) AS batches FROM changes c WHERE "
              "c.seq=b.seq) x WHERE x.batches<>1")
    assert shared.sql(name, broken) == "0"
    assert log(url)["lastSeq"] == 130001


# ---- Clocks and age -------------------------------------------------------------------------------------------------

def test_stamps_never_go_back():
    name, url = tracked()
    hour = 3600000 << 16
    shared.sql(name, NODE % ("a", "x"))
    ahead = int(shared.sql(name, "SELECT setval('change_clock', last_value + %d) FROM change_clock" % hour))
    shared.sql(name, "UPDATE nodes SET port=2; DELETE FROM nodes; " + NODE % ("a", "x"))
    shared.restart()
    shared.sql(name, "UPDATE nodes SET status='down'")
    changes(url)
    stamps = [int(one) for one in
              shared.sql(name, "SELECT stamp FROM changes WHERE kind<>0 ORDER BY seq").split("\n")]
    assert stamps[0] < ahead < stamps[1] < stamps[2] < stamps[3] < stamps[4], (ahead, stamps)
    # A row with stamps from beyond the clock gets higher ones.
    shared.sql(name, "UPDATE nodes SET stamp_life=stamp_life+%d" % hour)
    shared.sql(name, "UPDATE nodes SET port=8")
    assert shared.sql(name, "SELECT stamp_spec > stamp_life FROM nodes") == "t"


def test_compaction_goes_by_age():
    name, url = tracked()
    shared.sql(name, NODE % ("a", "old") + "DELETE FROM nodes")
    changes(url)
    shared.sql(name, "UPDATE changes SET stamp=stamp-(7200000::bigint<<16); "
                     "UPDATE change_tombstones SET stamp=stamp-(7200000::bigint<<16)")
    shared.sql(name, NODE % ("a", "young") + NODE % ("a", "younger"))
    kecs("--db", url, "compact", "--older", "1")
    assert [one[3] for one in changes(url)] == ["young", "younger"]
    assert shared.sql(name, "SELECT count(*) FROM change_tombstones") == "1"
    assert shared.sql(name, "SELECT min(seq) FROM change_batches") == "3"  # a cursor may stand at the floor
    shared.sql(name, "UPDATE change_tombstones SET stamp=stamp-(8*86400000::bigint<<16)")
    kecs("--db", url, "compact", "--older", "1")
    assert shared.sql(name, "SELECT count(*) FROM change_tombstones") == "0"


# ---- Waiting --------------------------------------------------------------------------------------------------------

LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN kecs_%'"


def test_a_watch_listens_where_it_can():
    name, url = tracked()
    with Driver(url) as driver, Pooler(shared) as pooler:
        driver.ok("watch", "0")
        driver.ok("next", "300")
        assert shared.sql(name, LISTENERS) == "1"
        shared.sql(name, NODE % ("a", "x") + "SELECT change_number('a')")
        assert driver.ok("next", "10000") == "2 1 x"
        driver.ok("unwatch")
        time.sleep(0.2)
        assert shared.sql(name, LISTENERS) == "0"
        with Driver(pooler.url(name, tenant="a")) as behind:
            behind.ok("watch", "0")
            behind.ok("next", "300")
            assert shared.sql(name, LISTENERS) == "0"
            shared.sql(name, NODE % ("a", "y"))
            assert behind.ok("next", "10000") == "3 1 y"


def drain(driver, until):
    """Changes up to one of this key; calls that fail while the server is away are made again."""
    told, end = [], time.monotonic() + 60
    while time.monotonic() < end and not (told and told[-1].endswith(until)):
        status, text = driver.ask("next", "500")
        assert status in ("KECS_OK", "KECS_E_OFFLINE", "KECS_E_BUSY"), (status, text)
        if status == "KECS_OK" and text:
            told.append(text)
        elif status != "KECS_OK":
            time.sleep(0.05)
    return told


def check_told(told, keys):
    assert [int(one.split(" ")[0]) for one in told] == list(range(2, 2 + len(keys))), told
    assert [one.split("/")[-1] for one in told] == keys, told


def test_a_server_that_restarts():
    with Server() as one:
        url = one.url(tenant="a")
        kecs("--db", url, "track", "on")
        with Driver(url, acquire_timeout="2s") as watcher, Driver(url, acquire_timeout="20s") as writer:
            watcher.ok("watch", "1")
            keys, told = [], []
            for end in (one.stop, lambda: one.stop("immediate"), one.kill):
                keys.append("before-%d" % len(keys))
                writer.ok("put", keys[-1])
                told += drain(watcher, keys[-1])
                keys.append("unread-%d" % len(keys))
                writer.ok("put", keys[-1])
                end()
                watcher.ask("next", "200")
                one.start()
                keys.append("after-%d" % len(keys))
                while writer.ask("put", keys[-1])[0] != "KECS_OK":
                    time.sleep(0.1)
                told += drain(watcher, keys[-1])
            check_told(told, keys)


def test_a_connection_that_is_cut():
    name, url = tracked()
    with Proxy(shared) as proxy, Driver(url) as writer:
        with Driver(proxy.url(name, tenant="a"), acquire_timeout="2s") as watcher:
            watcher.ok("watch", "1")
            keys, told = [], []
            for number in range(12):
                keys.append("key-%d" % number)
                writer.ok("put", keys[-1])
                if number % 3 == 0:
                    proxy.cut(refuse=number % 2 == 0)
                    status, text = watcher.ask("next", "100")
                    told += [text] if status == "KECS_OK" and text else []
                    proxy.heal()
                if number % 2 == 0 and not (told and told[-1].endswith(keys[-1])):
                    told += drain(watcher, keys[-1])
            if not told[-1].endswith(keys[-1]):
                told += drain(watcher, keys[-1])
            check_told(told, keys)


def test_a_log_that_went_back():
    name, url = tracked()
    with Driver(url) as driver:
        driver.ok("watch", "1")
        for number in range(4):
            driver.ok("put", "key-%d" % number)
            assert driver.ok("next", "5000") != ""
        # What a standby leaves that takes over without the last commits.
        shared.sql(name, "DELETE FROM changes WHERE seq>3; DELETE FROM change_batches WHERE seq>3; "
                         "UPDATE change_heads SET seq=3")
        driver.fails("KECS_E_COMPACTED", "next", "0", says="ends at 3")


# ---- Who may ---------------------------------------------------------------------------------------------------------

def script(name, database_name, schema="kecs"):
    done = subprocess.run([find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "schema=" + schema, "-f",
                           str(SCRIPTS / name), shared.socket_url(database_name)], env=clean_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def test_roles_and_tenants():
    name = database()
    script("roles.sql", name)
    shared.sql(name, "ALTER ROLE kecs_owner LOGIN PASSWORD 'secret'")

    def as_role(role, tenant):
        return shared.url(name, user=role, password="secret", schema="kecs", tenant=tenant)

    def psql(role, text):
        done = subprocess.run([find_program("psql"), "-X", "-A", "-t", "-q", "-c", text,
                               shared.url(name, user=role, password="secret")], env=clean_environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
        return done.stdout.strip()

    kecs("--db", as_role("kecs_owner", "a"), "stat")
    script("roles.sql", name)
    script("rls.sql", name)
    for role, group in (("app_a", "app"), ("app_b", "app"), ("look_a", "reader")):
        shared.sql(name, "CREATE ROLE %s LOGIN PASSWORD 'secret' IN ROLE kecs_%s" % (role, group))
        shared.sql(name, "INSERT INTO kecs_access.role_tenants VALUES ('%s', '%s')" % (role, role[-1]))
    # The triggers are the owner's to make; after that each tenant switches its own log.
    refused = kecs("--db", as_role("app_a", "a"), "track", "on", code=7)
    assert b"owner" in refused.err, refused
    kecs("--db", as_role("kecs_owner", "a"), "track", "on")
    script("roles.sql", name)
    script("rls.sql", name)
    kecs("--db", as_role("app_b", "b"), "track", "on")
    for letter in "ab":
        kecs("--db", as_role("app_" + letter, letter), "put", "cluster", "-", stdin='{"clusterName":"of-%s"}' % letter)
        with Driver(as_role("app_" + letter, letter)) as driver:
            driver.ok("many", "40", "n")
            driver.ok("set", "n-7")
    # Who may only read numbers all the same, and sees its own.
    found = changes(as_role("look_a", "a"))
    assert len(found) == 42 and found[0][3].endswith("of-a"), found
    assert len(changes(as_role("app_b", "b"))) == 42
    for role, mine, theirs in (("app_a", "a", "b"), ("look_a", "a", "b"), ("app_b", "b", "a")):
        for table in ("changes", "change_queue", "change_heads", "change_batches", "change_tombstones", "change_state",
                      "change_folds"):
            assert psql(role, "SELECT count(*) FROM kecs.%s WHERE tenant='%s'" % (table, theirs)) == "0", table
        assert psql(role, "SELECT count(*) > 0 FROM kecs.changes WHERE tenant='%s'" % mine) == "t"
        assert "permission denied" in psql(role, "SELECT setval('kecs.change_clock', 1)")
        refused = kecs("--db", as_role(role, theirs), "watch", "--for", "0", code=None)
        assert refused.code != 0 and b"keeps no log" in refused.err, refused
    assert "policy" in psql("app_a", "INSERT INTO kecs.change_queue(tenant,kind,rid,groups,op,stamp) "
                                     "VALUES('b',1,1,15,1,1)")
    kecs("--db", as_role("app_a", "a"), "compact")
    kecs("--db", as_role("app_a", "a"), "track", "off")
    assert len(changes(as_role("app_b", "b"))) == 42


if __name__ == "__main__":
    os.environ.pop("KECS_DB", None)
    with Server() as shared:
        wanted = sys.argv[1] if len(sys.argv) > 1 else ""
        result = run({name: one for name, one in globals().items() if wanted in name or not name.startswith("test_")})
    sys.exit(result)
