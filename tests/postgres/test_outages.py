#!/usr/bin/env python3
"""A store whose server stops, starts, loses connections, is demoted: build/test/postgres/pg_driver beside servers of
its own. Prints ok / not ok lines.

    tests/postgres/test_outages.py [WORD]     only tests with WORD in their name"""

import os
import pathlib
import signal
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
        # The commit is asked for with the one statement of a write: what is lost with the whole answer has no number.
        for before, name, rows in ((True, "lost", "1"), (False, "kept", "2")):
            proxy.lose("B", containing=name.encode(), before=before)
            driver.fails("KECS_E_OUTCOME_UNKNOWN", "put", name, says="read first")
            assert proxy.hit.is_set()
            assert driver.ok("count") == rows
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
        driver.ok("begin")
        driver.ok("txput", "kept")
        driver.fails("KECS_E_OUTCOME_UNKNOWN", "commit", says="kecs_find_outcome")
        proxy.hit.wait(5)
        one.kill()
        driver.fails("KECS_E_OFFLINE", "outcome")
        one.start()
        assert driver.ok("outcome") == "stored"
        assert driver.ok("count") == "2"


def test_outcome_of_a_commit_that_hangs():
    """The number of a write of one statement is told before its commit begins."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event='SyncRep'"
    with Server() as one, Proxy(one) as proxy, Driver(proxy.url()) as driver:
        def set_standby(name):
            one.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '%s'" % name)
            one.sql("postgres", "SELECT pg_reload_conf()")

        def cut_when_it_hangs():
            if within(30, lambda: one.sql("postgres", waits).strip() == "1"):
                proxy.cut()
        driver.ok("put", "first")
        set_standby("nobody")
        cutter = threading.Thread(target=cut_when_it_hangs)
        cutter.start()
        driver.fails("KECS_E_OUTCOME_UNKNOWN", "put", "kept", says="kecs_find_outcome")
        cutter.join()
        set_standby("")
        assert driver.ok("outcome") == "stored"
        assert driver.ok("count") == "2"


def test_role_that_only_reads_by_default():
    """What a role's transactions are by default is not what the store's are."""
    with Server() as one, Driver() as driver:
        one.sql("postgres", "ALTER ROLE %s SET default_transaction_read_only = on" % servers.USER)
        one.sql("postgres", "ALTER ROLE %s SET default_transaction_isolation = serializable" % servers.USER)
        driver.ok("open", one.url())
        driver.ok("put", "a")
        driver.ok("begin")
        driver.ok("txput", "b")
        driver.ok("commit")
        assert driver.ok("count") == "2"


# ---- Several servers ------------------------------------------------------------------------------------------------

def test_reads_from_a_standby():
    with Server(standby=True) as one:
        standby = one.standby
        with Driver(one.url(also=[standby], reads="standby")) as driver:
            driver.ok("put", "a")
            standby.catch_up()
            assert driver.ok("count") == "1"
            assert connections(standby) == 1 and connections(one) == 1
            standby.sql("postgres", "SELECT pg_wal_replay_pause()")
            driver.ok("put", "b")
            assert driver.ok("count") == "1", "it was not read from the standby"
            driver.ok("begin")
            driver.ok("txput", "c")
            driver.ok("commit")
            standby.sql("postgres", "SELECT pg_wal_replay_resume()")
            standby.catch_up()
            assert driver.ok("count") == "3"
            standby.stop()
            assert driver.ok("count") == "3"  # by the primary
            driver.ok("put", "d")
            standby.start()
            standby.catch_up()
            one.kill()
            driver.fails("KECS_E_READONLY", "put", "e", says="standby")
            standby.promote()
            driver.ok("put", "e")
            assert driver.ok("count") == "5"
        with Driver(one.url(also=[standby], reads="standby")) as driver:  # there is none now
            assert driver.ok("count") == "5"


def test_a_standby_that_is_behind():
    with Server(standby=True) as one:
        standby = one.standby
        options = {"reads": "standby", "max_staleness": "1500ms", "check_interval": "100ms"}
        with Driver(one.url(also=[standby], **options)) as driver:
            driver.ok("put", "a")
            standby.catch_up()
            assert within(10, lambda: driver.ok("count") == "1" and connections(standby) == 1), "nobody reads there"
            standby.sql("postgres", "SELECT pg_wal_replay_pause()")
            time.sleep(1.7)
            driver.ok("put", "b")
            assert driver.ok("count") == "2", "too old"
            standby.sql("postgres", "SELECT pg_wal_replay_resume()")

            def back():
                driver.ok("put", "n%d" % time.monotonic_ns())
                driver.ok("count")
                return connections(standby) == 1
            assert within(10, back), "it does not come back"


def test_first_server_does_not_answer():
    """A server whose network is gone must not take all the time."""
    with Proxy(shared) as dead:
        dead.freeze()
        url = shared.url(tenant="several", acquire_timeout="4s").replace("@", "@127.0.0.1:%d," % dead.port)
        with Driver() as driver:
            started = time.monotonic()
            driver.ok("open", url)
            assert 1 < time.monotonic() - started < 4
            driver.ok("close")
            started = time.monotonic()
            driver.ok("open", url + "&connect_timeout=1")
            assert time.monotonic() - started < 1.9


def test_demotion():
    """Connections that stay, behind a pooler, while the server behind them is no primary any more."""
    with Server(standby=True) as one, Pooler(one) as pooler:
        config = pooler.config.read_text().replace("* = ", "kecs = ")  # only a named one is read again
        pooler.config.write_text(config)
        pooler.stop()
        pooler.start()
        with Driver(pooler.url(), acquire_timeout="2s") as driver:
            driver.ok("put", "a")
            one.standby.catch_up()
            pooler.config.write_text(config.replace("port=%d" % one.port, "port=%d" % one.standby.port))
            pooler.process.send_signal(signal.SIGHUP)
            assert within(10, lambda: driver.ask("put", "b%d" % time.monotonic_ns())[0] == "KECS_E_READONLY")
            driver.fails("KECS_E_READONLY", "put", "c", says="standby")
            one.kill()
            one.standby.promote()
            driver.ok("put", "c")
            assert driver.ok("get", "c") == "1"


# ---- TLS, poolers ---------------------------------------------------------------------------------------------------

def test_tls():
    with Server(tls=True) as one, Driver() as driver:
        wrong = one.certificates / "wrong_ca.crt"
        started = time.monotonic()
        driver.fails("KECS_E_DENIED", "open", one.url(sslmode="verify-full", sslrootcert=wrong), says="sslrootcert")
        driver.fails("KECS_E_DENIED", "open", one.url(sslmode="verify-full", sslrootcert=one.folder.path / "none.crt"),
                     says="sslrootcert")
        elsewhere = one.url(hostaddr="127.0.0.1").replace("@localhost:", "@elsewhere:")
        driver.fails("KECS_E_DENIED", "open", elsewhere, says="the host is the one in the server's certificate")
        driver.fails("KECS_E_DENIED", "open", one.url(sslmode="disable"), says="pg_hba.conf")
        assert time.monotonic() - started < 10, "what can't succeed is tried again"
        driver.ok("open", one.url())
        driver.ok("put", "a")
        ask = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = '%s'"
        assert one.sql("postgres", ask % "kecs_store") == "t"
        driver.ok("close")
    with Driver() as driver:
        driver.fails("KECS_E_DENIED", "open", shared.url(sslmode="require"), says="sslmode")


def test_limits_of_a_pooler():
    settings = ["max_client_conn = 1"]
    with Pooler(shared, settings=settings) as pooler, Driver(pooler.url(tenant="limits")) as first, Driver() as second:
        first.ok("put", "a")
        second.fails("KECS_E_OFFLINE", "open", pooler.url(acquire_timeout="200ms"), says="max_client_conn")
        assert second.state == "08P01"


# ---- The report -----------------------------------------------------------------------------------------------------

def run_tests(functions):
    """Runs those whose name has the word of the command line in it; the exit code."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = 0
    for name, function in sorted(functions.items()):
        if not name.startswith("test_") or word not in name or not callable(function):
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


def main():
    global shared
    servers.heed_signals()
    with Server() as shared:
        return run_tests(globals())


if __name__ == "__main__":
    sys.exit(main())
