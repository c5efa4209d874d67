#!/usr/bin/env python3
"""Clocks that are wrong: in 1970, in 2099, an hour off, set while somebody writes (docs/sync.md 10).

    tests/sync/test_clocks.py [WORD]"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import Driver, World, count_of, run_with_server, with_services  # noqa: E402

from server import Proxy  # noqa: E402

server = None
YEAR = 365 * 86400 * 1000000
HOUR = 3600 * 1000000


def stamp_times(world):
    """The newest stamp at the hub minus its time, in seconds."""
    return float(world.sql("SELECT max(greatest(stamp_life,stamp_spec,stamp_status))/65536000.0-extract(epoch FROM "
                           "clock_timestamp()) FROM services WHERE tenant='%s'" % world.tenant))


def test_15_clock_in_1970():
    """What it writes before it has met the hub ranks low; afterwards it neither always loses nor always wins."""
    with World(server, "b") as world:
        with_services(world, name="b")
        world.drivers["c"] = Driver()
        world.drivers["c"].ok("clock", -56 * YEAR)
        world.drivers["c"].ok("open", "c", world.path("c"))
        world.drivers["c"].ok("put", "c", "cluster", '{"clusterName": "shop"}')
        world.drivers["c"].ok("put", "c", "cluster", '{"clusterName": "early"}')
        world.drivers["c"].ok("edge", "c", "c", world.batch, world.edge_url)
        world.check_equal()
        assert world.get("b", "cluster", "early")
        assert [entry[2] for entry in world.conflicts("c")] == ["create"], world.conflicts("c")
        world.set("c", "service", "shop,s1", "desired_count", 51)
        time.sleep(0.1)
        world.set("b", "service", "shop,s1", "desired_count", 52)
        world.set("b", "service", "shop,s2", "desired_count", 53)
        time.sleep(0.1)
        world.set("c", "service", "shop,s2", "desired_count", 54)
        world.check_equal()
        assert (count_of(world, "h", 1), count_of(world, "h", 2)) == (52, 54)


def test_15_clock_in_2099():
    with World(server) as world:
        with_services(world)
        world.drivers["a"].ok("clock", 73 * YEAR)
        world.set("a", "service", "shop,s1", "desired_count", 61)
        world.set("a", "service", "shop,s1", "running_count", 62)
        world.put("a", "service", serviceName="future", cluster="shop", desiredCount=63)
        world.delete("a", "service", "shop,s2")
        world.delete("a", "service", "shop,s3")
        world.put("a", "service", serviceName="s3", cluster="shop", desiredCount=64)
        time.sleep(0.1)
        world.set("b", "service", "shop,s1", "desired_count", 65)  # later, as the time goes
        report = world.sync("a")
        assert report["restamped"] == 6 and report["pushed"] >= 4, report
        world.check_equal()
        for name in "abh":
            assert count_of(world, name, 1) == 65 and count_of(world, name, 2) is None, name
            assert count_of(world, name, 3) == 64 and world.get(name, "service", "shop,future"), name
            assert world.get(name, "service", "shop,s1")["runningCount"] == 62, name
        assert stamp_times(world) < 60
        world.set("a", "service", "shop,s4", "desired_count", 66)  # its clock still is what it is
        assert world.sync("a")["restamped"] == 0
        assert stamp_times(world) < 60
        time.sleep(0.1)
        world.set("b", "service", "shop,s4", "desired_count", 67)
        world.restart("a")
        world.drivers["a"].ok("clock", 73 * YEAR)
        world.check_equal()
        assert count_of(world, "a", 4) == 67
        world.set("a", "service", "shop,s5", "desired_count", 68)  # the offset was kept in the file
        assert world.sync("a")["restamped"] == 0
        world.check_equal()


def test_15_clock_jumps():
    """An hour back, as NTP does it, then to the right time again; in the middle of edits of one row."""
    with World(server) as world:
        with_services(world)
        world.drivers["a"].ok("clock", HOUR)
        world.set("a", "service", "shop,s1", "desired_count", 71)
        world.drivers["a"].ok("clock", 0)
        world.set("a", "service", "shop,s1", "desired_count", 72)
        world.drivers["a"].ok("clock", -HOUR)
        world.set("a", "service", "shop,s1", "desired_count", 73)
        assert world.sync("a")["restamped"] > 0
        world.check_equal()
        assert count_of(world, "b", 1) == 73
        world.drivers["a"].ok("clock", 0)
        time.sleep(0.1)
        world.set("a", "service", "shop,s1", "desired_count", 74)
        world.check_equal()
        assert count_of(world, "b", 1) == 74 and stamp_times(world) < 60
        assert not any(world.conflicts(name) for name in "abh")


def test_15_pulls_with_a_clock_ahead():
    """Merging alone gives the log stamps of the wrong clock; what is written after it was set must go, too."""
    with World(server) as world:
        with_services(world)
        world.drivers["a"].ok("clock", 20 * HOUR)
        for number in range(9):
            world.set("b", "service", "shop,s%d" % number, "desired_count", 80)
        world.sync("b")
        world.sync("a")
        world.drivers["a"].ok("clock", 0)
        world.set("a", "service", "shop,s1", "desired_count", 81)
        world.check_equal()
        assert count_of(world, "b", 1) == 81 and stamp_times(world) < 60


def test_15_sent_before_the_clock_was_set():
    """The acknowledgement was lost, the clock wrong within what the hub takes: stamps that it may have stay."""
    with Proxy(server) as proxy, World(server, url=proxy.url()) as world:
        with_services(world)
        world.drivers["a"].ok("clock", 200 * 1000000)
        world.set("a", "service", "shop,s1", "desired_count", 91)
        proxy.lose("S", 2)
        world.ask("sync", "a")
        proxy.lose("\0")
        world.drivers["a"].ok("clock", 0)
        assert world.sync("a")["restamped"] == 0
        world.check_equal()
        assert count_of(world, "b", 1) == 91 and not world.conflicts("h")


def test_15_many_stamps_in_a_millisecond():
    with World(server) as world:
        with_services(world)
        world.drivers["a"].ok("clock", 2 * HOUR)
        for number in range(200):
            world.put("a", "cluster", clusterName="c%d" % number)
        world.put("a", "service", serviceName="last", cluster="c199", desiredCount=1)
        world.drivers["a"].ok("clock", 0)
        assert world.sync("a")["restamped"] == 201
        world.check_equal()
        assert world.get("b", "service", "c199,last")


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
