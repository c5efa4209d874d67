#!/usr/bin/env python3
"""The command line: every command, every exit code, options in every position, bad input of every sort.

Runs build/kecs, or the program that KECS_BIN names."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, DATA, KECS, kecs, run  # noqa: E402

COMMANDS = ("put", "get", "list", "update", "delete", "import", "export", "migrate", "describe-kind", "track", "watch",
            "history", "diff", "compact", "stat", "version")
CLUSTER = {"clusterName": "shop"}
ARN = "arn:aws:ecs:us-east-1:000000000000:"


def task(number, **members):
    document = {"taskArn": ARN + "task/shop/%032x" % number, "clusterArn": ARN + "cluster/shop",
                "taskDefinitionArn": ARN + "task-definition/web:1", "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
                "containers": [], "createdAt": 1700000000 + number}
    document.update(members)
    return document


# ---- help and usage ----

def test_help_tells_all():
    text = kecs("--help").out.decode()
    for word in COMMANDS + ("--db", "--jsonl", "--epoch", "Exit codes", "task_definition"):
        assert word in text, word
    for command in COMMANDS:
        text = kecs(command, "--help").out.decode()
        assert text.startswith("usage: kecs") and "Examples:" in text, command
        assert kecs("--help", command).out.decode() == text


def test_version():
    text = kecs("version").out.decode()
    assert re.match(r"kecs_store \d+\.\d+\.\d+, .*SQLite 3\.", text), text
    assert kecs("--version").out.decode() == text
    assert kecs("version", "--json").json()["version"] in text


def test_usage_errors_name_it_and_suggest():
    with Box() as box:
        box.load(CLUSTER)
        for arguments, words in (
                ([], ["which command"]),
                (["lst"], ["lst", '"list"']),
                (["frobnicate"], ["frobnicate"]),
                (["list", "cluser"], ["cluser", '"cluster"']),
                (["get", "tsk", "x"], ["tsk", '"task"']),
                (["list", "cluster", "--limti", "3"], ["--limti", '"--limit"']),
                (["list", "cluster", "--nonsense"], ["--nonsense"]),
                (["list", "cluster", "--where", "statsu=ACTIVE"], ["statsu", '"status"']),
                (["list", "cluster", "--where", "status"], ["--where", "status"]),
                (["list", "cluster", "--where", "=x"], ["--where"]),
                (["list", "cluster", "--columns", "name,statuss"], ["statuss", '"status"']),
                (["update", "cluster", "shop"], ["--set"]),
                (["update", "cluster", "shop", "--set", "statuss=x"], ["statuss", '"status"']),
                (["update", "cluster", "shop", "--set", "status"], ["--set"]),
                (["update", "cluster", "shop", "--set", "status=x", "--version", "one"], ["--version", "one"]),
                (["list", "cluster", "--set", "status=x"], ["list", "--set"]),
                (["list"], ["KIND"]),
                (["get", "cluster"], ["KEY"]),
                (["get", "cluster", "a", "b"], ['"b"']),
                (["stat", "x"], ['"x"']),
                (["import"], ["PATH"]),
                (["list", "cluster", "--limit"], ["--limit"]),
                (["list", "cluster", "--json=yes"], ["--json"]),
                (["list", "cluster", "--json", "--jsonl"], ["--jsonl"]),
                (["describe-kind", "clusterz"], ['"cluster"']),
                (["export", "clusters"], ['"cluster"']),
                (["stat", "--wait", "soon"], ["soon"])):
            answer = box.kecs(*arguments, code=2)
            message = answer.err.decode()
            assert not answer.out, answer
            for word in words:
                assert word in message, "%s in %s" % (word, message)
    assert b"--db" in kecs("stat", code=2).err


def test_options_stand_anywhere():
    with Box() as box:
        box.load(CLUSTER)
        expected = kecs("--db", box.db, "get", "cluster", "shop", "--json").out
        for arguments in (["get", "--db", box.db, "cluster", "--json", "shop"],
                          ["--json", "get", "cluster", "shop", "--db=" + box.db],
                          ["get", "cluster", "--json", "--db", box.db, "--", "shop"]):
            assert kecs(*arguments).out == expected, arguments
        assert kecs("get", "cluster", "shop", "--json", KECS_DB=box.db).out == expected
        assert kecs("get", "cluster", "shop", "--json", "--db", box.db, KECS_DB="/nowhere").out == expected
        kecs("--db", box.db, "get", "cluster", "--", "--json", code=3)  # a key that looks like an option


# ---- rows ----

def test_life_of_a_row():
    with Box() as box:
        service = {"serviceName": "web", "cluster": "shop", "desiredCount": 2}
        answer = box.kecs("put", "service", "-", stdin=json.dumps(service))
        assert answer.out.decode() == "service " + ARN + "service/shop/web\n", answer
        document = box.kecs("get", "service", "shop,web", "--json").json()
        assert document["desiredCount"] == 2 and document["serviceArn"] == ARN + "service/shop/web", document
        assert box.kecs("get", "service", ARN + "service/shop/web", "--json").json() == document
        assert box.kecs("get", "service", "shop,web", "--jsonl").lines() == [document]
        text = box.kecs("get", "service", "shop,web").out.decode()
        assert re.search(r"^desired_count +2$", text, re.M), text
        assert box.kecs("get", "service", "shop,web", "--json", "--full").json()["kecs"]["version"] == 1
        box.kecs("update", "service", "shop,web", "--set", "desired_count=5", "--set", "launchType=EC2", "--version=1")
        document = box.kecs("update", "service", "shop,web", "--set", "desiredCount=6", "--json").json()
        assert document["desiredCount"] == 6 and document["launchType"] == "EC2", document
        answer = box.kecs("update", "service", "shop,web", "--set", "desired_count=7", "--version", "1", code=4)
        assert b"version 3, not 1" in answer.err, answer
        assert "launchType" not in box.kecs("update", "service", "shop,web", "--unset", "launch_type", "--json").json()
        box.kecs("update", "service", "shop,web", "--set", "desired_count=many", code=2)
        box.kecs("update", "service", "shop,web", "--set", "name=other", code=2)
        box.kecs("update", "service", "shop,web", "--unset", "desired_count", code=2)
        answer = box.kecs("update", "service", "shop,web", "--set", 'tags=[{"key":}]', code=2)
        assert b"column 9" in answer.err, answer
        box.kecs("update", "service", "shop,nope", "--set", "desired_count=1", code=3)
        box.kecs("delete", "service", "shop,web")
        box.kecs("delete", "service", "shop,web", code=3)
        box.kecs("get", "service", "shop,web", code=3)


def test_keys_with_commas():
    with Box() as box:
        box.load({"name": "a,b", "targetId": "x\\y", "targetType": "t,1", "cluster": "c", "value": "v"})
        assert box.kecs("get", "attribute", "c,t\\,1,x\\\\y,a,b", "--json").json()["value"] == "v"


def test_put_is_about_its_documents():
    with Box() as box:
        box.kecs("put", "cluster", "-", stdin='{"clusterName":"a"} {"clusterName":"b"}')
        assert [item["clusterName"] for item in box.items("cluster", "--where", "name=a")] == ["a"]
        box.kecs("put", "cluster", "-", stdin='{"clusters":[{"clusterName":"c"},{"clusterName":"d"}],"failures":[]}')
        assert len(box.items("cluster")) == 4
        answer = box.kecs("put", "cluster", "-", "--json", code=1,
                          stdin='{"clusterName":"e"}\n{"clusterName":1,}\n{"clusterName":"f"}').json()
        assert answer["imported"] == {"cluster": 2}, answer
        assert (answer["refused"][0]["line"], answer["refused"][0]["column"]) == (2, 18), answer
        box.kecs("put", "cluster", "-", stdin="{}", code=1)
        box.kecs("put", "node", "-", stdin='{"nodeId":"n1","hostname":"h","port":1}')  # kinds that have no AWS shape
        box.kecs("put", "cluster", box.path / "missing.json", code=1)
        box.kecs("put", "cluster", box.path, code=2)
        box.kecs("put", "task_definition", "-", stdin='{"family":"web","containerDefinitions":[]}')
        box.kecs("put", "task_definition", "-", stdin='{"family":"web","containerDefinitions":[{"name":"x"}]}')
        assert [item["revision"] for item in box.items("task_definition")] == [2, 1]


def test_filters():
    with Box() as box:
        box.load(CLUSTER, *[task(n, group="service:%s" % "ab"[n % 2], startedBy="100%%_%d" % n, version=n)
                            for n in range(1, 9)])
        for where, numbers in ((["version=3"], [3]), (["version!=3"], [1, 2, 4, 5, 6, 7, 8]), (["version<3"], [1, 2]),
                               (["version<=3"], [1, 2, 3]), (["version>6"], [7, 8]), (["version>=7"], [7, 8]),
                               (["group=service:b", "version>4"], [5, 7]), (["startedBy~%_2"], [2]),
                               (["startedBy~0_"], []), (["started_by^=100%_7"], [7]),
                               (["created_at>2023-11-14T22:13:26Z"], [7, 8]),
                               (["created_at<=1700000001"], [1]), (["lastStatus=STOPPED"], []), (["startedBy~=x"], [])):
            options = [word for one in where for word in ("--where", one)]
            found = sorted(item["version"] for item in box.items("task", *options))
            assert found == numbers, "%s: %s" % (where, found)
        box.kecs("list", "task", "--where", "version=x", code=2)
        box.kecs("list", "task", "--where", "created_at>yesterday", code=2)


def test_pages():
    with Box() as box:
        box.load(CLUSTER, *[task(n) for n in range(1, 24)])
        numbers = [int(item["taskArn"][-2:], 16) for item in box.items("task", "--limit", "5")]
        assert numbers == list(range(23, 0, -1)), numbers
        page = box.kecs("list", "task", "--limit", "5", "--json").json()
        box.kecs("list", "task", "--where", "lastStatus=STOPPED", "--page-token", page["nextToken"], code=2)
        box.kecs("list", "cluster", "--page-token", page["nextToken"], code=2)
        box.kecs("list", "task", "--page-token", page["nextToken"][:-2], code=2)
        box.kecs("list", "task", "--page-token", "", code=None)
        assert page["nextToken"].encode() in box.kecs("list", "task", "--limit", "5").err
        assert box.kecs("list", "task", "--limit", "23", "--json").json()["nextToken"] is None
        for limit in ("-1", "0", "1001", "99999999999", "9223372036854775808", "x", "3x", "", " 3", "2.5"):
            box.kecs("list", "task", "--limit", limit, code=2)
        assert len(box.kecs("list", "task", "--jsonl").lines()) == 23
        assert box.kecs("list", "service", "--json").json() == {"items": [], "nextToken": None}


def test_tables_align_and_are_safe():
    with Box() as box:
        box.load({"clusterName": "shop", "status": "\x1b[31mred\x07\u009b\nnew\u202e"}, {"clusterName": "\u4e16\u754c"})
        text = box.kecs("list", "cluster").out.decode()
        assert "NAME" in text and "\u4e16\u754c" in text, text
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), repr(text)
        text = box.kecs("list", "cluster", "--columns", "name,clusterArn").out.decode()
        assert text.split("\n")[0].split() == ["NAME", "ARN"], text
        text = box.kecs("get", "cluster", "shop").out.decode()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), repr(text)


def test_times():
    with Box() as box:
        box.load(CLUSTER, task(1, createdAt=1700000000.123456, startedAt="2024-05-01T12:00:00+02:00"))
        document = box.items("task")[0]
        assert document["createdAt"] == "2023-11-14T22:13:20.123456Z", document
        assert document["startedAt"] == "2024-05-01T10:00:00Z", document
        document = box.items("task", "--epoch")[0]
        assert document["createdAt"] == 1700000000.123456 and document["startedAt"] == 1714557600, document
        assert b"1700000000.123456" in box.kecs("list", "task", "--epoch").out
        assert b"1714557600" in box.kecs("get", "task", "shop,%032x" % 1, "--epoch").out


def test_account_and_region():
    with Box() as box:
        place = ("--account", "123456789012", "--region", "eu-west-1")
        box.kecs("put", "cluster", "-", *place, stdin=json.dumps(CLUSTER))
        document = box.kecs("get", "cluster", "shop", "--json", *place).json()
        assert document["clusterArn"] == "arn:aws:ecs:eu-west-1:123456789012:cluster/shop"
        box.kecs("get", "cluster", "shop", code=3)
        box.kecs("stat", "--account", "12", code=2)


def test_strict():
    with Box() as box:
        bad = '{"clusterName":"no blanks, please"}'
        box.kecs("put", "cluster", "-", "--strict", stdin=bad, code=1)
        box.kecs("put", "cluster", "-", stdin=bad)


def test_descriptions():
    kinds = kecs("describe-kind", "--json").json()
    assert len(kinds) >= 18 and all(kind["columns"] and kind["address"] for kind in kinds)
    assert kecs("describe-kind", "--jsonl").lines() == kinds
    for kind in kinds:
        assert kecs("describe-kind", kind["kind"], "--json").json() == kind
        text = kecs("describe-kind", kind["kind"]).out.decode()
        assert all(column["name"] in text and column["meaning"] in text for column in kind["columns"]), kind["kind"]
        with Box() as box:
            box.load(CLUSTER)
            assert box.kecs("list", kind["kind"]).out.decode().split("\n")[0].isupper()


def test_stat():
    with Box() as box:
        box.load(CLUSTER, task(1))
        answer = box.kecs("stat", "--json").json()
        assert answer["rows"]["cluster"] == 1 and answer["rows"]["task"] == 1 and answer["backend"] == "sqlite", answer
        assert b"1 task" in box.kecs("stat").out
        assert answer["rowCache"]["on"] is True and answer["rowCache"]["entriesMax"] == 10000, answer
        assert b"row cache  0 of 10000 entries" in box.kecs("stat").out
        assert b"row cache  off" in box.kecs("stat", "--profile", "edge").out


def test_profiles():
    with Box() as box:
        box.kecs("import", "-", "--profile", "edge", stdin=json.dumps(CLUSTER))
        answer = box.kecs("stat", "--json").json()
        assert answer["pageBytes"] == 1024 and answer["rowCache"]["on"] is True, answer
        answer = box.kecs("stat", "--json", "--profile=Edge").json()
        assert answer["rowCache"]["on"] is False, answer
        answer = kecs("stat", "--json", "--db", box.db, KECS_PROFILE="edge").json()
        assert answer["rowCache"]["on"] is False, answer
        answer = kecs("stat", "--json", "--db", box.db, "--profile", "default", KECS_PROFILE="edge").json()
        assert answer["rowCache"]["on"] is True, answer
        assert b"fastest" in box.kecs("stat", "--profile", "fastest", code=2).err
        assert b"KECS_PROFILE" in kecs("stat", "--db", box.db, KECS_PROFILE="fastest", code=2).err
        assert b"memory" in box.kecs("stat", "--profile", "memory", code=2).err
        assert kecs("stat", "--json", "--profile", "memory").json()["path"] == ":memory:"
        assert kecs("stat", "--json", KECS_PROFILE="memory").json()["path"] == ":memory:"


# ---- databases that can't be opened, used or written ----

def test_missing_database_is_not_made():
    with Box() as box:
        for arguments in (["get", "cluster", "x"], ["list", "cluster"], ["update", "cluster", "x", "--set", "status=y"],
                          ["delete", "cluster", "x"], ["export"], ["stat"]):
            box.kecs(*arguments, code=3)
        assert list(box.path.iterdir()) == []
        kecs("--db", box.path / "no" / "such" / "folder.db", "import", "-", stdin="{}", code=3)
        kecs("--db", box.db, "import", box.path / "nothing", code=1)
        assert list(box.path.iterdir()) == []


def test_what_is_no_database():
    with Box() as box:
        kecs("--db", box.path, "stat", code=2)
        for name, content in (("text.db", "hello, this is a text and no database" * 200), ("zeros.db", b"\0" * 8192),
                              ("short.db", b"SQLite format 3\0")):
            path = box.write(name, content)
            kecs("--db", path, "stat", code=6)
            kecs("--db", path, "import", "-", stdin='{"clusterName":"x"}', code=6)
            assert pathlib.Path(path).read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_truncated_database():
    with Box() as box:
        box.load(CLUSTER, *[task(n) for n in range(300)])
        whole = pathlib.Path(box.db).read_bytes()
        pathlib.Path(box.db).write_bytes(whole[:len(whole) // 2 // 4096 * 4096])
        answer = box.kecs("export", code=None)
        assert answer.code == 6, answer
        foreign = str(box.path / "foreign.db")
        connection = sqlite3.connect(foreign)
        connection.execute("CREATE TABLE clusters (whatever)")
        connection.commit()
        connection.close()
        kecs("--db", foreign, "list", "cluster", code=6)


def test_newer_schema():
    with Box() as box:
        box.load(CLUSTER)
        connection = sqlite3.connect(box.db)
        connection.execute("INSERT INTO schema_version VALUES (999, 0)")
        connection.commit()
        connection.close()
        assert b"newer" in box.kecs("list", "cluster", code=6).err


def test_busy_database():
    with Box() as box:
        box.load(CLUSTER)
        connection = sqlite3.connect(box.db, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        box.kecs("update", "cluster", "shop", "--set", "status=X", "--wait", "0", code=5)
        box.kecs("import", "-", "--wait", "0", stdin='{"clusterName":"y"}', code=5)
        assert len(box.items("cluster")) == 1  # readers are not in the way of a writer
        connection.execute("ROLLBACK")
        connection.close()
        box.kecs("update", "cluster", "shop", "--set", "status=X", "--wait", "0")


def contents(box):
    """The bytes of the database and its log; the index of the log is not data."""
    return {path.name: path.read_bytes() for path in box.path.iterdir()
            if path.stat().st_size > 0 and not path.name.endswith("-shm")}


def test_read_only():
    with Box() as box:
        box.load(CLUSTER)
        box.kecs("update", "cluster", "shop", "--set", "status=X", "--read-only", code=7)
        box.kecs("put", "cluster", "-", "--read-only", stdin='{"clusterName":"y"}', code=7)
        box.kecs("list", "cluster", "--read-only")
        before = contents(box)
        box.kecs("export")
        box.kecs("stat")
        assert contents(box) == before
        if os.geteuid() != 0:  # root may write everything
            os.chmod(box.db, 0o444)
            box.kecs("update", "cluster", "shop", "--set", "status=X", code=7)
            box.kecs("get", "cluster", "shop")
            os.chmod(box.db, 0o000)
            box.kecs("get", "cluster", "shop", code=7)
            os.chmod(box.db, 0o644)


def test_empty_file_stays_empty():
    with Box() as box:
        path = box.write("empty.db", "")
        for arguments in (["list", "cluster"], ["get", "cluster", "x"], ["export"], ["stat"]):
            for option in ([], ["--read-only"]):
                answer = kecs("--db", path, *arguments, *option, code=3)
                assert b"is empty: it holds no store" in answer.err, answer
        assert pathlib.Path(path).read_bytes() == b"" and [one.name for one in box.path.iterdir()] == ["empty.db"]
        kecs("--db", path, "put", "cluster", "-", stdin='{"clusterName":"y"}')
        kecs("--db", path, "get", "cluster", "y", "--read-only")


def test_what_is_no_regular_file():
    with Box() as box:
        pipe = str(box.path / "pipe.json")
        os.mkfifo(pipe)
        assert b"is not a regular file" in kecs("--db", pipe, "stat", code=2).err
        assert b"is not a regular file" in kecs("--db", pipe, "import", "-", stdin="{}", code=2).err
        assert b"is not a regular file" in box.kecs("import", pipe, code=1).err
        assert b"is not a regular file" in box.kecs("put", "cluster", pipe, code=1).err
        box.write("good.json", '{"clusterName":"y"}')
        assert b"pipe.json: file: it is not a regular file" in box.kecs("import", box.path).err
        box.kecs("get", "cluster", "y")


def test_messages_hold_no_control_characters():
    with Box() as box:
        box.load(CLUSTER)
        evil = box.write("a\x1b[31m.json", "[1]")
        for arguments in (["import", evil], ["import", evil + "\x9b"], ["get", "cl\x1b[31muster", "x"], ["\x1b[31m"],
                          ["get", "cluster", "\x1b[31m\x9b\x07"], ["list", "cluster", "--limit", "\x1b"]):
            answer = box.kecs(*arguments, code=None)
            told = (answer.err + answer.out).decode()
            assert answer.code != 0 and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", told), repr(told)


def test_messages_speak_of_options():
    with Box() as box:
        box.load(CLUSTER)
        answer = box.kecs("get", "cluster", "x", "--account", "12", code=2)
        assert b"--account" in answer.err and b"options." not in answer.err, answer
        answer = box.kecs("update", "cluster", "shop", "--set", "running_tasks_count=99999999999999999999", code=2)
        assert b"is too large" in answer.err, answer
        connection = sqlite3.connect(box.db, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        answer = box.kecs("update", "cluster", "shop", "--set", "status=X", "--wait", "0", code=5)
        assert b"raise --wait" in answer.err and b"options." not in answer.err, answer
        connection.close()
        assert b"--db FILE describe-kind" not in kecs("describe-kind", "--help").out
        assert b"  [OPTION" not in kecs("stat", "--help").out


def test_a_folder_without_documents():
    with Box() as box:
        (box.path / "none").mkdir()
        good = box.write("good.json", '{"clusterName":"y"}')
        box.kecs("import", box.path / "none", code=1)
        assert not os.path.exists(box.db)
        assert b"there are no *.json" in box.kecs("import", box.path / "none", good).err
        box.kecs("get", "cluster", "y")


def test_tags_without_a_key_are_carried():
    with Box() as box:
        box.load({"clusterName": "a", "tags": [{"key": "", "value": "v"}, {"key": "k", "value": ""}]})
        lines = box.kecs("export").out
        copy = str(box.path / "copy.db")
        kecs("--db", copy, "import", "-", stdin=lines)
        kecs("--db", copy, "import", "-", stdin=lines)
        assert b"refused" not in kecs("--db", copy, "import", "-", "--jsonl", stdin=lines).err
        assert kecs("--db", copy, "export").out == lines


def test_url_without_backend():
    answer = kecs("--db", "postgres://someone:secret@nowhere/x", "stat", code=None)
    assert answer.code in (1, 5) and b"secret" not in answer.err, answer


def test_output_that_cannot_be_written():
    if os.path.exists("/dev/full"):
        with Box() as box, open("/dev/full", "wb") as full:
            box.load(CLUSTER)
            for arguments in (["export"], ["list", "cluster"], ["get", "cluster", "shop", "--json"], ["stat"]):
                box.kecs(*arguments, stdout=full, code=1)


# ---- changes ----

def test_changes_are_told_in_order():
    with Box() as box:
        box.kecs("track", "on")
        box.load(CLUSTER)
        box.load(task(1))
        box.kecs("update", "task", "shop,%s" % task(1)["taskArn"].rsplit("/")[-1], "--set", "last_status=STOPPED")
        box.kecs("delete", "cluster", "shop")
        lines = box.kecs("watch", "--from", "oldest", "--for", "0").out.decode().splitlines()
        told = [line.split("  ")[2:4] for line in lines]
        assert told[0] == ["created", "cluster"] and told[-1] == ["deleted", "cluster"], lines
        assert ["updated", "task"] in told and told[-2] == ["deleted", "task"], lines
        seqs = [int(line.split("  ")[0]) for line in lines]
        assert seqs == sorted(seqs) and lines[told.index(["updated", "task"])].endswith("status"), lines
        rest = box.kecs("watch", "task", "--from", str(seqs[0]), "--for", "0", "--jsonl").out.decode().splitlines()
        assert [json.loads(line)["op"] for line in rest] == ["created", "updated", "deleted"], rest
        box.kecs("compact")
        answer = box.kecs("watch", "--from", str(seqs[0]), "--for", "0", code=1)
        assert b"removed" in answer.err, answer
        assert box.kecs("track", "--json").json()["tracked"]
        box.kecs("track", "off")
        assert b"track" in box.kecs("watch", "--for", "0", code=1).err
        box.kecs("track", "sideways", code=2)
        box.kecs("watch", "--from", "x", code=2)
        box.kecs("watch", "cluster", "task", "--where", "name=shop", code=2)


# ---- many at once ----

def test_two_imports_at_once():
    with Box() as box:
        files = [box.write("%d.jsonl" % part, "".join(json.dumps(task(1000 * part + n)) + "\n" for n in range(1500)))
                 for part in range(3)]
        runs = [subprocess.Popen([KECS, "--db", box.db, "import", path], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE) for path in files]
        for one in runs:
            error = one.communicate(timeout=120)[1]
            assert one.returncode == 0, error
        assert box.kecs("stat", "--json").json()["rows"]["task"] == 3500


def test_examples_data():
    with Box() as box:
        answer = box.kecs("import", DATA, "--json").json()
        refused = {pathlib.Path(note["path"]).name: note["line"] for note in answer["refused"]}
        assert refused == {"broken.json": 4, "sales-report.json": 1}, answer
        assert answer["imported"]["task"] == 7 and answer["imported"]["rule"] == 3, answer
        assert box.kecs("get", "service", "shop,web", "--json").json()["taskDefinition"] == "web:1"
        assert len(box.items("target", "--where", "health_state=unhealthy")) == 1
        assert len(box.items("tag", "--where", "key=team")) == 5


if __name__ == "__main__":
    sys.exit(run(globals()))
