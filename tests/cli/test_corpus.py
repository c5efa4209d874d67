#!/usr/bin/env python3
"""Real documents: each is imported and must come back member for member.

KECS_CORPUS names a folder of payloads of the AWS API (its README says how it is laid out); it is no part of this
repository. Without it only examples/data is tried, and that is said.

Times are compared as instants, everything else by value, and nested documents byte for byte besides. Members that a
document lacks and the store fills in are fine."""

import calendar
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from kecs_cli import Box, DATA, ROOT, kecs, run  # noqa: E402

CORPUS = pathlib.Path(os.environ.get("KECS_CORPUS") or ROOT.parent / "shared" / "corpus")
DECODER = json.JSONDecoder()
KINDS = {kind["kind"]: kind for kind in kecs("describe-kind", "--json").json()}

# The member that names a document's row, and the kind.
BY_ARN = {"taskSetArn": "task_set", "taskArn": "task", "serviceArn": "service", "RuleArn": "rule",
          "containerInstanceArn": "container_instance", "ListenerArn": "listener", "TargetGroupArn": "target_group",
          "LoadBalancerArn": "load_balancer"}
LISTS = {"clusters": "cluster", "services": "service", "tasks": "task", "taskSets": "task_set", "Rules": "rule",
         "containerInstances": "container_instance", "LoadBalancers": "load_balancer", "TargetGroups": "target_group",
         "Listeners": "listener", "TargetHealthDescriptions": "target", "service": "service",
         "taskDefinition": "task_definition"}


# ---- documents ----

class Document:
    """A resource of a file: its text, its members as they are written, and its kind."""

    def __init__(self, kind, text, inherited=None):
        self.kind, self.text, self.value = kind, text, json.loads(text)
        self.members = dict(spans(text))
        self.optional = inherited or {}

    def identity(self):
        value = self.value
        if self.kind == "target":
            return (self.kind, value["Target"]["Id"], value["Target"].get("Port", 0))
        for member, kind in BY_ARN.items():
            if kind == self.kind and member in value:
                return (self.kind, value[member])
        for member in ("taskDefinitionArn", "clusterArn") if self.kind in ("task_definition", "cluster") else ():
            if member in value:
                return (self.kind, value[member])
        return (self.kind, value.get("serviceName") or value.get("family") or value.get("clusterName"))

    def claims(self):
        """Names that belong to one resource at a time: two documents that disagree can't be in one store."""
        found = {self.identity(): self}
        for text in re.findall(r'"(arn:aws:elasticloadbalancing:[^"]*)"', self.text):
            match = re.match(r"(arn:[^/]*:)(?:loadbalancer|listener|listener-rule)/\w+/([^/]*)/([^/]*)", text)
            if match:
                found[("load balancer",) + match.groups()[:2]] = match.group(3)
        if self.kind == "target_group":
            found[("target group", self.value["TargetGroupName"])] = self
        if self.kind == "rule":
            found[("priority", self.value["RuleArn"].rsplit("/", 1)[0], self.value["Priority"])] = self
        if self.kind == "service" and "clusterArn" in self.value:
            found[("service", self.value["clusterArn"], self.value["serviceName"])] = self
        if self.kind in ("cluster", "service", "task", "task_set", "container_instance"):
            arn = self.value.get("clusterArn", "")
            found[("cluster", arn.rsplit("/", 1)[-1]) + tuple(arn.split(":")[3:5])] = arn
        return found


def spans(text):
    """(name, the exact text of its value) for each member of an object."""
    at = re.compile(r"\s*\{\s*").match(text).end()
    while text[at] != "}":
        name, at = DECODER.raw_decode(text, at)
        at = re.compile(r"\s*:\s*").match(text, at).end()
        end = DECODER.raw_decode(text, at)[1]
        yield name, text[at:end]
        at = re.compile(r"\s*,?\s*").match(text, end).end()


def elements(text):
    at = re.compile(r"\s*\[\s*").match(text).end()
    while text[at] != "]":
        end = DECODER.raw_decode(text, at)[1]
        yield text[at:end]
        at = re.compile(r"\s*,?\s*").match(text, end).end()


def documents(text):
    """The resources in a JSON text: what the import should find, found another way."""
    members = dict(spans(text))
    if "status_code" in members:
        return documents(members["data"])
    if "in" in members:
        return documents(members["out"])
    if "containerDefinitions" in members:
        return [Document("task_definition", text)]
    if "TargetHealth" in members:
        return [Document("target", text)]
    for member, kind in BY_ARN.items():
        if member in members and "TargetHealthDescriptions" not in members:
            return [Document(kind, text)]
    if "clusterName" in members:
        return [Document("cluster", text)]
    found = []
    for member, kind in LISTS.items():
        if members.get(member, "x")[0] == "[":
            found += [Document(kind, one) for one in elements(members[member]) if one.startswith("{")]
        elif members.get(member, "x")[0] == "{":
            found.append(Document(kind, members[member]))
    service = "desiredCount" in members or "serviceName" in members
    return found or ([Document("service", text)] if service else [])


# ---- comparing ----

def instant(value):
    """A time in any of the shapes that AWS and its recorders write, in microseconds."""
    if isinstance(value, dict):
        parts = [value.get(part, 0) for part in ("year", "month", "day", "hour", "minute", "second")]
        return calendar.timegm(tuple(parts) + (0, 0, 0)) * 1000000 + value.get("microsecond", 0)
    if not isinstance(value, str):
        whole, _, fraction = ("%.6f" % value).partition(".")
        return int(whole) * 1000000 + int(fraction)
    match = re.match(r"(\d+-\d+-\d+)[T ](\d+:\d+:\d+)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$", value)
    seconds = calendar.timegm(time.strptime(match.group(1) + match.group(2), "%Y-%m-%d%H:%M:%S"))
    zone = match.group(4)
    if zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        seconds -= offset if zone[0] == "+" else -offset
    return seconds * 1000000 + int((match.group(3) or "0").ljust(6, "0")[:6])


def differences(document, stored, raw):
    """What of a document is not in the stored one; `raw` is all that was listed, byte for byte."""
    columns = KINDS[document.kind]["columns"]
    times = {column["member"].split("|")[0] for column in columns if column["type"] == "time"}
    taken_apart = {column["member"].split(".")[0] for column in columns if "." in column["member"]}
    for name, value in document.value.items():
        if name not in stored:
            yield "%s is missing" % name
        elif name in times and value is not None and not isinstance(value, bool):
            if instant(value) != instant(stored[name]):
                yield "%s is %s, not %s" % (name, stored[name], value)
        elif stored[name] != value:
            yield "%s is %.200s, not %.200s" % (name, stored[name], value)
        elif isinstance(value, (dict, list)) and name not in taken_apart and document.members[name] not in raw:
            yield "%s is not the same byte for byte" % name
    for name, value in document.optional.items():
        if stored.get(name) != value:
            yield "%s of the wrapper is %s" % (name, stored.get(name))


def check(box, found, label):
    """Every document of `found`, all of which are in the box, against what the store lists."""
    problems = []
    last = {document.identity(): document for document in found}
    for kind in {document.kind for document in found}:
        answer = box.kecs("list", kind, "--json", "--limit", "1000")
        raw = answer.out.decode("utf-8")
        stored = {Document(kind, json.dumps(item)).identity(): item for item in answer.json()["items"]}
        for identity, document in last.items():
            if document.kind != kind:
                continue
            item = stored.get(identity) or (answer.json()["items"] or [{}])[0]
            problems += ["%s: %s: %s" % (label, identity, problem) for problem in differences(document, item, raw)]
    assert not problems, "%d problems: %s" % (len(problems), "\n".join(problems[:20]))
    return len(last)


def import_all(box, path, found, label):
    answer = box.kecs("import", path, "--json", code=None).json()
    refused = [note for note in answer["refused"] if "kind" in note and note["kind"] != "tag"]
    assert not refused, "%s: %s" % (label, refused[:3])
    counts = {}
    for document in found:
        counts[document.kind] = counts.get(document.kind, 0) + 1
    imported = {kind: count for kind, count in answer["imported"].items() if kind != "tag"}
    assert imported == counts, "%s: imported %s, expected %s" % (label, imported, counts)


def side_by_side(function, items):
    """The sum of what a function gives for each: kecs waits for the disk most of the time."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return sum(pool.map(function, items))


def file_comes_back(path):
    found = documents(path.read_text(encoding="utf-8").lstrip("\ufeff"))
    with Box() as box:
        import_all(box, path, found, path.name)
        return check(box, found, path.name) if found else 0


def files_come_back(folder):
    """Each file alone, in a store of its own. How many documents there were."""
    return side_by_side(file_comes_back, sorted(folder.rglob("*.json")))


def lines_come_back(path):
    """The documents of a file with one a line, as many in one store as get along there."""
    boxes = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        for document in documents(line) if line.strip() else []:
            claims = document.claims()
            for known, together in boxes:
                if all(known.get(claim, owner) == owner for claim, owner in claims.items()):
                    break
            else:
                known, together = {}, []
                boxes.append((known, together))
            known.update(claims)
            together.append((document, line))

    def box_comes_back(together):
        with Box() as box:
            found = [document for document, _ in together]
            text = "\n".join(line for _, line in together) + "\n"
            import_all(box, box.write("lines.jsonl", text), found, path.name)
            return check(box, found, path.name)

    return side_by_side(box_comes_back, [together for _, together in boxes])


def test_examples_data():
    count = 0
    for path in sorted(DATA.rglob("*.json*")):
        found = documents(path.read_text(encoding="utf-8")) if path.name != "broken.json" else []
        with Box() as box:
            box.kecs("import", path, code=None)
            count += check(box, found, path.name)
    assert count > 20, count


def recorded_calls():
    """(operation, asked, answered) of the examples that the AWS command line brings along, where it is installed."""
    folders = [pathlib.Path(folder) / "botocore" / "data" for folder in sys.path + ["/usr/lib/python3/dist-packages"]]
    for folder in folders:
        for service in ("ecs", "elbv2"):
            for path in sorted((folder / service).glob("*/examples-1.json")):
                for operation, calls in json.loads(path.read_text(encoding="utf-8"))["examples"].items():
                    for call in calls:
                        yield operation, call.get("input", {}), call.get("output", {})


def test_recorded_calls():
    calls = list(recorded_calls())
    if not calls:
        print("# The AWS command line is not installed: its examples are not tried.")
    count = 0
    for operation, asked, answered in calls:
        text = json.dumps({"input": asked, "output": answered})
        found = documents(json.dumps(answered)) if answered else []
        with Box() as box:
            answer = box.kecs("import", "-", "--json", stdin=text, code=None).json()
            assert sum(answer["imported"].values()) >= len(found), "%s: %s" % (operation, answer)
            count += check(box, found, operation)
    assert count >= 25 or not calls, count


if CORPUS.is_dir():
    def test_corpus_task_definitions():
        assert files_come_back(CORPUS / "taskdef") >= 90

    def test_corpus_services():
        assert files_come_back(CORPUS / "service") >= 6

    def test_corpus_responses():
        assert files_come_back(CORPUS / "describe") >= 60

    def test_corpus_lines():
        counts = {path.name: lines_come_back(path) for path in sorted((CORPUS / "moto-recorded").rglob("*.jsonl"))}
        assert counts["LoadBalancer.jsonl"] > 200 and counts["TargetGroup.jsonl"] > 60, counts
        assert counts["register_pairs.jsonl"] > 200 and counts["Task.jsonl"] > 30, counts

    def test_corpus_broken_files():
        """Each is refused with the line where it is broken, and without anything being stored."""
        paths = [path for path in (CORPUS / "invalid-or-templated").rglob("*") if path.is_file()]
        assert paths
        for path in paths:
            try:
                json.loads(path.read_text(encoding="utf-8"))
                raise AssertionError("%s is good" % path)
            except json.JSONDecodeError as problem:
                line = problem.lineno
            with Box() as box:
                answer = box.kecs("import", path, "--json", code=1).json()
                assert answer["imported"] == {} and len(answer["refused"]) == 1, answer
                note = answer["refused"][0]
                assert note["line"] == line and note["column"] > 0 and note["reason"], "%s, line %d" % (note, line)

    def test_corpus_hostile_files():
        """Nothing crashes; what is no JSON is refused as such."""
        with Box() as box:
            lines = box.kecs("import", CORPUS / "hostile", "--jsonl", code=None).lines()
        told = {}
        for note in lines:
            told.setdefault(pathlib.Path(note["path"]).name, []).append(note.get("what", ""))
        suite = [path.name for path in (CORPUS / "hostile" / "JSONTestSuite").glob("*.json")]
        assert suite and set(suite) <= set(told), sorted(set(suite) - set(told))
        for name in suite:
            no_json = any(what in ("text that is not JSON", "empty text") for what in told[name])
            # Documents one after another are fine here.
            several = name in ("n_structure_double_array.json", "n_structure_object_with_trailing_garbage.json")
            assert name[0] == "i" or several or no_json == (name[0] == "n"), "%s: %s" % (name, told[name])

    def test_corpus_hostile_texts():
        texts = json.loads((CORPUS / "hostile" / "blns.json").read_text(encoding="utf-8"))
        with Box() as box:
            box.load(*[{"serviceName": "s%d" % n, "cluster": "c", "propagateTags": text, "unknown": [text]}
                       for n, text in enumerate(texts)])
            stored = {item["serviceName"]: item for item in box.items("service")}
            for n, text in enumerate(texts):
                item = stored["s%d" % n]
                assert item["propagateTags"] == text and item["unknown"] == [text], "%r: %r" % (text, item)

    def test_corpus_as_a_whole():
        """Everything into one store, out, and into another: equal."""
        with Box() as box:
            box.kecs("import", CORPUS)
            path = box.write("all.jsonl", box.kecs("export").out)
            other = str(box.path / "other.db")
            answer = kecs("--db", other, "import", path, "--json").json()
            assert not answer["refused"], answer["refused"][:3]
            assert kecs("--db", other, "export").out == pathlib.Path(path).read_bytes()
else:
    print("*" * 100)
    print("* There is no corpus of real documents in %s: set KECS_CORPUS." % CORPUS)
    print("* Only examples/data is tried. What real payloads do is NOT tested in this run.")
    print("*" * 100)
    print("ok corpus # SKIP there is no corpus; set KECS_CORPUS")


if __name__ == "__main__":
    sys.exit(run(globals()))
