#!/usr/bin/env python3
"""The nasty scenarios of the merge, by their numbers in docs/sync.md 15.

    tests/sync/test_scenarios_merge.py [WORD]     only tests with WORD in their name"""

import json
import pathlib
import sqlite3
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import newer  # noqa: E402
from world import ARN, Driver, World, run_with_server  # noqa: E402

from server import Server  # noqa: E402

server = None  # of all tests
OWNER, SPEC, STATUS = 1, 2, 4


def with_service(world):
    world.put("a", "cluster", clusterName="shop")
    world.put("a", "service", serviceName="web", cluster="shop", desiredCount=1)
    world.check_equal()


def lost(world):
    return [entry for name in world.edges() + ["h"] for entry in world.conflicts(name)]


def test_11_delete_update_and_creation_on_three_edges():
    """Whatever the order in which they come: the row that was created anew is the row, and the update is in the log."""
    for order in ("abc", "acb", "bac", "bca", "cab", "cba"):
        with World(server, "abc") as world:
            with_service(world)
            world.delete("a", "service", "shop,web")
            world.set("b", "service", "shop,web", "running_count", 9)
            world.delete("c", "service", "shop,web")
            world.put("c", "service", serviceName="web", cluster="shop", desiredCount=4)
            for name in order:
                world.sync(name)
            world.check_equal()
            for name in "abch":
                found = world.get(name, "service", "shop,web")
                assert (found["desiredCount"], found.get("runningCount", 0)) == (4, 0), (order, name, found)
            assert any(entry[4].get("running_count") == 9 for entry in lost(world)), (order, lost(world))


def test_12_one_name_created_on_two_edges():
    for first in "ab":
        with World(server) as world:
            world.put("a", "cluster", clusterName="shop")
            world.check_equal()
            world.put("a", "service", serviceName="web", cluster="shop", desiredCount=1)
            world.put("b", "service", serviceName="web", cluster="shop", desiredCount=2)
            world.sync(first)
            world.check_equal()
            assert all(world.get(name, "service", "shop,web")["desiredCount"] == 2 for name in "abh")
            entries = lost(world)
            assert [entry[4]["desired_count"] for entry in entries if entry[2] == "create"] == [1], entries


def test_13_parent_deleted_while_a_child_is_created():
    with World(server) as world:
        with_service(world)
        world.sql("DELETE FROM clusters WHERE tenant='%s' AND name='shop'" % world.tenant)
        world.put("b", "service", serviceName="api", cluster="shop", desiredCount=6)
        world.put("b", "task", cluster="shop", taskArn=ARN + "task/shop/1", group="service:api")
        world.check_equal()
        assert all(world.get(name, "cluster", "shop") is None for name in "abh")
        assert sorted(entry[2] for entry in world.conflicts("b")) == ["parent", "parent"]
        assert all(json.loads(world.sql("SELECT count(*) FROM %s WHERE tenant='%s'" % (table, world.tenant))) == 0
                   for table in ("services", "tasks"))


def test_13_what_goes_with_a_parent_at_the_hub():
    """An edge has deleted a cluster when it pulls rows in it that the hub has taken from another one: they can only
    wait for their parent, and go with it at the hub. They are in the hub's log."""
    with World(server) as world:
        with_service(world)
        world.check_equal()
        world.delete("a", "cluster", "shop")
        world.put("b", "service", serviceName="api", cluster="shop", desiredCount=6)
        world.put("b", "task", cluster="shop", taskArn=ARN + "task/shop/1", group="service:api")
        world.set("b", "task", ARN + "task/shop/1", "service_arn", ARN + "service/shop/api")
        world.set("b", "service", "shop,web", "running_count", 9)
        for name in "ba":
            world.sync(name)
        world.check_equal()
        assert all(world.get(name, "cluster", "shop") is None for name in "abh")
        entries = sorted((entry[1].rsplit(",", 1)[-1].rsplit("/", 1)[-1], entry[2]) for entry in lost(world))
        assert entries == [("1", "parent"), ("api", "parent"), ("web", "delete")], lost(world)
        kept = {entry[1].rsplit("/", 1)[-1]: entry[4] for entry in world.conflicts("h")}
        assert kept["api"]["desired_count"] == 6, kept
        assert kept["1"]["service_arn"] == ARN + "service/shop/api", kept  # as it was before the hub cleared it
        graves = world.sql("SELECT string_agg(coalesce(site::text,'h'),',' ORDER BY seq) FROM change_tombstones WHERE "
                           "tenant='%s' AND key ~ '(api|task/shop/1)$'" % world.tenant)
        assert graves == "h,h", graves  # the hub's stamps, under the hub's number


def test_16_poison_rows_in_a_batch_of_a_thousand():
    """What a check of the hub's table refuses, and what the rights of its database do: each stays at its edge, the
    others go."""
    with World(server, "a", batch=2000) as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        world.sql("ALTER TABLE services ADD CONSTRAINT no_poison CHECK (desired_count <> 666)")
        world.sql("CREATE FUNCTION no_worse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "IF NEW.desired_count=667 THEN RAISE EXCEPTION 'denied' USING "
                  "ERRCODE='insufficient_privilege'; END IF; RETURN NEW; END $$; "
                  "CREATE TRIGGER no_worse BEFORE INSERT ON services FOR EACH ROW EXECUTE FUNCTION no_worse()")
        counts = {1: 666, 500: 667, 999: 666}
        for number in range(1000):
            world.put("a", "service", serviceName="s%d" % number, cluster="shop", desiredCount=counts.get(number, 1))
        report = world.sync("a")
        assert (report["pushed"], report["refused"]) == (997, 3), report
        assert int(world.sql("SELECT count(*) FROM services WHERE tenant='%s'" % world.tenant)) == 997
        assert world.state("a")["refused"] == 3 and world.get("a", "service", "shop,s500")
        world.sql("DROP TRIGGER no_worse ON services; DROP FUNCTION no_worse; "
                  "ALTER TABLE services DROP CONSTRAINT no_poison")
        world.check_equal()


def cluster(world, name, member="priorityClass"):
    return world.get(name, "cluster", "shop").get(member)


def test_19_columns_that_one_side_does_not_know():
    """Edges before and after an upgrade at a hub of the later release; and a group that is pending meanwhile."""
    with tempfile.TemporaryDirectory(prefix="kecs_newer_") as folder:
        program = newer.build(folder)
        with Server() as own, World(own, "", program=program) as world:
            world.start("a")
            world.start("b", program=program)
            world.put("a", "cluster", clusterName="shop", status="ACTIVE")
            for name in "abab":
                world.sync(name)
            assert cluster(world, "b") == "normal" or cluster(world, "b") is None
            world.set("b", "cluster", "shop", "priority_class", "high")
            world.set("b", "cluster", "shop", "maintenance_window", '{"day":"Sunday"}')
            world.sync("b")
            world.sync("a")
            assert cluster(world, "a") is None
            world.set("a", "cluster", "shop", "settings", '[{"name":"x","value":"y"}]')
            report = world.sync("a")  # the older program's edit of the group leaves what it does not know
            assert cluster(world, "h") == "high"
            assert cluster(world, "h", "settings") == [{"name": "x", "value": "y"}], (report, world.conflicts("h"))
            world.sync("b")
            assert cluster(world, "b") == "high" and cluster(world, "b", "settings") == [{"name": "x", "value": "y"}]
            world.set("a", "cluster", "shop", "settings", "[]")  # pending when the program is replaced
            world.drivers["a"].close()
            world.start("a", program=program)
            report = world.sync("a")
            assert cluster(world, "a") == "high", report
            assert cluster(world, "a", "maintenanceWindow") == {"day": "Sunday"}
            for name in "bab":
                world.sync(name)
            for name in "abh":
                assert (cluster(world, name), cluster(world, name, "settings")) == ("high", []), name
                assert cluster(world, name, "maintenanceWindow") == {"day": "Sunday"}
            again = world.sync("a")
            assert again["pulled"] == again["pushed"] == 0, again
            world.delete("a", "cluster", "shop")
            world.put("a", "cluster", clusterName="shop")
            for name in "abab":
                world.sync(name)
            assert all(cluster(world, name, "maintenanceWindow") is None for name in "abh")


def test_19_a_hub_that_is_upgraded_later():
    with tempfile.TemporaryDirectory(prefix="kecs_newer_") as folder:
        program = newer.build(folder)
        with Server() as own, World(own, "") as world:
            world.start("a", program=program)
            world.start("b", program=program)
            world.start("c")
            world.put("a", "cluster", clusterName="shop", priorityClass="high")
            world.put("c", "cluster", clusterName="other")
            for name in "abcabc":
                world.sync(name)
            assert cluster(world, "b") in (None, "normal")
            world.drivers["h"].close()
            world.drivers["h"] = Driver(program)
            world.drivers["h"].ok("init", world.hub_url)
            world.drivers["h"].ok("open", "h", world.hub_url)
            for name in "abcab":
                world.sync(name)
            assert [cluster(world, name) for name in "abh"] == ["high"] * 3, [cluster(world, name) for name in "abh"]
            assert world.get("c", "cluster", "shop") and cluster(world, "c") is None
            assert not lost(world)


def test_23_a_callback_that_always_returns_something_new():
    with World(server, "") as world:
        for name in "ab":
            world.start(name, merger="fresh")
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 2)
        world.set("b", "service", "shop,web", "desired_count", 3)
        world.sync("a")
        world.check_equal()
        for _ in range(4):
            assert not any(world.sync(name)["pushed"] for name in "ab")
        assert world.ok("merged", "b") == "1" and world.ok("merged", "a") == "0"


def test_24_a_task_that_was_placed_elsewhere():
    with World(server, "") as world:
        for name in "ab":
            world.start(name, policies=[("node_task", STATUS, OWNER, "node_id")])
        world.put("a", "node_task", taskId="1", name="job", image="i", nodeId="a")
        world.check_equal()
        world.set("h", "node_task", "1", "node_id", "b")
        world.sync("b")
        world.set("b", "node_task", "1", "status", "running")
        world.sync("b")
        world.drivers["a"].ok("clock", 250 * 1000000)  # newer clock, older fence
        world.set("a", "node_task", "1", "status", "failed")
        world.check_equal()
        assert all(world.get(name, "node_task", "1")["status"] == "running" for name in "abh")
        assert [(entry[2], entry[4]["status"]) for entry in world.conflicts("a")] == [("policy", "failed")]


def test_25_a_tombstone_of_a_row_that_the_edge_never_had():
    with World(server) as world:
        world.check_equal()
        world.put("a", "cluster", clusterName="brief")
        world.sync("a")
        world.delete("a", "cluster", "brief")
        world.sync("a")
        world.sync("b")
        world.drivers["b"].ok("clock", -3600 * 1000000)
        world.put("b", "cluster", clusterName="brief", status="later")  # all the same a life after it
        world.check_equal()
        assert all(world.get(name, "cluster", "brief")["status"] == "later" for name in "abh")


def test_26_a_key_twice_in_a_batch():
    """Deleted and made anew, several times, between two rounds."""
    with World(server) as world:
        with_service(world)
        for number in range(4):
            world.delete("a", "service", "shop,web")
            world.put("a", "service", serviceName="web", cluster="shop", desiredCount=10 + number)
        world.delete("b", "service", "shop,web")
        world.put("b", "cluster", clusterName="x")
        world.delete("b", "cluster", "x")
        world.check_equal()
        # Within one millisecond either of the two may be the later one.
        found = [world.get(name, "service", "shop,web") for name in "abh"]
        assert found == [None] * 3 or [one["desiredCount"] for one in found] == [13] * 3, found


def test_27_extremes():
    with World(server) as world:
        with_service(world)
        texts = ["", " ", "\u00e9\u4e2d\U0001f600", "a\\b\"c'd,e{f}\tg", "NULL", "{NULL}", "\\N", "0" * 40, "x" * 60000]
        numbers = [0, -1, 2 ** 63 - 1, -2 ** 63, 2 ** 53 + 1]
        for number, text in enumerate(texts):
            world.put("a", "node_task", taskId="t%d" % number, name=text or "none", image=text or "none", error=text,
                      createdAt="1969-12-31T23:59:59.999999Z" if number % 2 else "2262-04-11T23:47:16.854775Z")
        for number, value in enumerate(numbers):
            world.put("b", "service", serviceName="n%d" % number, cluster="shop")
            world.set("b", "service", "shop,n%d" % number, "desired_count", value)
        world.set("b", "service", "shop,n1", "health_check_grace_period_seconds", 0)
        world.check_equal()
        base = sqlite3.connect(world.path("a"))
        assert [row[0] for row in base.execute("SELECT desired_count FROM services WHERE name LIKE 'n%' ORDER BY name")
                ] == numbers
        assert [row[0] for row in base.execute("SELECT name FROM node_tasks ORDER BY id")] == [
            text or "none" for text in texts]


def test_28_the_shell_writes():
    """A program that is not ours changes a synced table: the guards log and stamp it."""
    with World(server) as world:
        with_service(world)
        base = sqlite3.connect(world.path("a"))
        base.execute("UPDATE services SET desired_count=42 WHERE name='web'")
        columns = [row[1] for row in base.execute("PRAGMA table_info(clusters)")
                   if row[1] != "rid" and not row[1].startswith(("stamp_", "site_"))]
        other = ["'%scluster/shell'" % ARN if column == "arn" else "'shell'" if column in ("id", "name") else column
                 for column in columns]
        base.execute("INSERT INTO clusters(%s) SELECT %s FROM clusters WHERE name='shop'" % (
            ",".join(columns), ",".join(other)))
        base.commit()
        base.close()
        world.check_equal()
        assert world.get("b", "service", "shop,web")["desiredCount"] == 42 and world.get("h", "cluster", "shell")
        base = sqlite3.connect(world.path("b"))
        base.execute("PRAGMA foreign_keys=ON")
        base.execute("DELETE FROM clusters WHERE name='shell'")
        base.commit()
        base.close()
        world.check_equal()
        assert world.get("a", "cluster", "shell") is None and world.get("h", "cluster", "shell") is None


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
