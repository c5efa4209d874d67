#!/usr/bin/env python3
"""What a hub asks of its sites: rounds no more often, batches no larger, no rounds for a while (docs/sync.md 12); and
how far each of them has read.

    tests/sync/test_limits.py [WORD]"""

import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import COPIED, World, run_with_server, with_services  # noqa: E402

from server import Pooler  # noqa: E402

server = None


def limit(world, site, *words):
    world.drivers["h"].ok("limit", world.hub_url, site, *words)


def limits(world, name):
    every, batch, pause = world.ok("limits", name).split(" ", 2)
    return int(every), int(batch), pause


def sites(world):
    """{name: (cursor, milliseconds, batch, reason)}"""
    found = [part.split("|") for part in world.drivers["h"].ok("sites", world.hub_url).split("\x1f") if part]
    return {part[0]: (int(part[1]), int(part[2]), int(part[3]), part[4]) for part in found}


def rounds(world, name):
    return int(world.ok("told", name).split()[0])


def until(ready, what):
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def largest_push(world):
    """Entries of the largest batch of the feed."""
    world.sql("SELECT change_number('%s')" % world.tenant)
    return int(world.sql("SELECT max(seq-before) FROM (SELECT seq,lag(seq) OVER (ORDER BY seq) AS before FROM "
                         "change_batches WHERE tenant='%s') b" % world.tenant))


def bounded_world(**options):
    with World(server, batch=1000, **options) as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        limit(world, "*", 0, 7)
        for number in range(40):
            world.put("a", "service", serviceName="s%d" % number, cluster="shop")
        there = world.sync("a")
        assert there["pushed"] == 40 and there["trips"] >= 6, there
        assert largest_push(world) <= 7, largest_push(world)
        back = world.sync("b")  # the first window was asked for before b knew
        assert back["pulled"] == 40 and back["trips"] >= 6, back
        assert limits(world, "a") == limits(world, "b") == (0, 7, "")
        world.start("c")
        first = world.sync("c")
        assert first["pulled"] == 41 and first["trips"] >= 6, first
        limit(world, "*", "none")
        for number in range(40):
            world.set("a", "service", "shop,s%d" % number, "desired_count", 3)
        there = world.sync("a")
        assert there["pushed"] == 40 and largest_push(world) == 40, there
        world.check_equal()


def test_batches_are_bounded():
    bounded_world()


def test_batches_are_bounded_behind_a_pooler():
    with Pooler(server) as pooler:
        bounded_world(url=pooler.url())


def test_the_stricter_one_holds():
    with World(server) as world:
        with_services(world, 2)
        assert limits(world, "a") == (0, 0, "")
        limit(world, "*", 2000, 50)
        limit(world, "a", 500, 10)
        limit(world, "b", 3000, 0)
        for name in "ab":
            world.sync(name)
        assert limits(world, "a") == (2000, 10, "") and limits(world, "b") == (3000, 50, "")
        told = sites(world)
        assert told["a"][1:] == (2000, 10, "") and told["b"][1:] == (3000, 50, ""), told
        limit(world, "a", "none")
        limit(world, "a", "none")  # there is nothing to take any more
        world.sync("a")
        assert limits(world, "a") == (2000, 50, "")
        limit(world, "*", "none")
        for name in "ab":
            world.sync(name)
        assert limits(world, "a") == (0, 0, "") and limits(world, "b") == (3000, 0, "")
        world.check_equal()


def test_the_thread_begins_no_more_often():
    with World(server, "a") as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        limit(world, "a", 1000, 0)
        world.ok("start", "a", 20)
        until(lambda: limits(world, "a")[0] == 1000, "it is told")
        before, begun = rounds(world, "a"), time.monotonic()
        for number in range(60):  # each of them would begin a round
            world.put("a", "service", serviceName="s%d" % number, cluster="shop")
            time.sleep(0.05)
        had, took = rounds(world, "a") - before, time.monotonic() - begun
        assert 1 <= had <= took + 1, (had, took)
        limit(world, "a", "none")
        until(lambda: rounds(world, "a") - before > 20, "it is as fast again as it was")
        world.ok("stop", "a")
        world.check_equal()


def test_stop_does_not_wait_for_the_time():
    with World(server, "a") as world:
        world.put("a", "cluster", clusterName="shop")
        limit(world, "a", 86400000, 0)
        world.ok("start", "a", 20)
        until(lambda: world.get("h", "cluster", "shop"), "the first round")
        world.put("a", "cluster", clusterName="later")
        world.ok("stop", "a")
        world.sync("a")  # who asks for a round by itself gets it
        assert world.get("h", "cluster", "later") and limits(world, "a")[0] == 86400000


def test_a_pause():
    with World(server) as world:
        with_services(world, 3)
        limit(world, "a", 0, 0, "the database is moved")
        world.set("a", "service", "shop,s1", "desired_count", 11)
        world.set("b", "service", "shop,s2", "desired_count", 12)
        for _ in range(2):
            status, text = world.ask("sync", "a")
            assert status == "KECS_E_BUSY" and "the database is moved" in text and "kecs hub limit" in text, text
        assert world.sync("b")["pushed"] == 1
        assert world.state("a")["pending"] > 0 and world.get("a", "service", "shop,s2")["desiredCount"] == 1
        assert limits(world, "a")[2] == "the database is moved" and sites(world)["a"][3] == "the database is moved"
        limit(world, "*", 0, 0, "all wait")
        status, text = world.ask("sync", "a")
        assert status == "KECS_E_BUSY" and "all wait; the database is moved" in text, text
        assert world.ask("sync", "b")[0] == "KECS_E_BUSY"
        for site in ("a", "*"):
            limit(world, site, "none")
        world.check_equal()
        assert limits(world, "a")[2] == "" and world.get("h", "service", "shop,s1")["desiredCount"] == 11


def test_a_pause_before_the_first_round():
    with World(server, "a") as world:
        limit(world, "b", 0, 0, "not yet")
        world.start("b")
        world.put("b", "cluster", clusterName="mine")
        assert world.ask("sync", "b")[0] == "KECS_E_BUSY" and world.state("b")["number"] == 0
        limit(world, "b", "none")
        world.check_equal()
        assert world.get("a", "cluster", "mine")


def test_the_thread_goes_on_after_a_pause():
    with World(server, "a") as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        limit(world, "*", 0, 0, "maintenance")
        world.ok("start", "a", 20)
        world.put("a", "cluster", clusterName="later")
        until(lambda: int(world.ok("told", "a").split()[1]) >= 2, "rounds fail")
        assert not world.get("h", "cluster", "later")
        limit(world, "*", "none")
        until(lambda: world.get("h", "cluster", "later"), "it goes on by itself")
        world.ok("stop", "a")


def test_a_copied_file_has_the_limits_of_its_name():
    with World(server, "a") as world:
        with_services(world, 2)
        limit(world, "a", 700, 30)
        world.stop("a")
        shutil.copy(world.path("a"), world.path("b"))
        for name in "ab":
            world.start(name, site="a")
            world.put(name, "cluster", clusterName="of_" + name)
        assert [world.sync(name)["reconciled"] for name in "ab"] == [0, COPIED]
        assert limits(world, "a") == limits(world, "b") == (700, 30, "")
        told = sites(world)
        assert len(told) == 2 and all(line[1:] == (700, 30, "") for line in told.values()), told


def test_sites_tell_how_far_they_have_read():
    with World(server) as world:
        with_services(world, 3)
        for name in "ab":
            world.sync(name)
        head = int(world.sql("SELECT seq FROM change_heads WHERE tenant='%s'" % world.tenant))
        assert [sites(world)[name][0] for name in "ab"] == [head, head], (head, sites(world))
        for number in range(3):
            world.set("b", "service", "shop,s%d" % number, "desired_count", 7)
            world.sync("b")
        for _ in range(2):  # in the first one the last push got its number, and was read
            world.sync("b")
        told = sites(world)
        assert told["a"][0] == head and told["b"][0] == head + 3, (head, told)
        world.sync("a")  # it has read them now, and says so when it greets next
        world.sync("a")
        assert sites(world)["a"][0] == head + 3


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
