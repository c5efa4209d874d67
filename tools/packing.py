"""Joins src/ into the headers. A manifest, src/NAME.in.h, is a C header itself: `cc -Isrc` compiles it unpacked.

Whole lines are removed, nothing is rewritten: a quoted include gives way to the file it names, and vanishes when
that file is in the output already. Marks that the manifests carry, each a line of its own:

    /* amalgamate: public-begin */  ... public-end    what a companion header may build upon
    #include <sqlite3.h> /* amalgamate: sqlite-head */
    /* amalgamate: sqlite-tail */                      where --bundle-sqlite puts SQLite's two halves
"""

import hashlib
import re

from tools.problems import read_source

# Who may include whom; the first folder of a path is its layer.
LAYERS = {
    "base": {"base"},
    "kinds": {"base", "kinds"},
    "store": {"base", "kinds", "store"},
    "sqlite": {"base", "kinds", "store", "sqlite"},
    "pg": {"base", "kinds", "store", "pg"},
    "sync": {"base", "kinds", "store", "pg", "sync"},
    "doc": {"doc"},
}
GENERATED_LAYERS = (("gen/kinds", "kinds"), ("gen/api", "store"))
COMPANIONS = {"kecs_store_pg": ("kecs_store", ("pg", "sync", "doc"))}  # header: (built upon, its own layers)

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]*)"')
MARK = re.compile(r"/\*\s*amalgamate:\s*([a-z-]+)\s*\*/")
MARKS = ("public-begin", "public-end", "sqlite-head", "sqlite-tail")
BANNER_WIDTH = 108  # of a banner's path and dashes


def layer_of(path):
    for prefix, layer in GENERATED_LAYERS:
        if path.startswith(prefix):
            return layer
    return path.split("/", 1)[0] if "/" in path else ""


class Tree:
    """The files below src, with the generated ones taken from memory."""

    def __init__(self, root, generated, problems):
        self.src, self.problems, self.cache = root / "src", problems, {}
        self.generated = {path[4:]: text for path, text in generated.items() if path.startswith("src/")}

    def has(self, path):
        return path in self.generated or (self.src / path).is_file()

    def text(self, path):
        if path in self.generated:
            return self.generated[path]
        if path not in self.cache:
            self.cache[path] = read_source(self.src / path, "src/" + path, self.problems)
        return self.cache[path]

    def manifests(self):
        return sorted((path.name for path in self.src.glob("*.in.h")), key=lambda name: (len(name), name))

    def modules(self):
        found = {path.relative_to(self.src).as_posix() for path in self.src.rglob("*.[ch]")}
        return sorted(path for path in found | set(self.generated) if not path.endswith(".in.h"))

    def version(self):
        """KECS_STORE_VERSION, which must agree with its three parts."""
        path = "base/config.h"
        if not self.has(path):
            return "0"
        text = self.text(path)
        match = re.search(r'^#define KECS_STORE_VERSION "([^"]+)"', text, re.M)
        parts = [re.search(r"^#define KECS_STORE_VERSION_%s (\d+)" % part, text, re.M)
                 for part in ("MAJOR", "MINOR", "PATCH")]
        if not match or (any(parts) and match.group(1) != ".".join(part.group(1) if part else "?" for part in parts)):
            self.problems.add("src/" + path, 1, "KECS_STORE_VERSION does not agree with its MAJOR, MINOR and PATCH",
                              "change all four together")
        return match.group(1) if match else "0"


class Packer:
    """Makes one header from one manifest."""

    def __init__(self, tree, manifest, base=None, bundle=None):
        self.tree, self.problems, self.manifest = tree, tree.problems, manifest
        self.name = manifest[:-len(".in.h")]
        self.base, self.bundle = base, bundle  # the packed header built upon; SQLite's halves
        self.own = COMPANIONS.get(self.name, (None, ()))[1]
        self.out, self.origin, self.bannered = [], None, set()
        self.reached, self.public, self.in_public = [], set(), False
        self.marks_seen = []

    def pack(self):
        """The header's text. Problems are left in the list."""
        self.inline(self.manifest, ())
        if self.in_public:
            self.problems.add("src/" + self.manifest, 1, "public-begin without public-end",
                              "mark the end of the public part")
        if self.bundle:
            for mark in ("sqlite-head", "sqlite-tail"):
                if self.marks_seen.count(mark) != 1:
                    self.problems.add("src/" + self.manifest, 1,
                                      "%d %s marks, one is needed" % (self.marks_seen.count(mark), mark),
                                      "put /* amalgamate: %s */ where SQLite's half belongs" % mark)
        body = "\n".join(self.out) + "\n"
        digest = hashlib.sha256(body.encode("ascii", "replace")).hexdigest()
        return ("/* %s.h %s -- generated from src/ by amalgamate.py, do not edit. sha256 of what follows:\n * %s */\n"
                % (self.name, self.tree.version(), digest)) + body

    def inline(self, path, stack):
        """Appends a file, with its own quoted includes put in place."""
        depth, guard = 0, 1 if path.endswith(".h") else 0
        for number, line in enumerate(self.tree.text(path).split("\n")[:-1], 1):
            if not stack and number == 1 and line.startswith("/* " + self.manifest) and line.endswith("*/"):
                continue  # what the manifest says of itself is not for users
            include, mark = INCLUDE.match(line), MARK.search(line)
            depth += 1 if re.match(r"\s*#\s*if", line) else -1 if re.match(r"\s*#\s*endif", line) else 0
            if include:
                if stack and depth > guard:
                    self.problems.add("src/" + path, number, "an include inside a condition",
                                      "move it to the top: when it is the first one of its file, other users of "
                                      "that file would get the file under this condition")
                self.include(path, number, include.group(1), stack + (path,))
            elif mark:
                self.mark(path, number, line, mark.group(1))
            else:
                self.emit(path, line, bool(stack))

    def include(self, path, number, wanted, stack):
        problem = self.refusal(path, wanted, stack)
        if problem:
            self.problems.add("src/" + path, number, problem[0], problem[1])
        elif wanted not in self.reached and not (self.base and wanted in self.base.public):
            self.reached.append(wanted)
            if self.in_public:
                self.public.add(wanted)
            self.inline(wanted, stack)

    def refusal(self, path, wanted, stack):
        """(why this include is not allowed, what to do), or None."""
        if not self.tree.has(wanted):
            return "there is no src/%s" % wanted, 'write the path from src/ on, as in "base/status.h", or add the file'
        if wanted in stack:
            return "an include cycle: " + " -> ".join(stack[stack.index(wanted):] + (wanted,)), \
                   "move what both need into a lower file"
        layer, below = layer_of(path), layer_of(wanted)
        if below not in LAYERS:
            return "src/%s is in no known layer" % wanted, "add its folder to LAYERS in tools/packing.py"
        if layer and below == "doc":
            return "src/doc is for manifests only", "remove this include"
        if layer and below not in LAYERS.get(layer, ()):
            return "%s must not include %s (%s)" % (layer, below, wanted), \
                   "%s may use %s: move the code, or pass a function pointer down" % (
                       layer, ", ".join(sorted(LAYERS.get(layer, {layer}))))
        if self.base and wanted not in self.base.public and below not in self.own:
            return "%s is not in the public part of %s.h" % (wanted, self.base.name), \
                   "a companion header builds upon what users see: use the public interface, or make it public"
        return None

    def mark(self, path, number, line, mark):
        self.marks_seen.append(mark)
        if mark not in MARKS:
            self.problems.add("src/" + path, number, "unknown mark %s" % mark, "use one of " + ", ".join(MARKS))
        elif mark.startswith("public-"):
            if self.in_public == (mark == "public-begin"):
                self.problems.add("src/" + path, number, "%s twice" % mark, "begin and end the public part once")
            self.in_public = mark == "public-begin"
        elif self.bundle:
            half = self.bundle.head(MARK.sub("", line).rstrip()) if mark == "sqlite-head" else self.bundle.tail()
            self.out.extend(half.rstrip("\n").split("\n"))
        elif mark == "sqlite-head":
            self.emit(path, MARK.sub("", line).rstrip(), True)

    def emit(self, path, line, banner):
        """One line, below a banner that says where it comes from. Blank lines never pile up."""
        if not line and (not self.out or not self.out[-1]):
            return
        if line and self.origin != path:
            if banner:
                if self.out and self.out[-1]:
                    self.out.append("")
                label = path + (", continued" if path in self.bannered else "")
                self.out.append("/* ---- %s %s */" % (label, "-" * (BANNER_WIDTH - len(label))))
            self.origin = path
            self.bannered.add(path)
        self.out.append(line)


def pack_all(tree, bundle=None):
    """[Packer], packed, in the order in which they build upon each other, and {file name: text}."""
    packers, texts = {}, {}
    manifests = tree.manifests()
    if "kecs_store.in.h" not in manifests:
        tree.problems.add("src/kecs_store.in.h", 0, "missing", "restore the manifest")
        return [], {}
    for manifest in manifests:
        name = manifest[:-len(".in.h")]
        base = packers.get(COMPANIONS.get(name, (None,))[0])
        packers[name] = Packer(tree, manifest, base, None if base else bundle)
        texts[name + ".h"] = packers[name].pack()
    reached = {path for packer in packers.values() for path in packer.reached}
    for path in tree.modules():
        if path not in reached:
            tree.problems.add("src/" + path, 1, "no manifest reaches this file",
                              "include it in src/kecs_store.in.h or src/kecs_store_pg.in.h, or delete it")
    return list(packers.values()), texts
