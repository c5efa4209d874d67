"""Edges and a hub for the tests of sync: a sync_driver with a file each, and a tenant of a PostgreSQL server."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "postgres"))
from server import DATABASE, PASSWORD, Server, clean_environment, heed_signals  # noqa: E402

DRIVER = os.environ.get("KECS_SYNC_DRIVER", str(ROOT / "build/test/postgres/sync_driver"))
KINDS = {"cluster": "clusters", "service": "services", "task": "tasks", "container_instance": "container_instances",
         "account_setting": "account_settings", "attribute": "attributes", "tag": "resource_tags", "node": "nodes",
         "node_task": "node_tasks", "task_set": "task_sets", "task_definition": "task_definitions",
         "load_balancer": "elbv2_load_balancers", "target_group": "elbv2_target_groups",
         "listener": "elbv2_listeners", "rule": "elbv2_rules", "target": "elbv2_targets"}
# Tables beside the kinds' that follow from their rows, with the columns that must be the same everywhere.
LOOKUPS = {"elbv2_associations": "target_group_arn,load_balancer_arn,listener_arn"}
ARN = "arn:aws:ecs:us-east-1:000000000000:"
AWAY, HISTORY, LOST, COPIED = 1, 2, 4, 8  # kecs_sync_cause


class Driver:
    """A process with stores."""

    def __init__(self, program=None):
        self.process = subprocess.Popen([program or DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=clean_environment())

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def ask(self, *words):
        """(status, text)"""
        self.tell(*words)
        answer = self.process.stdout.readline().rstrip("\n").split(" ", 1)
        assert len(answer) == 2, "the driver has ended at %r" % (words,)
        assert PASSWORD not in answer[1] and "p%40ss" not in answer[1], answer[1]
        return answer

    def ok(self, *words):
        status, text = self.ask(*words)
        assert status == "KECS_OK", (words, status, text)
        return text

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(60)


class World:
    """`with World(server, "ab") as world`: edges a and b, in a process each, and a hub, h."""

    count = 0

    def __init__(self, server, edges="ab", batch=7, url=None, database=DATABASE, program=None):
        World.count += 1
        self.server, self.batch, self.tenant, self.writer = server, batch, "w%d" % World.count, None
        self.folder = tempfile.TemporaryDirectory(prefix="kecs_sync_")
        self.database = database
        plain = server.url(database=database)
        self.hub_url = plain + ("&" if "?" in plain else "?") + "tenant=" + self.tenant
        self.edge_url = self.hub_url
        if url:
            self.edge_url = url + ("&" if "?" in url else "?") + "tenant=" + self.tenant
        self.drivers = {"h": Driver(program)}
        self.drivers["h"].ok("init", self.hub_url)
        self.drivers["h"].ok("open", "h", self.hub_url)
        for name in edges:
            self.start(name)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        codes = [driver.close() for driver in self.drivers.values()]
        self.folder.cleanup()
        assert kind or not any(codes), codes

    def path(self, name):
        return os.path.join(self.folder.name, name + ".db")

    def start(self, name, path=None, site=None, more=(), url=None, policies=(), merger=None, program=None, **options):
        self.drivers[name] = Driver(program)
        for option, value in options.items():
            self.drivers[name].ok("option", "%s=%s" % (option, value))
        for policy in policies:
            self.drivers[name].ok("policy", *policy)
        if merger:
            self.drivers[name].ok("merger", merger)
        self.drivers[name].ok("open", name, path or self.path(name))
        self.drivers[name].ok("edge", name, site or name, self.batch, url or self.edge_url, *more)

    def restart(self, name, **options):
        self.drivers[name].kill()
        self.start(name, **options)

    def stop(self, name):
        """Ends an edge, so that its file can be copied."""
        self.drivers.pop(name).close()

    def open_hub(self, url=None, program=None):
        """The hub's own store anew, after its server or its database was another one for a while."""
        self.drivers.pop("h").kill()
        self.drivers["h"] = Driver()
        self.drivers["h"].ok("open", "h", url or self.hub_url)

    def ask(self, verb, name, *words):
        return self.drivers[name].ask(verb, name, *words)

    def ok(self, verb, name, *words):
        return self.drivers[name].ok(verb, name, *words)

    def write(self, verb, name, *words):
        """Writes of different stores have stamps in the order in which they are made: those of one millisecond have
        none, since each store counts them by itself."""
        if self.writer not in (None, name):
            time.sleep(0.002)
        self.writer = name
        return self.ok(verb, name, *words)

    def put(self, name, kind, /, **document):
        return self.write("put", name, kind, json.dumps(document))

    def set(self, name, kind, key, column, value):
        return self.write("set", name, kind, key, "%s=%s" % (column, value))

    def delete(self, name, kind, key):
        return self.write("del", name, kind, key)

    def get(self, name, kind, key):
        """The document, or None."""
        status, text = self.ask("get", name, kind, key)
        assert status in ("KECS_OK", "KECS_E_NOT_FOUND"), (status, text)
        return json.loads(text) if status == "KECS_OK" else None

    def sync(self, name):
        """{pushed, refused, pulled, conflicts, trips, out, into, appended, dropped, reconciled, resent,
        forgotten, restamped, left}"""
        numbers = map(int, self.ok("sync", name).split())
        return dict(zip(("pushed", "refused", "pulled", "conflicts", "trips", "out", "into", "appended", "dropped",
                         "reconciled", "resent", "forgotten", "restamped", "left"), numbers))

    def edges(self):
        return sorted(name for name in self.drivers if name != "h")

    def state(self, name):
        numbers = map(int, self.ok("status", name).split())
        return dict(zip(("number", "pending", "refused", "wanted", "conflicts", "unsent"), numbers))

    def conflicts(self, name):
        """[(kind, key, reason, groups, lost)] of an edge; or of the hub."""
        if name == "h":
            rows = json.loads(self.sql("SELECT coalesce(json_agg(json_build_array(kind,key,reason,groups,lost) ORDER "
                                       "BY id),'[]') FROM sync_conflicts WHERE tenant='%s'" % self.tenant))
            return [(row[0], row[1], row[2], row[3], json.loads(row[4])) for row in rows]
        found = [part.split("|", 6) for part in self.ok("conflicts", name).split("\x1f") if part]
        return [(part[0], part[1], part[2], int(part[3]), json.loads(part[6]), int(part[4]), int(part[5]))
                for part in found]

    def sql(self, text):
        return self.server.sql(self.database, text)

    # ---- comparing ----

    def columns(self, kind):
        return self.drivers["h"].ok("columns", kind).split(",")

    def rows_of_edge(self, name):
        number = self.state(name)["number"]
        with self.base_of(name) as base:
            base.row_factory = sqlite3.Row
            return {kind: self.normal(kind, base.execute("SELECT * FROM " + table).fetchall(), number)
                    for kind, table in KINDS.items()}

    def base_of(self, name):
        """The edge's file, to be looked at; closed at once, so that the file is whole when its edge is stopped."""
        return contextlib.closing(sqlite3.connect("file:%s?mode=ro" % self.path(name), uri=True))

    def rows_of_hub(self):
        found = {}
        for kind, table in KINDS.items():
            text = self.sql("SELECT coalesce(json_agg(row_to_json(t)),'[]') FROM %s t WHERE tenant='%s'" % (
                table, self.tenant))
            found[kind] = self.normal(kind, json.loads(text), 0)
        return found

    def normal(self, kind, rows, number):
        columns = self.columns(kind)
        result = []
        for row in rows:
            line = {column: int(row[column]) if isinstance(row[column], bool) else row[column] for column in columns}
            for stamp in ("life", "spec", "status"):
                if "stamp_" + stamp in row.keys():
                    value, site = row["stamp_" + stamp], row["site_" + stamp]
                    line["stamp_" + stamp] = (value, number if site is None and value is not None else site or 0)
            result.append(json.dumps(line, sort_keys=True))
        return sorted(result)

    def lookups(self, name):
        found = {}
        for table, columns in LOOKUPS.items():
            if name == "h":
                rows = json.loads(self.sql("SELECT coalesce(json_agg(json_build_array(%s)),'[]') FROM %s WHERE "
                                           "tenant='%s'" % (columns, table, self.tenant)))
            else:
                with self.base_of(name) as base:
                    rows = [list(row) for row in base.execute("SELECT %s FROM %s" % (columns, table))]
            found[table] = sorted(rows)
        return found

    def settle(self, rounds=12):
        """Rounds until nothing moves any more; fails when that takes too long."""
        reports = []
        for _ in range(rounds):
            reports = [(name, self.sync(name), self.state(name)) for name in self.edges()]
            if not any(report["pushed"] + report["pulled"] + report["refused"] for _, report, _ in reports):
                return
        raise AssertionError("still moving after %d rounds: %s" % (rounds, reports))

    def check_equal(self):
        self.settle()
        hub = self.rows_of_hub()
        for name in self.edges():
            mine, state = self.rows_of_edge(name), self.state(name)
            for kind in KINDS:
                if mine[kind] != hub[kind]:
                    extra, lacking = set(mine[kind]) - set(hub[kind]), set(hub[kind]) - set(mine[kind])
                    raise AssertionError("%s differs in %s: it has %s, the hub %s" % (
                        name, kind, sorted(extra)[:2], sorted(lacking)[:2]))
            assert self.lookups(name) == self.lookups("h"), (name, self.lookups(name), self.lookups("h"))
            assert state["refused"] == 0 and state["wanted"] == 0 and state["pending"] == 0, (name, state)
            with self.base_of(name) as base:
                assert not base.execute("PRAGMA foreign_key_check").fetchall(), name


def with_services(world, count=12, name="a"):
    """A cluster, and services s0, s1 ... that every edge has."""
    world.put(name, "cluster", clusterName="shop")
    for number in range(count):
        world.put(name, "service", serviceName="s%d" % number, cluster="shop", desiredCount=1)
    world.check_equal()


def count_of(world, name, number):
    found = world.get(name, "service", "shop,s%d" % number)
    return found and found["desiredCount"]


def run_tests(names, word=""):
    """Runs the functions test_* of a module; prints ok and not ok."""
    failed = 0
    for name, test in list(names.items()):
        if not name.startswith("test_") or word not in name:
            continue
        try:
            test()
            print("ok %s" % name[5:], flush=True)
        except Exception:  # whatever it is, it is that test's
            failed += 1
            reason = traceback.format_exc().strip()
            print("not ok %s %s" % (name[5:], reason.splitlines()[-1][:600]), flush=True)
            print(reason, file=sys.stderr)
    return 1 if failed else 0


def run_with_server(names):
    """The same with a server for all of them, which they find in their module as `server`; a word on the command line
    chooses among them."""
    heed_signals()
    with Server() as names["server"]:
        return run_tests(names, sys.argv[1] if len(sys.argv) > 1 else "")
