#!/usr/bin/env python3
"""Edges and a hub: what each does reaches the others, conflicts are settled alike everywhere, and what loses is kept.

    tests/sync/test_sync.py [WORD]     only tests with WORD in their name"""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, AWAY, COPIED, HISTORY, World, run_with_server  # noqa: E402


server = None  # of all tests


def with_service(world, name="a"):
    """A cluster and a service that every edge has."""
    world.put(name, "cluster", clusterName="shop")
    world.put(name, "service", serviceName="web", cluster="shop", desiredCount=1)
    world.check_equal()


def test_create_reaches_everybody():
    with World(server) as world:
        world.put("a", "cluster", clusterName="shop", tags=[{"key": "team", "value": "blue"}])
        world.put("a", "service", serviceName="web", cluster="shop", desiredCount=2)
        report = world.sync("a")
        assert report["pushed"] == 3, report
        assert world.sync("b")["pulled"] == 3
        assert world.get("b", "service", "shop,web")["desiredCount"] == 2
        assert world.get("h", "service", "shop,web")["desiredCount"] == 2
        world.check_equal()


def test_pulled_rows_are_not_pushed():
    with World(server) as world:
        with_service(world)
        again = [world.sync(name) for name in "ab"]
        assert all(report["pushed"] == report["pulled"] == 0 and report["trips"] == 1 for report in again), again
        head = world.sql("SELECT seq FROM change_heads WHERE tenant='%s'" % world.tenant)
        world.settle()
        assert head == world.sql("SELECT seq FROM change_heads WHERE tenant='%s'" % world.tenant)


def test_different_groups_on_two_edges():
    with World(server) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.set("b", "service", "shop,web", "running_count", 3)
        world.check_equal()
        for name in "abh":
            found = world.get(name, "service", "shop,web")
            assert (found["desiredCount"], found["runningCount"]) == (5, 3), (name, found)
        assert not any(world.conflicts(name) for name in "abh")


def test_same_group_on_two_edges():
    with World(server) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.set("b", "service", "shop,web", "desired_count", 7)
        world.check_equal()
        assert all(world.get(name, "service", "shop,web")["desiredCount"] == 7 for name in "abh")
        lost = [entry for name in "abh" for entry in world.conflicts(name)]
        assert len(lost) == 1 and lost[0][2] == "update" and lost[0][4]["desired_count"] == 5, lost


def test_the_earlier_edit_comes_later():
    """The edge that wrote first is the last to come: it loses at the edge, in its pull."""
    with World(server) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.set("b", "service", "shop,web", "desired_count", 7)
        world.sync("b")
        world.sync("a")
        lost = world.conflicts("a")
        assert len(lost) == 1 and lost[0][2:4] == ("update", 2) and lost[0][4]["desired_count"] == 5, lost
        world.check_equal()
        assert world.get("h", "service", "shop,web")["desiredCount"] == 7


def test_delete_against_update():
    with World(server) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.delete("b", "service", "shop,web")
        world.check_equal()
        assert all(world.get(name, "service", "shop,web") is None for name in "abh")
        lost = [entry for name in "abh" for entry in world.conflicts(name)]
        assert len(lost) == 1 and lost[0][2] == "delete" and lost[0][4]["desired_count"] == 5, lost


def test_update_against_delete():
    """The deletion is the first to arrive, the update is the later edit: the deletion ends the life all the same."""
    with World(server) as world:
        with_service(world)
        world.delete("b", "service", "shop,web")
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.sync("b")
        world.check_equal()
        assert all(world.get(name, "service", "shop,web") is None for name in "abh")
        assert [entry[2] for entry in world.conflicts("a")] == ["delete"]


def test_created_again():
    with World(server, "abc") as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.delete("b", "service", "shop,web")
        world.put("b", "service", serviceName="web", cluster="shop", desiredCount=9)
        world.set("c", "service", "shop,web", "running_count", 4)
        world.check_equal()
        for name in "abch":
            found = world.get(name, "service", "shop,web")
            assert (found["desiredCount"], found.get("runningCount", 0)) == (9, 0), (name, found)


def test_created_twice():
    with World(server) as world:
        with_service(world)
        world.put("a", "service", serviceName="api", cluster="shop", desiredCount=1)
        world.put("b", "service", serviceName="api", cluster="shop", desiredCount=2)
        world.check_equal()
        assert all(world.get(name, "service", "shop,api")["desiredCount"] == 2 for name in "abh")
        lost = [entry for name in "abh" for entry in world.conflicts(name)]
        assert len(lost) == 1 and lost[0][2] == "create" and lost[0][4]["desired_count"] == 1, lost


def test_children_go_with_their_parent():
    with World(server) as world:
        with_service(world)
        world.put("b", "task", cluster="shop", taskArn=ARN + "task/shop/1", group="service:web")
        world.check_equal()
        world.delete("a", "cluster", "shop")
        world.check_equal()
        assert all(world.get(name, "task", ARN + "task/shop/1") is None for name in "abh")


def test_child_of_a_deleted_parent():
    with World(server) as world:
        with_service(world)
        world.delete("a", "cluster", "shop")
        world.sync("a")
        world.put("b", "service", serviceName="api", cluster="shop", desiredCount=6)
        world.check_equal()
        assert all(world.get(name, "cluster", "shop") is None for name in "abh")
        lost = [entry for entry in world.conflicts("b") if entry[1].endswith("api")]
        assert lost and lost[0][2] == "parent" and lost[0][4]["desired_count"] == 6, lost


def test_deleted_before_the_other_creation_came():
    """A tombstone without a row orders what comes later."""
    with World(server) as world:
        world.check_equal()
        world.put("b", "cluster", clusterName="late")
        world.put("a", "cluster", clusterName="late")
        world.delete("a", "cluster", "late")
        world.sync("a")
        world.check_equal()
        assert all(world.get(name, "cluster", "late") is None for name in "abh")
        assert [entry[2] for entry in world.conflicts("b")] == ["delete"]


def test_writes_at_the_hub():
    with World(server) as world:
        with_service(world)
        world.set("h", "service", "shop,web", "desired_count", 11)
        world.sql("UPDATE services SET running_count=4 WHERE tenant='%s' AND name='web'" % world.tenant)
        world.put("h", "cluster", clusterName="central")
        world.check_equal()
        found = world.get("b", "service", "shop,web")
        assert (found["desiredCount"], found["runningCount"]) == (11, 4), found
        world.sql("DELETE FROM clusters WHERE tenant='%s' AND name='shop'" % world.tenant)
        world.check_equal()
        assert world.get("a", "service", "shop,web") is None and world.get("a", "cluster", "central")


def test_hub_against_edge():
    with World(server) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 3)
        world.sql("UPDATE services SET desired_count=4 WHERE tenant='%s' AND name='web'" % world.tenant)
        world.check_equal()
        assert world.get("b", "service", "shop,web")["desiredCount"] == 4
        assert [entry[4]["desired_count"] for entry in world.conflicts("a")] == [3]


def test_references_that_a_deletion_clears():
    with World(server) as world:
        with_service(world)
        task = ARN + "task/shop/2"
        world.put("b", "task", cluster="shop", taskArn=task)
        world.set("b", "task", task, "service_arn", ARN + "service/shop/web")
        world.check_equal()
        world.delete("a", "service", "shop,web")
        world.check_equal()
        rows = [line for line in world.rows_of_hub()["task"] if "task/shop/2" in line]
        assert len(rows) == 1 and '"service_arn": null' in rows[0], rows


def test_a_file_that_was_there_before():
    with World(server, "a") as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        driver = world.drivers["a"]
        driver.ok("open", "z", world.path("old"))
        driver.ok("put", "z", "cluster", '{"clusterName": "old"}')
        driver.ok("close", "z")
        import sqlite3
        base = sqlite3.connect(world.path("old"))
        base.executescript("UPDATE clusters SET stamp_life=NULL; DELETE FROM changes WHERE kind<>0 AND seq<"
                           "(SELECT max(seq) FROM changes)")
        base.close()
        world.start("b", world.path("old"), "old")
        shutil.copy(world.path("old"), world.path("b"))  # where it is looked at
        for _ in range(3):
            world.sync("b")
            world.sync("a")
        assert world.get("a", "cluster", "old") and world.get("b", "cluster", "shop")


def test_poison_row():
    """A row that the hub refuses keeps nobody, stays at its edge, and goes once the hub takes it."""
    with World(server, "a") as world:
        with_service(world)
        world.sql("ALTER TABLE services ADD CONSTRAINT no_poison CHECK (desired_count <> 666)")
        try:
            world.put("a", "service", serviceName="bad", cluster="shop", desiredCount=666)
            world.put("a", "service", serviceName="good", cluster="shop", desiredCount=1)
            report = world.sync("a")
            assert (report["refused"], report["pushed"]) == (1, 1), report
            assert world.get("h", "service", "shop,good") and not world.get("h", "service", "shop,bad")
            assert world.state("a")["refused"] == 1
        finally:
            world.sql("ALTER TABLE services DROP CONSTRAINT no_poison")
        world.check_equal()
        assert world.get("h", "service", "shop,bad")["desiredCount"] == 666


def test_copied_file():
    with World(server, "a") as world:
        with_service(world)
        world.drivers.pop("a").close()
        shutil.copy(world.path("a"), world.path("b"))
        world.start("a")
        world.start("b", site="a")
        world.put("a", "cluster", clusterName="one")
        world.put("b", "cluster", clusterName="two")
        world.sync("a")
        assert world.sync("b")["reconciled"] == COPIED
        world.check_equal()
        assert world.get("a", "cluster", "two") and world.get("b", "cluster", "one")


def test_clock_ahead():
    with World(server) as world:
        with_service(world)
        world.drivers["a"].ok("clock", 3600 * 1000000)
        world.put("a", "cluster", clusterName="future")
        assert world.sync("a")["restamped"] > 0
        world.put("b", "cluster", clusterName="now")
        world.check_equal()
        assert world.get("b", "cluster", "future") and world.get("a", "cluster", "now")


def test_clock_behind():
    with World(server) as world:
        world.drivers["a"].ok("clock", -40 * 365 * 86400 * 1000000)
        with_service(world)
        world.put("h", "cluster", clusterName="now")
        world.check_equal()
        world.set("a", "service", "shop,web", "desired_count", 8)
        world.check_equal()
        assert world.get("b", "service", "shop,web")["desiredCount"] == 8


def test_not_a_hub():
    with World(server, "") as world:
        world.edge_url = server.url() + ("&" if "?" in server.url() else "?") + "tenant=nobody"
        world.start("a")
        assert world.ask("sync", "a")[0] == "KECS_E_UNSUPPORTED"
        world.drivers["a"].ok("close", "a")
        status, _ = world.drivers["a"].ask("edge", "a", "a", 0, "not-a-url")
        assert status == "KECS_E_INVALID"


def test_away_for_too_long():
    with World(server) as world:
        with_service(world)
        for number in range(20):
            world.put("h", "cluster", clusterName="c%d" % number)
        world.sync("b")
        world.sql("SELECT change_number('%s')" % world.tenant)
        world.sql("INSERT INTO change_state(tenant,id,value) SELECT tenant,1,seq FROM change_heads WHERE tenant='%s' "
                  "ON CONFLICT(tenant,id) DO UPDATE SET value=excluded.value" % world.tenant)
        assert world.sync("a")["reconciled"] == AWAY
        world.check_equal()


def test_hub_that_went_back():
    with World(server) as world:
        with_service(world)
        world.sql("UPDATE change_batches SET id=md5(random()::text)::uuid WHERE tenant='%s'" % world.tenant)
        assert world.sync("a")["reconciled"] == HISTORY
        assert world.sync("a")["reconciled"] == 0
        world.check_equal()


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
