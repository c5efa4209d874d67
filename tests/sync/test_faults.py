#!/usr/bin/env python3
"""A link that is lost at every message of a round, before and after the hub has done what it says; and an edge that is
killed in its rounds. What was written arrives once, and all agree.

    tests/sync/test_faults.py [WORD]"""

import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import World, run_with_server  # noqa: E402

from server import Proxy  # noqa: E402

KILLS = 40
server = None


def small_round(world, number):
    """Something to push and something to pull."""
    world.put("a", "cluster", clusterName="mine%d" % number)
    world.put("a", "service", serviceName="web%d" % number, cluster="shop", desiredCount=number)
    world.set("a", "service", "shop,web", "desired_count", 1000 + number)
    world.set("h", "service", "shop,web", "running_count", 1000 + number)
    if number % 3 == 0:
        world.put("a", "cluster", clusterName="gone")
        world.delete("a", "cluster", "gone")


def batches_of(world, site):
    """Transactions of a site that are numbered at the hub."""
    world.sql("SELECT change_number('%s')" % world.tenant)
    return int(world.sql("SELECT pushes FROM sync_sites WHERE tenant='%s' AND name='%s'" % (world.tenant, site)))


def test_lost_at_every_message():
    """Each position, counted in messages of one type, on the way there and on the way back."""
    with Proxy(server) as proxy, World(server, "a", batch=1000, url=proxy.url()) as world:
        world.put("a", "cluster", clusterName="shop")
        world.put("a", "service", serviceName="web", cluster="shop", desiredCount=1)
        world.check_equal()
        number, positions = 0, 0
        for before in (True, False):
            for kind in ("P", "E", "S"):
                for position in range(1, 100):
                    number += 1
                    small_round(world, number)
                    pushes = batches_of(world, "a")
                    proxy.lose(kind, position, before=before)
                    status, text = world.ask("sync", "a")
                    hit = proxy.hit.is_set()
                    proxy.lose("\0")  # disarmed
                    assert status in ("KECS_OK", "KECS_E_OFFLINE"), (kind, position, before, status, text)
                    assert status == "KECS_E_OFFLINE" or not hit or before is False, (kind, position, status)
                    for _ in range(2):
                        world.ok("sync", "a")
                    assert world.get("h", "service", "shop,web")["desiredCount"] == 1000 + number
                    assert world.get("a", "service", "shop,web")["runningCount"] == 1000 + number
                    assert batches_of(world, "a") == pushes + 1, (kind, position, before)
                    positions += hit
                    if not hit:
                        break
        assert positions > 20, positions
        world.check_equal()
        assert not world.conflicts("a") and not world.conflicts("h"), (world.conflicts("a"), world.conflicts("h"))


def test_lost_acknowledgement_and_an_edit():
    with Proxy(server) as proxy, World(server, "a", url=proxy.url()) as world:
        world.put("a", "cluster", clusterName="shop")
        world.put("a", "service", serviceName="web", cluster="shop", desiredCount=1)
        world.check_equal()
        world.set("a", "service", "shop,web", "desired_count", 2)
        proxy.lose("S", containing=b"", number=2)
        world.ask("sync", "a")
        world.set("a", "service", "shop,web", "desired_count", 3)
        world.restart("a")
        world.check_equal()
        assert world.get("h", "service", "shop,web")["desiredCount"] == 3
        assert not world.conflicts("h") and not world.conflicts("a")


def test_killed_edges():
    chance = random.Random(7)
    with World(server, "ab", batch=3) as world:
        world.put("a", "cluster", clusterName="shop")
        world.put("a", "service", serviceName="web", cluster="shop", desiredCount=1)
        world.check_equal()
        for number in range(KILLS):
            small_round(world, number)
            world.put("b", "service", serviceName="other%d" % number, cluster="shop")
            world.sync("b")
            world.drivers["a"].tell("sync", "a")
            time.sleep(chance.random() * 0.04)
            world.restart("a")
        world.check_equal()
        assert all(world.get("h", "service", "shop,web%d" % number) for number in range(KILLS))
        assert all(world.get("a", "service", "shop,other%d" % number) for number in range(KILLS))


def test_killed_in_the_first_round():
    chance = random.Random(11)
    with World(server, "a", batch=2) as world:
        for number in range(25):
            world.put("a", "cluster", clusterName="c%d" % number)
        world.check_equal()
        world.start("b")
        for _ in range(12):
            world.drivers["b"].tell("sync", "b")
            time.sleep(chance.random() * 0.06)
            world.restart("b")
        world.check_equal()


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
