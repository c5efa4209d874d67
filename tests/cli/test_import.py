#!/usr/bin/env python3
"""Import and export: what documents are recognised as, where they are refused, and that nothing is lost on the way."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, DATA, kecs, run  # noqa: E402

ECS = "arn:aws:ecs:us-east-1:000000000000:"
ELB = "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
TASK = {"taskArn": ECS + "task/shop/1f", "clusterArn": ECS + "cluster/shop", "lastStatus": "RUNNING", "containers": []}
BALANCER = {"LoadBalancerArn": ELB + "loadbalancer/app/shop/1", "LoadBalancerName": "shop", "Type": "application"}
GROUP = {"TargetGroupArn": ELB + "targetgroup/web/2", "TargetGroupName": "web", "Port": 80}
LISTENER = {"ListenerArn": ELB + "listener/app/shop/1/3", "LoadBalancerArn": BALANCER["LoadBalancerArn"], "Port": 80,
            "DefaultActions": []}
RULE = {"RuleArn": ELB + "listener-rule/app/shop/1/3/4", "Priority": "7", "Conditions": [], "Actions": []}
HEALTH = {"Target": {"Id": "i-1", "Port": 80}, "TargetHealth": {"State": "healthy"}}
DEFINITION = {"family": "web", "containerDefinitions": [{"name": "nginx"}]}
INSTANCE = {"containerInstanceArn": ECS + "container-instance/shop/9", "ec2InstanceId": "i-9", "status": "ACTIVE"}
TASK_SET = {"taskSetArn": ECS + "task-set/shop/web/ecs-svc/5", "serviceArn": ECS + "service/shop/web",
            "clusterArn": ECS + "cluster/shop", "id": "ecs-svc/5", "scale": {"value": 50.0, "unit": "PERCENT"}}
SERVICE = {"serviceArn": ECS + "service/shop/web", "serviceName": "web", "clusterArn": ECS + "cluster/shop"}
SETTING = {"name": "containerInsights", "value": "enabled", "principalArn": "arn:aws:iam::000000000000:root"}
TAGS = [{"key": "a", "value": "b"}]
SERVICE_B = dict(SERVICE, serviceArn=ECS + "service/shop/b", serviceName="b")
ATTRIBUTE = {"name": "stack", "value": "prod", "targetType": "container-instance", "targetId": "x"}

# What is put in, and how many rows of which kinds come of it (parents that are made besides are not counted).
SHAPES = (
    ("definition", DEFINITION, {"task_definition": 1}),
    ("definition response", {"taskDefinition": DEFINITION, "tags": TAGS}, {"task_definition": 1}),
    ("cluster", {"clusterName": "shop"}, {"cluster": 1}),
    ("cluster by ARN", {"clusterArn": ECS + "cluster/shop"}, {"cluster": 1}),
    ("cluster response", {"cluster": {"clusterName": "shop"}}, {"cluster": 1}),
    ("clusters", {"clusters": [{"clusterName": "a"}, {"clusterName": "b"}], "failures": []}, {"cluster": 2}),
    ("service", SERVICE, {"service": 1}),
    ("CreateService", {"cluster": "shop", "serviceName": "web", "taskDefinition": "web:1"}, {"service": 1}),
    ("UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 3}, {"service": 1}),
    ("nameless service", {"desiredCount": 2, "loadBalancers": [], "launchType": "EC2"}, {"service": 1}),
    ("service response", {"service": SERVICE}, {"service": 1}),
    ("services", {"services": [SERVICE, SERVICE_B]}, {"service": 2}),
    ("task", TASK, {"task": 1}),
    ("tasks", {"tasks": [TASK], "failures": []}, {"task": 1}),
    ("task response", {"task": TASK}, {"task": 1}),
    ("task set", TASK_SET, {"task_set": 1}),
    ("task sets", {"taskSets": [TASK_SET]}, {"task_set": 1}),
    ("task set response", {"taskSet": TASK_SET}, {"task_set": 1}),
    ("CreateTaskSet", {"service": "web", "cluster": "shop", "externalId": "x"}, {"task_set": 1}),
    ("instance", INSTANCE, {"container_instance": 1}),
    ("instances", {"containerInstances": [INSTANCE]}, {"container_instance": 1}),
    ("instance response", {"containerInstance": INSTANCE}, {"container_instance": 1}),
    ("attributes", {"attributes": [ATTRIBUTE]}, {"attribute": 1}),
    ("attribute", ATTRIBUTE, {"attribute": 1}),
    ("settings", {"settings": [SETTING]}, {"account_setting": 1}),
    ("setting response", {"setting": SETTING}, {"account_setting": 1}),
    ("load balancer", BALANCER, {"load_balancer": 1}),
    ("load balancers", {"LoadBalancers": [BALANCER]}, {"load_balancer": 1}),
    ("CreateLoadBalancer", {"Name": "shop", "Subnets": ["subnet-1"]}, {"load_balancer": 1}),
    ("target group", GROUP, {"target_group": 1}),
    ("target groups", {"TargetGroups": [GROUP], "NextMarker": None}, {"target_group": 1}),
    ("CreateTargetGroup", {"Name": "web", "Protocol": "HTTP", "Port": 80}, {"target_group": 1}),
    ("listener", LISTENER, {"listener": 1}),
    ("listeners", {"Listeners": [LISTENER]}, {"listener": 1}),
    ("CreateListener", {key: LISTENER[key] for key in LISTENER if key != "ListenerArn"}, {"listener": 1}),
    ("rule", RULE, {"rule": 1}),
    ("rules", {"Rules": [RULE]}, {"rule": 1}),
    ("target health", HEALTH, {"target": 1}),
    ("target healths", {"TargetHealthDescriptions": [HEALTH]}, {"target": 1}),
    ("recorded", {"status_code": 200, "data": {"ResponseMetadata": {}, "tasks": [TASK]}}, {"task": 1}),
    ("pair", {"file": "x", "in": DEFINITION, "out": dict(DEFINITION, revision=4)}, {"task_definition": 1}),
    ("call", {"input": {"tasks": ["1f"]}, "output": {"tasks": [TASK]}, "id": "x"}, {"task": 1}),
    ("call without answer", {"input": {"clusterName": "a"}, "output": {}}, {"cluster": 1}),
    ("calls", {"version": "1.0", "examples": {"A": [{"input": {"clusterName": "a"}}]}}, {"cluster": 1}),
    ("list", {"items": [TASK], "nextToken": None}, {"task": 1}),
    ("pair without answer", {"file": "x", "in": DEFINITION, "out": None}, {"task_definition": 1}),
    ("array", [TASK, [SERVICE], {"clusters": [{"clusterName": "z"}]}], {"task": 1, "service": 1, "cluster": 1}),
    ("export", {"kind": "node", "document": {"nodeId": "n", "hostname": "h", "port": 1}}, {"node": 1}),
    ("node", {"nodeId": "n", "hostname": "h", "port": 1}, {"node": 1}),
    ("event", {"eventType": "x", "resourceArn": "y", "resourceType": "z", "action": "CREATE"}, {"event": 1}),
    ("log line", {"taskArn": "x", "containerName": "c", "logLine": "hello"}, {"task_log": 1}),
)

# What the store keeps nothing of, and a word of the reason.
NOTHING = (
    ({"clusterArns": [ECS + "cluster/a"]}, "ARNs"), ({"taskArns": [], "nextToken": "x"}, "ARNs"),
    ({"clusters": ["a", "b"]}, "names"), ({"clusters": [], "failures": [{"arn": "x"}]}, "empty"),
    ({"taskDefinition": "web", "launchType": "FARGATE", "cluster": "c"}, "starts tasks"),
    ({"capacityProviderArn": "x", "name": "y"}, "no such kind"),
    ({"capacityProviders": [{"capacityProviderArn": "x"}]}, "no such kind"),
    ({"kind": "spaceship", "document": {}}, "no such kind"), ({"cluster": "c", "service": "s"}, "knows"),
    ({"hello": "world"}, "knows"), ({}, "empty"), ([], "empty"), ([1, 2], "plain values"), ("text", "neither"),
    (7, "neither"), (None, "neither"), ([[[[[[[[[[{"clusterName": "deep"}]]]]]]]]]], "wrappers"),
    ({"TagDescriptions": [{"ResourceArn": ELB + "loadbalancer/app/no/1", "Tags": []}]}, "not found"),
    ({"TargetGroupArn": GROUP["TargetGroupArn"], "Targets": [{"Id": "i-1"}]}, "targets"),
    ({"service": "s", "taskSet": "t", "scale": {}}, "task set"), ({"ResponseMetadata": {}}, "knows"),
)


def notes(box, text, *arguments, code=0):
    return box.kecs("import", "-", "--jsonl", *arguments, stdin=text, code=code).lines()


def test_shapes():
    for name, document, expected in SHAPES:
        with Box() as box:
            answer = box.kecs("import", "-", "--json", stdin=json.dumps(document)).json()
            assert answer == {"imported": expected, "refused": []}, "%s: %s" % (name, answer)
            rows = box.kecs("stat", "--json").json()["rows"]
            for kind, count in expected.items():
                assert rows[kind] == count or kind == "cluster", "%s: %s" % (name, rows)


def test_what_is_nothing_to_store():
    for document, word in NOTHING:
        with Box() as box:
            answer = box.kecs("import", "-", "--json", stdin=json.dumps(document), code=1).json()
            assert answer["imported"] == {} and len(answer["refused"]) == 1, "%s: %s" % (document, answer)
            note = answer["refused"][0]
            assert word in note["reason"] and note["what"] and note["line"] == 1, "%s: %s" % (document, note)


def test_what_the_wrapper_says():
    with Box() as box:
        tags = [{"key": "team", "value": "a"}]
        box.load({"taskDefinition": DEFINITION, "tags": tags})
        assert box.items("task_definition")[0]["tags"] == tags
        box.load({"taskDefinition": dict(DEFINITION, tags=[]), "tags": tags})
        assert box.items("task_definition", "--limit", "1")[0]["tags"] == []
        box.load({"cluster": "shop", "attributes": [ATTRIBUTE, dict(ATTRIBUTE, name="b", cluster="other")]})
        assert sorted(item["cluster"] for item in box.items("attribute")) == ["other", "shop"]
        box.load(HEALTH, {"TargetGroupArn": GROUP["TargetGroupArn"], "TargetHealthDescriptions": [HEALTH]})
        groups = sorted(item["TargetGroupArn"] for item in box.items("target"))
        assert groups == [ELB + "targetgroup/unattached/0000000000000000", GROUP["TargetGroupArn"]], groups
        path = box.write("front-end.json", json.dumps({"desiredCount": 2, "deploymentConfiguration": {}}))
        box.kecs("import", path)
        assert box.kecs("get", "service", "front-end", "--json").json()["desiredCount"] == 2


def test_what_a_request_says():
    with Box() as box:
        asked = {"TargetGroupArn": GROUP["TargetGroupArn"]}
        box.load({"input": asked, "output": {"TargetHealthDescriptions": [HEALTH]}})
        assert [item["TargetGroupArn"] for item in box.items("target")] == [GROUP["TargetGroupArn"]]
        service = dict(SERVICE, taskDefinition="web:1", desiredCount=1, tags=TAGS, status="ACTIVE")
        service["odd \\ \" name"] = {"x": "\n"}
        box.load({"clusterName": "shop"}, service, {"cluster": "shop", "service": "web", "desiredCount": 7})
        stored = box.kecs("get", "service", "shop,web", "--json").json()
        assert all(stored[name] == value for name, value in dict(service, desiredCount=7).items()), stored
        assert stored == box.kecs("get", "service", "shop,web", "--json").json()
        box.load({"service": ECS + "service/shop/web", "taskDefinition": "web:2"})
        stored = box.items("service")[0]
        assert (stored["desiredCount"], stored["taskDefinition"]) == (7, "web:2"), stored
        round_trip(box)


def test_tag_descriptions_go_into_resources():
    with Box() as box:
        box.load(BALANCER, {"clusterName": "shop"})
        tags = [{"Key": "a", "Value": "b"}]
        box.load({"TagDescriptions": [{"ResourceArn": BALANCER["LoadBalancerArn"], "Tags": tags}]},
                 {"resourceArn": ECS + "cluster/shop", "tags": [{"key": "c", "value": "d"}]})
        assert box.items("load_balancer")[0]["Tags"] == tags
        assert box.items("cluster")[0]["tags"] == [{"key": "c", "value": "d"}]
        assert sorted(item["key"] for item in box.items("tag")) == ["a", "c"]


def test_places():
    """Line and column of what is refused are those in the text, whatever stands around it."""
    with Box() as box:
        for text, place in (
                ('{"clusterName": "a",\n "settings": [1,\n 2,]}', (3, 4)),
                ('\n\n  {"clusterName": oops}', (3, 19)),
                ('[{"clusterName":"a"},\r\n{"clusterName":"b"},\r\n{"clusterName":"c",}]', (3, 20)),
                ('{"clusterName":"a"}\n\n{"clusterName":', (3, 16)),
                ('{"clusters":[{"clusterName":"a"},\n {"clusterName":"b",\n"clusterName":"c"}]}', (3, 15)),
                ('{"taskDefinition":{"family":"a","containerDefinitions":[],\n "family":"b"},"tags":[\n\n]}', (2, 11)),
                ('{"taskDefinition":{"family":"a","containerDefinitions":[],"family":"b"},"tags":[\n\n]}', (1, 68)),
                ('{"clusterName":"\\u0000"}', (1, 16)),
                ('{"clusterName":"ab\tc"}', (1, 19)),
                ('{"clusterName":"ä", "status":"\\uD800"}', (1, 30)),
                ('', (1, 1)), ('  \n ', (1, 1)), ('\ufeff', (1, 1)), ('\ufeff{"clusterName"}', (1, 16))):
            found = [note for note in notes(box, text, code=None) if "reason" in note]
            assert [(note["line"], note["column"]) for note in found] == [place], "%r: %s" % (text, found)


def test_lines_go_on_after_a_broken_one():
    good = [json.dumps({"clusterName": "c%d" % n}) for n in range(4)]
    for broken in ("{", '{"a":1', '{"a":"x', "oops", '{"a":1}}', '{"clusterName":"x" "y"}', "]", '{"a":tru}', "\x01"):
        for place in range(4):
            for newline in ("\n", "\r\n", "\n\n"):
                lines = good[:place] + [broken] + good[place:]
                with Box() as box:
                    found = notes(box, newline.join(lines))
                    names = [note["name"] for note in found if "reason" not in note]
                    assert len(names) == 4 or (place == 0 and broken in ("oops", "]", "\x01") and len(names) == 4), \
                        "%r before %d, %r: %s" % (broken, place, newline, found)
    with Box() as box:  # a broken document of several lines is one refusal, and ends the text
        assert len(notes(box, '{\n  "clusterName": oops,\n  "tags": []\n}\n', code=1)) == 1
        assert len(notes(box, good[0] + '\n{\n  "clusterName": oops,\n  "tags": []\n}\n')) == 2


def test_texts_of_every_sort():
    with Box() as box:
        text = '\ufeff {"clusterName":"a"}{"clusterName":"b"} [{"clusterName":"c"}]\r\n\r\n{"clusterName":"d"}\n'
        box.kecs("import", "-", stdin=text)
        assert sorted(item["clusterName"] for item in box.items("cluster")) == ["a", "b", "c", "d"]
        assert notes(box, '{"clusterName":"é"}'.encode("latin-1"), code=1)[0]["reason"]
        assert notes(box, '{"clusterName":"x"}'.encode("utf-16"), code=1)[0]["reason"]
        assert notes(box, b'{"clusterName":"x"}\0', code=0)[1]["reason"]
        assert "nested deeper" in notes(box, "[" * 100000, code=1)[0]["reason"]


def test_one_refusal_stops_nothing():
    """Documents go in a thousand at a time: refused ones among them take nothing with them."""
    with Box() as box:
        lines = []
        for number in range(2500):
            lines.append(json.dumps({"clusterName": "c%d" % number}))
            if number % 100 == 50:
                lines.append(json.dumps({"clusterName": "d%d" % number, "clusterArn": ECS + "cluster/c1", "tags": 5}))
                lines.append('{"serviceName": "s", "desiredCount": 1, "desiredCount": 2, "cluster": "bare%d"}' % number)
        answer = box.kecs("import", "-", "--json", stdin="\n".join(lines)).json()
        rows = box.kecs("stat", "--json").json()["rows"]
        assert rows["service"] == 0 and len(answer["refused"]) >= 25, answer["refused"][:3]
        assert rows["cluster"] == 2500, rows  # no parent was made for a service that was refused


def test_files_and_folders():
    with Box() as box:
        box.write("in/b/2.json", '{"clusterName":"two"}')
        box.write("in/a/1.jsonl", '{"clusterName":"one"}\n{"clusterName":"three"}\n')
        box.write("in/c.json", "broken")
        box.write("in/notes.txt", "not looked at")
        box.write("in/.hidden.json", "not looked at")
        odd = box.write("in/odd \"name\"\n.json", "broken")
        plain = box.write("in/plain", '{"clusterName":"four"}')
        os.symlink(str(box.path / "in"), str(box.path / "in" / "loop"))
        answer = box.kecs("import", box.path / "in", plain, "--json").json()
        assert answer["imported"] == {"cluster": 4}, answer
        assert [note["path"] for note in answer["refused"]] == [str(box.path / "in" / "c.json"), odd], answer
        text = box.kecs("import", box.path / "in").out.decode()
        places = [text.index(line) for line in ("1.jsonl: 2 cluster", "2.json: 1 cluster", "c.json: 1 refused")]
        assert places == sorted(places), text
        raw = os.path.join(os.fsencode(box.path), b"in", b"\xff\xfe.json")
        with open(raw, "wb") as file:
            file.write(b"broken")
        assert "\ufffd" in box.kecs("import", raw, "--json", code=1).json()["refused"][0]["path"]
        (box.path / "empty").mkdir()
        box.kecs("import", box.path / "empty", code=1)
        box.kecs("import", box.path / "in", box.path / "nothing", code=1)
        box.kecs("import", box.write("in/c.json", "[]"), code=1)


def test_order_of_documents_does_not_count():
    """Children before parents: the parent is made from the ARN and is replaced when it comes."""
    with Box() as box:
        box.load(RULE, LISTENER, BALANCER, HEALTH, TASK, SERVICE, {"clusterName": "shop", "tags": TAGS})
        assert box.items("load_balancer")[0]["Type"] == "application"
        assert box.items("cluster")[0]["tags"] == TAGS
        rows = box.kecs("stat", "--json").json()["rows"]
        assert rows["cluster"] == rows["load_balancer"] == rows["listener"] == rows["rule"] == 1, rows


# ---- export ----

def round_trip(box):
    """Exports, imports into another database, and back into the first: all three must be equal."""
    first = box.kecs("export").out
    path = box.write("export.jsonl", first)
    other = str(box.path / "other.db")
    answer = kecs("--db", other, "import", path, "--json").json()
    assert not answer["refused"], answer["refused"][:3]
    second = kecs("--db", other, "export").out
    if first != second:
        for a, b in zip(first.split(b"\n"), second.split(b"\n")):
            assert a == b, "%s\n%s" % (a.decode(), b.decode())
    assert first == second
    box.kecs("import", path)
    assert box.kecs("export").out == first
    return [json.loads(line) for line in first.decode("utf-8").split("\n") if line]


def test_export_comes_back_equal():
    with Box() as box:
        box.kecs("import", DATA)
        for name, document, _ in SHAPES:
            if name != "UpdateService":
                box.kecs("import", "-", stdin=json.dumps(document), code=None)
        box.kecs("update", "service", "shop,api", "--set", "desired_count=9")
        box.kecs("update", "task_definition", "web:1", "--set", "status=INACTIVE")
        lines = round_trip(box)
        assert {line["kind"] for line in lines} >= {"cluster", "task", "target", "tag", "node", "event", "task_log"}
        only = [json.loads(line) for line in box.kecs("export", "rule", "listener").out.decode().split("\n") if line]
        assert [line["kind"] for line in only] == ["listener"] * 1 + ["rule"] * (len(only) - 1), only
        epoch = box.kecs("export", "--epoch").out
        other = str(box.path / "epoch.db")
        assert not kecs("--db", other, "import", "-", "--json", stdin=epoch).json()["refused"]
        assert kecs("--db", other, "export").out == box.kecs("export").out


def test_export_is_one_document_a_line():
    with Box() as box:
        document = {"clusterName": "shop", "settings": [{"name": "a", "value": "b\n\u2028c"}], "unknown": {"x": [1, 2]}}
        text = json.dumps(document, indent="\t").replace("\n", "\r\n") + "\n"
        box.kecs("import", "-", stdin=text)
        lines = box.kecs("export").out.decode().split("\n")
        assert len(lines) == 2 and json.loads(lines[0])["document"]["settings"] == document["settings"], lines
        assert box.items("cluster")[0]["unknown"] == {"x": [1, 2]}
        exact = text[text.index("[\r\n"):text.index("]") + 1].encode()
        assert exact in box.kecs("get", "cluster", "shop", "--json").out
        assert exact not in box.kecs("get", "cluster", "shop", "--jsonl").out
        round_trip(box)
        other = ("--db", str(box.path / "other.db"))
        assert exact in kecs("get", "cluster", "shop", "--json", *other).out  # byte for byte, by way of one line
        reformatted = json.dumps(json.loads(lines[0]), indent="\t")
        assert not kecs("import", "-", "--json", *other, stdin=reformatted).json()["refused"]
        assert kecs("get", "cluster", "shop", "--json", *other).json()["settings"] == document["settings"]


NAUGHTY = ("", " ", "null", "'", '"', "\\", "\\\\", "%", "_", "*", "a'; DROP TABLE clusters; --", "\n", "\t", "\x01",
           "\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "\ufffd", "\uffff", "\U0001f600", "\U0010ffff", "ß", "İ",
           "\u202e", "a\u0300", "${HOME}", "$(id)", "{{x}}", "../..", "NaN", "1e999", "true", "-", "--json", "0",
           "\u4e16" * 2000)


def test_counters_of_families_survive():
    with Box() as box:
        web = {"family": "w\u00e9b \"1\"", "containerDefinitions": []}
        box.load(*[web] * 3)
        old = box.kecs("export").out
        assert b"task_definition_family" not in old
        box.kecs("delete", "task_definition", web["family"] + ":3")
        copy = str(box.path / "copy.db")
        out = box.kecs("export").out
        lines = [json.loads(line) for line in out.decode().split("\n") if line]
        kinds = [line["kind"] for line in lines]
        assert kinds == ["task_definition_family"] + ["task_definition"] * 2, kinds
        assert lines[0]["document"] == {"accountId": "000000000000", "region": "us-east-1", "family": web["family"],
                                        "lastRevision": 3}
        assert b"task_definition_family" not in box.kecs("export", "cluster").out
        answer = kecs("--db", copy, "import", "-", stdin=out).out.decode()
        assert "1 task_definition_family, 2 task_definition" in answer, answer
        answer = kecs("--db", copy, "import", "-", "--json", stdin=out).json()
        assert answer == {"imported": {"task_definition_family": 1, "task_definition": 2}, "refused": []}, answer
        assert kecs("--db", copy, "export").out == out
        told = [kecs("--db", db, "put", "task_definition", "-", stdin=json.dumps(web)).out for db in (box.db, copy)]
        assert told[0] == told[1] and b":4" in told[0], told


def test_counters_that_are_none():
    with Box() as box:
        document = {"family": "f", "lastRevision": 3}
        for change in ({"lastRevision": 0}, {"lastRevision": "3"}, {"lastRevision": 2147483648}, {"family": 1},
                       {"family": ""}, {"family": None}, {"region": 2}, {"lastRevision": 1.5}):
            line = json.dumps({"kind": "task_definition_family", "document": dict(document, **change)})
            answer = box.kecs("import", "-", "--json", stdin=line, code=1).json()
            assert len(answer["refused"]) == 1 and answer["refused"][0]["what"] == "exported counter", answer
        line = json.dumps({"kind": "task_definition_family", "document": document})
        assert box.kecs("put", "cluster", "-", stdin=line, code=None).code != 0


def test_naughty_strings():
    with Box() as box:
        lines = [dict(TASK, taskArn=ECS + "task/shop/%032x" % number, startedBy=text, group=text, unknown={text: text},
                      tags=[{"key": "k" + text, "value": text}]) for number, text in enumerate(NAUGHTY)]
        box.load(*lines)
        stored = {item["taskArn"]: item for item in box.items("task")}
        for line in lines:
            item = stored[line["taskArn"]]
            for member in ("startedBy", "group", "unknown", "tags"):
                assert item[member] == line[member], "%r: %r" % (line[member], item[member])
        round_trip(box)
        for text in NAUGHTY:
            if len(text) < 100:
                found = box.items("task", "--where", "started_by=" + text)
                assert [item["startedBy"] for item in found] == [text], "%r: %s" % (text, found)
                box.kecs("get", "cluster", "--", text, code=2 if text == "" else 3)
                box.kecs("update", "task", "shop,%032x" % 0, "--set", "startedBy=" + text)
                assert box.kecs("get", "task", "shop,%032x" % 0, "--json").json()["startedBy"] == text


def test_many_rows():
    with Box() as box:
        box.load(*[dict(TASK, taskArn=ECS + "task/shop/%032x" % number, createdAt=1700000000)
                   for number in range(3210)])
        assert len(round_trip(box)) == 3211  # several pages, all of the same time


if __name__ == "__main__":
    sys.exit(run(globals()))
