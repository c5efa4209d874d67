#!/usr/bin/env python3
"""history, diff, get --as-of, --actor and --reason, track --history: tables, JSON, JSON lines, bad input."""

import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, kecs, run  # noqa: E402

ARN = "arn:aws:ecs:us-east-1:000000000000:"
SERVICE = {"serviceName": "shop", "serviceArn": ARN + "service/web/shop", "clusterArn": ARN + "cluster/web",
           "desiredCount": 1, "strange": {"a": [1, 2]}}


def kept(box, *more):
    box.kecs("track", "on", "--history", "all", *more)
    box.load({"clusterName": "web"})
    box.kecs("put", "service", "-", "--actor", "alice", "--reason", "first rollout", stdin=json.dumps(SERVICE))
    box.kecs("update", "service", "web,shop", "--set", "desired_count=3", "--actor", "bob")
    box.kecs("put", "service", "-", stdin=json.dumps(dict(SERVICE, desiredCount=3, strange={"a": [1, 5]})))


def test_history_as_table_json_and_lines():
    with Box() as box:
        kept(box)
        lines = box.kecs("history", "service", "web,shop").out.decode().splitlines()
        assert len(lines) == 4 and re.match(r"SEQ +TIME +CHANGE +ACTOR +REASON +COLUMNS", lines[0]), lines
        assert re.match(r"\d+ +\d{4}-\d\d-\d\dT[\d:.]+Z  updated +bob +desired_count$", lines[2]), lines
        assert "created" in lines[3] and "first rollout" in lines[3], lines
        page = box.kecs("history", "service", "web,shop", "--json").json()
        assert [item["op"] for item in page["items"]] == ["updated", "updated", "created"], page
        assert page["nextToken"] is None
        assert page["items"][2]["actor"] == "alice" and page["items"][2]["reason"] == "first rollout"
        assert page["items"][1]["changed"] == ["desired_count"] and "actor" not in page["items"][0]
        full = box.kecs("history", "service", SERVICE["serviceArn"], "--jsonl", "--full").lines()
        assert [item.get("before", {}).get("desiredCount") for item in full] == [3, 1, None], full
        assert full[0]["before"]["strange"] == {"a": [1, 2]} and full[0]["before"]["kecs"]["version"] == 2
        first = box.kecs("history", "service", "web,shop", "--limit", "2", "--json").json()
        rest = box.kecs("history", "service", "web,shop", "--limit", "2", "--page-token", first["nextToken"],
                        "--json").json()
        assert first["items"] + rest["items"] == page["items"] and rest["nextToken"] is None
        assert b"--page-token" in box.kecs("history", "service", "web,shop", "--limit", "2").err
        assert not box.kecs("history", "service", "web,shop", "--to", "2001-01-01T00:00:00Z", "--jsonl").out
        assert len(box.kecs("history", "service", "web,shop", "--from", "2001-01-01T00:00:00Z", "--jsonl").lines()) == 3


def test_diff():
    with Box() as box:
        kept(box)
        seqs = [item["seq"] for item in box.kecs("history", "service", "web,shop", "--jsonl").lines()]
        assert box.kecs("diff", "service", "web,shop", "--jsonl").lines() == [
            {"path": "/strange/a/1", "old": 2, "new": 5}]
        items = box.kecs("diff", "service", "web,shop", "--from", seqs[2], "--to", seqs[1], "--json").json()["items"]
        assert items == [{"path": "/desiredCount", "old": 1, "new": 3}], items
        text = box.kecs("diff", "service", "web,shop", "--from", seqs[2]).out.decode()
        assert re.search(r"^/desiredCount +1 +3$", text, re.M) and re.search(r"^/strange/a/1 +2 +5$", text, re.M), text
        items = box.kecs("diff", "service", "web,shop", "--to", seqs[2], "--json").json()["items"]
        assert {"path": "/serviceName", "new": "shop"} in items
        paths = [item["path"] for item in box.kecs("diff", "service", "web,shop", "--full", "--jsonl").lines()]
        assert "/kecs/version" in paths, paths
        assert not box.kecs("diff", "service", "web,shop", "--from", seqs[0], "--jsonl").out
        box.kecs("diff", "service", "web,shop", "--from", "x", code=2)
        box.kecs("diff", "service", "web,shop", "--to", "99999", code=2)
        box.kecs("diff", "service", "web,none", code=3)


def test_a_row_as_it_was():
    with Box() as box:
        kept(box)
        seqs = [item["seq"] for item in box.kecs("history", "service", "web,shop", "--jsonl").lines()]
        time.sleep(0.01)
        moment = "%.6f" % time.time()
        time.sleep(0.01)
        box.kecs("delete", "service", "web,shop", "--reason", "closed")
        for seq, count in zip(seqs, (3, 3, 1)):
            assert box.kecs("get", "service", "web,shop", "--as-of", seq, "--json").json()["desiredCount"] == count
        assert box.kecs("get", "service", "web,shop", "--as-of", moment, "--json").json()["strange"] == {"a": [1, 5]}
        assert b"desired_count" in box.kecs("get", "service", "web,shop", "--as-of", seqs[2]).out
        box.kecs("get", "service", "web,shop", code=3)
        box.kecs("get", "service", "web,shop", "--as-of", seqs[0] + 1, code=3)
        answer = box.kecs("get", "service", "web,shop", "--as-of", "2001-01-01T00:00:00Z", code=1)
        assert b"history begins" in answer.err, answer
        box.kecs("get", "service", "web,shop", "--as-of", seqs[0] + 100, code=2)
        box.kecs("get", "service", "web,shop", "--as-of", "yesterday", code=2)
        box.kecs("get", "service", "web,shop", "--as-of", "0", code=2)
        assert box.kecs("history", "service", "web,shop", "--jsonl").lines()[0]["reason"] == "closed"


def test_switching():
    with Box() as box:
        box.load({"clusterName": "web"})
        assert b"options.history" in box.kecs("history", "cluster", "web", code=1).err
        box.kecs("track", "on", "--history", "cluster,service", "--rows", "5", "--days", "2")
        status = box.kecs("track", "--json").json()
        assert status["history"] == ["cluster", "service"], status
        assert (status["historyRows"], status["historyDays"]) == (5, 2), status
        assert b"history is kept of cluster, service" in box.kecs("track").out
        box.kecs("track", "on")
        assert box.kecs("track", "--json").json()["history"] == ["cluster", "service"]
        for _ in range(5):
            for count in ("2", "3"):
                box.kecs("put", "cluster", "-", stdin=json.dumps({"clusterName": "web", "turn": count}))
        box.kecs("put", "cluster", "-", stdin=json.dumps({"clusterName": "last"}))
        assert len(box.kecs("history", "cluster", "web", "--jsonl").lines()) == 10
        done = box.kecs("compact", "--json").json()
        assert done["history"] == 4, done  # the fifth marks where the rest was cut off
        assert len(box.kecs("history", "cluster", "web", "--jsonl").lines()) == 5
        box.kecs("track", "on", "--history", "none")
        assert box.kecs("track", "--json").json()["history"] == []
        assert b"history is not kept" in box.kecs("track").out
        box.kecs("track", "on", "--history", "nodes", code=2)
        box.kecs("track", "on", "--history", "all", "--rows", "0", code=2)
        box.kecs("track", "on", "--history", "all", "--days", "x", code=2)
        box.kecs("track", "on", "--rows", "4", code=2)
        box.kecs("track", "status", "--history", "all", code=2)
        box.kecs("track", "off", "--history", "all", code=2)


def test_bad_input():
    with Box() as box:
        kept(box)
        box.kecs("history", "service", code=2)
        box.kecs("history", "servce", "x", code=2)
        box.kecs("history", "service", "web,never", code=3)
        box.kecs("history", "service", "web,shop", "--limit", "0", code=2)
        box.kecs("history", "service", "web,shop", "--limit", "1001", code=2)
        box.kecs("history", "service", "web,shop", "--from", "tomorrow", code=2)
        box.kecs("history", "service", "web,shop", "--to", "", code=2)
        box.kecs("history", "service", "web,shop", "--page-token", "zzz", code=2)
        box.kecs("list", "service", "--actor", "me", code=2)
        box.kecs("update", "service", "web,shop", "--set", "desired_count=1", "--actor", "x" * 300, code=2)
        assert box.kecs("get", "service", "web,shop", "--json").json()["desiredCount"] == 3
        hostile = "\x1b[2Jred\nline"
        box.kecs("update", "service", "web,shop", "--set", "desired_count=9", "--actor", hostile)
        out = box.kecs("history", "service", "web,shop", "--limit", "1").out
        assert b"\x1b" not in out and len(out.splitlines()) == 2, out
        assert box.kecs("history", "service", "web,shop", "--jsonl").lines()[0]["actor"] == hostile


if __name__ == "__main__":
    sys.exit(run(globals()))
