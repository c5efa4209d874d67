#!/usr/bin/env python3
"""Throw-away PostgreSQL servers for tests.

    python3 tests/postgres/server.py run [--tls] [--standby] [--pooler] -- COMMAND...

runs COMMAND with KECS_TEST_POSTGRES set to the URL of a server of its own (--pooler: through PgBouncer), with
KECS_TEST_POSTGRES_DIRECT to the server itself and, with --standby, KECS_TEST_POSTGRES_STANDBY to its standby.
KECS_TEST_PG_BIN names the folder of the server's programs; without it the newest that is installed is taken.

In Python:

    with Server(standby=True) as server:
        server.create_database("shop")
        server.sql("shop", "SELECT 1")
        connect(server.url(database="shop"))
        server.kill(); server.standby.promote()
        with Pooler(server) as pooler, Proxy(server) as proxy: ...

Each has a folder of its own in /tmp, a Unix socket there, and a free port of the loopback interface; servers that run
already are left alone. It all goes at the end, also when this process is killed."""

import argparse
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from proxy import Proxy  # noqa: E402,F401 (part of what this module offers)

USER, PASSWORD, DATABASE = "kecs", "p@ss:w/rd?#%& 'x", "kecs"  # so that every test proves the encoding of URLs
SUPERUSER = "postgres"
SECONDS = 60  # that a server may take to start or stop

# The right that a store without foreign keys asks for; before version 15 it is the superuser's alone.
MAY_SKIP_FOREIGN_KEYS = """DO $$ BEGIN IF current_setting('server_version_num')::int >= 150000 THEN
EXECUTE 'GRANT SET ON PARAMETER session_replication_role TO %s'; END IF; END $$""" % USER

# Runs when the pipe on its standard input closes: when this process ended, however it did. A program is ended only if
# it works in the folder, so a number that was given anew harms nobody.
GUARDIAN = """cat > /dev/null
for file in "$1"/*/*.pid; do
  [ -f "$file" ] && read -r pid < "$file" && [ "$(readlink "/proc/$pid/cwd")" = "$(dirname "$file")" ] &&
    kill -QUIT "$pid"
done
sleep 0.3
rm -rf "$1"
"""


class Failed(Exception):
    """A server that does not do what it is told; the text has the end of its log."""


# ---- What all of them need ------------------------------------------------------------------------------------------

def find_program(name):
    """The path of a PostgreSQL program, of the newest version that is installed."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True,
                     key=lambda path: [int(part) for part in re.findall(r"\d+", path)])
    if shutil.which("pg_config"):
        folders.append(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
    folders += os.environ.get("PATH", "").split(os.pathsep) + ["/usr/sbin"]
    for folder in [os.environ.get("KECS_TEST_PG_BIN", "")] + folders:
        if folder and os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise Failed("%s is not installed: run  scripts/need.sh postgresql pgbouncer" % name)


def other_user():
    """The user that servers run as when this is root, which they refuse; None otherwise."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise Failed("run as root there must be a user postgres or nobody")


def identity():
    """Arguments of subprocess that make a program run as that user."""
    user = other_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(**more):
    """Without the variables that libpq would heed."""
    return dict({name: value for name, value in os.environ.items() if not name.startswith("PG")}, LC_ALL="C", **more)


def run(command, text=None, **keywords):
    """Runs a program that must succeed; what it printed."""
    done = subprocess.run([str(word) for word in command], input=text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS * 2, env=clean_environment(), **keywords)
    if done.returncode:
        raise Failed("%s: %s" % (os.path.basename(str(command[0])), done.stdout.strip()))
    return done.stdout


def make_url(host, port, database, user, password, options):
    """A URL with each part encoded; `host` and `port` may be lists with commas."""
    login = quote(user, safe="") + (":" + quote(password, safe="") if password is not None else "")
    hosts = ",".join("%s:%s" % (quote(name, safe=""), number) for name, number in zip(host, port))
    query = "&".join("%s=%s" % (name, quote(str(value), safe="")) for name, value in options.items())
    return "postgres://%s@%s/%s%s" % (login, hosts, quote(database, safe=""), "?" + query if query else "")


class Folder:
    """A folder in /tmp, short enough for a socket's path, owned by the user of the servers and guarded."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="kecs_pg_", dir="/tmp"))
        self.path.chmod(0o755)
        self.give(self.path)
        (self.path / "owner").write_text("%d\n" % os.getpid())
        self.guardian = subprocess.Popen(["sh", "-c", GUARDIAN, "sh", str(self.path)], stdin=subprocess.PIPE,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    @staticmethod
    def give(path):
        user = other_user()
        if user:
            os.chown(str(path), user.pw_uid, user.pw_gid)

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        self.give(path.parent)
        self.give(path)
        return path

    def remove(self):
        self.guardian.stdin.close()
        self.guardian.wait()


class Program:
    """A server's process: started in a folder where it logs, ended, waited for."""

    def __init__(self, folder, name):
        self.work, self.name, self.process = folder.path / name, name, None
        self.log = folder.path / (name + ".log")

    def launch(self, command):
        with open(str(self.log), "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], cwd=str(self.work), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=clean_environment(), **identity())

    def running(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number):
        """Sends a signal, if it runs, and waits until it is gone."""
        if self.running():
            self.process.send_signal(number)
            self.wait_until(lambda: not self.running(), "end")
        self.process = None

    def wait_until(self, ready, what):
        end = time.monotonic() + SECONDS
        while not ready():
            if time.monotonic() > end:
                raise self.failure("does not %s within %d s" % (what, SECONDS))
            time.sleep(0.02)

    def failure(self, what):
        tail = self.log.read_text("utf-8", "replace").strip().split("\n")[-15:] if self.log.is_file() else []
        return Failed("%s %s\n%s" % (self.name, what, "\n".join(tail)))


# ---- Servers --------------------------------------------------------------------------------------------------------

class Node(Program):
    """One PostgreSQL server on a data folder that exists."""

    def __init__(self, folder, name, port=None):
        super().__init__(folder, name)
        self.folder, self.wanted_port, self.certificates = folder, port, None
        self.port = port or free_port()

    @property
    def host(self):
        return "localhost" if self.certificates else "127.0.0.1"  # the name in the certificate

    def start(self):
        """Starts it and waits until it answers. A port that somebody took meanwhile is given up for another."""
        for attempt in range(5):
            self.launch([find_program("postgres"), "-D", self.work, "-p", self.port])
            self.wait_until(lambda: not self.running() or self.answers(), "start")
            if self.running():
                return self
            told = self.log.read_text("utf-8", "replace")[-2000:]
            if "pre-existing shared memory" in told:  # processes of a killed server are still on their way out
                time.sleep(0.5)
            elif "could not bind" in told and not self.wanted_port:
                self.port = free_port()
            else:
                break
        raise self.failure("does not start")

    def answers(self):
        return subprocess.run([find_program("pg_isready"), "-q", "-h", str(self.folder.path), "-p", str(self.port)],
                              env=clean_environment()).returncode == 0

    def stop(self, mode="fast"):
        """smart waits for clients, fast disconnects them, immediate leaves recovery to the next start."""
        self.end({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])

    def kill(self):
        """As if the machine had lost power: no process of it does anything any more."""
        children = []
        for path in glob.glob("/proc/[0-9]*/stat") if self.running() else []:
            try:
                fields = pathlib.Path(path).read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it ended meanwhile
            if int(fields[1]) == self.process.pid:
                children.append(int(path.split("/")[2]))
        self.end(signal.SIGKILL)
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def sql(self, database, text, user=SUPERUSER):
        """Runs SQL through the socket; rows as lines, columns with | between them."""
        return run([find_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder.path,
                    "-p", self.port, "-U", user, "-d", database, "-f", "-"], text).strip()

    def url(self, database=DATABASE, user=USER, password=PASSWORD, also=(), through=None, **options):
        """By TCP. `also`: further servers, after this one; `through`: a proxy in the place of this one. Certificates
        are verified unless sslmode is given."""
        if self.certificates and "sslmode" not in options:
            options.update(sslmode="verify-full", sslrootcert=self.certificates / "ca.crt")
        nodes = (through or self,) + tuple(also)
        return make_url([node.host for node in nodes], [node.port for node in nodes], database, user, password, options)

    def socket_url(self, database=DATABASE, user=SUPERUSER, password=None, **options):
        """By the Unix socket, where the superuser needs no password."""
        return make_url([str(self.folder.path)], [self.port], database, user, password, options)


class Server(Node):
    """A fresh server, with a database of which its user is the owner; see the top of this file. `trust`: nobody needs a
    password, for tests that make their own rules; `settings`: lines of postgresql.conf."""

    def __init__(self, standby=False, tls=False, port=None, trust=False, settings=()):
        super().__init__(Folder(), "primary", port)
        self.standby = None
        try:
            self.certificates = make_certificates(self.folder) if tls else None
            self.make_cluster(trust, settings)
            self.start()
            self.create_user(USER, PASSWORD, "CREATEDB")
            self.sql(SUPERUSER, MAY_SKIP_FOREIGN_KEYS)
            self.create_database(DATABASE)
            if standby:
                self.standby = Standby(self)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for node in (self.standby, self):
            if node:
                node.end(signal.SIGQUIT)
        self.folder.remove()

    def make_cluster(self, trust, settings):
        """initdb and the configuration. Where ICU is there, texts sort as in books: a forgotten COLLATE shows."""
        command = [find_program("initdb"), "-D", self.work, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        try:
            run(command + ["--locale-provider=icu", "--icu-locale=en", "--locale=C"], cwd="/", **identity())
        except Failed:  # before version 15, or built without it
            run(command + ["--locale=C"], cwd="/", **identity())
        lines = ["listen_addresses = '127.0.0.1'", "unix_socket_directories = '%s'" % self.folder.path,
                 "fsync = off", "full_page_writes = off", "max_connections = 200", "shared_buffers = '32MB'",
                 "password_encryption = 'scram-sha-256'", "timezone = 'UTC'",
                 "log_line_prefix = '%m [%p] %q%u@%d %a '"]
        if self.certificates:
            lines += ["ssl = on", "ssl_cert_file = '%s'" % (self.certificates / "server.crt"),
                      "ssl_key_file = '%s'" % (self.certificates / "server.key")]
        with open(str(self.work / "postgresql.conf"), "a") as file:
            file.write("\n".join(lines + list(settings)) + "\n")
        host, way = "hostssl" if self.certificates else "host", "trust" if trust else "scram-sha-256"
        (self.work / "pg_hba.conf").write_text(
            "local all,replication %s trust\nlocal all all %s\n%s all all 127.0.0.1/32 %s\n"
            % (SUPERUSER, way, host, way))

    def create_user(self, name, password, attributes=""):
        self.sql(SUPERUSER, "CREATE ROLE %s LOGIN %s PASSWORD %s" % (identifier(name), attributes, literal(password)))

    def create_database(self, name, owner=USER):
        self.sql(SUPERUSER, "CREATE DATABASE %s OWNER %s" % (identifier(name), identifier(owner)))


class Standby(Node):
    """A hot standby that streams from a server through a replication slot."""

    def __init__(self, primary):
        super().__init__(primary.folder, "standby")
        self.primary, self.certificates = primary, primary.certificates
        run([find_program("pg_basebackup"), "-h", primary.folder.path, "-p", primary.port, "-U", SUPERUSER, "-D",
             self.work, "-R", "-X", "stream", "-C", "-S", "standby", "-c", "fast", "--no-sync"], cwd="/", **identity())
        self.start()
        self.wait_until(self.streams, "stream")

    def streams(self):
        return self.primary.sql(SUPERUSER, "SELECT state FROM pg_stat_replication") == "streaming"

    def catch_up(self):
        """Waits until it has what the primary has now."""
        at = self.primary.sql(SUPERUSER, "SELECT pg_current_wal_insert_lsn()")
        self.wait_until(lambda: self.sql(SUPERUSER, "SELECT pg_last_wal_replay_lsn() >= '%s'" % at) == "t", "catch up")

    def promote(self):
        """Makes a primary of it."""
        self.sql(SUPERUSER, "SELECT pg_promote()")
        self.wait_until(lambda: self.sql(SUPERUSER, "SELECT pg_is_in_recovery()") == "f", "become a primary")


def identifier(name):
    return '"%s"' % name.replace('"', '""')


def literal(text):
    return "E'%s'" % text.replace("\\", "\\\\").replace("'", "\\'")


def make_certificates(folder):
    """A folder with ca.crt, a certificate of localhost that it signed, and wrong_ca.crt that signed nothing."""
    tls = folder.path / "tls"
    tls.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("ca", "wrong_ca"):
        run(["openssl", "req", "-x509", *key, "-days", "30", "-subj", "/CN=kecs test " + name, "-keyout",
             tls / (name + ".key"), "-out", tls / (name + ".crt")])
    run(["openssl", "req", "-new", *key, "-subj", "/CN=localhost", "-keyout", tls / "server.key", "-out",
         tls / "server.csr"])
    (tls / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run(["openssl", "x509", "-req", "-days", "30", "-in", tls / "server.csr", "-CA", tls / "ca.crt", "-CAkey",
         tls / "ca.key", "-CAcreateserial", "-extfile", tls / "names", "-out", tls / "server.crt"])
    (tls / "server.key").chmod(0o600)
    folder.give(tls / "server.key")
    return tls


# ---- PgBouncer ------------------------------------------------------------------------------------------------------

class Pooler(Program):
    """PgBouncer in transaction mode before a server; clients log in by password. `users`: further {name: password}."""

    host, certificates = "127.0.0.1", None
    url = Node.url

    def __init__(self, server, users=None, settings=()):
        self.folder = Folder()
        super().__init__(self.folder, "pooler")
        self.port = free_port()
        try:
            logins = dict({USER: PASSWORD}, **(users or {}))
            login_file = self.folder.write("pooler/users", "".join(
                "%s %s\n" % (identifier(name), identifier(password)) for name, password in logins.items()), 0o600)
            lines = ["[databases]", "* = host=%s port=%d" % (server.folder.path, server.port), "[pgbouncer]",
                     "listen_addr = 127.0.0.1", "listen_port = %d" % self.port, "unix_socket_dir =",
                     "auth_type = scram-sha-256", "auth_file = %s" % login_file, "pool_mode = transaction",
                     "default_pool_size = 4", "max_client_conn = 200", "pidfile = %s" % (self.work / "pooler.pid")]
            self.config = self.folder.write("pooler/pgbouncer.ini", "\n".join(lines + list(settings)) + "\n", 0o600)
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        self.launch([find_program("pgbouncer"), self.config])
        self.wait_until(lambda: not self.running() or self.answers(), "start")
        if not self.running():
            raise self.failure("does not start")
        return self

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def close(self):
        self.end(signal.SIGTERM)
        self.folder.remove()


# ---- The command line -----------------------------------------------------------------------------------------------

def leave(number, _frame):
    raise SystemExit(128 + number)


def heed_signals():
    """Makes a signal end the program in the ordinary way, so that everything is cleaned up."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)


def run_with_server(args):
    with Server(standby=args.standby, tls=args.tls) as server:
        variables = {"KECS_TEST_POSTGRES": server.url(), "KECS_TEST_POSTGRES_DIRECT": server.url()}
        if args.standby:
            variables["KECS_TEST_POSTGRES_STANDBY"] = server.standby.url()
        pooler = Pooler(server) if args.pooler else None
        try:
            if pooler:
                variables["KECS_TEST_POSTGRES"] = pooler.url()
            done = subprocess.run(args.command, env=dict(os.environ, **variables))
            return done.returncode if done.returncode >= 0 else 128 - done.returncode
        finally:
            if pooler:
                pooler.close()


def main():
    parser = argparse.ArgumentParser(description="Runs a command with a throw-away PostgreSQL server.")
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("--tls", action="store_true", help="with certificates; the URL verifies them")
    parser.add_argument("--standby", action="store_true", help="with a hot standby")
    parser.add_argument("--pooler", action="store_true", help="through PgBouncer in transaction mode")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    args = parser.parse_args()
    heed_signals()
    return run_with_server(args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        sys.exit("server.py: %s" % failed)
