#!/usr/bin/env python3
"""Sync in operation: the thread, what travels over the wire, PgBouncer, servers and edges that are killed, a disk that
is full, numbering by many at once, long transactions elsewhere, many edges that come back together.

    tests/sync/test_scenarios_ops.py [WORD]"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ROOT, World, run_with_server  # noqa: E402

from server import DATABASE, Pooler, Proxy, Server, clean_environment, find_program  # noqa: E402

FULL = bool(os.environ.get("KECS_FULL"))
KECS = os.environ.get("KECS", str(ROOT / "build/kecs"))
ARN = "arn:aws:ecs:us-east-1:000000000000:"
server = None


def told(world, name):
    numbers = map(int, world.ok("told", name).split())
    return dict(zip(("rounds", "failures", "reconnects", "lag", "batch", "running"), numbers))


def until(ready, what):
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def task(number):
    return {"taskArn": ARN + "task/shop/%032x" % number, "clusterArn": ARN + "cluster/shop", "lastStatus": "PENDING",
            "taskDefinitionArn": ARN + "task-definition/web:1", "cpu": "256", "memory": "512"}


# ---- the wire ----

def test_a_status_change_is_small_on_the_wire():
    """Its key, the content of the group that it is in, and at most 250 bytes more: out and in, in the push and in the
    pull."""
    with World(server, "ab", batch=1000) as world:
        world.put("a", "cluster", clusterName="shop")
        world.put("a", "task", **task(1))
        world.check_equal()
        for number in range(4):  # the first ones prepare their statements
            world.set("a", "task", task(1)["taskArn"], "last_status", "STATE%d" % number)
            there = world.sync("a")
            echo = world.sync("a")
            idle = world.sync("a")
            back = world.sync("b")
            again = world.sync("b")
        content = len(task(1)["taskArn"]) + len("STATE3")
        assert there["pushed"] == 1 and back["pulled"] == 1 and again["trips"] == 1, (there, back, again)
        assert (there["trips"], echo["trips"], idle["trips"], back["trips"]) == (2, 2, 1, 2), (there, echo, idle, back)
        hello = {way: min(idle[way], again[way]) for way in ("out", "into")}
        cost = {(name, way): report[way] - hello[way] for way in hello
                for name, report in (("push", there), ("echo", echo), ("pull", back))}
        print("# %s; a handshake is %s, key and content are %d" % (cost, hello, content))
        assert cost["push", "out"] <= content + 250 and cost["pull", "into"] <= content + 250, (cost, content)
        assert cost["push", "into"] <= 250 and cost["pull", "out"] <= 250, cost


def test_a_partial_row_whose_row_is_gone_comes_whole():
    with Server() as own, World(own, "ab") as world:
        world.put("a", "cluster", clusterName="shop")
        world.put("a", "task", **task(1))
        world.check_equal()
        world.sql("ALTER TABLE tasks DISABLE TRIGGER ALL; DELETE FROM tasks; ALTER TABLE tasks ENABLE TRIGGER ALL")
        world.set("a", "task", task(1)["taskArn"], "last_status", "RUNNING")
        world.settle()
        assert world.get("h", "task", task(1)["taskArn"])["lastStatus"] == "RUNNING"
        assert world.get("h", "task", task(1)["taskArn"])["cpu"] == "256"


# ---- the thread ----

def test_the_thread_carries_changes_both_ways():
    with World(server, "ab") as world:
        for name in "ab":
            world.ok("start", name, 200)
        status, _ = world.ask("start", "a", 200)
        assert status == "KECS_E_MISUSE", status
        status, _ = world.ask("sync", "a")
        assert status == "KECS_E_MISUSE", status
        world.put("a", "cluster", clusterName="shop")
        until(lambda: world.get("b", "cluster", "shop"), "the other edge has it")
        assert told(world, "a")["running"] == 1
        for name in "ab":
            world.ok("stop", name)
            world.ok("stop", name)
        assert told(world, "a")["running"] == 0
        world.check_equal()


def test_a_change_begins_a_round():
    with World(server, "a") as world:
        world.ok("start", "a", 3600000)
        until(lambda: told(world, "a")["rounds"] >= 1, "the first round")
        world.put("a", "cluster", clusterName="shop")
        until(lambda: world.get("h", "cluster", "shop"), "the hub has it, an hour before the next round's time")
        world.ok("stop", "a")


def test_stop_and_cancel_do_not_wait_for_the_hub():
    with World(server, "a") as world:
        world.put("a", "cluster", clusterName="shop")
        world.sync("a")
        blocker = subprocess.Popen([find_program("psql"), "-X", "-q", "-h", str(server.folder.path), "-p",
                                    str(server.port), "-U", "postgres", "-d", DATABASE], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, env=clean_environment())
        blocker.stdin.write("BEGIN; LOCK TABLE sync_sites; SELECT 'locked';\n")
        blocker.stdin.flush()
        while "locked" not in blocker.stdout.readline():
            pass
        world.put("a", "cluster", clusterName="late")
        world.ok("start", "a", 100)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type='Lock'"
        until(lambda: server.sql("postgres", waiting) != "0", "the round waits")
        world.ok("cancel", "a")
        until(lambda: told(world, "a")["failures"] >= 1, "the round has ended")
        world.ok("stop", "a")
        assert told(world, "a")["lag"] > 0
        blocker.stdin.close()
        blocker.wait()
        world.check_equal()
        assert world.get("h", "cluster", "late") and told(world, "a")["lag"] == 0


# ---- faults ----

def test_killed_server_during_rounds():
    with Server() as own, World(own, "ab") as world:
        world.put("a", "cluster", clusterName="shop")
        for name in "ab":
            world.ok("start", name, 50)
        for number in range(6 if FULL else 3):
            for part in range(5):
                world.put("ab"[part % 2], "service", serviceName="s%d-%d" % (number, part), cluster="shop") \
                    if number + part else world.put("a", "service", serviceName="s0-0", cluster="shop")
                until(lambda: world.get("b", "cluster", "shop"), "b knows the cluster")
            own.kill()
            time.sleep(0.3)
            own.start()
        until(lambda: told(world, "a")["failures"] == 0 and told(world, "b")["failures"] == 0, "both sync again")
        assert told(world, "a")["reconnects"] >= 1
        for name in "ab":
            world.ok("stop", name)
        world.drivers["h"].ok("close", "h")
        world.drivers["h"].ok("open", "h", world.hub_url)
        world.check_equal()


def test_killed_edges_many_times():
    chance = random.Random(3)
    with World(server, "ab", batch=5) as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        for number in range(200 if FULL else 20):
            world.put("a", "service", serviceName="mine%d" % number, cluster="shop")
            world.put("b", "service", serviceName="other%d" % number, cluster="shop")
            world.sync("b")
            world.drivers["a"].tell("sync", "a")
            time.sleep(chance.random() * 0.05)
            world.restart("a")
        world.check_equal()
        assert not world.conflicts("a") and not world.conflicts("h")


def test_pgbouncer():
    with Pooler(server) as pooler, World(server, "ab", url=pooler.url()) as world:
        world.put("a", "cluster", clusterName="shop")
        for number in range(20):
            world.put("ab"[number % 2], "service", serviceName="s%d" % number, cluster="shop") if number % 2 == 0 or \
                world.get("b", "cluster", "shop") else None
            world.sync("a")
            world.sync("b")
        world.set("a", "service", "shop,s0", "running_count", 7)
        world.delete("b", "service", "shop,s1")
        world.check_equal()
        assert world.get("b", "service", "shop,s0")["runningCount"] == 7


def test_disk_full_in_the_middle_of_a_page():
    """A quota in the place of a disk: the page is undone with its cursor, and the next round repeats it."""
    with World(server, "ab", batch=50) as world:
        world.put("a", "cluster", clusterName="shop")
        for number in range(200):
            world.put("a", "service", serviceName="s%d" % number, cluster="shop",
                      tags=[{"key": "k", "value": "v" * 200}])
        world.sync("a")
        hub = world.edge_url
        world.drivers["b"].ok("close", "b")
        limited = "ulimit -f %d; exec %s --db %s sync --hub '%s' --site b" % (400, KECS, world.path("b"), hub)
        done = subprocess.run(["sh", "-c", "trap '' XFSZ; " + limited], capture_output=True, text=True,
                              env=clean_environment())
        assert done.returncode != 0, done.stdout
        world.drivers["b"].ok("open", "b", world.path("b"))
        world.drivers["b"].ok("edge", "b", "b", 50, hub)
        world.check_equal()


# ---- the feed ----

def test_many_number_at_once():
    with World(server, "abcd") as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        for name in "abcd":
            world.ok("start", name, 20)
        for number in range(40):
            name = "abcd"[number % 4]
            world.put(name, "service", serviceName="s%d" % number, cluster="shop")
        until(lambda: all(world.get(name, "service", "shop,s%d" % number) for name in "abcd" for number in (0, 39)),
              "all have the first and the last")
        for name in "abcd":
            world.ok("stop", name)
        world.check_equal()
        gaps = world.sql("SELECT max(seq)-count(*) FROM changes WHERE tenant='%s'" % world.tenant)
        assert gaps == "0", gaps


def test_long_transactions_elsewhere_hold_nothing_back():
    with World(server, "ab") as world:
        world.put("a", "cluster", clusterName="shop")
        world.check_equal()
        world.sql("CREATE TABLE IF NOT EXISTS elsewhere(x int)")
        idle = subprocess.Popen([find_program("psql"), "-X", "-q", "-h", str(server.folder.path), "-p",
                                 str(server.port), "-U", "postgres", "-d", DATABASE], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, env=clean_environment())
        idle.stdin.write("BEGIN; INSERT INTO elsewhere VALUES(1); SELECT 'open';\n")
        idle.stdin.flush()
        while "open" not in idle.stdout.readline():
            pass
        world.put("a", "service", serviceName="web", cluster="shop")
        world.sync("a")
        world.sync("b")
        assert world.get("b", "service", "shop,web"), "it is held back"
        idle.stdin.close()
        idle.wait()
        world.check_equal()


def test_a_long_transaction_at_the_hub_comes_in_pages():
    rows = 1000000 if FULL else 20000
    with World(server, "a", batch=1000) as world:
        world.put("h", "cluster", clusterName="shop")
        world.check_equal()
        world.sql("INSERT INTO account_settings(tenant,id,name,value,principal_arn,type,is_default,created_at,"
                  "updated_at,version,region,account_id,omitted) SELECT '%s',md5(g::text),'n'||g,'v','p'||g,'',false,1,"
                  "1,1,'us-east-1','000000000000',0 FROM generate_series(1,%d) g" % (world.tenant, rows))
        report = world.sync("a")
        assert report["pulled"] == rows and report["trips"] > rows // 11000, report


def test_many_edges_come_back_together():
    count = 200 if FULL else 24
    with tempfile.TemporaryDirectory() as folder:
        url = server.url() + "&tenant=many" if "?" in server.url() else server.url() + "?tenant=many"
        environment = dict(clean_environment(), KECS_HUB=url)
        done = subprocess.run([KECS, "--db", url, "hub", "init"], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        failed = []

        def edge(number):
            path = os.path.join(folder, "%d.db" % number)
            for words in (["put", "cluster", "-"], ["sync", "--site", "e%d" % number]):
                run = subprocess.run([KECS, "--db", path] + words, env=environment, capture_output=True, text=True,
                                     input=json.dumps({"clusterName": "c%d" % number}))
                if run.returncode:
                    failed.append((number, words, run.stderr))

        threads = [threading.Thread(target=edge, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed, failed[:3]
        assert server.sql(DATABASE, "SELECT count(*) FROM clusters WHERE tenant='many'") == str(count)
        sites = subprocess.run([KECS, "--db", url, "hub", "sites", "--json"], env=environment, capture_output=True,
                               text=True)
        assert len([json.loads(line) for line in sites.stdout.splitlines()]) == count, sites.stderr
        state = subprocess.run([KECS, "--db", url, "hub", "status", "--json"], env=environment, capture_output=True,
                               text=True)
        assert json.loads(state.stdout)["sites"] == count, state.stderr


def test_sync_goes_on_until_it_is_interrupted():
    with World(server, "a") as world:
        path = os.path.join(world.folder.name, "cli.db")
        subprocess.run([KECS, "--db", path, "track", "on"], check=True, stdout=subprocess.DEVNULL)
        program = subprocess.Popen([KECS, "--db", path, "sync", "--every", "1", "--hub", world.hub_url, "--site", "c"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        world.put("h", "cluster", clusterName="shop")
        line = program.stdout.readline()
        assert "pulled 1" in line, line
        program.terminate()
        assert program.wait(30) == 0, program.stderr.read()
        program.stdout.close()
        program.stderr.close()
        done = subprocess.run([KECS, "--db", path, "sync", "--every", "0", "--hub", world.hub_url, "--site", "c"],
                              capture_output=True, text=True, env=clean_environment())
        assert done.returncode != 0 and "--every" in done.stderr, done


def test_examples():
    with World(server, "a") as world:
        environment = dict(clean_environment(), KECS_HUB=world.hub_url)
        for words in (["thread", "one.db", "one"], ["device", "two.db", "two", "10"]):
            path = os.path.join(world.folder.name, words[1])
            done = subprocess.run([str(ROOT / "build/examples/sync" / words[0]), path] + words[2:],
                                  env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0 and "sync: " in done.stdout, done
        assert world.get("h", "cluster", "one") and world.get("h", "cluster", "two-9")


if __name__ == "__main__":
    sys.exit(run_with_server(globals()))
