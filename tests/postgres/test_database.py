#!/usr/bin/env python3
"""The command line finds its PostgreSQL database by flags and by the environment, says which one it uses, and never
shows a password: all that it prints is searched for every form of it."""

import os
import pathlib
import re
import sys
import threading
import time
from urllib.parse import quote

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli" / "support"))
from kecs_cli import Box, kecs, run  # noqa: E402
from server import PASSWORD, USER, Server  # noqa: E402

PLAIN = "s3cret-0f-th3-test"
SECRETS = {PLAIN, "wr0ng-0ne", PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "p@ss", "p%40ss", "w/rd", "w%2Frd"}
CLUSTER = '{"clusterName":"shop"}'
shared = None
said = []


def call(*arguments, code=0, **keywords):
    answer = kecs(*arguments, code=code, **keywords)
    said.append(answer)
    return answer


def plain_url(password=PLAIN, **options):
    return shared.url("kecs", user="plain", password=password, **options)


def line():
    return "Using PostgreSQL storage url=postgres://plain:***@127.0.0.1:%d/kecs" % shared.port


def test_flags():
    url = plain_url(schema="flags")
    call("put", "cluster", "-", "--postgres-url", url, stdin=CLUSTER)
    for arguments in (("--postgres-url", url), ("--db", url), ("--storage", "postgres", "--postgres-url", url),
                      ("--storage", "PG", "--db", url)):
        answer = call("list", "cluster", "--verbose", *arguments)
        assert b"shop" in answer.out, answer
        assert line() in answer.err.decode(), answer
        assert call("list", "cluster", *arguments).err == b""


def test_the_environment():
    url = plain_url(schema="flags2")
    call("put", "cluster", "-", "--db", url, stdin=CLUSTER)
    for variables in ({"KECS_DATABASE_URL": url}, {"KECS_POSTGRES_URL": url, "KECS_STORAGE": "postgres"},
                      {"STORE_TYPE": "postgres", "DATABASE_URL": url}):
        answer = call("list", "cluster", "--verbose", **variables)
        assert b"shop" in answer.out and line() in answer.err.decode(), answer
    parts = {"KECS_POSTGRES_HOST": "127.0.0.1", "KECS_POSTGRES_PORT": str(shared.port), "KECS_POSTGRES_USER": USER,
             "KECS_POSTGRES_PASSWORD": PASSWORD}
    answer = call("stat", "--storage", "postgresql", "--verbose", **parts)
    assert b"postgres://kecs:***@127.0.0.1:" in answer.err, answer
    answer = call("stat", "--verbose", KECS_STORAGE_TYPE="postgresql", **parts)
    assert "Using PostgreSQL storage url=postgres://kecs:***@127.0.0.1:%d/kecs" % shared.port in answer.err.decode()
    answer = call("stat", "--verbose", KECS_DATABASE_URL=shared.url())
    assert b"url=postgres://kecs:***@127.0.0.1:" in answer.err, answer


def test_failures():
    wrong = plain_url("wr0ng-0ne")
    for url, code in ((wrong, 7), (plain_url() + "?nonsense=1", 2), (plain_url().replace("/kecs", "/nowhere"), 3),
                      (plain_url().replace("@127", "@no.such.host.invalid,127"), None),
                      (re.sub(r":\d+/", ":1/", plain_url()), 5), (plain_url() + "?tenant=", 2),
                      ("postgres://plain:%s@127.0.0.1:x/kecs" % PLAIN, 2),
                      ("postgres://plain:%s@p@ss@127.0.0.1/kecs" % PLAIN, None),
                      ("host=127.0.0.1 port=%d password=%s user=plain dbname=no" % (shared.port, PLAIN), 3)):
        for way in ({"arguments": ("--db", url)}, {"arguments": ("--postgres-url", url)},
                    {"variables": {"KECS_DATABASE_URL": url}}, {"variables": {"KECS_DB": url}}):
            for command in (("list", "task"), ("stat", "--verbose"), ("put", "cluster", "-")):
                answer = call(*command, *way.get("arguments", ()), stdin=CLUSTER, code=None,
                              **way.get("variables", {}))
                # What libpq can still make sense of may do.
                assert code is None or answer.code == code or "variables" in way, (url, answer)
    with Box() as box:
        for ends in (("--from", wrong, "--to", box.db), ("--from", box.db, "--to", wrong)):
            call("migrate", *ends, code=None)
        call("--db", plain_url(), "stat", "--storage", "sqlite", code=2)
        call("stat", code=None, KECS_DATABASE_URL=plain_url(), KECS_POSTGRES_URL=wrong)
        call("stat", code=None, KECS_DATABASE_URL=plain_url(), KECS_STORAGE_TYPE="sqlite")


def test_a_server_that_is_not_there_is_told_soon():
    """A service waits for its server, a person does not: far less than the 30 s of a pool."""
    nobody = re.sub(r":\d+/", ":1/", plain_url())
    for arguments, variables in ((("--db", nobody), {}), ((), {"KECS_DATABASE_URL": nobody})):
        started = time.monotonic()
        answer = call("list", "task", *arguments, code=5, **variables)
        assert time.monotonic() - started < 15, time.monotonic() - started
        assert b"127.0.0.1:1" in answer.err and b"check host and port" in answer.err, answer
    for words in (("--db", nobody + "?acquire_timeout=1ms"), ("--db", nobody, "--wait", "0")):
        call("list", "task", *words, code=5)


def test_a_server_that_starts_is_waited_for():
    with Server() as one:
        url = one.url(schema="later")
        call("put", "cluster", "-", "--db", url, stdin=CLUSTER)
        one.wanted_port = one.port
        for words in (("--db", url, "--wait", "60"), ("--db", url + "&acquire_timeout=60s")):
            one.stop()
            starter = threading.Timer(4, one.start)
            starter.start()
            try:
                assert b"shop" in call("list", "cluster", *words).out
            finally:
                starter.join()


def test_zz_no_password_was_shown():
    assert len(said) > 100, len(said)
    for answer in said:
        text = (answer.out + answer.err).decode("utf-8", "replace")
        for secret in SECRETS:
            assert secret not in text, "%s is in: %s" % (secret, text)


if __name__ == "__main__":
    for name in list(os.environ):
        if name.startswith(("KECS_D", "KECS_S", "KECS_P", "STORE_", "DATABASE_", "PG")):
            del os.environ[name]
    with Server() as shared:
        shared.create_user("plain", PLAIN)
        shared.sql("kecs", "GRANT CREATE ON DATABASE kecs TO plain")
        result = run(globals())
    sys.exit(result)
