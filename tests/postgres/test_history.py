#!/usr/bin/env python3
"""The history of rows on PostgreSQL: whoever writes is noted, by name; rows come back exactly; what waits for its
number is never mistaken for what was; tenants, roles, the pooler; bounds.

    tests/postgres/test_history.py [WORD]     only tests with WORD in their name"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
from kecs_cli import KECS, kecs, run  # noqa: E402
import test_feed as feed  # noqa: E402
from server import Pooler, Server, clean_environment, find_program  # noqa: E402
from test_feed import NODE, Session, script  # noqa: E402

ARN = "arn:aws:ecs:us-east-1:000000000000:"
SHOP = {"serviceName": "shop", "serviceArn": ARN + "service/web/shop", "clusterArn": ARN + "cluster/web",
        "desiredCount": 1, "strange": {"a": [1.50, "x"]}}
shared = None


def kept(tenant="a", name=None, *more):
    """A database whose tenant keeps the history of all kinds, and its URL."""
    name = name or feed.database()
    url = shared.url(name, tenant=tenant)
    kecs("--db", url, "track", "on", "--history", "all", *more)
    return name, url


def history(url, kind, key, *more):
    return kecs("--db", url, "history", kind, key, "--jsonl", *more).lines()


def at(url, kind, key, when):
    """The row's document after a sequence, or at a time; None when it was not there."""
    answer = kecs("--db", url, "get", kind, key, "--as-of", when, "--json", "--full", code=None)
    assert answer.code in (0, 3), answer
    return answer.json() if answer.code == 0 else None


def now(url, kind, key):
    answer = kecs("--db", url, "get", kind, key, "--json", "--full", code=None)
    return answer.json() if answer.code == 0 else None


def last(url):
    return kecs("--db", url, "track", "status", "--json").json()["lastSeq"]


def with_shop():
    name, url = kept()
    kecs("--db", url, "put", "cluster", "-", stdin='{"clusterName":"web"}')
    kecs("--db", url, "put", "service", "-", "--actor", "alice", "--reason", "first", stdin=json.dumps(SHOP))
    return name, url


# ---- Who -------------------------------------------------------------------------------------------------------------

def test_psql_is_known_by_its_login():
    name, url = with_shop()
    shared.sql(name, "CREATE ROLE carol; GRANT ALL ON ALL TABLES IN SCHEMA public TO carol")
    owner = shared.sql(name, "SELECT current_user")
    shared.sql(name, "UPDATE services SET desired_count=2")
    shared.sql(name, "SET ROLE carol; UPDATE services SET desired_count=3")
    shared.sql(name, "SET kecs_store.actor='the batch'; SET kecs_store.reason='nightly'; "
                     "UPDATE services SET desired_count=4")
    kecs("--db", url, "update", "service", "web,shop", "--set", "desired_count=5")  # nobody has said anything
    shared.sql(name, "SET ROLE carol; DELETE FROM clusters")  # the service goes along, by its foreign key
    found = [(one["op"], one.get("actor"), one.get("reason")) for one in history(url, "service", "web,shop")]
    assert found == [("deleted", "carol", None), ("updated", None, None), ("updated", "the batch", "nightly"),
                     ("updated", "carol", None), ("updated", owner, None), ("created", "alice", "first")], found
    shared.sql(name, "DROP OWNED BY carol; DROP ROLE carol")


def test_the_pooler_gives_nobody_anothers_name():
    name, url = with_shop()
    with Pooler(shared, settings=["default_pool_size = 1"]) as pooler:
        behind = pooler.url(name, tenant="a")
        for turn in range(3):
            kecs("--db", behind, "update", "service", "web,shop", "--set", "desired_count=%d" % (10 + 2 * turn),
                 "--actor", "bob%d" % turn, "--reason", "r")
            done = subprocess.run([find_program("psql"), "-X", "-q", "-c", "UPDATE services SET desired_count="
                                   "desired_count+1", pooler.url(name)], env=clean_environment(), timeout=60)
            assert done.returncode == 0
        who = [(one.get("actor"), one.get("reason")) for one in history(behind, "service", "web,shop")]
        login = shared.sql(name, "SELECT actor FROM history ORDER BY seq DESC LIMIT 1")
        assert login not in ("", "bob2"), login
        assert who == [(login, None), ("bob2", "r"), (login, None), ("bob1", "r"), (login, None), ("bob0", "r"),
                       ("alice", "first")], who
        assert at(behind, "service", "web,shop", last(url) - 1)["desiredCount"] == 14


# ---- What a row was --------------------------------------------------------------------------------------------------

def test_rows_come_back_exactly():
    name, url = with_shop()
    journal = [(last(url), now(url, "service", "web,shop"))]
    tricky = "E'q\\\" b\\\\\\\\ t\\t n\\n \\x01 \\x7f \\u00fc\\u2028 {} , null'"
    for text in ("UPDATE services SET platform_version=%s" % tricky,
                 "UPDATE services SET desired_count=9223372036854775807, extra='{\"big\": 12345678901234567890.10 , "
                 "\"a\" :1}'",
                 "UPDATE services SET desired_count=9007199254740993, created_at=created_at-1",
                 "UPDATE services SET platform_version=NULL, extra=NULL, version=64",
                 "UPDATE services SET platform_version='', version=65",
                 "UPDATE services SET desired_count=desired_count",
                 "DELETE FROM services"):
        shared.sql(name, text)
        journal.append((last(url), now(url, "service", "web,shop")))
    assert [one for _, one in journal].count(None) == 1
    for seq, document in journal:
        for key in ("web,shop", SHOP["serviceArn"]):
            assert at(url, "service", key, str(seq)) == document, (seq, document)
    whole = shared.sql(name, "SELECT string_agg(whole::text, '' ORDER BY seq) FROM history WHERE kind=(SELECT kind "
                             "FROM history ORDER BY seq DESC LIMIT 1)")
    assert whole == "00000101", whole  # a version that 64 divides; the deletion
    assert history(url, "service", "web,shop")[1]["changed"] == []


def test_many_rows_and_copy():
    name, url = kept()
    shared.sql(name, "COPY nodes(tenant,id,hostname,port,status,running_tasks,last_heartbeat,created_at,updated_at,"
                     "version,omitted) FROM stdin;\n" +
               "".join("a\tn%d\th\t1\tup\t0\t0\t0\t0\t1\t0\n" % i for i in range(3)) + "\\.\n"
               "UPDATE nodes SET port=port+1; UPDATE nodes SET status='down' WHERE id<>'n1'; DELETE FROM nodes")
    seq = last(url)
    for number, status in ((0, "down"), (1, "up"), (2, "down")):
        entries = history(url, "node", "n%d" % number)
        assert [one["op"] for one in entries] == (["deleted", "updated", "updated", "created"] if number != 1
                                                  else ["deleted", "updated", "created"]), entries
        row = at(url, "node", "n%d" % number, str(seq - 3))
        assert (row["port"], row["status"]) == (2, status), row


def test_what_waits_for_its_number_is_taken_back():
    """Changes without a number are in the rows already: of an earlier sequence they tell nothing."""
    name, url = with_shop()
    seq = last(url)
    numbering = Session(name)  # holds the head, so that nobody numbers
    numbering.do("BEGIN; SELECT 1 FROM change_heads FOR UPDATE")
    shared.sql(name, "UPDATE services SET desired_count=2; UPDATE services SET desired_count=3")
    assert at(url, "service", "web,shop", str(seq))["desiredCount"] == 1
    assert len(history(url, "service", "web,shop")) == 1
    assert kecs("--db", url, "diff", "service", "web,shop", "--from", str(seq), "--jsonl").lines() == [
        {"path": "/desiredCount", "old": 1, "new": 3}]
    assert kecs("--db", url, "diff", "service", "web,shop", "--jsonl").lines() == [
        {"path": "/desiredCount", "old": 2, "new": 3}]
    moment = "%.6f" % (time.time() + 1)
    shared.sql(name, "DELETE FROM services")
    assert at(url, "service", "web,shop", str(seq))["desiredCount"] == 1
    assert at(url, "service", "web,shop", moment) is None
    kecs("--db", url, "put", "service", "-", stdin=json.dumps(dict(SHOP, desiredCount=7)))
    assert at(url, "service", SHOP["serviceArn"], str(seq))["desiredCount"] == 1
    assert at(url, "service", "web,shop", moment)["desiredCount"] == 7
    numbering.end()
    found = [(one["seq"], one["op"]) for one in history(url, "service", "web,shop")]
    assert found == [(seq + 4, "created"), (seq + 3, "deleted"), (seq + 2, "updated"), (seq + 1, "updated"),
                     (seq, "created")], found
    for number, count in ((0, 1), (1, 2), (2, 3), (4, 7)):
        assert at(url, "service", "web,shop", str(seq + number))["desiredCount"] == count
    assert at(url, "service", "web,shop", str(seq + 3)) is None


def test_every_version_under_writers():
    """Four writers of one row; a reader asks for versions meanwhile, and each is what it was, then and later."""
    name, url = with_shop()
    first = last(url)
    stop = threading.Event()
    told = {}

    def write():
        for _ in range(60):
            shared.sql(name, "UPDATE services SET desired_count=desired_count+1, version=version+1")

    writers = [threading.Thread(target=write) for _ in range(4)]

    def read():
        while not stop.is_set():
            seq = last(url)
            told[seq] = at(url, "service", "web,shop", str(seq))["desiredCount"]

    reader = threading.Thread(target=read)
    for one in writers + [reader]:
        one.start()
    for one in writers:
        one.join()
    stop.set()
    reader.join()
    assert last(url) == first + 240 and len(told) > 3, (last(url), first, told)
    assert told == {seq: 1 + seq - first for seq in told}, (first, told)
    for seq in range(first, first + 241, 16):
        assert at(url, "service", "web,shop", str(seq))["desiredCount"] == 1 + seq - first
    assert shared.sql(name, "SELECT count(*) FROM history WHERE whole=1") == "3"


# ---- Switching -------------------------------------------------------------------------------------------------------

def test_it_begins_when_writers_are_done():
    name, url = feed.tracked()
    shared.sql(name, NODE % ("a", "x"))
    writer = Session(name)
    writer.do("BEGIN; UPDATE nodes SET port=2")
    switch = subprocess.Popen([KECS, "--db", url, "track", "on", "--history", "node"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    time.sleep(0.5)
    assert switch.poll() is None
    writer.do("COMMIT")
    assert switch.wait(30) == 0, switch.stdout.read()
    switch.stdout.close()
    since = last(url)
    writer.do("UPDATE nodes SET port=3")
    writer.end()
    assert at(url, "node", "x", str(since))["port"] == 2 and at(url, "node", "x", str(since + 1))["port"] == 3
    refused = kecs("--db", url, "get", "node", "x", "--as-of", str(since - 1), code=1)
    assert b"history begins" in refused.err, refused
    kecs("--db", url, "put", "cluster", "-", stdin='{"clusterName":"web"}')
    assert b"cluster" in kecs("--db", url, "history", "cluster", "web", code=1).err
    assert shared.sql(name, "SELECT count(*), count(DISTINCT kind) FROM history") == "1|1"
    kecs("--db", url, "track", "on", "--history", "none")
    shared.sql(name, "UPDATE nodes SET port=4")
    last(url)
    assert shared.sql(name, "SELECT (SELECT count(*) FROM history), (SELECT max(history) FROM change_heads)") == "0|0"


def test_version_four_is_migrated():
    name, url = feed.tracked()
    shared.sql(name, "DROP TABLE history, history_keys; ALTER TABLE change_heads DROP COLUMN history; "
                     "ALTER TABLE change_queue DROP COLUMN whole, DROP COLUMN actor, DROP COLUMN reason, DROP COLUMN "
                     "past, DROP COLUMN keys; DELETE FROM schema_version WHERE version>4; "
                     "INSERT INTO change_queue(tenant,kind,rid,groups,op,stamp) VALUES('a',1,1,15,2,change_stamp())")
    before = int(shared.sql(name, "SELECT seq FROM change_heads"))
    kecs("--db", url, "track", "on", "--history", "all")
    assert shared.sql(name, "SELECT max(version) FROM schema_version") == "5"
    assert last(url) == before + 1
    shared.sql(name, NODE % ("a", "x") + "UPDATE nodes SET port=2")
    assert [one["op"] for one in history(url, "node", "x")] == ["updated", "created"]


def test_tenants_keep_their_own():
    name, url = kept()
    _, other = feed.tracked("b", name)
    shared.sql(name, NODE % ("a", "x") + NODE % ("b", "x") + "UPDATE nodes SET port=2")
    assert [one["op"] for one in history(url, "node", "x")] == ["updated", "created"]
    assert b"keeps no history" in kecs("--db", other, "history", "node", "x", code=1).err
    last(other)
    assert shared.sql(name, "SELECT DISTINCT tenant FROM history") == "a"
    kecs("--db", other, "track", "on", "--history", "node")
    shared.sql(name, "UPDATE nodes SET port=3; DELETE FROM nodes")
    assert [one["op"] for one in history(other, "node", "x")] == ["deleted", "updated"]
    kecs("--db", url, "track", "off")
    assert shared.sql(name, "SELECT DISTINCT tenant FROM history UNION SELECT DISTINCT tenant FROM history_keys") == "b"


def test_roles():
    name = feed.database()
    script("roles.sql", name)
    shared.sql(name, "ALTER ROLE kecs_owner LOGIN PASSWORD 'secret'")

    def as_role(role, tenant):
        return shared.url(name, user=role, password="secret", schema="kecs", tenant=tenant)

    kecs("--db", as_role("kecs_owner", "a"), "track", "on")
    script("roles.sql", name)
    script("rls.sql", name)
    for role, group in (("hist_a", "app"), ("hist_b", "app"), ("read_a", "reader")):
        shared.sql(name, "CREATE ROLE %s LOGIN PASSWORD 'secret' IN ROLE kecs_%s" % (role, group))
        shared.sql(name, "INSERT INTO kecs_access.role_tenants VALUES ('%s', '%s')" % (role, role[-1]))
    mine = as_role("hist_a", "a")
    kecs("--db", as_role("hist_b", "b"), "track", "on", "--history", "all")
    kecs("--db", mine, "track", "on", "--history", "all")  # a tenant's own login
    for one in (mine, as_role("hist_b", "b")):
        kecs("--db", one, "put", "cluster", "-", "--actor", "alice", stdin='{"clusterName":"web"}')
        kecs("--db", one, "put", "cluster", "-", stdin='{"clusterName":"web","turn":2}')
        kecs("--db", one, "delete", "cluster", "web")
        last(one)
    entries = history(as_role("read_a", "a"), "cluster", "web")
    assert [(one["op"], one.get("actor")) for one in entries] == [("deleted", None), ("updated", None),
                                                                 ("created", "alice")], entries
    for role, theirs in (("hist_a", "b"), ("read_a", "b"), ("hist_b", "a")):
        for table in ("history", "history_keys"):
            done = subprocess.run([find_program("psql"), "-X", "-A", "-t", "-q", "-c", "SELECT count(*) FILTER (WHERE "
                                   "tenant='%s'), count(*)>0 FROM kecs.%s" % (theirs, table), shared.url(
                                       name, user=role, password="secret")],
                                  env=clean_environment(), stdout=subprocess.PIPE, universal_newlines=True, timeout=60)
            assert done.stdout.strip() == "0|t", (role, table, done.stdout)
    kecs("--db", mine, "compact")
    kecs("--db", mine, "track", "on", "--history", "none")
    assert len(history(as_role("hist_b", "b"), "cluster", "web")) == 3


# ---- Bounds ----------------------------------------------------------------------------------------------------------

def test_old_changes_go():
    name, url = kept("a", None, "--days", "1")
    shared.sql(name, NODE % ("a", "gone") + "DELETE FROM nodes;" + NODE % ("a", "x") + "UPDATE nodes SET port=2")
    old = last(url)
    # Two days ago, but for one entry in the middle that is young: what stands behind it stays.
    shared.sql(name, "UPDATE history SET stamp=stamp-(172800000::bigint<<16) WHERE seq<>%d" % (old - 1))
    shared.sql(name, "UPDATE nodes SET port=3")
    last(url)
    kecs("--db", url, "compact")
    assert shared.sql(name, "SELECT string_agg(seq::text, ',' ORDER BY seq) FROM history") == "%d,%d,%d" % (
        old - 1, old, old + 1)
    assert shared.sql(name, "SELECT count(*) FROM history_keys") == "0"
    assert at(url, "node", "x", str(old))["port"] == 2 and at(url, "node", "x", str(old - 1))["port"] == 1
    refused = kecs("--db", url, "get", "node", "x", "--as-of", str(old - 3), code=1)
    assert b"history begins" in refused.err, refused
    kecs("--db", url, "history", "node", "gone", code=3)


def test_by_time():
    name, url = kept()
    shared.sql(name, NODE % ("a", "x"))
    moments = []
    for port in range(2, 6):
        time.sleep(0.05)
        moments.append(("%.6f" % time.time(), port - 1))
        time.sleep(0.05)
        shared.sql(name, "UPDATE nodes SET port=%d" % port)
    time.sleep(0.05)
    moments.append(("%.6f" % time.time(), 5))
    time.sleep(0.05)
    shared.sql(name, "DELETE FROM nodes")
    # A transaction that is slow brings its stamps late: of other rows, after those of later ones.
    slow = Session(name)
    slow.do("BEGIN; " + NODE % ("a", "slow"))
    time.sleep(0.1)
    between = "%.6f" % time.time()
    time.sleep(0.1)
    shared.sql(name, NODE % ("a", "quick"))
    last(url)
    slow.do("COMMIT")
    slow.end()
    for moment, port in moments:
        assert at(url, "node", "x", moment)["port"] == port, (moment, port)
    assert at(url, "node", "x", between) is None and at(url, "node", "quick", between) is None
    assert at(url, "node", "slow", between)["port"] == 1
    assert kecs("--db", url, "get", "node", "x", "--as-of", "2001-01-01T00:00:00Z", code=1)


if __name__ == "__main__":
    os.environ.pop("KECS_DB", None)
    with Server() as shared:
        feed.shared = shared
        wanted = sys.argv[1] if len(sys.argv) > 1 else ""
        result = run({name: one for name, one in globals().items() if wanted in name or not name.startswith("test_")})
    sys.exit(result)
