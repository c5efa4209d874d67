#!/usr/bin/env python3
"""Kinds that only grow: pushed after everything else and within a budget, once each, pulled where that is asked for.

    tests/sync/test_append.py [WORD]     only tests with WORD in their name"""

import json
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, World, run_with_server  # noqa: E402


server = None  # of all tests


def log(world, name, line, number=1):
    world.put(name, "task_log", taskArn=ARN + "task/shop/%d" % number, containerName="main", logLine=line)


def event(world, name, action):
    world.put(name, "event", eventType="test", resourceArn=ARN + "cluster/shop", resourceType="cluster", action=action,
              data={"who": name})


def lines_of_hub(world, table="task_logs", column="log_line"):
    text = world.sql("SELECT coalesce(json_agg(%s ORDER BY %s),'[]') FROM %s WHERE tenant='%s'" % (
        column, column, table, world.tenant))
    return json.loads(text)


def lines_of_edge(world, name, table="task_logs", column="log_line"):
    base = sqlite3.connect("file:%s?mode=ro" % world.path(name), uri=True)
    return [row[0] for row in base.execute("SELECT %s FROM %s ORDER BY 1" % (column, table))]


def test_pushed_and_not_pulled():
    with World(server) as world:
        for number in range(20):
            log(world, "a", "line %02d" % number)
            event(world, "b", "do %02d" % number)
        assert world.state("a")["unsent"] == 20
        report = world.sync("a")
        assert (report["appended"], report["pushed"]) == (20, 0), report
        assert world.sync("b")["appended"] == 20
        world.check_equal()
        assert lines_of_hub(world) == ["line %02d" % number for number in range(20)]
        assert len(lines_of_hub(world, "events", "action")) == 20
        assert lines_of_edge(world, "b") == [] and world.state("a")["unsent"] == 0
        assert world.sync("a")["appended"] == 0


def test_state_comes_first():
    """A budget that is used up by one line leaves the state alone."""
    with World(server, "") as world:
        world.start("a", append_bytes=1)
        for number in range(3):
            log(world, "a", "x" * 1000, number)
        world.put("a", "cluster", clusterName="shop")
        for round_ in range(3):
            report = world.sync("a")
            assert report["appended"] == 1 and report["pushed"] == (1 if round_ == 0 else 0), report
        assert world.sync("a")["appended"] == 0 and len(lines_of_hub(world)) == 3


def test_budget():
    with World(server, "", batch=4) as world:
        world.start("a", append_bytes=5000)
        for number in range(20):
            log(world, "a", "%02d" % number + "x" * 998)
        counts = [world.sync("a")["appended"] for _ in range(7)]
        assert sum(counts) == 20 and max(counts) <= 5 and counts[0] >= 3, counts
        world.restart("a", append_bytes=-1)
        log(world, "a", "more")
        assert world.sync("a")["appended"] == 0 and world.state("a")["unsent"] == 1


def test_a_lost_acknowledgement():
    """The watermark did not move, as where the edge was killed after the hub had committed: each row is there once."""
    with World(server, "a") as world:
        for number in range(5):
            log(world, "a", "line %d" % number)
        world.sync("a")
        world.drivers.pop("a").close()
        base = sqlite3.connect(world.path("a"))
        base.execute("DELETE FROM sync_state WHERE name='append_task_log'")
        base.commit()
        base.close()
        world.start("a")
        log(world, "a", "line 5")
        world.sync("a")
        assert lines_of_hub(world) == ["line %d" % number for number in range(6)]


def test_pulled_where_asked_for():
    with World(server, "") as world:
        world.start("a")
        world.start("b", append_pull=1)
        for number in range(20):
            log(world, "a", "a %02d" % number)
            log(world, "b", "b %02d" % number)
        world.sync("a")
        report = world.sync("b")
        assert report["pulled"] == 20 and report["appended"] == 20, report
        log(world, "a", "a more")
        log(world, "b", "b more")
        event(world, "h", "at the hub")
        world.sync("a")
        report = world.sync("b")
        assert report["pulled"] == 2 and report["appended"] == 1, report
        world.check_equal()
        assert len(lines_of_edge(world, "b")) == 42 and len(lines_of_edge(world, "a")) == 21
        assert len(lines_of_hub(world)) == 42 and lines_of_edge(world, "b", "events", "action") == ["at the hub"]
        again = world.sync("b")
        assert again["appended"] == again["pulled"] == 0
        world.start("c", append_pull=1)
        world.check_equal()
        assert len(lines_of_edge(world, "c")) == 42 and len(lines_of_hub(world)) == 42


def test_a_line_that_the_hub_refuses():
    with World(server, "a") as world:
        world.sql("ALTER TABLE task_logs ADD CONSTRAINT no_poison CHECK (log_line <> 'poison')")
        try:
            for line in ("one", "poison", "two"):
                log(world, "a", line)
            report = world.sync("a")
            assert report["appended"] == 2 and report["conflicts"] == 1, report
        finally:
            world.sql("ALTER TABLE task_logs DROP CONSTRAINT no_poison")
        assert lines_of_hub(world) == ["one", "two"]
        noted = world.conflicts("a")
        assert len(noted) == 1 and noted[0][2] == "refused 23514" and noted[0][4]["log_line"] == "poison", noted


def test_the_oldest_go():
    """Rows that are at the hub go first; where others go, an event says how many."""
    with World(server, "") as world:
        world.start("a", append_keep_bytes=20000, append_bytes=6000)
        for number in range(30):
            log(world, "a", "%02d" % number + "x" * 998)
        report = world.sync("a")
        assert report["appended"] in (4, 5) and 5 < report["dropped"] < 15, report
        kept = lines_of_edge(world, "a")
        assert kept and kept[-1].startswith("29") and 12 <= len(kept) < 20, len(kept)
        for _ in range(8):
            world.sync("a")
        gaps = json.loads(world.sql("SELECT json_agg(data) FROM events WHERE event_type='kecs.sync.gap' AND tenant='%s'"
                                    % world.tenant))
        told = sum(json.loads(gap)["rows"] for gap in gaps)
        assert told + len(lines_of_hub(world)) == 30, (gaps, len(lines_of_hub(world)))


def test_options():
    with World(server, "") as world:
        from world import Driver
        world.drivers["a"] = Driver()
        world.drivers["a"].ok("open", "a", world.path("a"))
        for option in ("append_bytes=-2", "append_keep_bytes=-1"):
            world.drivers["a"].ok("option", option)
            status, text = world.drivers["a"].ask("edge", "a", "a", 5, world.edge_url)
            assert status == "KECS_E_INVALID" and "append" in text, (status, text)
            world.drivers["a"].ok("option", option.split("=")[0] + "=0")


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
