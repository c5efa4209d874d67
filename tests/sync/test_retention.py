#!/usr/bin/env python3
"""How long tombstones live: at the hub as long as it is told, at edges for less; what compaction may take of them, and
what it may not after a failover (docs/sync.md 8, and 22 in section 15).

    tests/sync/test_retention.py [WORD]"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import AWAY, HISTORY, World, count_of, run_with_server, with_services  # noqa: E402


SECOND, DAY = 1000000, 86400 * 1000000
server = None


def tombstones(world):
    world.sql("SELECT change_number('%s')" % world.tenant)
    return int(world.sql("SELECT count(*) FROM change_tombstones WHERE tenant='%s'" % world.tenant))


def compact(world, name="h", older=0, dead=0):
    """(entries, tombstones) that went"""
    removed, buried, _ = map(int, world.ok("compact", name, older, dead).split())
    return removed, buried


def retain(world, retention):
    world.drivers["h"].ok("retain", retention, world.hub_url)


def test_the_hub_keeps_to_its_retention():
    with World(server) as world:
        with_services(world)
        world.delete("b", "service", "shop,s1")
        world.settle()
        assert compact(world) == (0, 0) and compact(world, dead=-1) == (0, 0)
        assert compact(world, older=1, dead=-1)[1] == 0 and tombstones(world) == 1  # entries alone, as it was told
        world.check_equal()
        told = world.sql("SELECT value FROM change_state WHERE tenant='%s' AND id=10" % world.tenant)
        assert int(told) == 90 * DAY, told
        retain(world, 30 * DAY)
        world.drivers["h"].ok("init", world.hub_url)  # an upgrade leaves it as it is
        told = world.sql("SELECT value FROM change_state WHERE tenant='%s' AND id=10" % world.tenant)
        assert int(told) == 30 * DAY, told


def test_away_for_less_than_the_retention():
    with World(server) as world:
        with_services(world)
        world.delete("b", "service", "shop,s1")
        world.sync("b")
        compact(world)
        report = world.sync("a")
        assert report["reconciled"] == 0 and count_of(world, "a", 1) is None, report
        world.check_equal()


def test_22_away_for_longer():
    with World(server) as world:
        with_services(world)
        retain(world, 2 * SECOND)
        world.delete("b", "service", "shop,s1")
        world.sync("b")
        world.set("b", "service", "shop,s2", "desired_count", 5)
        world.sync("b")
        assert compact(world, dead=-1)[1] == 0
        time.sleep(2.2)
        assert compact(world)[1] == 1 and tombstones(world) == 0
        world.sync("b")
        report = world.sync("a")
        assert report["reconciled"] == AWAY and report["forgotten"] == 1, report
        world.check_equal()
        assert count_of(world, "a", 1) is None and count_of(world, "a", 2) == 5


def test_22_failovers_hold_the_collection():
    """A hub that failed over, twice, keeps what it has until everybody may have come."""
    with World(server) as world:
        with_services(world)
        retain(world, 2 * SECOND)
        world.delete("b", "service", "shop,s1")
        world.sync("b")
        world.set("b", "service", "shop,s2", "desired_count", 5)
        for _ in range(2):
            world.sql("UPDATE sync_hubs SET history='0/00000000' WHERE tenant='%s'" % world.tenant)
            time.sleep(1.5)
            world.sync("b")
        assert compact(world, dead=-1) == (0, 0) and tombstones(world) == 1
        assert compact(world, older=1)[1] == 0  # entries may go; an edge that has not read them compares
        report = world.sync("a")
        assert report["reconciled"] == AWAY | HISTORY and report["forgotten"] == 0, report
        world.check_equal()
        assert count_of(world, "a", 1) is None
        time.sleep(2.2)
        assert compact(world)[1] == 1


def test_22_an_edge_tells_that_the_hub_went_back():
    with World(server) as world:
        with_services(world)
        retain(world, 2 * SECOND)
        world.delete("b", "service", "shop,s1")
        world.settle()
        time.sleep(2.2)
        world.sql("UPDATE change_batches SET id=md5(random()::text)::uuid WHERE tenant='%s'" % world.tenant)
        assert world.sync("a")["reconciled"] == HISTORY
        assert compact(world) == (0, 0)
        world.check_equal()


def test_edges_keep_tombstones_for_less():
    with World(server) as world:
        with_services(world)
        world.delete("a", "service", "shop,s1")
        world.set("a", "service", "shop,s2", "desired_count", 5)
        world.check_equal()
        for dead in (0, -1):
            assert compact(world, "a", dead=dead)[1] == 0
        retain(world, 2 * SECOND)
        world.sync("a")
        time.sleep(1.2)
        assert compact(world, "a", dead=-1)[1] == 1
        with world.base_of("a") as base:
            assert base.execute("SELECT count(*) FROM change_tombstones").fetchone() == (0,)
        world.check_equal()


def test_bad_input():
    with World(server, "a") as world:
        assert world.drivers["h"].ask("retain", 0, world.hub_url)[0] == "KECS_E_INVALID"
        assert world.drivers["h"].ask("retain", -5, world.hub_url)[0] == "KECS_E_INVALID"
        assert world.drivers["h"].ask("retain", 5, "edge.db")[0] == "KECS_E_INVALID"
        nobody = world.hub_url.replace("tenant=" + world.tenant, "tenant=nobody_at_all")
        status, text = world.drivers["h"].ask("retain", DAY, nobody)
        assert status == "KECS_E_UNSUPPORTED" and "hub" in text, (status, text)


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
