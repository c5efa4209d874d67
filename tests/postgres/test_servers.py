#!/usr/bin/env python3
"""The throw-away servers themselves: start, stop, crash, TLS, standby, PgBouncer, connections that are lost.

    tests/postgres/test_servers.py [WORD]     only tests with WORD in their name"""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import server as servers  # noqa: E402
from server import Pooler, Proxy, Server, clean_environment, find_program  # noqa: E402

SCRIPT = pathlib.Path(servers.__file__)
shared = None  # the server of the tests that leave it as it was


def psql(url, text, seconds=20):
    """(whether it succeeded, what it printed). None instead of the first when it hung."""
    command = [find_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", url, "-c", text]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
                              stdin=subprocess.DEVNULL, env=clean_environment())
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode == 0, done.stdout.strip()


def good(url, text):
    succeeded, output = psql(url, text)
    assert succeeded, output
    return output


def refused(url, text="SELECT 1", word=""):
    succeeded, output = psql(url, text)
    assert succeeded is False and word in output, (succeeded, output)


def ends_within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


# ---- One server -----------------------------------------------------------------------------------------------------

def test_databases_and_users():
    assert good(shared.url(), "SELECT current_user || ' ' || current_database()") == "kecs kecs"
    shared.create_database('od/d "name"')
    assert good(shared.url(database='od/d "name"'), "SELECT current_database()") == 'od/d "name"'
    shared.create_user("o'ther", "\\' \" %")
    assert good(shared.url(user="o'ther", password="\\' \" %"), "SELECT current_user") == "o'ther"
    refused(shared.url(password="wrong"), word="password authentication failed")
    refused(shared.url(user="nobody"), word="authentication failed")
    refused(shared.url(user="postgres", password="postgres"), word="authentication failed")
    assert good(shared.socket_url(), "SELECT current_user") == "postgres"
    assert shared.sql("kecs", "SELECT 1, 'x'; SELECT 2") == "1|x\n2"
    try:
        shared.sql("kecs", "SELECT 1; no such thing; SELECT 2")
        assert False, "it was taken"
    except servers.Failed as problem:
        assert "syntax error" in str(problem)


def test_settings():
    assert shared.sql("kecs", "SHOW fsync") == "off"
    assert shared.sql("kecs", "SHOW password_encryption") == "scram-sha-256"
    assert "scram-sha-256" in shared.sql("postgres", "SELECT rolpassword FROM pg_authid WHERE rolname = 'kecs'").lower()
    with Server(settings=["max_connections = 7"]) as other:
        assert other.port != shared.port and other.folder.path != shared.folder.path
        assert good(other.url(), "SHOW max_connections") == "7"
        good(shared.url(), "SELECT 1")
        folder = other.folder.path
    assert not folder.exists()


def test_stop_and_kill():
    with Server(port=servers.free_port()) as one:
        port = one.port
        one.sql("kecs", "CREATE TABLE t (a int)")
        for number, end in enumerate((one.stop, lambda: one.stop("smart"), lambda: one.stop("immediate"), one.kill)):
            good(one.url(user="kecs"), "SELECT 1")
            one.sql("kecs", "INSERT INTO t VALUES (%d)" % number)
            end()
            refused(one.url(), word="refused")
            one.start()
            assert one.port == port
        assert one.sql("kecs", "SELECT count(*) FROM t") == "4"
        one.restart()
        good(one.url(), "SELECT 1")


def test_kill_leaves_no_process():
    with Server() as one:
        sleeper = subprocess.Popen([find_program("psql"), "-X", one.url(), "-c", "SELECT pg_sleep(60)"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
        try:
            asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
            assert ends_within(20, lambda: one.sql("postgres", asleep) == "1")
            one.kill()
            assert ends_within(5, lambda: sleeper.poll() is not None), "its connection is still there"
        finally:
            sleeper.kill()
            sleeper.wait()
        one.start()


# ---- TLS, standby, pooler -------------------------------------------------------------------------------------------

def test_tls():
    with Server(tls=True) as one:
        assert good(one.url(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"
        assert "sslmode=verify-full" in one.url() and "@localhost:" in one.url()
        wrong = one.certificates / "wrong_ca.crt"
        refused(one.url(sslmode="verify-full", sslrootcert=wrong), word="certificate verify failed")
        good(one.url(sslmode="require"), "SELECT 1")
        refused(one.url(sslmode="disable"), word="no encryption")
        by_address = one.url().replace("@localhost:", "@127.0.0.1:")
        good(by_address, "SELECT 1")
        other_name = one.url(hostaddr="127.0.0.1").replace("@localhost:", "@elsewhere:")
        refused(other_name, word="does not match host name")


def test_standby():
    with Server(standby=True) as one:
        standby = one.standby
        one.sql("kecs", "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        standby.catch_up()
        assert standby.sql("kecs", "SELECT a FROM t") == "1"
        one.sql("kecs", "GRANT ALL ON t TO kecs")
        standby.catch_up()
        refused(standby.url(), "INSERT INTO t VALUES (2)", "read-only transaction")
        assert one.sql("postgres", "SELECT slot_name, active FROM pg_replication_slots") == "standby|t"
        both = one.url(also=[standby], target_session_attrs="read-write")
        assert good(both, "SELECT pg_is_in_recovery()") == "f"
        standby.stop()
        one.sql("kecs", "INSERT INTO t VALUES (3)")
        standby.start()
        standby.catch_up()
        one.kill()
        refused(both, "INSERT INTO t VALUES (4)")
        standby.promote()
        good(both, "INSERT INTO t VALUES (5)")
        assert standby.sql("kecs", "SELECT string_agg(a::text, ',' ORDER BY a) FROM t") == "1,3,5"


def test_pooler():
    shared.create_user("by pool", 'x"y')
    with Pooler(shared, users={"by pool": 'x"y'}) as pooler:
        assert good(pooler.url(), "SELECT current_user") == "kecs"
        assert good(pooler.url(user="by pool", password='x"y'), "SELECT current_user") == "by pool"
        refused(pooler.url(password="wrong"), word="authentication failed")
        # In transaction mode many clients share few connections to the server.
        ask = [find_program("psql"), "-X", "-A", "-t", pooler.url(), "-c", "SELECT pg_sleep(0.05)",
               "-c", "SELECT pg_backend_pid()"]
        clients = [subprocess.Popen(ask, stdout=subprocess.PIPE, text=True, env=clean_environment())
                   for _ in range(12)]
        pids = {client.communicate(timeout=30)[0].strip().split("\n")[-1] for client in clients}
        assert 1 <= len(pids) <= 4, pids
        pooler.kill()
        refused(pooler.url(), word="refused")
        pooler.start()
        pooler.stop()
        pooler.start()
        with Proxy(pooler) as proxy:
            assert good(proxy.url(), "SELECT 1") == "1"


# ---- Lost connections -----------------------------------------------------------------------------------------------

def test_proxy_passes_on():
    with Proxy(shared) as proxy:
        assert good(proxy.url(), "SELECT length(repeat('x', 300000))") == "300000"
        assert good(proxy.url(), "SELECT repeat('x', 300000)") == "x" * 300000
        refused(proxy.url(password="wrong"), word="authentication failed")
        assert proxy.accepted >= 3
        assert ends_within(5, lambda: not proxy.links), "links of clients that left"
    refused(proxy.url(), word="refused")
    with Server(tls=True) as one, Proxy(one) as proxy:
        assert good(proxy.url(sslmode="require"), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"


def test_proxy_cuts():
    with Proxy(shared) as proxy:
        sleeper = threading.Thread(target=lambda: outcome.append(psql(proxy.url(), "SELECT pg_sleep(30)")))
        outcome = []
        sleeper.start()
        assert ends_within(10, lambda: shared.sql(
            "postgres", "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)' AND state = 'active' "
                        "AND pid <> pg_backend_pid()") == "1")
        proxy.cut()
        sleeper.join(10)
        assert outcome and outcome[0][0] is False, outcome
        assert "closed the connection" in outcome[0][1] or "reset" in outcome[0][1], outcome
        good(proxy.url(), "SELECT 1")
        proxy.cut(refuse=True)
        refused(proxy.url())
        proxy.heal()
        good(proxy.url(), "SELECT 1")


def test_proxy_freezes():
    with Proxy(shared) as proxy:
        proxy.freeze()
        assert psql(proxy.url(), "SELECT 1", seconds=1)[0] is None
        refused(proxy.url(connect_timeout=2), word="timeout expired")
        threading.Timer(0.5, proxy.heal).start()
        good(proxy.url(), "SELECT 1")


def rows():
    return shared.sql("kecs", "SELECT count(*) FROM lost")


def test_proxy_loses_commits():
    shared.sql("kecs", "DROP TABLE IF EXISTS lost; CREATE TABLE lost (a int); GRANT ALL ON lost TO kecs")
    write = [find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    commands = ["-c", "BEGIN", "-c", "INSERT INTO lost VALUES (1)", "-c", "COMMIT"]
    with Proxy(shared) as proxy:
        for before, expected in ((True, "0"), (False, "1")):
            proxy.lose("Q", containing=b"COMMIT", before=before)
            done = subprocess.run(write + [proxy.url()] + commands, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env=clean_environment(), timeout=20)
            assert done.returncode and b"closed the connection" in done.stdout or b"reset" in done.stdout, done.stdout
            assert proxy.hit.is_set()
            assert rows() == expected, (before, rows())
        proxy.lose("Q", number=2, containing=b"INSERT")
        good(proxy.url(), "INSERT INTO lost VALUES (2)")
        assert not proxy.hit.is_set()
        refused(proxy.url(), "INSERT INTO lost VALUES (3)")
        assert proxy.hit.is_set()
        good(proxy.url(), "INSERT INTO lost VALUES (4)")  # a trap snaps once
        assert rows() == "4"


def test_proxy_sees_the_extended_protocol():
    shared.sql("kecs", "DROP TABLE IF EXISTS lost; CREATE TABLE lost (a int); GRANT ALL ON lost TO kecs")
    script = shared.folder.write("scripts/insert.sql", "INSERT INTO lost VALUES (1);\n")
    with Proxy(shared) as proxy:
        for kind, before, expected in (("P", True, "0"), ("S", True, "0"), ("E", False, "1"), ("S", False, "2")):
            proxy.lose(kind, before=before)
            done = subprocess.run([find_program("pgbench"), "-n", "-M", "extended", "-t", "1", "-f", script,
                                   proxy.url()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env=clean_environment(), timeout=20)
            assert proxy.hit.is_set(), done.stdout
            assert ends_within(5, lambda: rows() == expected), (kind, before, rows())


# ---- The command line, and what is left -----------------------------------------------------------------------------

def start_run(*words, python=sys.executable, script=SCRIPT, **keywords):
    """The command line with a command that prints its URL and sleeps; the process and the URL."""
    command = [python, "-B", str(script), "run", *words, "--", "sh", "-c", "echo $KECS_TEST_POSTGRES; exec sleep 60"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/", **keywords)
    return process, process.stdout.readline().strip()


def folders(pid):
    """Those of a process that are there."""
    found = set()
    for path in glob.glob("/tmp/kecs_pg_*/owner"):
        try:
            if pathlib.Path(path).read_text() == "%d\n" % pid:
                found.add(os.path.dirname(path))
        except OSError:
            pass  # somebody else's, and gone
    return found


def test_run():
    commands = ('"$0" -X -A -t $KECS_TEST_POSTGRES -c "SELECT 7" && '
                '"$0" -X -A -t $KECS_TEST_POSTGRES_STANDBY -c "SELECT pg_is_in_recovery()" && '
                'test $KECS_TEST_POSTGRES != $KECS_TEST_POSTGRES_DIRECT && exit 3')
    done = subprocess.run([sys.executable, "-B", str(SCRIPT), "run", "--standby", "--pooler", "--", "sh", "-c",
                           commands, find_program("psql")], stdout=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (3, "7\nt\n"), (done.returncode, done.stdout)


def test_nothing_is_left():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
        process, url = start_run("--pooler")
        good(url, "SELECT 1")
        mine = folders(process.pid)
        assert len(mine) == 2, mine
        process.send_signal(number)
        process.wait(30)
        process.stdout.close()
        assert ends_within(60, lambda: not any(map(os.path.exists, mine))), "%s %d" % (mine, number)
        assert ends_within(60, lambda: psql(url, "SELECT 1")[0] is False), "it answers after %d" % number


def can_run(python, identity):
    try:
        return subprocess.run([python, "-c", "pass"], cwd="/", stderr=subprocess.DEVNULL, **identity).returncode == 0
    except OSError:
        return False


def test_without_root():
    """As nobody, who may read neither this folder nor, it may be, root's Python."""
    if os.geteuid() != 0:
        return  # all the others were without root
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    pythons = [python for python in (sys.executable, "/usr/bin/python3") if can_run(python, identity)]
    assert pythons, "there is no Python that nobody may run"
    with tempfile.TemporaryDirectory(prefix="kecs_test_", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        for name in ("server.py", "proxy.py"):
            shutil.copy(str(SCRIPT.parent / name), folder)
        process, url = start_run(python=pythons[0], script=os.path.join(folder, "server.py"), **identity)
        try:
            good(url, "SELECT 1")
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


# ---- The report -----------------------------------------------------------------------------------------------------

def main():
    global shared
    servers.heed_signals()
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    passed, failed = 0, 0
    with Server() as shared:
        for name, function in sorted(globals().items()):
            if not name.startswith("test_") or word not in name:
                continue
            started = time.monotonic()
            try:
                function()
                passed += 1
                print("ok %s (%.1f s)" % (name[5:], time.monotonic() - started), flush=True)
            except Exception as problem:
                failed += 1
                first = str(problem).split("\n", 1)[0]
                print("not ok %s %s" % (name[5:], first or type(problem).__name__), flush=True)
                traceback.print_exc(file=sys.stdout)
    left = folders(os.getpid())
    print("not ok clean_up left %s" % ", ".join(left) if left else "ok clean_up")
    passed, failed = passed + (not left), failed + bool(left)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
