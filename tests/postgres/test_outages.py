#!/usr/bin/env python3
"""A store whose server stops, starts, loses connections, is demoted: build/test/postgres/pg_driver beside servers of
its own. Prints ok / not ok lines.

    tests/postgres/test_outages.py [WORD]     only tests with WORD in their name"""

import os
import pathlib
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import server as servers  # noqa: E402
from server import PASSWORD, Pooler, Proxy, Server, clean_environment  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DRIVER = os.environ.get("KECS_PG_DRIVER", str(ROOT / "build/test/postgres/pg_driver"))
shared = None  # the server of the tests that leave it running


class Driver:
    """A process with one store."""

    def __init__(self, url=None, **options):
        self.process = subprocess.Popen([DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=clean_environment())
        self.state = ""
        if url:
            self.ok("open", with_options(url, options))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(30) == 0 or kind, "the driver ended with %d" % self.process.returncode

    def ask(self, *words):
        """(status, text)"""
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        status, self.state, text = self.process.stdout.readline().rstrip("\n").split(" ", 2)
        assert PASSWORD not in text and "p%40ss" not in text, text
        return status, text

    def ok(self, *words):
        status, text = self.ask(*words)
        assert status == "KECS_OK", (words, status, text)
        return text

    def fails(self, status, *words, says=""):
        found, text = self.ask(*words)
        assert found == status and says in text, (words, found, text)
        return text


def with_options(url, options):
    more = "&".join("%s=%s" % one for one in options.items())
    return url + (("&" if "?" in url else "?") + more if more else "")


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def connections(server=None):
    ask = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kecs_store'"
    return int((server or shared).sql("postgres", ask))


def end_connections(where="true"):
    shared.sql("postgres", "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                           "WHERE application_name = 'kecs_store' AND %s" % where)


# ---- The server comes and goes --------------------------------------------------------------------------------------

def test_restart():
    with Server() as one, Driver(one.url(), acquire_timeout="3s") as driver:
        driver.ok("put", "a")
        for end in (one.stop, lambda: one.stop("immediate"), one.kill):
            end()
            for words in (("put", "x"), ("count",), ("begin",), ("get", "a")):
                started = time.monotonic()
                if words == ("begin",) and driver.ask(*words)[0] == "KECS_OK":
                    driver.fails("KECS_E_OFFLINE", "txput", "x")  # what begins is only sent with what follows
                    driver.ok("rollback")
                elif words != ("begin",):
                    driver.fails("KECS_E_OFFLINE", *words, says="127.0.0.1:%d" % one.port)
                    driver.fails("KECS_E_OFFLINE", *words, says="check host and port")
                assert time.monotonic() - started < 2, words
            one.start()
            driver.ok("put", "after-%s" % id(end))
        assert driver.ok("count") == "4"
        one.restart()
        assert driver.ok("get", "a") == "1"  # the first call is a read


def test_start_later():
    with Server() as one:
        url = one.url(acquire_timeout="20s")
        one.stop()
        one.wanted_port = one.port
        starter = threading.Timer(0.7, one.start)
        starter.start()
        with Driver(url) as driver:
            starter.join()
            driver.ok("put", "a")
        one.stop()
        with Driver() as driver:
            started = time.monotonic()
            driver.fails("KECS_E_OFFLINE", "open", with_options(url, {}).replace("20s", "600ms"), says="check host")
            assert 0.2 < time.monotonic() - started < 5


def test_ended_connections():
    with Driver(shared.url(tenant="ended"), min_connections=3) as driver:
        assert connections() == 3
        for number in range(3):
            end_connections()
            driver.ok("put", "a%d" % number)
            end_connections()
            driver.ok("get", "a%d" % number)
        driver.ok("begin")
        driver.ok("txput", "b")
        end_connections()
        driver.fails("KECS_E_OFFLINE", "txput", "c")
        driver.ok("rollback")
        driver.ok("begin")
        driver.ok("txput", "b")
        end_connections()
        driver.fails("KECS_E_OFFLINE", "commit", says="nothing was stored")
        assert driver.ok("count") == "3"


def test_idle_and_old_connections_go():
    with Driver(shared.url(tenant="idle"), min_connections=4, idle_timeout="100ms", check_interval="50ms") as driver:
        time.sleep(0.3)
        driver.ok("count")
        assert connections() == 4, "these are kept"
    url = shared.url(tenant="idle", max_lifetime="200ms", check_interval="50ms", min_connections=0)
    with Driver(url) as driver:
        time.sleep(0.3)
        driver.ok("put", "a")
        total, active, idle, retired = map(int, driver.ok("pool").split())
        assert (total, active, idle) == (1, 1, 0) and retired >= 1, (total, active, idle, retired)


def test_full_server():
    with Server(settings=["max_connections = 5", "superuser_reserved_connections = 3"]) as one:
        with Driver(one.url()) as first, Driver(one.url()) as second, Driver() as third:
            first.ok("put", "a")
            second.ok("put", "b")
            third.fails("KECS_E_BUSY", "open", one.url(acquire_timeout="300ms"), says="max_connections")
            assert third.state == "53300"
            first.ok("close")
            assert within(5, lambda: third.ask("open", one.url(acquire_timeout="300ms"))[0] == "KECS_OK")


# ---- What became of a commit ----------------------------------------------------------------------------------------

def test_outcome():
    with Proxy(shared) as proxy, Driver(proxy.url(tenant="outcome")) as driver:
        driver.ok("put", "first")
        proxy.lose("P", containing=b"\0COMMIT\0", before=True)
        driver.fails("KECS_E_OUTCOME_UNKNOWN", "put", "lost", says="kecs_find_outcome")
        assert proxy.hit.is_set()
        assert driver.ok("outcome") == "not stored" and driver.ok("count") == "1"
        proxy.lose("P", containing=b"\0COMMIT\0", before=False)
        driver.fails("KECS_E_OUTCOME_UNKNOWN", "put", "kept", says="kecs_find_outcome")
        assert driver.ok("outcome") == "stored" and driver.ok("count") == "2"
        for before, what, rows in ((True, "not stored", "2"), (False, "stored", "4")):
            driver.ok("begin")
            driver.ok("txput", "t1")
            driver.ok("txput", "t2")
            proxy.lose("P", containing=b"\0COMMIT\0", before=before)
            driver.fails("KECS_E_OUTCOME_UNKNOWN", "commit")
            assert driver.ok("outcome") == what and driver.ok("count") == rows
        # Lost before COMMIT was sent: nothing is stored, and everybody knows.
        driver.ok("begin")
        driver.ok("txput", "t3")
        proxy.cut()
        driver.fails("KECS_E_OFFLINE", "commit", says="nothing was stored")
        driver.fails("KECS_E_INVALID", "outcome", says="KECS_E_OUTCOME_UNKNOWN")
        assert driver.ok("count") == "4"


def test_outcome_of_a_server_that_dies():
    """The number outlives the crash of the server, and the program that asks for it."""
    with Server() as one, Proxy(one) as proxy, Driver(proxy.url(acquire_timeout="10s")) as driver:
        driver.ok("put", "first")
        one.sql("postgres", "ALTER SYSTEM SET fsync = on")
        proxy.lose("P", containing=b"\0COMMIT\0", before=False)
        driver.fails("KECS_E_OUTCOME_UNKNOWN", "put", "kept")
        proxy.hit.wait(5)
        one.kill()
        driver.fails("KECS_E_OFFLINE", "outcome")
        one.start()
        assert driver.ok("outcome") == "stored"
        assert driver.ok("count") == "2"


# ---- The report -----------------------------------------------------------------------------------------------------

def main():
    global shared
    servers.heed_signals()
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = 0
    with Server() as shared:
        for name, function in sorted(globals().items()):
            if not name.startswith("test_") or word not in name:
                continue
            started = time.monotonic()
            try:
                function()
                print("ok %s (%.1f s)" % (name[5:], time.monotonic() - started), flush=True)
            except Exception as problem:
                failed += 1
                print("not ok %s %s" % (name[5:], str(problem).split("\n", 1)[0] or type(problem).__name__), flush=True)
                traceback.print_exc(file=sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
