#!/usr/bin/env python3
"""Who may write what: owners, the hub, compare and set, nobody; callbacks; and decisions about what has lost.

    tests/sync/test_policies.py [WORD]     only tests with WORD in their name"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, World, run_with_server  # noqa: E402


server = None  # of all tests

LIFE, SPEC, STATUS = 1, 2, 4
OWNER, HUB, COMPARE, APPEND = 1, 2, 3, 4


def two(policies=(), **options):
    world = World(server, "", **{key: options.pop(key) for key in ("batch",) if key in options})
    for name in "ab":
        world.start(name, policies=policies, **options)
    return world


def with_service(world):
    world.put("h", "cluster", clusterName="shop")
    world.put("h", "service", serviceName="web", cluster="shop", desiredCount=1)
    world.check_equal()


def service(world, name, member="desiredCount"):
    found = world.get(name, "service", "shop,web")
    return found and found.get(member, 0)


def notes(world, name):
    return [(entry[1], entry[2], entry[3]) for entry in world.conflicts(name)]


# ---- policies ----


def test_the_hub_alone():
    """An edit of spec is refused, kept in the log, and what the hub has comes back; the rest of the row goes on."""
    with two([("service", SPEC, HUB)]) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.set("a", "service", "shop,web", "running_count", 3)
        report = world.sync("a")
        assert (report["refused"], report["pushed"]) == (1, 1), report
        assert service(world, "a") == 1 and service(world, "h", "runningCount") == 3
        assert notes(world, "a") == [(ARN + "service/shop/web", "policy", SPEC)]
        assert world.conflicts("a")[0][4]["desired_count"] == 5
        world.check_equal()
        world.set("h", "service", "shop,web", "desired_count", 9)
        world.put("b", "service", serviceName="api", cluster="shop", desiredCount=2)  # to create one is no edit
        world.check_equal()
        assert service(world, "b") == 9 and world.get("h", "service", "shop,api")["desiredCount"] == 2
        assert len(notes(world, "a")) == 1


def test_rows_come_and_go_at_the_hub():
    with two([("cluster", LIFE | SPEC | STATUS, HUB)]) as world:
        with_service(world)
        world.put("a", "cluster", clusterName="mine")
        world.put("a", "service", serviceName="api", cluster="mine", desiredCount=2)
        world.delete("b", "cluster", "shop")
        for name in "ab":
            world.sync(name)
        world.check_equal()
        assert all(world.get(name, "cluster", "mine") is None for name in "abh")
        assert all(world.get(name, "cluster", "shop") for name in "abh")
        assert (ARN + "cluster/mine", "policy", LIFE) in [note[:2] + (LIFE,) for note in notes(world, "a")]
        assert any(entry[4]["name"] == "mine" for entry in world.conflicts("a"))


def test_written_once():
    with two([("node_task", SPEC, APPEND)]) as world:
        world.put("a", "node_task", taskId="1", name="job", image="one")
        world.check_equal()
        world.set("b", "node_task", "1", "image", "two")
        world.set("b", "node_task", "1", "status", "running")
        world.check_equal()
        found = world.get("a", "node_task", "1")
        assert (found["image"], found["status"]) == ("one", "running"), found
        assert notes(world, "b") == [("1", "policy", SPEC)]
        world.delete("b", "node_task", "1")
        world.check_equal()
        assert world.get("h", "node_task", "1") is None


def test_compare_and_set():
    """The later edit by the clock has not seen the other one: it loses."""
    with two([("service", SPEC, COMPARE)]) as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.set("b", "service", "shop,web", "desired_count", 7)
        world.sync("a")
        world.check_equal()
        assert all(service(world, name) == 5 for name in "abh")
        assert [note[1:] for note in notes(world, "b")] == [("policy", SPEC)]
        assert world.conflicts("b")[0][4]["desired_count"] == 7
        world.set("b", "service", "shop,web", "desired_count", 8)
        world.set("b", "service", "shop,web", "desired_count", 9)
        world.check_equal()
        assert all(service(world, name) == 9 for name in "abh") and len(notes(world, "b")) == 1


def test_compare_and_set_in_a_race():
    """The hub is written between an edge's pull and its push: it sees that, and refuses."""
    with World(server, "") as world:
        world.start("a", policies=[("service", SPEC, COMPARE)])
        with_service(world)
        world.sql("CREATE FUNCTION squeeze_in() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "UPDATE services SET desired_count=4 WHERE tenant='%s' AND desired_count=1; RETURN NEW; END $$; "
                  "CREATE TRIGGER squeeze BEFORE UPDATE OF push ON sync_sites FOR EACH ROW EXECUTE FUNCTION "
                  "squeeze_in()" % world.tenant)
        try:
            world.set("a", "cluster", "shop", "status", "INACTIVE")
            world.set("a", "service", "shop,web", "desired_count", 7)
            world.drivers["a"].ok("close", "a")
            world.drivers["a"].ok("open", "a", world.path("a"))
            world.drivers["a"].ok("edge", "a", "a", 1, world.edge_url)
            report = world.sync("a")
        finally:
            world.sql("DROP TRIGGER squeeze ON sync_sites; DROP FUNCTION squeeze_in")
        assert report["refused"] == 1 and service(world, "a") == 4, (report, service(world, "a"))
        world.check_equal()
        assert service(world, "h") == 4


def test_owner_with_fence():
    """A task that was placed on another node: what the old one says of it since is lost, whatever its clock."""
    with two([("node_task", STATUS, OWNER, "node_id")]) as world:
        world.put("h", "node_task", taskId="1", name="job", image="i", nodeId="n1")
        world.check_equal()
        world.set("a", "node_task", "1", "status", "running")
        world.check_equal()
        assert world.get("b", "node_task", "1")["status"] == "running" and not notes(world, "a")
        world.set("h", "node_task", "1", "node_id", "n2")
        world.sync("b")
        world.set("b", "node_task", "1", "status", "scheduled")
        world.drivers["a"].ok("clock", 200 * 1000000)
        world.set("a", "node_task", "1", "status", "completed")
        world.sync("b")
        world.check_equal()
        assert all(world.get(name, "node_task", "1")["status"] == "scheduled" for name in "abh")
        assert notes(world, "a") == [("1", "policy", STATUS)]
        assert world.conflicts("a")[0][4]["status"] == "completed"
        world.set("b", "node_task", "1", "node_id", "n3")  # who moves the fence brings what it says along
        world.set("b", "node_task", "1", "status", "pending")
        world.check_equal()
        assert world.get("a", "node_task", "1")["status"] == "pending"


def test_owner_at_the_hub():
    """The fence has moved between the pull and the push."""
    with World(server, "") as world:
        world.start("a", policies=[("node_task", STATUS, OWNER, "node_id")])
        world.put("h", "node_task", taskId="1", name="job", image="i", nodeId="n1")
        world.check_equal()
        world.sql("CREATE FUNCTION squeeze_in() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "UPDATE node_tasks SET node_id='n2' WHERE tenant='%s' AND node_id='n1'; RETURN NEW; END $$; "
                  "CREATE TRIGGER squeeze BEFORE UPDATE OF push ON sync_sites FOR EACH ROW EXECUTE FUNCTION "
                  "squeeze_in()" % world.tenant)
        try:
            world.put("a", "cluster", clusterName="first")
            world.set("a", "node_task", "1", "status", "running")
            world.drivers["a"].ok("close", "a")
            world.drivers["a"].ok("open", "a", world.path("a"))
            world.drivers["a"].ok("edge", "a", "a", 1, world.edge_url)
            report = world.sync("a")
        finally:
            world.sql("DROP TRIGGER squeeze ON sync_sites; DROP FUNCTION squeeze_in")
        assert report["refused"] == 1 and world.get("a", "node_task", "1")["status"] == "pending", report
        world.check_equal()


def test_rules_of_the_hub():
    """What sync_policies says at the hub holds for edges that know nothing of it."""
    with two() as world:
        with_service(world)
        world.sql("INSERT INTO sync_policies(tenant,kind,rules) VALUES('%s',3,'{\"spec\":\"hub\"}')" % world.tenant)
        world.set("a", "service", "shop,web", "desired_count", 5)
        assert world.sync("a")["refused"] == 1
        world.check_equal()
        assert service(world, "a") == 1


def test_policies_that_make_no_sense():
    with World(server, "") as world:
        for number, policy in enumerate((("task_log", SPEC, HUB), ("service", 8, HUB), ("service", 0, HUB),
                                         ("service", SPEC, 9), ("service", LIFE, COMPARE), ("tag", STATUS, HUB),
                                         ("service", STATUS, OWNER), ("service", STATUS, OWNER, "running_count"),
                                         ("service", STATUS, OWNER, "nothing"), ("service", STATUS, HUB, "name"),
                                         ("service", STATUS, OWNER, "deployment_name"))):
            try:
                world.start("a", path=world.path("x%d" % number), policies=[policy])
                assert False, policy
            except AssertionError as error:
                assert "KECS_E_INVALID" in str(error) and "policies" in str(error), error
        try:
            world.start("a", policies=[("service", SPEC | STATUS, HUB), ("service", SPEC, COMPARE)])
            assert False
        except AssertionError as error:
            assert "two rules" in str(error), error
        world.drivers.pop("a").close()


# ---- the callback ----


def test_a_callback_makes_one_of_two():
    with two(merger="sum", history=1) as world:
        with_service(world)
        world.set("h", "service", "shop,web", "desired_count", 10)
        world.check_equal()
        world.set("a", "service", "shop,web", "desired_count", 13)
        world.set("b", "service", "shop,web", "desired_count", 8)
        world.set("b", "service", "shop,web", "running_count", 2)
        world.sync("a")
        world.check_equal()
        assert [service(world, name) for name in "abh"] == [11, 11, 11]
        assert service(world, "a", "runningCount") == 2
        assert world.ok("merged", "b") == "1" and world.ok("merged", "a") == "0"
        assert not notes(world, "a") and not notes(world, "b")


def test_a_callback_without_a_base():
    with two(merger="sum") as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 3)
        world.set("b", "service", "shop,web", "desired_count", 4)
        world.sync("b")
        world.check_equal()
        assert [service(world, name) for name in "abh"] == [7, 7, 7]


def test_a_callback_that_always_finds_something_new():
    """Each call uses an edit up: it does not go to and fro."""
    with two(merger="fresh") as world:
        with_service(world)
        for _ in range(3):
            for name in "ab":
                world.set(name, "service", "shop,web", "desired_count", 2 + int(world.ok("merged", name)))
            world.check_equal()
        calls = int(world.ok("merged", "a")) + int(world.ok("merged", "b"))
        assert calls == 3, calls
        assert service(world, "a") == service(world, "b") == service(world, "h") > 1000


def test_a_callback_that_declines_or_fails():
    with two(merger="sum") as world:
        with_service(world)
        world.set("a", "cluster", "shop", "status", "one")
        world.set("b", "cluster", "shop", "status", "two")
        world.sync("a")
        world.check_equal()
        assert world.get("a", "cluster", "shop")["status"] == "two" and world.ok("merged", "b") == "1", (
            world.get("a", "cluster", "shop"), world.ok("merged", "b"))
        world.restart("b", merger="fails")
        world.set("a", "cluster", "shop", "status", "three")
        world.set("b", "cluster", "shop", "status", "four")
        world.sync("a")
        status, text = world.ask("sync", "b")
        assert status == "KECS_E_CANCELLED", (status, text)
        world.restart("b")
        world.check_equal()
        assert world.get("a", "cluster", "shop")["status"] == "four"


# ---- decisions ----


def lose(world):
    """a's edit loses against b's, and stands in the log of a."""
    with_service(world)
    world.set("a", "service", "shop,web", "desired_count", 5)
    world.set("b", "service", "shop,web", "desired_count", 7)
    world.set("b", "service", "shop,web", "running_count", 2)
    world.sync("b")
    world.sync("a")
    entries = world.conflicts("a")
    assert len(entries) == 1 and entries[0][6] == 0, entries
    return entries[0][5]


def test_what_had_lost_is_taken():
    with two() as world:
        number = lose(world)
        world.ok("resolve", "a", number, "lost")
        assert world.conflicts("a")[0][6] == 2 and world.state("a")["conflicts"] == 0
        world.check_equal()
        assert all(service(world, name) == 5 and service(world, name, "runningCount") == 2 for name in "abh")
        status, text = world.ask("resolve", "a", number, "kept")
        assert status == "KECS_E_CONFLICT" and "before" in text, (status, text)


def test_what_was_kept_stays():
    with two() as world:
        number = lose(world)
        world.ok("resolve", "a", number, "kept")
        assert world.conflicts("a")[0][6] == 1
        world.check_equal()
        assert all(service(world, name) == 7 for name in "abh")


def test_a_row_that_went_comes_again():
    with two() as world:
        with_service(world)
        world.set("a", "service", "shop,web", "desired_count", 5)
        world.delete("b", "service", "shop,web")
        world.sync("b")
        world.sync("a")
        entry = world.conflicts("a")[0]
        assert entry[2] == "delete"
        world.ok("resolve", "a", entry[5], "lost")
        world.check_equal()
        assert all(service(world, name) == 5 for name in "abh")


def test_a_row_that_can_not_come_again():
    """Its parent is gone: the entry stays open until the parent is there."""
    with two() as world:
        with_service(world)
        world.delete("a", "cluster", "shop")
        world.sync("a")
        world.put("b", "service", serviceName="api", cluster="shop", desiredCount=6)
        world.check_equal()
        entry = [entry for entry in world.conflicts("b") if entry[1].endswith("api")][0]
        status, text = world.ask("resolve", "b", entry[5], "lost")
        assert status == "KECS_E_REFERENCE" and "shop" in text, (status, text)
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        world.ok("resolve", "b", entry[5], "lost")
        world.check_equal()
        assert world.get("h", "service", "shop,api")["desiredCount"] == 6


def test_decisions_about_nothing():
    with two() as world:
        number = lose(world)
        assert world.ask("resolve", "a", number + 1, "lost")[0] == "KECS_E_NOT_FOUND"
        assert world.ask("resolve", "a", number, "both")[0] == "KECS_E_INVALID"
        driver = world.drivers["a"]
        driver.ok("open", "z", world.path("plain"))
        assert driver.ask("resolve", "z", 1, "lost")[0] == "KECS_E_NOT_FOUND"
        for name in "ab":
            world.put(name, "task_definition", family="web", containerDefinitions=[{"name": name}])
        world.check_equal()
        entries = [entry for name in "ab" for entry in world.conflicts(name) if entry[2] == "revision"]
        status = world.ask("resolve", "b" if entries[0][5] in [e[5] for e in world.conflicts("b")] else "a",
                           entries[0][5], "lost")[0]
        assert status == "KECS_E_INVALID", status


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
