#!/usr/bin/env python3
"""What breaks the agreement of edges and hub from outside, by the numbers of docs/sync.md 15: files that are restored
or copied, hubs that fail over or are restored, edges that were away for too long. It heals by itself, nothing that was
acknowledged is lost while somebody has it, and nothing that was deleted comes back.

    tests/sync/test_scenarios_repair.py [WORD]"""

import os
import pathlib
import random
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, AWAY, COPIED, HISTORY, LOST, World, count_of, run_with_server, with_services  # noqa: E402

from server import SUPERUSER, Proxy, Server, find_program, run  # noqa: E402

KILLS = 30
GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/tail/0123456789abcdef"
server = None
databases = 0


# ---- Hubs that go back ----------------------------------------------------------------------------------------------

def disconnect(database):
    server.sql(SUPERUSER, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='%s'" % database)


class Hub:
    """A database of its own for one world, which can be put back to what it was."""

    def __init__(self):
        global databases
        databases += 1
        self.name = "hub%d" % databases
        server.create_database(self.name)

    def copy(self):
        """As a copy of its files."""
        disconnect(self.name)
        server.sql(SUPERUSER, 'CREATE DATABASE %s_copy TEMPLATE %s' % (self.name, self.name))

    def restore(self, world):
        disconnect(self.name)
        server.sql(SUPERUSER, "DROP DATABASE %s" % self.name)
        server.sql(SUPERUSER, "ALTER DATABASE %s_copy RENAME TO %s" % (self.name, self.name))
        world.open_hub()


def keep(world, name):
    """Keeps what the file is now, as of yesterday."""
    world.stop(name)
    shutil.copy(world.path(name), world.path("kept_" + name))
    world.start(name)


def bring_back(world, name):
    world.stop(name)
    shutil.copy(world.path("kept_" + name), world.path(name))
    world.start(name)


# ---- 3, 4: edges ----------------------------------------------------------------------------------------------------

def test_3_edge_restored_from_yesterday():
    with World(server) as world:
        with_services(world)
        world.set("a", "service", "shop,s1", "desired_count", 10)  # pending when the backup is made
        world.put("a", "cluster", clusterName="pending")
        keep(world, "a")
        world.sync("a")
        world.set("a", "service", "shop,s1", "desired_count", 11)
        world.set("a", "service", "shop,s2", "desired_count", 12)
        world.put("a", "cluster", clusterName="later")
        world.delete("a", "service", "shop,s3")
        world.check_equal()
        world.set("b", "cluster", "pending", "status", "FAILED")
        world.check_equal()
        before = world.state("a")["number"]
        bring_back(world, "a")
        world.set("a", "service", "shop,s4", "desired_count", 14)  # after it was restored
        report = world.sync("a")
        assert report["reconciled"] == COPIED, report
        world.check_equal()
        assert world.state("a")["number"] != before
        for name in "abh":
            assert [count_of(world, name, number) for number in (1, 2, 3, 4)] == [11, 12, None, 14], name
            assert world.get(name, "cluster", "later"), name
            assert world.get(name, "cluster", "pending")["status"] == "FAILED", name
        # What was pending in the backup, and was pushed and changed since, may as well be the work of a copy.
        lost = [entry for name in "abh" for entry in world.conflicts(name)]
        assert all(entry[2] == "update" and entry[4]["desired_count"] == 10 for entry in lost), lost
        assert world.sql("SELECT count(*) FROM sync_sites WHERE tenant='%s'" % world.tenant) == "3"


def test_4_edge_cloned_to_several_devices():
    with World(server, "a") as world:
        with_services(world)
        world.set("a", "service", "shop,s0", "desired_count", 50)  # pending in all of them
        world.put("a", "cluster", clusterName="pending")
        world.stop("a")
        for name in "bcde":
            shutil.copy(world.path("a"), world.path(name))
        for name in "abcde":
            world.start(name, site="a")
            world.put(name, "cluster", clusterName="of_" + name)
            world.set(name, "service", "shop,s%d" % "abcde".index(name), "running_count", 7)
        found = [world.sync(name)["reconciled"] for name in "abcde"]
        assert found == [0] + 4 * [COPIED], found
        world.check_equal()
        numbers = {world.state(name)["number"] for name in "abcde"}
        assert len(numbers) == 5, numbers
        for name in "abcdeh":
            assert all(world.get(name, "cluster", "of_" + other) for other in "abcde"), name
            assert world.get(name, "cluster", "pending") and count_of(world, name, 0) == 50
            assert all(world.get(name, "service", "shop,s%d" % number)["runningCount"] == 7 for number in range(5))


def test_4_two_devices_with_one_name():
    """Neither has been a copy of the other: the one that comes second is told, and renamed."""
    with World(server, "a") as world:
        with_services(world, 3)
        world.start("b", site="a")
        world.put("b", "cluster", clusterName="mine")
        world.set("b", "cluster", "mine", "status", "FAILED")
        assert world.sync("b")["reconciled"] == COPIED
        assert world.sync("a")["reconciled"] == 0
        world.check_equal()
        assert world.get("a", "cluster", "mine") and world.get("b", "service", "shop,s1")
        names = world.sql("SELECT name FROM sync_sites WHERE tenant='%s' ORDER BY site" % world.tenant).split()
        assert names[0] == "a" and names[1].startswith("a#") and len(names) == 2, names


def test_4_both_greet_before_either_pushes():
    with World(server, "a") as world:
        world.sync("a")
        world.start("b", site="a")
        world.sync("b")
        for name in "ab":
            world.put(name, "cluster", clusterName="of_" + name)
        found = [world.sync(name)["reconciled"] for name in "ab"]
        assert found == [0, COPIED], found
        world.check_equal()
        assert all(world.get(name, "cluster", "of_" + other) for name in "abh" for other in "ab")


def test_4_refused_rows_survive_a_copy():
    with World(server, "a") as world:
        with_services(world, 2)
        world.sql("ALTER TABLE services ADD CONSTRAINT no_poison CHECK (desired_count <> 666)")
        try:
            world.put("a", "service", serviceName="bad", cluster="shop", desiredCount=666)
            world.sync("a")
            keep(world, "a")
            world.set("a", "service", "shop,s1", "desired_count", 9)
            world.sync("a")
            bring_back(world, "a")
            assert world.sync("a")["reconciled"] == COPIED and world.state("a")["refused"] == 1
        finally:
            world.sql("ALTER TABLE services DROP CONSTRAINT no_poison")
        world.check_equal()
        assert world.get("h", "service", "shop,bad")["desiredCount"] == 666 and count_of(world, "a", 1) == 9


# ---- 5, 6: the hub --------------------------------------------------------------------------------------------------

def lost_tail(world):
    """What is acknowledged, and then lost at the hub: creations, edits of both groups, deletions, by all."""
    world.put("a", "cluster", clusterName="tail")
    world.put("a", "service", serviceName="tail", cluster="tail", desiredCount=3)
    world.set("a", "service", "shop,s0", "desired_count", 20)
    world.set("b", "service", "shop,s1", "running_count", 21)
    world.set("h", "service", "shop,s2", "desired_count", 22)
    world.put("h", "cluster", clusterName="central")
    world.put("a", "event", eventType="test", resourceArn=ARN + "cluster/shop", resourceType="cluster", action="tail")
    world.put("b", "target_group", TargetGroupArn=GROUP, TargetGroupName="tail", Protocol="HTTP", Port=80)
    world.put("b", "task_definition", family="tail", containerDefinitions=[{"name": "main", "image": "tail:1"}])
    world.delete("a", "service", "shop,s3")
    world.delete("b", "service", "shop,s4")
    world.delete("h", "service", "shop,s5")
    world.put("b", "cluster", clusterName="brief")
    world.settle()
    world.delete("a", "cluster", "brief")
    world.settle()


def check_tail(world, names="abh", events=True):
    world.check_equal()
    for name in names:
        assert world.get(name, "service", "tail,tail")["desiredCount"] == 3, name
        assert count_of(world, name, 0) == 20 and count_of(world, name, 2) == 22, name
        assert world.get(name, "service", "shop,s1")["runningCount"] == 21, name
        assert [count_of(world, name, number) for number in (3, 4, 5)] == 3 * [None], name
        assert world.get(name, "cluster", "central") and not world.get(name, "cluster", "brief"), name
        assert world.get(name, "task_definition", "tail:1") and world.get(name, "target_group", GROUP), name
    if events:  # they are with their author alone, unless others ask for them
        told = world.sql("SELECT count(*) FROM events WHERE tenant='%s' AND action='tail'" % world.tenant)
        assert told == "1", told


def test_5_failover_with_a_lost_tail():
    """A standby that lags is promoted while the edges are idle, and its numbers grow past the edges' cursors."""
    with Server(standby=True) as primary:
        url = primary.url(also=(primary.standby,), target_session_attrs="read-write")
        with World(primary, "ab", url=url) as world:
            with_services(world)
            primary.standby.catch_up()
            primary.standby.stop()
            lost_tail(world)
            cursor = int(world.sql("SELECT seq FROM change_heads WHERE tenant='%s'" % world.tenant))
            primary.kill()
            primary.standby.start()
            primary.standby.promote()
            world.server = primary.standby
            world.open_hub(url + "&tenant=" + world.tenant)
            for number in range(40):  # the other history
                world.put("h", "cluster", clusterName="new%d" % number)
            world.sql("SELECT change_number('%s')" % world.tenant)
            assert int(world.sql("SELECT seq FROM change_heads WHERE tenant='%s'" % world.tenant)) > cursor
            found = [world.sync(name)["reconciled"] for name in "ab"]
            assert found == [HISTORY | LOST, HISTORY | LOST], found
            check_tail(world)
            assert world.get("b", "cluster", "new39")
            sites = world.sql("SELECT count(*) FROM sync_sites WHERE tenant='%s'" % world.tenant)
            assert sites == "2", sites


def test_6_hub_restored_to_last_week():
    hub = Hub()
    with World(server, database=hub.name) as world:
        with_services(world)
        hub.copy()
        world.open_hub()
        lost_tail(world)
        hub.restore(world)
        world.set("a", "service", "shop,s6", "desired_count", 26)  # not pushed yet
        world.put("h", "cluster", clusterName="after")
        assert world.sync("a")["reconciled"] == HISTORY | LOST
        assert world.sync("b")["reconciled"] == HISTORY | LOST
        check_tail(world)
        assert all(count_of(world, name, 6) == 26 and world.get(name, "cluster", "after") for name in "abh")


def test_6_hub_goes_back_while_a_pull_is_cut_off():
    """A page has rows as they are, which may be later than where the page ends. The hub goes back to between the two:
    the cursor is on its history, what was read is not."""
    hub = Hub()
    with Proxy(server) as proxy, World(server, "a", batch=1, database=hub.name,
                                       url=proxy.url(database=hub.name)) as world:
        with_services(world, 3)
        world.set("h", "service", "shop,s1", "desired_count", 11)
        world.set("h", "service", "shop,s2", "desired_count", 12)
        world.sql("SELECT change_number('%s')" % world.tenant)
        hub.copy()
        world.open_hub()
        world.set("h", "service", "shop,s1", "desired_count", 21)
        for position in range(1, 20):
            proxy.lose("S", position)
            status = world.ask("sync", "a")[0]
            proxy.lose("\0")  # disarmed
            if count_of(world, "a", 1) != 1:
                break
        assert (status, count_of(world, "a", 1), count_of(world, "a", 2)) == ("KECS_E_OFFLINE", 21, 1), position
        hub.restore(world)
        assert count_of(world, "h", 1) == 11
        assert world.sync("a")["reconciled"] == HISTORY
        world.check_equal()
        assert [count_of(world, name, 1) for name in "ah"] == [21, 21]
        assert [count_of(world, name, 2) for name in "ah"] == [12, 12]


def test_6_a_lost_row_goes_with_its_parent():
    """The hub has lost a row that it had acknowledged, and then its parent is deleted there: before the row can be sent
    again, and it is in the log of its edge."""
    hub = Hub()
    with World(server, database=hub.name) as world:
        with_services(world, 2)
        hub.copy()
        world.open_hub()
        world.put("a", "service", serviceName="api", cluster="shop", desiredCount=6)
        world.check_equal()
        hub.restore(world)
        world.delete("h", "cluster", "shop")
        world.check_equal()
        assert all(world.get(name, "service", "shop,api") is None for name in "abh")
        kept = [entry[4]["desired_count"] for entry in world.conflicts("a") if entry[1].endswith("api")]
        assert kept == [6], world.conflicts("a")


def test_6_a_name_that_was_given_away():
    """The hub has lost a row and given its unique name to another one, which waits at the edge for the first to go: in
    the same round it does, into the log of conflicts."""
    elb = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/front/%016d"
    hub = Hub()
    with World(server, "a", database=hub.name) as world:
        with_services(world, 1)
        hub.copy()
        world.open_hub()
        world.put("a", "load_balancer", LoadBalancerArn=elb % 1, LoadBalancerName="front", Type="application")
        world.check_equal()
        hub.restore(world)
        world.put("h", "load_balancer", LoadBalancerArn=elb % 2, LoadBalancerName="front", Type="network")
        trips = world.sync("a")["trips"]
        assert world.get("a", "load_balancer", elb % 2)["Type"] == "network" and world.state("a")["refused"] == 0
        assert trips < 35, trips
        world.check_equal()
        assert [(entry[1], entry[2]) for entry in world.conflicts("a")] == [(elb % 1, "key")], world.conflicts("a")


def test_6_hub_restored_from_a_dump():
    """Into a new cluster's database, as if a machine was lost: the dump is older than one of the sites."""
    hub = Hub()
    dump = [find_program("pg_dump"), "-h", server.folder.path, "-p", server.port, "-U", SUPERUSER, "-Fc", hub.name]
    with World(server, "a", database=hub.name) as world:
        with_services(world)
        path = os.path.join(world.folder.name, "dump")
        run(dump + ["-f", path])
        world.start("b")
        world.check_equal()
        lost_tail(world)
        numbers = {name: world.state(name)["number"] for name in "ab"}
        disconnect(hub.name)
        server.sql(SUPERUSER, "DROP DATABASE %s" % hub.name)
        server.create_database(hub.name)
        run([find_program("pg_restore"), "-h", server.folder.path, "-p", server.port, "-U", SUPERUSER, "-d", hub.name,
             path])
        world.open_hub()
        world.start("c")
        world.check_equal()  # a site that is new now, before one that the hub has forgotten
        check_tail(world, "abch")
        assert {name: world.state(name)["number"] for name in "ab"} == numbers


def test_6_another_edge_restores_what_its_author_can_not():
    """The edge that wrote is gone for good; one that had pulled it brings it back, as its author's."""
    hub = Hub()
    with World(server, database=hub.name) as world:
        with_services(world)
        hub.copy()
        world.open_hub()
        lost_tail(world)
        author = world.state("a")["number"]
        world.stop("a")
        hub.restore(world)
        report = world.sync("b")
        assert report["resent"] > 0, report
        check_tail(world, "bh", events=False)
        told = world.sql("SELECT site_life FROM clusters WHERE tenant='%s' AND name='tail'" % world.tenant)
        assert told == str(author), told
        world.start("a")
        world.check_equal()
        check_tail(world, events=False)
        assert not any(world.conflicts(name) for name in "abh")


def test_6_hub_and_edge_restored_together():
    hub = Hub()
    with World(server, database=hub.name) as world:
        with_services(world)
        keep(world, "a")
        hub.copy()
        world.open_hub()
        lost_tail(world)
        hub.restore(world)
        bring_back(world, "a")
        world.put("a", "cluster", clusterName="anew")
        world.check_equal()
        check_tail(world, events=False)  # b has it all
        assert world.get("b", "cluster", "anew")


def test_6_lost_again_before_it_is_healed():
    """The hub goes back a second time while an edge repairs the first."""
    hub = Hub()
    with World(server, batch=3, database=hub.name) as world:
        with_services(world)
        hub.copy()
        world.open_hub()
        lost_tail(world)
        hub.restore(world)
        hub.copy()
        world.drivers["a"].tell("sync", "a")
        time.sleep(0.05)
        world.restart("a")
        world.settle()
        hub.restore(world)
        check_tail(world)


# ---- 10: away for too long ------------------------------------------------------------------------------------------

def collect(world):
    """The hub forgets all that it may: as if the retention had passed."""
    world.sql("SELECT change_number('%s')" % world.tenant)
    world.sql("DELETE FROM change_tombstones WHERE tenant='%s'" % world.tenant)
    world.sql("DELETE FROM changes c WHERE tenant='%s' AND seq<(SELECT seq FROM change_heads h WHERE h.tenant=c.tenant)"
              % world.tenant)
    world.sql("INSERT INTO change_state(tenant,id,value) SELECT tenant,1,seq FROM change_heads WHERE tenant='%s' "
              "ON CONFLICT(tenant,id) DO UPDATE SET value=excluded.value" % world.tenant)


def test_10_away_longer_than_retention():
    with World(server, "abc") as world:
        with_services(world, 20)
        world.put("c", "service", serviceName="of_c", cluster="shop", desiredCount=1)
        world.put("h", "cluster", clusterName="central")
        world.put("h", "cluster", clusterName="kept")
        world.check_equal()
        # a stays away, and works
        world.set("a", "service", "shop,s0", "desired_count", 30)  # and deleted at the hub
        world.set("a", "service", "shop,s1", "desired_count", 31)  # and left alone there
        world.put("a", "service", serviceName="mine", cluster="shop", desiredCount=32)
        world.put("a", "cluster", clusterName="mine")
        world.delete("a", "service", "shop,s2")
        world.delete("a", "service", "shop,s3")  # and deleted there, too
        world.put("a", "service", serviceName="s4", cluster="shop", desiredCount=34)
        world.delete("a", "service", "shop,s5")
        world.put("a", "service", serviceName="s5", cluster="shop", desiredCount=35)  # created anew, deleted later
        # the others go on
        for key in ("s0", "s3", "s5", "s6", "of_c"):
            world.delete("b", "service", "shop," + key)
        world.delete("h", "cluster", "central")
        world.set("b", "service", "shop,s7", "desired_count", 37)
        world.put("b", "service", serviceName="new", cluster="shop", desiredCount=38)
        for name in "bcbc":
            world.sync(name)
        collect(world)
        for number in range(9):
            world.put("h", "cluster", clusterName="after%d" % number)
        world.sync("b")
        report = world.sync("a")
        assert report["reconciled"] == AWAY and report["forgotten"] >= 3, report
        world.check_equal()
        for name in "abch":
            assert [count_of(world, name, number) for number in (0, 1, 2, 3, 4, 5, 6, 7)] == [
                None, 31, None, None, 34, None, None, 37], name
            assert world.get(name, "service", "shop,mine") and world.get(name, "cluster", "mine"), name
            assert not world.get(name, "service", "shop,of_c") and not world.get(name, "cluster", "central"), name
            assert world.get(name, "service", "shop,new") and world.get(name, "cluster", "kept"), name
        lost = [entry for entry in world.conflicts("a") if entry[2] == "delete"]
        assert [entry[4]["desired_count"] for entry in lost] == [30], lost
        lost = [entry[4]["desired_count"] for name in "bch" for entry in world.conflicts(name)]
        assert 35 in lost, lost  # the hub has no tombstone any more, but those who have one have told it again


def test_10_a_parent_that_was_collected():
    with World(server) as world:
        with_services(world, 3)
        world.put("a", "service", serviceName="mine", cluster="shop", desiredCount=4)
        world.delete("b", "cluster", "shop")
        world.sync("b")
        collect(world)
        world.put("b", "cluster", clusterName="other")
        world.sync("b")
        assert world.sync("a")["reconciled"] == AWAY
        world.check_equal()
        assert not world.get("a", "cluster", "shop") and not world.get("h", "cluster", "shop")
        lost = [entry for entry in world.conflicts("a") if entry[2] == "parent"]
        assert len(lost) == 1 and lost[0][4]["desired_count"] == 4, lost


def test_10_only_what_differs_travels():
    with World(server, batch=1000) as world:
        with_services(world, 300)
        collect(world)
        world.set("b", "service", "shop,s17", "desired_count", 5)
        world.sync("b")
        collect(world)
        everything = world.sync("a")
        assert everything["reconciled"] == AWAY and everything["into"] < 60000, everything
        world.check_equal()


def test_10_restored_from_before_the_retention():
    with World(server) as world:
        with_services(world)
        world.set("a", "service", "shop,s1", "desired_count", 41)
        keep(world, "a")
        world.delete("b", "service", "shop,s2")
        world.set("a", "service", "shop,s3", "desired_count", 43)
        world.settle()
        collect(world)
        world.put("b", "cluster", clusterName="other")
        world.settle()
        bring_back(world, "a")
        world.put("a", "cluster", clusterName="mine")
        assert world.sync("a")["reconciled"] == AWAY | COPIED
        world.check_equal()
        assert [count_of(world, "h", number) for number in (1, 2, 3)] == [41, None, 43]
        assert world.get("h", "cluster", "mine")


# ---- 2: in the middle of it -----------------------------------------------------------------------------------------

def broken(world, number):
    """Something to repair, each time another kind of thing."""
    world.put("a", "service", serviceName="x%d" % number, cluster="shop", desiredCount=number)
    world.put("b", "service", serviceName="y%d" % number, cluster="shop", desiredCount=number)
    world.delete("b", "service", "shop,y%d" % (number - 1))
    world.sync("b")
    world.sync("a")
    tail = "tenant='%s'" % world.tenant
    if number % 2:
        collect(world)
        world.sql("UPDATE change_heads SET seq=seq+5 WHERE " + tail)
        world.sql("UPDATE change_state SET value=value+5 WHERE id=1 AND " + tail)
    else:
        world.sql("UPDATE change_batches SET id=md5(random()::text)::uuid WHERE " + tail)
    world.set("a", "service", "shop,s1", "desired_count", number)


def test_2_repairs_that_are_killed():
    chance = random.Random(5)
    with World(server, batch=3) as world:
        with_services(world, 30)
        world.put("b", "service", serviceName="y0", cluster="shop", desiredCount=0)
        world.check_equal()
        for number in range(1, KILLS + 1):
            broken(world, number)
            world.drivers["a"].tell("sync", "a")
            time.sleep(chance.random() * 0.12)
            world.restart("a")
        world.check_equal()
        assert count_of(world, "h", 1) == KILLS
        for number in range(1, KILLS + 1):
            assert world.get("h", "service", "shop,x%d" % number) and world.get("a", "service", "shop,x%d" % number)
            assert bool(world.get("a", "service", "shop,y%d" % number)) == (number == KILLS), number


def test_2_repairs_whose_link_is_lost():
    with Proxy(server) as proxy, World(server, url=proxy.url(), batch=1000) as world:
        with_services(world, 30)
        world.put("b", "service", serviceName="y0", cluster="shop", desiredCount=0)
        world.check_equal()
        number = 0
        for before in (True, False):
            for position in range(1, 40):
                number += 1
                broken(world, number)
                proxy.lose("S", position, before=before)
                status, text = world.ask("sync", "a")
                hit = proxy.hit.is_set()
                proxy.lose("\0")  # disarmed
                assert status in ("KECS_OK", "KECS_E_OFFLINE"), (position, before, status, text)
                world.sync("a")
                assert count_of(world, "h", 1) == number
                if not hit:
                    break
        assert number > 10, number
        world.check_equal()


def test_another_hub_is_no_repair():
    with World(server, "a") as world:
        with_services(world, 1)
        world.stop("a")
        world.edge_url = world.hub_url.replace("tenant=" + world.tenant, "tenant=other_" + world.tenant)
        world.drivers["h"].ok("init", world.edge_url)
        world.start("a")
        status, text = world.ask("sync", "a")
        assert status == "KECS_E_CONFLICT" and "another hub" in text, (status, text)


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
