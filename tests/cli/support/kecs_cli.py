"""What the tests of the command line share: running kecs, temporary databases, and the report."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
KECS = os.environ.get("KECS_BIN") or os.environ.get("KECS") or str(ROOT / "build" / "kecs")
DATA = ROOT / "examples" / "data"
SECONDS = 120


class Answer:
    """What a run of kecs said, and its exit code."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return [json.loads(line) for line in self.out.decode("utf-8").split("\n") if line]

    def __str__(self):
        return "%s -> %d\n%s%s" % (self.command, self.code, self.out.decode("utf-8", "replace")[-2000:],
                                   self.err.decode("utf-8", "replace")[-2000:])


def kecs(*arguments, stdin=b"", code=0, stdout=subprocess.PIPE, **environment):
    """Runs kecs and checks its exit code; None takes any that is no crash."""
    variables = {key: value for key, value in os.environ.items() if key != "KECS_DB"}
    variables.update(environment)
    command = [KECS] + [argument if isinstance(argument, bytes) else str(argument) for argument in arguments]
    stdin = stdin if isinstance(stdin, bytes) else stdin.encode("utf-8")
    done = subprocess.run(command, input=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=SECONDS, env=variables)
    answer = Answer(command[1:], done.returncode, done.stdout or b"", done.stderr)
    assert done.returncode >= 0, "kecs died: %s" % answer
    assert code is None or done.returncode == code, "expected exit code %s: %s" % (code, answer)
    return answer


class Box:
    """A temporary folder with a database, in memory where that can be had: durability is tested elsewhere."""

    def __enter__(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.TemporaryDirectory(prefix="kecs-cli-", dir=memory)
        self.path = pathlib.Path(self.folder.name)
        self.db = str(self.path / "store.db")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def write(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return str(path)

    def kecs(self, *arguments, **keywords):
        return kecs("--db", self.db, *arguments, **keywords)

    def load(self, *documents):
        """Imports documents, all of which must be taken."""
        text = "\n".join(json.dumps(document) for document in documents)
        answer = self.kecs("import", "-", "--json", stdin=text).json()
        assert not answer["refused"], answer["refused"]
        return answer["imported"]

    def items(self, kind, *arguments):
        """All documents of a kind."""
        items, token = [], None
        while True:
            more = ["--page-token", token] if token else []
            page = self.kecs("list", kind, "--json", *arguments, *more).json()
            items += page["items"]
            token = page["nextToken"]
            if not token:
                return items


def run(tests):
    """Runs functions named test_..., prints the report, gives the exit code."""
    if not os.access(KECS, os.X_OK):
        print("not ok cli there is no program %s; build it, or set KECS_BIN" % KECS)
        return 1
    failed = 0
    for name, function in sorted(tests.items()):
        if name.startswith("test_"):
            try:
                function()
                print("ok %s" % name[len("test_"):], flush=True)
            except Exception as problem:
                failed += 1
                first = str(problem).split("\n", 1)[0]
                print("not ok %s %s" % (name[len("test_"):], first or type(problem).__name__), flush=True)
                traceback.print_exc(file=sys.stdout)
    return 1 if failed else 0
