#!/usr/bin/env python3
"""Throw-away PostgreSQL servers for tests.

    with Server() as server:
        server.url("name")      a URL of a database, which is made when it is not there

    server.py COMMAND ...       runs the command with the URL of a fresh server's database in KECS_TEST_POSTGRES

A server lives in a temporary folder, listens on a socket there and on a free port of the loopback address, and does not
sync to the disk. PostgreSQL does not run as root: then an ordinary user does."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200",
            "log_min_messages=fatal", "log_statement=none", "shared_buffers=64MB", "wal_level=minimal",
            "max_wal_senders=0")


class Missing(RuntimeError):
    """There is no PostgreSQL here."""


def binaries():
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    path = found[-1] if found else shutil.which("initdb")
    if not path:
        raise Missing("no initdb in /usr/lib/postgresql/*/bin or PATH: install postgresql")
    return pathlib.Path(path).resolve().parent


def ordinary_user():
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Missing("PostgreSQL does not run as root, and there is no other user")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, *settings):
        self.settings = list(SETTINGS) + list(settings)
        self.user = ordinary_user() if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.bin, self.port, self.process = binaries(), free_port(), None
        self.folder = tempfile.mkdtemp(prefix="kecs-pg-", dir="/tmp")  # short: a socket's path has 107 bytes
        os.chmod(self.folder, 0o755)
        if os.getuid() == 0:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.data = os.path.join(self.folder, "data")

    def command(self, name, *arguments):
        """The command line and the options of Popen that run a program as the server's user."""
        options = {"cwd": self.folder, "stdin": subprocess.DEVNULL, "env": dict(os.environ, HOME=self.folder)}
        if os.getuid() == 0:
            options["preexec_fn"] = self.drop
        return [str(self.bin / name)] + [str(argument) for argument in arguments], options

    def drop(self):
        os.setgid(self.user.pw_gid)
        os.setuid(self.user.pw_uid)

    def run(self, name, *arguments):
        command, options = self.command(name, *arguments)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                              **options)
        if done.returncode:
            raise RuntimeError("%s failed:\n%s" % (name, done.stdout))
        return done.stdout

    def __enter__(self):
        try:
            self.run("initdb", "-D", self.data, "-U", "kecs", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        options = [item for setting in self.settings for item in ("-c", setting)]
        command, popen = self.command("postgres", "-D", self.data, "-k", self.folder, "-p", self.port,
                                      "-h", "127.0.0.1", *options)
        log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **popen)
        log.close()
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError("postgres ended:\n" + self.log())
            if subprocess.call([str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]) == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("postgres does not answer:\n" + self.log())

    def log(self):
        return pathlib.Path(self.folder, "log").read_text(errors="replace")

    def stop(self, how=signal.SIGINT):
        """SIGINT ends connections, SIGQUIT does not clean up."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)
        self.process = None

    def __exit__(self, *_):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="postgres"):
        return self.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port,
                        "-U", "kecs", "-d", database, "-c", text)

    def url(self, database, socket_path=False):
        if not self.sql("SELECT 1 FROM pg_database WHERE datname='%s'" % database).strip():
            self.sql('CREATE DATABASE "%s"' % database)
        if socket_path:
            return "postgresql:///%s?host=%s&port=%d&user=kecs" % (database, self.folder.replace("/", "%2F"), self.port)
        return "postgresql://kecs@127.0.0.1:%d/%s" % (self.port, database)


def main():
    try:
        with Server() as server:
            return subprocess.call(sys.argv[1:], env=dict(os.environ, KECS_TEST_POSTGRES=server.url("kecs_test", True)))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
