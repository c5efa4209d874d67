#!/usr/bin/env python3
"""Pushes of many rows, which go by COPY: the first one of a file, refused rows among them, links that are lost or stand
still in the midst of it, a login that may make no tables, PgBouncer, logins for a site and for all.

    tests/sync/test_loads.py [WORD]"""

import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_security as logins  # noqa: E402
from world import ARN, World, heed_signals, run_tests  # noqa: E402

from server import DATABASE, PASSWORD, Pooler, Proxy, Server  # noqa: E402

MANY = 6000  # more than a push takes as arrays
server = None


def put_all(driver, name, kind, documents):
    with tempfile.NamedTemporaryFile("w", prefix="kecs_sync_", suffix=".jsonl") as file:
        file.writelines(json.dumps(document) + "\n" for document in documents)
        file.flush()
        driver.ok("puts", name, kind, file.name)


def fill(world, name="a", count=MANY, first=0):
    """Services with texts that need care on their way."""
    odd = ["plain", "", "a,b", "{\"x\"}", "back\\slash", "two\nlines", "NULL", "ä€𝄞", "t'v$1"]
    put_all(world.drivers[name], name, "service", (
        {"serviceName": "s%d" % number, "cluster": "shop", "desiredCount": number % 1000,
         "enableECSManagedTags": number % 2 == 0, "platformVersion": odd[number % len(odd)], "roleArn": "v" * 300}
        for number in range(first, first + count)))


def calls(function, database=DATABASE, own=None):
    """How often the hub has run a function so far."""
    return int((own or server).sql(database, "SELECT coalesce(sum(calls),0) FROM pg_stat_user_functions WHERE funcname="
                                             "'%s'" % function))


def called(function, count, database=DATABASE, own=None):
    """Waits until so many calls are counted: a connection tells of them some time later."""
    end = time.monotonic() + 30
    while calls(function, database, own) < count:
        assert time.monotonic() < end, (function, count, calls(function, database, own))
        time.sleep(0.05)
    assert calls(function, database, own) == count, (function, count)


def count_services(world):
    return int(world.sql("SELECT count(*) FROM services WHERE tenant='%s'" % world.tenant))


def pushes(world):
    return int(world.sql("SELECT pushes FROM sync_sites WHERE tenant='%s' AND name='a'" % world.tenant))


def told(world):
    numbers = map(int, world.ok("told", "a").split())
    return dict(zip(("rounds", "failures", "reconnects", "lag", "batch", "running"), numbers))


def started(world):
    world.put("a", "cluster", clusterName="shop")
    world.check_equal()


def test_the_first_push_of_a_file():
    """With an edge that has some of the rows already, deletions, and groups that are pushed by themselves."""
    with World(server, "ab", batch=20000) as world:
        started(world)
        world.put("b", "service", serviceName="s7", cluster="shop", desiredCount=7777)
        fill(world, count=12000)
        before = calls("sync_load_services")
        report = world.sync("a")
        assert (report["pushed"], report["refused"], report["trips"]) == (12000, 0, 5), report
        called("sync_load_services", before + 1)
        assert report["out"] > 12000 * 300 and report["into"] < 5000, report
        world.check_equal()
        assert world.get("a", "service", "shop,s7")["desiredCount"] == 7
        for number in range(MANY):
            world.set("a", "service", "shop,s%d" % number, "running_count", number + 1)
        world.delete("a", "service", "shop,s11999")
        world.set("b", "service", "shop,s5", "desired_count", 55)
        world.sync("b")
        report = world.sync("a")
        assert report["pushed"] == MANY + 1, report
        called("sync_load_services", before + 2)
        world.check_equal()
        found = world.get("b", "service", "shop,s5")
        assert (found["desiredCount"], found["runningCount"]) == (55, 6), found
        assert count_services(world) == 11999


def test_batches_that_adapt_grow_into_loads():
    """As far as the machine lets them; pages do not grow with them."""
    with World(server, "a", batch=0) as world:
        started(world)
        fill(world, count=30000)
        assert world.sync("a")["pushed"] == 30000 and 100 <= told(world)["batch"] <= 5000, told(world)
        world.check_equal()


def test_refused_rows_among_many():
    with Server() as own, World(own, "a", batch=20000) as world:
        started(world)
        world.sql("ALTER TABLE services ADD CONSTRAINT no_poison CHECK (desired_count NOT IN (666, 667))")
        fill(world)
        report = world.sync("a")
        assert (report["pushed"], report["refused"]) == (MANY - 12, 12), report
        assert count_services(world) == MANY - 12 and world.state("a")["refused"] == 12
        world.sql("ALTER TABLE services DROP CONSTRAINT no_poison")
        world.check_equal()
        assert count_services(world) == MANY


def test_many_loads():
    """Each is read while the hub is at the one before: with a link that is lost in the second, and refused rows."""
    with Proxy(server) as proxy, World(server, "ab", batch=MANY, url=proxy.url()) as world:
        started(world)
        fill(world, count=3 * MANY + 10)
        proxy.lose("S", 5, before=False)  # the answer to the second one
        assert world.ask("sync", "a")[0] == "KECS_E_OFFLINE" and proxy.hit.is_set()
        assert count_services(world) == 2 * MANY
        world.set("a", "service", "shop,s1", "desired_count", 4711)
        world.delete("a", "service", "shop,s%d" % (2 * MANY + 1))
        world.sql("ALTER TABLE services ADD CONSTRAINT no_poison CHECK (name<>'s%d') NOT VALID" % (2 * MANY + 2))
        report = world.sync("a")
        assert report["refused"] == 1 and count_services(world) == 3 * MANY + 8, report
        world.sql("ALTER TABLE services DROP CONSTRAINT no_poison")
        world.check_equal()
        assert world.get("b", "service", "shop,s1")["desiredCount"] == 4711
        assert count_services(world) == 3 * MANY + 9


def test_lost_in_the_midst():
    """When the tables are made, at the COPY, among its rows, at its end: nothing is there, and the next round begins
    anew. With the answer to COMMIT: all is there, once, although a row has changed before the next round."""
    with Proxy(server) as proxy, World(server, "a", batch=20000, url=proxy.url()) as world:
        started(world)
        fill(world)
        first = pushes(world)
        for kind, number, before, containing in (
                ("P", 1, True, b"sync_stage"), ("S", 2, False, b""), ("Q", 1, True, b"COPY"), ("d", 1, True, b""),
                ("d", 20, True, b""), ("c", 1, True, b""), ("c", 1, False, b"")):
            lose(proxy, world, kind, number, before, containing)
            assert pushes(world) == first and count_services(world) == 0, (kind, number, before)
        lose(proxy, world, "S", 3, False, b"")
        assert pushes(world) == first + 1 and count_services(world) == MANY
        world.set("a", "service", "shop,s1", "desired_count", 4711)
        world.restart("a")
        assert world.sync("a")["pushed"] == 1 and pushes(world) == first + 2
        world.check_equal()
        assert world.get("h", "service", "shop,s1")["desiredCount"] == 4711
        assert not world.conflicts("a") and not world.conflicts("h")


def lose(proxy, world, kind, number, before, containing):
    proxy.lose(kind, number, containing=containing, before=before)
    status, text = world.ask("sync", "a")
    assert status == "KECS_E_OFFLINE" and proxy.hit.is_set(), (kind, number, before, status, text)


class Stalling(Proxy):
    """Stands still at a message of rows."""

    at = 0

    def matching(self, kind, message):
        if kind == b"d" and self.at:
            self.at -= 1
            if not self.at:
                self.freeze()
                self.hit.set()
        return super().matching(kind, message)


def test_cancelled_in_the_midst():
    with Stalling(server) as proxy, World(server, "a", batch=20000, url=proxy.url()) as world:
        started(world)
        fill(world, count=3 * MANY)
        proxy.at = 10
        world.ok("start", "a", 100000)
        assert proxy.hit.wait(60), "no COPY"
        time.sleep(0.5)  # all buffers are full
        since = time.monotonic()
        world.ok("cancel", "a")
        while told(world)["failures"] == 0:
            assert time.monotonic() < since + 60, "the round goes on"
            time.sleep(0.02)
        proxy.heal()
        world.ok("stop", "a")
        assert count_services(world) == 0
        world.check_equal()
        assert count_services(world) == 3 * MANY


def test_no_right_to_make_tables():
    with Server(settings=("track_functions='all'",)) as own:
        own.create_user("edge", PASSWORD)
        url = own.url(user="edge")
        with World(own, "", batch=20000) as world:
            world.edge_url = url + ("&" if "?" in url else "?") + "tenant=" + world.tenant
            own.sql(DATABASE, "REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC; GRANT ALL ON SCHEMA public TO edge; "
                              "GRANT ALL ON ALL TABLES IN SCHEMA public TO edge; GRANT ALL ON ALL SEQUENCES IN SCHEMA "
                              "public TO edge" % DATABASE)
            world.start("a")
            started(world)
            fill(world)
            report = world.sync("a")
            assert report["pushed"] == MANY and report["refused"] == 0, report
            called("sync_put_services", 1, own=own)
            assert calls("sync_load_services", own=own) == 0
            world.check_equal()
            again = told(world)["reconnects"]
            fill(world, first=MANY)
            assert world.sync("a")["pushed"] == MANY and told(world)["reconnects"] == again  # it is not tried again
            world.check_equal()


def test_pgbouncer():
    with Pooler(server) as pooler, World(server, "ab", batch=20000, url=pooler.url()) as world:
        started(world)
        fill(world)
        before = calls("sync_load_services")
        assert world.sync("a")["pushed"] == MANY
        called("sync_load_services", before + 1)
        fill(world, first=MANY)
        assert world.sync("a")["pushed"] == MANY
        world.check_equal()
        assert count_services(world) == 2 * MANY


# ---- logins ----

class Edge(logins.Edge):
    """With large batches."""

    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        self.driver.close()
        self.driver = logins.Driver()
        self.driver.ok("open", "e", self.path)
        self.words = self.words[:3] + (20000,) + self.words[4:]
        self.driver.ok(*self.words)

    def load(self, cluster, count=MANY):
        put_all(self.driver, "e", "task", (
            {"taskArn": "%stask/%s/%032x" % (ARN, cluster, number), "cluster": cluster, "taskDefinitionArn": "web:3"}
            for number in range(count)))


def tasks(where="true"):
    return int(logins.sql("SELECT count(*) FROM tasks WHERE tenant='fleet' AND " + where))


def test_logins():
    """A site's own login under row-level security, held to a cluster, and the shared one with tokens; and what a site
    could do with a table of its own."""
    logins.server = server
    driver = logins.prepare()
    driver.close()
    logins.fill()
    had = tasks()
    logins.owner("grant", "cellar", "shop")
    with Edge("cellar", "cellar") as edge:
        assert edge.sync()["pulled"] == 3
        edge.put("cluster", clusterName="mine")
        edge.load("shop")
        edge.load("mine", 100)
        before = calls("sync_load_tasks", logins.BASE)
        report = edge.sync()
        assert (report["pushed"], report["refused"]) == (MANY, 101), report
        called("sync_load_tasks", before + 1, logins.BASE)
        assert tasks() == had + MANY and tasks("family='web'") == had + MANY
    token = logins.owner("token", "attic")
    with Edge("attic", "edges", token=token) as edge:
        edge.sync()
        edge.load("back")
        before = calls("sync_load_tasks", logins.BASE)
        assert edge.sync()["pushed"] == MANY
        called("sync_load_tasks", before + 1, logins.BASE)
        assert tasks() == had + 2 * MANY
    number = logins.sql("SELECT site FROM sync_sites WHERE name='attic'")
    columns = logins.sql("SELECT string_agg(column_name,',') FROM information_schema.columns WHERE "
                         "table_schema='kecs' AND table_name='tasks'").split(",")
    evil = ("CREATE FUNCTION pg_temp.f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'as %',"
            "current_user USING ERRCODE='KS099'; END $$; ")
    sent = "s_key,s_mask,stamp_life,site_life,stamp_spec,site_spec,stamp_status,site_status".split(",")
    names = [name for name in columns if name not in sent]
    view = evil + "CREATE TEMP VIEW sync_sent_tasks AS SELECT %s FROM (SELECT pg_temp.f() AS x) y; " % ",".join(
        "x AS " + name for name in sent + names + ["s_place"])
    table = evil + "CREATE TEMP TABLE sync_sent_tasks AS SELECT 1 AS s_place; "
    begin = "BEGIN; SELECT set_config('kecs_store.push','open',true); "
    load = "SELECT kecs.gate_load_tasks('%s','attic','fleet',%s,0)" % (token, number)
    for trick in (view, table):
        answer = logins.psql("edges", trick + begin + load)
        assert answer.startswith("KS007"), answer
    for what in ("SELECT count(*) FROM pg_temp.sync_sent_tasks", "DROP TABLE pg_temp.sync_sent_tasks",
                 "DELETE FROM pg_temp.sync_sent_tasks",
                 "CREATE TRIGGER t BEFORE DELETE ON pg_temp.sync_sent_tasks FOR EACH ROW EXECUTE FUNCTION "
                 "suppress_redundant_updates_trigger()"):
        answer = logins.psql("edges", "BEGIN; SELECT kecs.gate_stage_tasks('%s','attic','fleet',%s); %s" % (
            token, number, what))
        assert answer.startswith("42501"), (what, answer)
    logins.denied("edges", "SELECT kecs.gate_stage_tasks('wrong','attic','fleet',%s)" % number, "KS006")
    logins.denied("edges", "SELECT kecs.sync_load_tasks('fleet',%s,0)" % number)


if __name__ == "__main__":
    heed_signals()
    with Server(settings=("track_functions='all'",)) as server:
        sys.exit(run_tests(globals(), sys.argv[1] if len(sys.argv) > 1 else ""))
