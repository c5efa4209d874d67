#!/usr/bin/env python3
"""What is special to kinds: revisions that were given twice, numbers and names that two rows want, and what follows
from merged rows.

    tests/sync/test_kinds.py [WORD]     only tests with WORD in their name"""

import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, World, run_with_server  # noqa: E402


server = None  # of all tests

ELB = "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
BALANCER = ELB + "loadbalancer/app/front/1111111111111111"
LISTENER = ELB + "listener/app/front/1111111111111111/2222222222222222"
GROUP = ELB + "targetgroup/web/3333333333333333"
RULE = ELB + "listener-rule/app/front/1111111111111111/2222222222222222/%016d"


def containers(image):
    return [{"name": "main", "image": image}]


def register(world, name, family, image, **more):
    world.put(name, "task_definition", family=family, containerDefinitions=containers(image), **more)


def revisions(world, name, family="web"):
    """{revision: image}"""
    rows = world.rows_of_hub() if name == "h" else world.rows_of_edge(name)
    import json
    found = {}
    for line in rows["task_definition"]:
        row = json.loads(line)
        if row["family"] == family:
            found[row["revision"]] = json.loads(row["container_definitions"])[0]["image"]
    return found


def counter(world, name, family="web"):
    query = "SELECT last_revision FROM task_definition_families WHERE family='%s'" % family
    if name == "h":
        return int(world.sql(query + " AND tenant='%s'" % world.tenant) or 0)
    row = sqlite3.connect("file:%s?mode=ro" % world.path(name), uri=True).execute(query).fetchone()
    return row[0] if row else 0


# ---- task definitions ----


def test_definitions_travel():
    with World(server) as world:
        register(world, "a", "web", "web:1", tags=[{"key": "team", "value": "blue"}])
        register(world, "h", "api", "api:1")
        world.check_equal()
        assert revisions(world, "b") == {1: "web:1"} and revisions(world, "a", "api") == {1: "api:1"}
        register(world, "b", "web", "web:2")
        world.check_equal()
        assert all(revisions(world, name) == {1: "web:1", 2: "web:2"} for name in "abh")


def test_a_revision_given_twice():
    """Both definitions are everywhere, under two numbers; what was written where one of them lost its number names the
    new one; and both are in the log."""
    with World(server) as world:
        world.put("a", "cluster", clusterName="shop")
        register(world, "a", "web", "first")
        world.check_equal()
        for name in "ab":
            register(world, name, "web", "of " + name, tags=[{"key": "site", "value": name}])
            world.put(name, "service", serviceName="by-" + name, cluster="shop", taskDefinition="web:2")
            world.put(name, "service", serviceName="arn-" + name, cluster="shop",
                      taskDefinition=ARN + "task-definition/web:2",
                      deployments=[{"taskDefinition": ARN + "task-definition/web:2"}])
            world.put(name, "service", serviceName="old-" + name, cluster="shop", taskDefinition="web:1")
            world.put(name, "task", cluster="shop", taskArn=ARN + "task/shop/" + name,
                      taskDefinitionArn=ARN + "task-definition/web:2")
        world.sync("a")
        world.check_equal()
        for name in "abh":
            assert revisions(world, name) == {1: "first", 2: "of a", 3: "of b"}, (name, revisions(world, name))
            for site, revision in (("a", 2), ("b", 3)):
                arn = ARN + "task-definition/web:%d" % revision
                assert world.get(name, "service", "shop,by-" + site)["taskDefinition"] == "web:%d" % revision
                service = world.get(name, "service", "shop,arn-" + site)
                assert service["taskDefinition"] == arn and service["deployments"] == [{"taskDefinition": arn}], service
                assert world.get(name, "service", "shop,old-" + site)["taskDefinition"] == "web:1"
                assert world.get(name, "task", ARN + "task/shop/" + site)["taskDefinitionArn"] == arn
                definition = world.get(name, "task_definition", "web:%d" % revision)
                assert definition["tags"] == [{"key": "site", "value": site}], definition
                assert world.get(name, "tag", arn + ",site")["value"] == site
            assert counter(world, name) == 3
        noted = {entry[1].rsplit("/", 1)[1]: entry for entry in world.conflicts("b") if entry[2] == "revision"}
        assert set(noted) == {"web:2", "web:3"}, noted
        assert "of b" in noted["web:2"][4]["container_definitions"]
        assert "of a" in noted["web:3"][4]["container_definitions"]


def test_the_older_one_that_comes_later_moves():
    """Which of them was registered first does not matter: the number that others may know of stays what it is."""
    with World(server) as world:
        register(world, "b", "web", "older")
        register(world, "a", "web", "newer")
        world.sync("a")
        world.check_equal()
        assert all(revisions(world, name) == {1: "newer", 2: "older"} for name in "abh")


def test_two_that_push_at_once():
    """Neither has seen the other's: the hub refuses the second one, and it moves when it has pulled."""
    with World(server, "abc") as world:
        for name in "abc":
            register(world, name, "web", "of " + name)
            world.put(name, "cluster", clusterName=name)
            world.put(name, "service", serviceName="web", cluster=name, taskDefinition="web:1")
        world.sync("a")
        # As if b had pulled before a pushed: its cursor is at the hub's head, and a's row has never come.
        world.ok("sync", "c")
        world.check_equal()
        assert all(sorted(revisions(world, name).values()) == ["of a", "of b", "of c"] for name in "abch")
        for name in "abch":
            for site in "abc":
                task_definition = world.get(name, "service", site + ",web")["taskDefinition"]
                assert world.get(name, "task_definition", task_definition)["containerDefinitions"] == containers(
                    "of " + site)


def test_refused_at_the_hub():
    """A definition that comes in between a pull and its push."""
    with World(server, "a") as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        register(world, "a", "web", "of a")
        world.put("a", "service", serviceName="web", cluster="shop", taskDefinition="web:1")
        world.sql("CREATE OR REPLACE FUNCTION squeeze_in() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  "INSERT INTO task_definitions(tenant,arn,id,family,revision,container_definitions,registered_at,"
                  "updated_at,version,region,account_id,network_mode,status,enable_fault_injection,omitted) "
                  "VALUES('%s','%stask-definition/web:1','x','web',1,'[{\"name\":\"main\",\"image\":\"other\"}]',1,1,1,"
                  "'us-east-1','000000000000','bridge','ACTIVE',false,0) ON CONFLICT DO NOTHING; RETURN NEW; END $$; "
                  "CREATE TRIGGER squeeze BEFORE UPDATE OF push ON sync_sites FOR EACH ROW EXECUTE FUNCTION "
                  "squeeze_in()" % (world.tenant, ARN))
        try:
            world.put("a", "cluster", clusterName="other")
            driver = world.drivers["a"]
            # The cluster's push lets it in; the definition is in the same one, so another is needed.
            register(world, "a", "api", "api")
            world.batch = 1
            driver.ok("close", "a")
            driver.ok("open", "a", world.path("a"))
            driver.ok("edge", "a", "a", 1, world.edge_url)
            report = world.sync("a")
        finally:
            world.sql("DROP TRIGGER squeeze ON sync_sites; DROP FUNCTION squeeze_in")
        world.check_equal()
        for name in "ah":
            found = revisions(world, name)
            assert found in ({1: "other", 2: "of a"}, {1: "of a"}), (found, report)


def test_the_same_registered_twice_is_one():
    with World(server) as world:
        for name in "ab":
            register(world, name, "web", "same")
        world.check_equal()
        assert all(revisions(world, name) == {1: "same"} for name in "abh")
        assert not [entry for entry in world.conflicts("b") if entry[2] == "revision"]


def test_numbers_are_not_given_again():
    with World(server) as world:
        for image in ("one", "two", "three"):
            register(world, "a", "web", image)
        world.delete("a", "task_definition", "web:3")
        world.delete("a", "task_definition", "web:2")
        world.check_equal()
        assert [counter(world, name) for name in "abh"] == [3, 3, 3]
        register(world, "b", "web", "four")
        register(world, "h", "api", "one")
        register(world, "h", "api", "two")
        world.sql("DELETE FROM task_definitions WHERE tenant='%s' AND family='api' AND revision=2" % world.tenant)
        world.check_equal()
        assert all(revisions(world, name) == {1: "one", 4: "four"} for name in "abh")
        assert [counter(world, name, "api") for name in "abh"] == [2, 2, 2]


def test_numbers_of_families_without_rows():
    """A counter that no row and no deletion tells: one that an edge brought along, and one that the hub had."""
    with World(server) as world:
        driver = world.drivers["a"]
        driver.ok("raise", "a", "web", 7)
        driver.ok("raise", "a", "gone", 9)
        world.drivers["h"].ok("raise", "h", "kept", 5)
        register(world, "a", "web", "eight")
        register(world, "h", "api", "one")
        world.check_equal()
        assert revisions(world, "b") == {8: "eight"}
        assert [counter(world, name, "gone") for name in "abh"] == [9, 9, 9]
        assert [counter(world, name, "kept") for name in "abh"] == [5, 5, 5]


def test_a_definition_made_anew_under_its_number():
    with World(server) as world:
        register(world, "a", "web", "old")
        world.check_equal()
        world.delete("a", "task_definition", "web:1")
        world.put("a", "task_definition", taskDefinitionArn=ARN + "task-definition/web:1", family="web", revision=1,
                  containerDefinitions=containers("new"))
        world.set("b", "task_definition", "web:1", "status", "INACTIVE")
        world.sync("b")
        world.check_equal()
        assert all(revisions(world, name) == {1: "new"} for name in "abh")


def test_tasks_are_found_by_their_family():
    with World(server) as world:
        world.put("a", "cluster", clusterName="shop")
        for number, definition in enumerate((ARN + "task-definition/web:12", "api:3", "plain", "arn:aws:s3:::x:1")):
            world.put("a", "task", cluster="shop", taskArn=ARN + "task/shop/%d" % number, taskDefinitionArn=definition)
        world.check_equal()
        wanted = [("0", "web"), ("1", "api"), ("2", "plain"), ("3", "")]
        base = sqlite3.connect(world.path("b"))
        assert base.execute("SELECT id,family FROM tasks ORDER BY id").fetchall() == wanted
        assert world.sql("SELECT string_agg(id||family,',' ORDER BY id) FROM tasks WHERE tenant='%s'" % world.tenant) \
            == "0web,1api,2plain,3"


# ---- load balancing ----


def with_listener(world, rules=2):
    world.put("a", "load_balancer", LoadBalancerArn=BALANCER, LoadBalancerName="front", Type="application")
    world.put("a", "target_group", TargetGroupArn=GROUP, TargetGroupName="web", Protocol="HTTP", Port=80)
    world.put("a", "listener", ListenerArn=LISTENER, LoadBalancerArn=BALANCER, Port=80, Protocol="HTTP",
              DefaultActions=[{"Type": "forward", "TargetGroupArn": GROUP}])
    for number in range(rules):
        rule(world, "a", number + 1, number + 1)
    world.check_equal()


def rule(world, name, number, priority):
    world.put(name, "rule", RuleArn=RULE % number, ListenerArn=LISTENER, Priority=str(priority),
              Conditions=[{"Field": "path-pattern", "Values": ["/%d" % number]}],
              Actions=[{"Type": "forward", "TargetGroupArn": GROUP}])


def priorities(world, name, count):
    found = [world.get(name, "rule", RULE % (number + 1)) for number in range(count)]
    return [found_one and int(found_one["Priority"]) for found_one in found]


def test_load_balancing_travels():
    with World(server) as world:
        with_listener(world)
        world.put("b", "target", TargetGroupArn=GROUP, Target={"Id": "10.0.0.1", "Port": 8080})
        world.put("b", "target_group", TargetGroupArn=GROUP, TargetGroupName="web", Protocol="HTTP", Port=80,
                  LoadBalancerArns=[BALANCER])
        world.check_equal()
        assert world.lookups("h")["elbv2_associations"] == [[GROUP, BALANCER, ""], [GROUP, BALANCER, LISTENER]]
        other = GROUP.replace("web", "api")
        world.set("h", "listener", LISTENER, "default_actions",
                  '[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"%s"}]}}]' % other)
        world.check_equal()
        assert world.lookups("a")["elbv2_associations"] == [
            [other, BALANCER, LISTENER], [GROUP, BALANCER, ""]], world.lookups("a")
        world.delete("b", "load_balancer", BALANCER)
        world.check_equal()
        assert world.lookups("h")["elbv2_associations"] == [] and world.get("a", "listener", LISTENER) is None
        world.delete("a", "target_group", GROUP)
        world.check_equal()
        assert world.get("h", "target_group", GROUP) is None


def test_documents_that_name_no_group():
    with World(server) as world:
        with_listener(world, 0)
        deep = "[" * 200 + "]" * 200
        for actions in (deep, '[{"TargetGroupArn":7}]', '{"TargetGroupArn":"a\\\\u0000b"}'):
            world.set("a", "listener", LISTENER, "default_actions", actions.replace("\\\\", "\\"))
            world.check_equal()
            assert world.lookups("b")["elbv2_associations"] == [], actions


def test_a_load_balancer_deleted_while_it_is_linked():
    with World(server) as world:
        with_listener(world, 0)
        world.put("b", "target_group", TargetGroupArn=GROUP, TargetGroupName="web", Protocol="HTTP", Port=80,
                  LoadBalancerArns=[BALANCER])
        world.delete("a", "load_balancer", BALANCER)
        world.sync("b")
        world.check_equal()
        world.put("a", "load_balancer", LoadBalancerArn=BALANCER, LoadBalancerName="front", Type="application")
        world.check_equal()


def test_swapped_priorities():
    with World(server) as world:
        with_listener(world, 3)
        world.ok("prioritize", "a", "%s=2,%s=3,%s=1" % (RULE % 1, RULE % 2, RULE % 3))
        world.check_equal()
        assert all(priorities(world, name, 3) == [2, 3, 1] for name in "abh"), [
            priorities(world, name, 3) for name in "abh"]
        world.ok("prioritize", "h", "%s=1,%s=2,%s=3" % (RULE % 1, RULE % 2, RULE % 3))
        world.check_equal()
        assert all(priorities(world, name, 3) == [1, 2, 3] for name in "abh")
        assert not any(world.conflicts(name) for name in "abh")


def test_swapped_beside_a_poison_row():
    """What the hub refuses for another reason is looked for by halves, which take apart what has swapped; and a queue
    of rules behind a number that is free goes, whatever comes first."""
    with World(server, "ab", batch=20) as world:
        with_listener(world, 7)
        world.sql("ALTER TABLE elbv2_rules ADD CONSTRAINT no_poison CHECK (actions NOT LIKE '%poison%')")
        world.ok("prioritize", "a", ",".join("%s=%d" % (RULE % rule, number) for rule, number in
                                             ((1, 3), (2, 4), (3, 1), (4, 5), (5, 2), (6, 7), (7, 9))))
        world.set("a", "rule", RULE % 6, "actions", '[{"Type":"poison"}]')
        report = world.sync("a")
        assert report["refused"] == 1, report
        assert priorities(world, "h", 7) == [3, 4, 1, 5, 2, 6, 9], priorities(world, "h", 7)
        world.set("a", "rule", RULE % 1, "priority", "20")
        world.set("a", "rule", RULE % 6, "priority", "3")  # who wants the number of a poison row waits for it
        world.set("a", "rule", RULE % 1, "priority", "6")
        world.sync("a")
        assert priorities(world, "h", 7) == [3, 4, 1, 5, 2, 6, 9], priorities(world, "h", 7)
        world.sql("ALTER TABLE elbv2_rules DROP CONSTRAINT no_poison")
        world.check_equal()
        assert all(priorities(world, name, 7) == [6, 4, 1, 5, 2, 3, 9] for name in "abh")
        assert not any(world.conflicts(name) for name in "abh")


def test_swapped_one_by_one():
    """The batches are of one row, so no push and no page has both."""
    with World(server, "ab", batch=1) as world:
        with_listener(world, 2)
        world.ok("prioritize", "a", "%s=2,%s=1" % (RULE % 1, RULE % 2))
        world.check_equal()
        assert all(priorities(world, name, 2) == [2, 1] for name in "abh")
        world.set("h", "rule", RULE % 1, "priority", "9")
        world.set("h", "rule", RULE % 2, "priority", "2")
        world.set("h", "rule", RULE % 1, "priority", "1")
        world.check_equal()
        assert all(priorities(world, name, 2) == [1, 2] for name in "abh")
        assert not any(world.conflicts(name) for name in "abh")


def test_one_priority_wanted_twice():
    """An edit that wants a number which another rule has got at the hub loses; the rule itself stays."""
    with World(server) as world:
        with_listener(world, 2)
        world.set("a", "rule", RULE % 1, "priority", "7")
        world.set("b", "rule", RULE % 2, "priority", "7")
        world.sync("a")
        world.check_equal()
        assert all(priorities(world, name, 2) == [7, 2] for name in "abh"), [
            priorities(world, name, 2) for name in "abh"]
        lost = world.conflicts("b")
        assert [entry[1:4] for entry in lost] == [(RULE % 2, "key", 2)] and lost[0][4]["priority"] == 7, lost


def test_one_priority_created_twice():
    """The later one to come was never at the hub: it is in the log, whole."""
    with World(server) as world:
        with_listener(world, 0)
        rule(world, "a", 1, 5)
        rule(world, "b", 2, 5)
        world.sync("a")
        world.check_equal()
        assert all(priorities(world, name, 2) == [5, None] for name in "abh")
        assert [(entry[1], entry[2]) for entry in world.conflicts("b")] == [(RULE % 2, "key")]


def test_one_name_created_twice():
    """Two load balancers of one name have two ARNs; what hangs on the one that goes is in the log as well."""
    with World(server) as world:
        world.check_equal()
        with_arn = {"a": BALANCER, "b": BALANCER.replace("1111", "9999")}
        for name, arn in with_arn.items():
            world.put(name, "load_balancer", LoadBalancerArn=arn, LoadBalancerName="front", Type="application")
            world.put(name, "listener", ListenerArn=arn.replace("loadbalancer", "listener") + "/5", Port=80,
                      LoadBalancerArn=arn, Protocol="HTTP")
        world.sync("a")
        world.check_equal()
        assert all(world.get(name, "load_balancer", BALANCER) for name in "abh")
        assert sorted(entry[2] for entry in world.conflicts("b")) == ["key", "parent"], world.conflicts("b")


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
