#!/usr/bin/env python3
"""kecs migrate from file to file: equal stores, runs that are killed, targets that are not empty, exit codes."""

import os
import pathlib
import pty
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, KECS, kecs, run  # noqa: E402
from kecs_migrate import export, fill, kill_in_the_middle, migrate  # noqa: E402


def tasks(db):
    try:
        with sqlite3.connect("file:%s?mode=ro" % db, uri=True) as store:
            return store.execute("SELECT count(*) FROM tasks").fetchone()[0]
    except sqlite3.OperationalError:  # not there yet
        return 0


def test_a_copy_is_equal():
    with Box() as box:
        text = fill(box.db)
        copy, third = str(box.path / "copy.db"), str(box.path / "third.db")
        told = migrate(box.db, copy).out.decode()
        rows = text.count(b"\n")
        assert told.startswith("%d rows copied, 0 were there\nverified: %d rows, digest " % (rows, rows)), told
        assert export(copy) == text
        answer = migrate(copy, third, "--json").json()
        assert answer == {"rows": rows, "copied": rows, "there": 0, "digest": told.split()[-1]}, answer
        assert export(third) == text
        answer = migrate(box.db, third, "--json").json()
        assert answer["copied"] == 0 and answer["there"] == rows, answer
        assert export(third) == text
        for db in (box.db, third):
            kecs("--db", db, "put", "task_definition", "-", stdin='{"family":"gone","containerDefinitions":[]}')
            kecs("--db", db, "get", "task_definition", "gone:4")


def test_dry_run_counts():
    with Box() as box:
        fill(box.db)
        copy = str(box.path / "copy.db")
        out = migrate(box.db, copy, "--dry-run").out.decode()
        counts = {line.split()[0]: line.split()[1:] for line in out.split("\n")[1:] if line}
        assert counts["node"] == ["3", "0"] and counts["task_definition_family"] == ["1", "0"], counts
        assert not os.path.exists(copy)
        migrate(box.db, copy)
        rows = {row["kind"]: row for row in migrate(box.db, copy, "--dry-run", "--json").json()}
        assert rows["event"]["from"] == rows["event"]["to"] == 6, rows
        assert migrate(box.db, copy, "--dry-run", "--jsonl").lines() == list(rows.values())


def test_a_killed_run_is_run_again():
    with Box() as box:
        total = 20000
        text = fill(box.db, tasks=total)
        for attempt in range(5):
            copy = str(box.path / ("copy%d.db" % attempt))
            if kill_in_the_middle(box.db, copy, lambda: tasks(copy), total):
                break
        else:
            raise AssertionError("migrate was too fast to be killed")
        answer = migrate(box.db, copy, "--json").json()
        assert answer["there"] > 0 and answer["copied"] > 0, answer
        assert export(copy) == text


def test_a_target_that_is_not_empty():
    with Box() as box:
        text = fill(box.db)
        other = str(box.path / "other.db")
        kecs("--db", other, "put", "cluster", "-", stdin='{"clusterName":"mine"}')
        before = export(other)
        refused = migrate(box.db, other, code=4).err.decode()
        assert "not empty" in refused and "1 cluster" in refused and "--merge" in refused, refused
        assert export(other) == before
        answer = migrate(box.db, other, "--merge", "--json").json()
        assert answer["rows"] == answer["copied"] == text.count(b"\n"), answer
        merged = export(other)
        assert sorted(merged.split(b"\n")) == sorted(text.split(b"\n") + before.strip().split(b"\n"))
        assert migrate(box.db, other, "--merge", "--json").json()["copied"] == 0
        # A row of the source that both have wins; one that was changed since in the target is told.
        kecs("--db", other, "update", "service", "shop,web", "--set", "desired_count=9")
        answer = migrate(box.db, other, "--merge", code=1).err.decode()
        assert "higher version" in answer, answer
        # Another row in the place of one of the source.
        third = str(box.path / "third.db")
        log = '{"id":"log-1","taskArn":"x","containerName":"c","logLine":"z"}'
        kecs("--db", third, "put", "task_log", "-", stdin=log)
        migrate(box.db, third, code=4)
        assert b"z" in export(third)


def test_the_proof_finds_a_difference():
    with Box() as box:
        fill(box.db)
        for number, harm in enumerate(("UPDATE nodes SET hostname = 'x'", "DELETE FROM task_logs WHERE id = 'log-1'",
                                       "UPDATE task_definition_families SET last_revision = 9")):
            copy = str(box.path / ("copy%d.db" % number))
            kecs("--db", copy, "import", "-", stdin="{}", code=1)
            with sqlite3.connect(copy) as store:
                store.execute("CREATE TRIGGER harm AFTER INSERT ON nodes BEGIN %s; END" % harm)
            store.close()
            answer = migrate(box.db, copy, code=1)
            assert b"is not equal to" in answer.err and answer.out == b"", answer


def test_a_row_without_its_parent():
    with Box() as box:
        text = fill(box.db)
        with sqlite3.connect(box.db) as store:
            arn, = store.execute("SELECT arn FROM clusters WHERE name = 'shop'").fetchone()
            store.execute("UPDATE clusters SET arn = 'gone' WHERE arn = ?", (arn,))
        store.close()
        copy = str(box.path / "copy.db")
        assert b"shop" in migrate(box.db, copy, code=1).err
        with sqlite3.connect(box.db) as store:
            store.execute("UPDATE clusters SET arn = ? WHERE arn = 'gone'", (arn,))
        store.close()
        migrate(box.db, copy, code=4)  # it has the cluster "gone"
        os.unlink(copy)
        migrate(box.db, copy)
        assert export(copy) == text


def test_command_lines_that_are_wrong():
    with Box() as box:
        fill(box.db)
        to = str(box.path / "to.db")
        for arguments, word in ((["--from", box.db], "--to"), (["--to", to], "--from"), ([], "--from"),
                                (["--from", box.db, "--to", box.db], "same"),
                                (["--from", box.db, "--to", to, "x"], '"x"'),
                                (["--db", to, "--from", box.db, "--to", to], "alone")):
            assert word in kecs("migrate", *arguments, code=2).err.decode(), arguments
        assert "does not exist" in migrate(str(box.path / "no.db"), to, code=3).err.decode()
        assert not os.path.exists(to)
        box.write("text.db", "this is no database, but a text that is long enough to look like one" * 50)
        migrate(box.db, str(box.path / "text.db"), code=6)
        migrate(box.db, str(box.path / "no" / "folder.db"), code=3)
        kecs("list", "task", "--merge", "--db", box.db, code=2)


def test_the_bar():
    with Box() as box:
        fill(box.db, tasks=60000)
        parent, child = pty.openpty()
        process = subprocess.Popen([KECS, "migrate", "--from", box.db, "--to", str(box.path / "copy.db")],
                                   stdout=subprocess.DEVNULL, stderr=child)
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(parent, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        assert process.wait() == 0
        os.close(parent)
        text = shown.decode()
        assert "rows copied" in text and "rows verified" in text and "%" in text, text[-300:]
        assert "/s, 0:0" in text and " left" in text, text[-300:]


if __name__ == "__main__":
    sys.exit(run(globals()))
