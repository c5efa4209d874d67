"""What the tests of `kecs migrate` share: a store with rows of every kind, and a run that is killed."""

import json
import signal
import subprocess
import time

from kecs_cli import DATA, KECS, kecs

ARN = "arn:aws:ecs:us-east-1:000000000000:"
ODD = ["\u00e9\u0416\u732b", "a\tb\nc\rd", "'; DROP TABLE tasks; --", "\\\\ \"\" %s %n", " ", "x" * 3000]


def line(kind, **document):
    return json.dumps({"kind": kind, "document": document})


def fill(db, tasks=0):
    """A store with something of every sort: samples, odd texts, logs, events, tags, a counter above its rows."""
    kecs("--db", db, "import", DATA)
    lines = [line("task", taskArn=ARN + "task/shop/%032x" % number, clusterArn=ARN + "cluster/shop", group=text,
                  lastStatus="RUNNING", taskDefinitionArn=ARN + "task-definition/odd:1",
                  createdAt=1700000000 + number // 7, overrides={text: [text, 1e3]}, unknown={"a": text})
             for number, text in ((number, ODD[number % len(ODD)]) for number in range(20 + tasks))]
    lines += [line("task_log", id="log-%d" % number, taskArn=ARN + "task/shop/1", containerName="web",
                   timestamp=1700000000 + number // 3, logLine=text, createdAt=1700000000)
              for number, text in enumerate(ODD)]
    lines += [line("event", id="event-%d" % number, eventType="TASK", resourceArn=ARN + "task/shop/1", action="CREATE",
                   resourceType="task", data={"n": text}, timestamp=1700000000) for number, text in enumerate(ODD)]
    lines += [line("node", nodeId="n%d" % number, hostname="h", port=8080, status="online") for number in range(3)]
    lines += [json.dumps({"family": "gone", "containerDefinitions": []})] * 3
    answer = kecs("--db", db, "import", "-", "--json", stdin="\n".join(lines)).json()
    assert not answer["refused"], answer["refused"][:3]
    kecs("--db", db, "delete", "task_definition", "gone:3")
    kecs("--db", db, "update", "service", "shop,web", "--set", "desired_count=5")  # a version above 1
    text = export(db)
    assert b"task_definition_family" in text
    return text


def export(db):
    return kecs("--db", db, "export").out


def migrate(source, target, *arguments, **keywords):
    return kecs("migrate", "--from", source, "--to", target, *arguments, **keywords)


def kill_in_the_middle(source, target, count, total):
    """Runs migrate and kills it when some rows are there, not all; `count` counts them. False: it was too fast."""
    process = subprocess.Popen([KECS, "migrate", "--from", source, "--to", target], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while process.poll() is None and count() < total // 10 and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    finally:
        process.wait()
    return 0 < count() < total
