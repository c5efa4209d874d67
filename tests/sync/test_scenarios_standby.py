#!/usr/bin/env python3
"""Hubs with standbys, by the numbers of docs/sync.md 15: a round goes to the primary, whichever servers the URL names;
where there is only a standby it is told so, loses nothing, and goes on by itself once that is promoted.

    tests/sync/test_scenarios_standby.py [WORD]"""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import HISTORY, LOST, ROOT, World, count_of, run_tests, with_services  # noqa: E402

from server import SUPERUSER, Pooler, Server, clean_environment, heed_signals  # noqa: E402

FULL = bool(os.environ.get("KECS_FULL"))
KECS = os.environ.get("KECS", str(ROOT / "build/kecs"))


def told(world, name):
    numbers = map(int, world.ok("told", name).split())
    return dict(zip(("rounds", "failures", "reconnects", "lag", "batch", "running"), numbers))


def until(ready, what):
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def tenant_of(world, url):
    return url + ("&" if "?" in url else "?") + "tenant=" + world.tenant


def move(world, name, url):
    """The edge's hub is at another URL from now on."""
    world.stop(name)
    world.start(name, url=tenant_of(world, url))


def promote(world, primary):
    """The standby takes over, with all that it has."""
    primary.standby.promote()
    world.server = primary.standby
    world.open_hub(tenant_of(world, primary.standby.url()))


# ---- 7: a standby in the place of the hub ----------------------------------------------------------------------------

def test_7_a_standby_alone():
    with Server(standby=True) as primary, World(primary) as world:
        with_services(world, 3)
        primary.standby.catch_up()
        move(world, "a", primary.standby.url())
        world.set("a", "service", "shop,s1", "desired_count", 11)
        world.set("b", "service", "shop,s2", "desired_count", 12)
        world.sync("b")
        primary.standby.catch_up()
        for _ in range(2):
            status, text = world.ask("sync", "a")
            assert status == "KECS_E_READONLY" and "standby" in text and "host1,host2" in text, (status, text)
            assert "read_only" not in text and "the next round goes on" in text, text
        assert world.state("a")["pending"] > 0 and count_of(world, "a", 2) == 1  # nothing went, nothing came
        sites = primary.sql("kecs", "SELECT count(*) FROM sync_sites WHERE tenant='%s'" % world.tenant)
        assert sites == "2", sites
        primary.kill()
        promote(world, primary)
        move(world, "b", primary.standby.url())
        report = world.sync("a")  # the same handle
        assert report["pushed"] == 1 and report["pulled"] == 1 and report["reconciled"] == 0, report
        world.check_equal()
        assert [count_of(world, "h", number) for number in (1, 2)] == [11, 12]


def test_7_an_edge_that_begins_at_a_standby():
    """Nothing of the hub is noted, so it may begin with another one yet."""
    with Server(standby=True) as primary, World(primary, "a") as world:
        with_services(world, 2)
        primary.standby.catch_up()
        world.start("b", url=tenant_of(world, primary.standby.url()))
        world.put("b", "cluster", clusterName="mine")
        status, _ = world.ask("sync", "b")
        assert status == "KECS_E_READONLY" and world.state("b")["number"] == 0, status
        move(world, "b", primary.url())
        world.check_equal()
        assert world.get("h", "cluster", "mine")


def test_7_the_thread_goes_on_when_it_is_promoted():
    with Server(standby=True) as primary, World(primary, "a") as world:
        with_services(world, 2)
        primary.standby.catch_up()
        move(world, "a", primary.standby.url())
        world.set("a", "service", "shop,s1", "desired_count", 11)
        world.ok("start", "a", 50)
        until(lambda: told(world, "a")["failures"] >= 2, "rounds fail")
        primary.kill()
        promote(world, primary)
        until(lambda: told(world, "a")["failures"] == 0, "a round succeeds")
        world.ok("stop", "a")
        assert count_of(world, "h", 1) == 11
        world.check_equal()


def test_7_the_primary_is_found_among_several():
    with Server(standby=True) as primary, World(primary) as world:
        with_services(world, 2)
        standby = primary.standby
        urls = (standby.url(also=(primary,), target_session_attrs="read-write"), standby.url(also=(primary,)),
                primary.url(also=(standby,)))
        for number, url in enumerate(urls):
            move(world, "a", url)
            world.set("a", "service", "shop,s1", "desired_count", 20 + number)
            report = world.sync("a")
            assert report["pushed"] == 1, (url, report)
            assert count_of(world, "h", 1) == 20 + number
        world.check_equal()


def test_7_a_standby_behind_a_pooler():
    """The pooler hands connections to another server than before, in the midst of an edge's life."""
    with Server(standby=True) as primary, Pooler(primary) as pooler, World(primary, "a", url=pooler.url()) as world:
        with_services(world, 2)
        primary.standby.catch_up()
        world.set("a", "service", "shop,s1", "desired_count", 11)
        text = pooler.config.read_text()
        pooler.config.write_text(text.replace("port=%d" % primary.port, "port=%d" % primary.standby.port))
        pooler.stop()
        pooler.start()
        status, said = world.ask("sync", "a")
        assert status in ("KECS_E_READONLY", "KECS_E_OFFLINE"), (status, said)
        status, said = world.ask("sync", "a")
        assert status == "KECS_E_READONLY" and "standby" in said, (status, said)
        pooler.config.write_text(text)
        pooler.stop()
        pooler.start()
        world.check_equal()
        assert count_of(world, "h", 1) == 11


def test_7_a_server_that_takes_no_writes():
    """Not a standby, but as good as one: default_transaction_read_only, as for maintenance, behind a pooler."""
    with Server() as primary, Pooler(primary) as pooler, World(primary, "a") as world:
        with_services(world, 2)
        world.set("a", "service", "shop,s1", "desired_count", 11)
        primary.sql(SUPERUSER, "ALTER SYSTEM SET default_transaction_read_only=on; SELECT pg_reload_conf()")
        assert world.sync("a")["pushed"] == 1  # a round says that it writes, which the setting allows
        move(world, "a", pooler.url())
        world.set("a", "service", "shop,s1", "desired_count", 12)
        assert world.sync("a")["pushed"] == 1
        primary.sql(SUPERUSER, "SET default_transaction_read_only=off; "
                               "ALTER SYSTEM RESET default_transaction_read_only")
        primary.sql(SUPERUSER, "SELECT pg_reload_conf()")
        world.check_equal()


def test_7_a_hub_is_asked_at_its_standby():
    """What only reads may read there; what writes says why it may not."""
    with Server(standby=True) as primary, World(primary, "a") as world:
        with_services(world, 2)
        primary.standby.catch_up()
        url = tenant_of(world, primary.standby.url())
        environment = clean_environment()
        for words in (["hub", "sites", "--json"], ["hub", "status", "--json"]):
            done = subprocess.run([KECS, "--db", url] + words, env=environment, capture_output=True, text=True)
            assert done.returncode == 0 and json.loads(done.stdout), (words, done)
        for words in (["hub", "init"], ["hub", "retain", "5"], ["hub", "token", "a"], ["hub", "grant", "a", "shop"]):
            done = subprocess.run([KECS, "--db", url] + words, env=environment, capture_output=True, text=True)
            assert done.returncode != 0 and "standby" in done.stderr, (words, done)


# ---- 5: failover under way -------------------------------------------------------------------------------------------

def lag(primary):
    """From now on the standby learns of nothing: what is written is lost with the primary."""
    primary.standby.catch_up()
    primary.standby.stop()


def test_5_failover_in_the_midst_of_rounds():
    """Both edges' threads push and pull; the primary is killed, and a standby that lacks its tail takes over. What was
    acknowledged, whoever has it, is there afterwards."""
    for turn in range(5 if FULL else 1):
        with Server(standby=True) as primary:
            url = primary.url(also=(primary.standby,), target_session_attrs="read-write")
            with World(primary, "ab", url=url) as world:
                with_services(world)
                for name in "ab":
                    world.ok("start", name, 20)
                for number in range(10):
                    world.set("ab"[number % 2], "service", "shop,s%d" % number, "desired_count", 100 + number)
                lag(primary)
                for number in range(10):
                    world.put("ab"[number % 2], "service", serviceName="x%d" % number, cluster="shop",
                              desiredCount=200 + number)
                    time.sleep(0.01 * turn)
                world.delete("b", "service", "shop,s11")
                until(lambda: world.get("a", "service", "shop,x1") and world.get("b", "service", "shop,x8"),
                      "they have of each other")
                primary.kill()
                primary.standby.start()
                world.put("a", "service", serviceName="later", cluster="shop", desiredCount=300)
                promote(world, primary)
                until(lambda: all(told(world, name)["failures"] == 0 for name in "ab"), "both sync again")
                for name in "ab":
                    world.ok("stop", name)
                world.check_equal()
                for name in "abh":
                    assert [count_of(world, name, number) for number in range(10)] == list(range(100, 110)), name
                    assert all(world.get(name, "service", "shop,x%d" % number) for number in range(10)), name
                    assert world.get(name, "service", "shop,later") and count_of(world, name, 11) is None, name


def test_5_two_failovers_there_and_back():
    """The old primary comes back as it was, as if a backup of it was started: a history that ends earlier."""
    with Server(standby=True) as primary:
        with World(primary, "a", url=primary.url(also=(primary.standby,))) as world:
            with_services(world, 4)
            lag(primary)
            world.set("a", "service", "shop,s1", "desired_count", 11)
            world.sync("a")
            primary.kill()
            primary.standby.start()
            promote(world, primary)
            assert world.sync("a")["reconciled"] & LOST
            world.set("a", "service", "shop,s2", "desired_count", 12)
            world.check_equal()
            primary.standby.kill()
            primary.start()
            world.server = primary
            world.open_hub(tenant_of(world, primary.url()))
            assert world.sync("a")["reconciled"] & (HISTORY | LOST)
            world.check_equal()
            assert [count_of(world, "h", number) for number in (1, 2)] == [11, 12]


def main():
    heed_signals()
    return run_tests(globals(), sys.argv[1] if len(sys.argv) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
