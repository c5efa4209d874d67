#!/usr/bin/env python3
"""Scenario 14: sites that have some clusters of a tenant. Rows that move, scopes that are revoked with pending rows in
them, scopes that are granted later; pushes from outside; an edge that narrows itself; reconciliation within a scope."""

import json
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, KINDS, World, run_with_server  # noqa: E402


SHOP, BACK = ARN + "cluster/shop", ARN + "cluster/back"
HISTORY = 2
server = None


def fill(world, name="a"):
    """Two clusters with rows of every kind, and rows that belong to none."""
    for cluster in ("shop", "back"):
        world.put(name, "cluster", clusterName=cluster)
        world.put(name, "service", serviceName="web", cluster=cluster, desiredCount=1, taskDefinition="web:1")
        world.put(name, "task", taskArn=ARN + "task/%s/t1" % cluster, cluster=cluster, taskDefinitionArn="web:1")
        world.put(name, "container_instance", containerInstanceArn=ARN + "container-instance/%s/i1" % cluster,
                  cluster=cluster)
        world.put(name, "attribute", name="rack", value="1", targetId="i1", targetType="container-instance",
                  cluster=cluster)
        world.put(name, "tag", resourceArn=ARN + "service/%s/web" % cluster, key="team", value="a")
    world.put(name, "account_setting", name="taskLongArnFormat", value="enabled", principalArn="root")
    world.sync(name)


def grant(world, site, *clusters):
    for cluster in clusters:
        world.drivers["h"].ok("grant", world.hub_url, site, cluster)


def revoke(world, site, *clusters):
    for cluster in clusters:
        world.drivers["h"].ok("revoke", world.hub_url, site, cluster)


def hub_rows(world, *scopes):
    """What is in some scopes at the hub, as rows_of_edge has it."""
    names = [ARN + "cluster/" + name if name != "-" else name for name in scopes]
    names += ["cluster/" + name for name in scopes if name != "-"]
    array = "ARRAY[%s]::text[]" % ",".join("'%s'" % name for name in names)
    found = {}
    for kind, table in KINDS.items():
        text = world.sql("SELECT coalesce(json_agg(row_to_json(t)),'[]') FROM %s t WHERE tenant='%s' AND "
                         "sync_owner_%s(t)=ANY(%s)" % (table, world.tenant, table, array))
        found[kind] = world.normal(kind, json.loads(text), 0)
    return found


def check_scope(world, name, *scopes):
    hub, mine = hub_rows(world, *scopes), world.rows_of_edge(name)
    for kind in KINDS:
        assert mine[kind] == hub[kind], (name, kind, mine[kind], hub[kind])
    broken = sqlite3.connect("file:%s?mode=ro" % world.path(name), uri=True).execute("PRAGMA foreign_key_check")
    assert not broken.fetchall(), name


def test_what_a_key_belongs_to():
    with World(server, "") as world:
        for kind, key, scope in ((1, SHOP, SHOP), (3, ARN + "service/shop/web", SHOP), (4, ARN + "task/shop/1", SHOP),
                                 (5, ARN + "task-set/shop/web/1", SHOP), (3, ARN + "service/web", "-"),
                                 (6, ARN + "container-instance/shop/1", SHOP), (7, "shop,a,b,c", "cluster/shop"),
                                 (7, SHOP + ",a,b,c", SHOP), (7, "a b,a,b,c", "-"), (7, ",a,b,c", "-"),
                                 (8, "shop,x", "-"), (11, ARN + "service/shop/web,team", SHOP),
                                 (11, SHOP + ",team", SHOP),
                                 (1, "arn:aws:elb:us-east-1:0:cluster/shop", "-"), (1, SHOP + "/x", "-"),
                                 (1, "x" + SHOP, "-"), (4, "arn:aws-cn:ecs:cn-north-1:1:task/a/b",
                                                        "arn:aws-cn:ecs:cn-north-1:1:cluster/a")):
            assert world.sql("SELECT sync_scope(%d,'%s')" % (kind, key)) == scope, (kind, key)


def test_a_site_has_its_clusters_only():
    with World(server, "ab") as world:
        grant(world, "b", "shop")
        fill(world)
        world.sync("b")
        check_scope(world, "b", "shop")
        assert world.get("b", "cluster", "back") is None and world.get("b", "cluster", "shop")
        world.set("a", "service", "back,web", "desired_count", 5)
        world.set("a", "service", "shop,web", "desired_count", 6)
        world.delete("a", "task", ARN + "task/back/t1")
        world.delete("a", "task", ARN + "task/shop/t1")
        world.sync("a")
        assert world.sync("b")["pulled"] == 2
        check_scope(world, "b", "shop")
        graves = sqlite3.connect(world.path("b")).execute("SELECT key FROM change_tombstones").fetchall()
        assert graves == [(ARN + "task/shop/t1",)], graves


def test_what_belongs_to_no_cluster():
    with World(server, "ab") as world:
        grant(world, "b", "-")
        fill(world)
        world.sync("b")
        check_scope(world, "b", "-")
        assert world.get("b", "account_setting", "root,taskLongArnFormat")


def test_pushes_from_outside_are_refused_and_block_nothing():
    with World(server, "ab") as world:
        grant(world, "b", "shop")
        fill(world)
        world.sync("b")
        world.put("b", "cluster", clusterName="mine")
        world.put("b", "service", serviceName="s", cluster="mine", desiredCount=1, taskDefinition="web:1")
        world.set("b", "service", "shop,web", "desired_count", 9)
        report = world.sync("b")
        assert (report["pushed"], report["refused"]) == (1, 2), report
        assert world.state("b")["refused"] == 2 and world.state("b")["pending"] == 0
        codes = sqlite3.connect(world.path("b")).execute("SELECT DISTINCT code FROM sync_refused").fetchall()
        assert codes == [("KS005",)], codes
        assert world.sql("SELECT count(*) FROM clusters WHERE tenant='%s' AND name='mine'" % world.tenant) == "0"
        assert world.sql("SELECT desired_count FROM services WHERE tenant='%s' AND arn LIKE '%%shop/web'"
                         % world.tenant) == "9"
        # A deletion of what is not the site's, whose key is known all the same.
        world.put("b", "cluster", clusterName="back")
        world.delete("b", "cluster", "back")
        assert world.sync("b")["refused"] == 3
        assert world.sql("SELECT count(*) FROM clusters WHERE tenant='%s' AND name='back'" % world.tenant) == "1"
        grant(world, "b", "mine")
        world.sync("b")
        assert world.state("b")["refused"] == 1
        assert world.sql("SELECT count(*) FROM services WHERE tenant='%s' AND name='s'" % world.tenant) == "1"


def test_14_granted_later():
    with World(server, "ab") as world:
        grant(world, "b", "shop")
        fill(world)
        world.sync("b")
        before = world.sync("b")
        grant(world, "b", "back")
        report = world.sync("b")
        assert report["pulled"] == 6, report  # the cluster's rows, and nothing that was here
        check_scope(world, "b", "shop", "back")
        world.set("a", "service", "back,web", "desired_count", 4)
        world.sync("a")
        assert world.sync("b")["pulled"] == 1
        after = world.sync("b")
        assert (after["pulled"], after["trips"]) == (0, before["trips"]), after


def test_14_revoked_with_pending_rows():
    with World(server, "ab") as world:
        grant(world, "b", "shop", "back", "-")
        fill(world)
        world.sync("b")
        world.set("b", "service", "shop,web", "desired_count", 7)
        world.set("b", "service", "back,web", "desired_count", 8)
        world.put("b", "task", taskArn=ARN + "task/back/new", cluster="back", taskDefinitionArn="web:1")
        revoke(world, "b", "back")
        report = world.sync("b")
        assert (report["left"], report["pushed"], report["refused"]) == (7, 1, 0), report
        check_scope(world, "b", "shop", "-")
        lost = sorted(tuple(entry[:3]) for entry in world.conflicts("b"))
        assert lost == [("service", ARN + "service/back/web", "scope"), ("task", ARN + "task/back/new", "scope")], lost
        assert [entry[4]["desired_count"] for entry in world.conflicts("b") if entry[0] == "service"] == [8]
        assert world.state("b")["pending"] == 0
        world.sync("a")
        check_scope(world, "a", "shop", "back", "-")  # nobody else has lost anything
        grant(world, "b", "back")
        world.sync("b")
        check_scope(world, "b", "shop", "back", "-")
        world.set("b", "service", "back,web", "desired_count", 3)
        world.check_equal()


def test_14_a_row_moves():
    with World(server, "abc") as world:
        grant(world, "b", "shop")
        grant(world, "c", "back")
        fill(world)
        for name in "bc":
            world.sync(name)
        # By another key, as a row moves by rights.
        world.delete("a", "task", ARN + "task/shop/t1")
        world.put("a", "task", taskArn=ARN + "task/back/t2", cluster="back", taskDefinitionArn="web:1")
        world.sync("a")
        for name in "bc":
            world.sync(name)
        check_scope(world, "b", "shop")
        check_scope(world, "c", "back")
        assert world.get("c", "task", ARN + "task/back/t2") and not world.get("b", "task", ARN + "task/shop/t1")
        # A key that says one cluster, and a row that is created again in another: with pending work on the first.
        world.put("a", "task", taskArn=ARN + "task/shop/t3", cluster="shop", taskDefinitionArn="web:1")
        world.sync("a")
        world.sync("b")
        world.set("b", "task", ARN + "task/shop/t3", "last_status", "RUNNING")
        world.delete("a", "task", ARN + "task/shop/t3")
        world.put("a", "task", taskArn=ARN + "task/shop/t3", cluster="back", taskDefinitionArn="web:1")
        world.sync("a")
        report = world.sync("b")
        assert world.get("b", "task", ARN + "task/shop/t3") is None and report["conflicts"] == 1, report
        assert world.state("b")["wanted"] == 0 and world.state("b")["pending"] == 0
        world.sync("c")
        assert world.get("c", "task", ARN + "task/shop/t3") is None
        # It comes back.
        world.delete("a", "task", ARN + "task/shop/t3")
        world.put("a", "task", taskArn=ARN + "task/shop/t3", cluster="shop", taskDefinitionArn="web:1")
        world.sync("a")
        world.sync("b")
        check_scope(world, "b", "shop")


def test_a_row_may_not_refer_to_what_is_outside():
    with World(server, "ab") as world:
        grant(world, "b", "shop")
        fill(world)
        world.sync("b")
        world.put("b", "cluster", clusterName="back")
        world.put("b", "task", taskArn=ARN + "task/shop/sly", cluster="back", taskDefinitionArn="web:1")
        assert world.sync("b")["refused"] == 2
        assert world.sql("SELECT count(*) FROM tasks WHERE tenant='%s' AND arn LIKE '%%sly'" % world.tenant) == "0"


def test_the_last_grant_leaves_nothing():
    with World(server, "ab") as world:
        fill(world)
        world.sync("b")
        check_scope(world, "b", "shop", "back", "-")
        status, text = world.drivers["h"].ask("revoke", world.hub_url, "b", "shop")
        assert status == "KECS_E_NOT_FOUND" and "whole tenant" in text, (status, text)
        grant(world, "b", "shop")
        assert world.sync("b")["left"] == 7
        check_scope(world, "b", "shop")
        revoke(world, "b", "shop")
        assert world.sync("b")["left"] == 6
        check_scope(world, "b")
        world.set("a", "service", "shop,web", "desired_count", 2)
        world.sync("a")
        assert world.sync("b")["pulled"] == 0
        grant(world, "b", "*")
        world.sync("b")
        check_scope(world, "b", "shop", "back", "-")
        revoke(world, "b", "*")
        world.sync("b")
        check_scope(world, "b")


def test_an_edge_narrows_itself():
    with World(server, "a") as world:
        fill(world)
        world.start("c", more=("shop",))
        world.sync("c")
        check_scope(world, "c", "shop")
        world.drivers["c"].close()
        world.start("c", more=(BACK, "-"))
        assert world.sync("c")["left"] == 6
        check_scope(world, "c", "back", "-")
        grant(world, "c", "shop")  # no more than the hub grants
        world.sync("c")
        check_scope(world, "c")
        world.drivers["c"].close()
        world.start("c")
        world.sync("c")
        check_scope(world, "c", "shop")
        status, text = world.ask("edge", "c", "c", 7, world.hub_url, "a/b")
        assert status == "KECS_E_INVALID" and "a/b" in text, (status, text)


def test_a_first_round_that_is_cut_off():
    with World(server, "ab", batch=2) as world:
        grant(world, "b", "shop")
        fill(world)
        for number in range(40):
            world.put("a", "task", taskArn=ARN + "task/%s/n%d" % ("shop" if number % 2 else "back", number),
                      cluster="shop" if number % 2 else "back", taskDefinitionArn="web:1")
        world.sync("a")
        world.drivers["b"].tell("sync", "b")
        world.restart("b")
        grant(world, "b", "back")
        world.drivers["b"].tell("sync", "b")
        world.restart("b")
        revoke(world, "b", "shop")
        world.sync("b")
        world.sync("b")
        check_scope(world, "b", "back")


def test_reconciled_within_a_scope():
    with World(server, "ab") as world:
        grant(world, "b", "shop")
        fill(world)
        world.sync("b")
        world.put("b", "cluster", clusterName="mine")
        assert world.sync("b")["refused"] == 1
        world.sql("UPDATE change_batches SET id=md5(random()::text)::uuid WHERE tenant='%s'" % world.tenant)
        world.sql("DELETE FROM tasks WHERE tenant='%s'" % world.tenant)
        report = world.sync("b")
        assert report["reconciled"] == HISTORY, report
        assert world.get("b", "cluster", "mine") and world.get("b", "cluster", "back") is None
        world.delete("b", "cluster", "mine")
        world.sync("b")
        world.sync("b")
        check_scope(world, "b", "shop")


def test_bad_names():
    with World(server, "") as world:
        for words in (("grant", "a", "a b"), ("grant", "a", "arn:aws:ecs:us-east-1:0:service/x"),
                      ("grant", "a", "x" * 256), ("grant", "s" * 129, "shop"), ("revoke", "a", "a/b")):
            status, text = world.drivers["h"].ask(words[0], world.hub_url,
                                                  *[word.replace(" ", "%") for word in words[1:]])
            assert status == "KECS_E_INVALID", (words, status, text)


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
