"""Reads the kinds: the registry src/kinds/kinds.h, the shared blocks in src/kinds/shared.h, one file per kind.

The files are C: the compiler reads the same rows. Here a row must stand on one line of source, which keeps this
reader small and its messages exact."""

import re

from tools.problems import read_source

TYPES = {  # type -> C type of the struct's field
    "TEXT": "const char *",
    "JSON": "const char *",
    "INT": "int64_t ",
    "RANK": "int64_t ",
    "OPTI": "kecs_opt_int ",
    "BOOL": "bool ",
    "TIME": "int64_t ",
}
GROUPS = ("KEY", "SPEC", "STATUS", "LOCAL")
FLAGS = ("NN", "SERVER", "AUTO")
KIND_FLAGS = ("APPEND", "PLAIN")
CONDITIONS = ("ALWAYS", "WHEN_SET")
ACTIONS = ("CASCADE", "SET_NULL")
COLUMNS_MAX = 64  # the bits of a mask
LIST_MAX = 5      # KECS_KEY_COLUMNS_MAX in kinds/describe.h
LISTS = ("COLUMNS", "KEYS", "REFS", "INDEXES", "ORDER", "ADDRESS")

C_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "bool true false nullptr constexpr typeof alignas alignof thread_local static_assert asm".split())
CPP_KEYWORDS = frozenset(
    "and bitand bitor catch class compl concept const_cast decltype delete dynamic_cast explicit export friend "
    "mutable namespace new noexcept not operator or private protected public reinterpret_cast requires "
    "static_cast template this throw try typeid typename using virtual wchar_t xor".split())
FOREIGN_MACROS = frozenset("errno linux unix i386 major minor makedev stdin stdout stderr assert EOF NULL".split())


class Column:
    def __init__(self, path, line, args):
        self.path, self.line = path, line
        self.name, self.type, self.group = args[0], args[1], args[2]
        self.flags = [flag.strip() for flag in args[3].split("|") if flag.strip() != "0"]
        self.default = None if args[4] == "NONE" else unquote(args[4])
        self.json = [name for name in unquote(args[5]).split("|") if name]
        self.meaning = unquote(args[6])

    def has(self, flag):
        return flag in self.flags

    @property
    def required(self):
        """Whether create must be given it."""
        return self.has("NN") and self.default is None and not self.has("SERVER") and not self.has("AUTO")


class Row:
    """A row of any other list: what the text gives, in order."""

    def __init__(self, path, line, args):
        self.path, self.line, self.args = path, line, args


class Kind:
    def __init__(self, number, name, upper, table, flags, line):
        self.number, self.name, self.upper, self.table = number, name, upper, table
        self.flags, self.line = flags, line
        self.path, self.sentence = "src/kinds/%s.h" % name, ""
        self.columns, self.keys, self.refs, self.indexes, self.order, self.address = [], [], [], [], [], []

    def has(self, flag):
        return flag in self.flags

    def column(self, name):
        return next((column for column in self.columns if column.name == name), None)


def unquote(text):
    """A C string literal's value; other text as it is. Only the escapes \\" and \\\\ are used in kind files."""
    if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def split_args(text, at):
    """Arguments of the call whose "(" is at text[at]; (None, at) when it does not end in this text."""
    args, depth, start, i = [], 0, at + 1, at
    while i < len(text):
        char = text[i]
        if char == '"':
            i += 1
            while i < len(text) and text[i] != '"':
                i += 2 if text[i] == "\\" else 1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                args.append(text[start:i].strip())
                return args, i + 1
        elif char == "," and depth == 1:
            args.append(text[start:i].strip())
            start = i + 1
        i += 1
    return None, at


CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\(")
DEFINE = re.compile(r"#define\s+(KECS_[A-Z0-9_]+)\(([^)]*)\)(.*)$")


def read_macros(text, shown, problems):
    """{macro name: [(line, called name, args)]} of all function-like KECS_ macros of a file, and their lines."""
    macros, lines = {}, {}
    name, body = None, False
    for number, line in enumerate(text.split("\n"), 1):
        rest = line
        if not body:
            match = DEFINE.match(line)
            if not match:
                continue
            name, rest = match.group(1), match.group(3)
            if name in macros:
                problems.add(shown, number, "%s is defined twice" % name, "keep one")
            macros[name], lines[name] = [], number
        body = rest.endswith("\\")
        rest = re.sub(r"/\*.*?\*/", "", rest.rstrip("\\")).strip() if '"' not in rest else rest.rstrip("\\").strip()
        at = 0
        while at < len(rest):
            match = CALL.match(rest, at)
            args, end = split_args(rest, match.end() - 1) if match else (None, at)
            if args is None:
                problems.add(shown, number, "cannot read this row of %s" % name,
                             "write each row as X(...) on one line, with a backslash at its end while rows follow")
                break
            macros[name].append((number, match.group(1), args))
            at = end
            while at < len(rest) and rest[at] == " ":
                at += 1
    return macros, lines


class Reader:
    """Reads and lints all kinds below `src`."""

    def __init__(self, src, problems):
        self.folder, self.problems = src / "kinds", problems
        self.shared = {}

    def read(self):
        registry = self.folder / "kinds.h"
        if not registry.is_file():
            self.problems.add("src/kinds/kinds.h", 0, "missing", "restore the registry of kinds")
            return []
        if (self.folder / "shared.h").is_file():
            self.shared, _ = self.macros("shared.h")
        kinds = self.read_registry()
        for kind in kinds:
            self.read_kind(kind)
        self.problems.stop_if_any()
        for position, kind in enumerate(kinds):
            Lint(kind, kinds[:position + 1], kinds, self.problems).run()
        self.lint_names(kinds)
        return kinds

    def macros(self, name):
        shown = "src/kinds/" + name
        return read_macros(read_source(self.folder / name, shown, self.problems), shown, self.problems)

    def read_registry(self):
        shown, kinds = "src/kinds/kinds.h", []
        macros, _ = self.macros("kinds.h")
        if not macros.get("KECS_KINDS"):
            self.problems.add(shown, 0, "no rows in KECS_KINDS(X)", 'write X(1, cluster, CLUSTER, "clusters", 0)')
        for line, _, args in macros.get("KECS_KINDS", []):
            if len(args) not in (4, 5) or not args[0].isdigit():
                self.problems.add(shown, line, "this is no row of KECS_KINDS",
                                  'write X(number, name, UPPER, "table", flags)')
                continue
            flags = [flag.strip() for flag in (args[4] if len(args) == 5 else "0").split("|")]
            flags = [flag for flag in flags if flag != "0"]
            kind = Kind(int(args[0]), args[1], args[2], unquote(args[3]), flags, line)
            self.lint_registry_row(shown, kind, kinds)
            kinds.append(kind)
        return kinds

    def lint_registry_row(self, shown, kind, before):
        add = self.problems.add
        if kind.upper != kind.name.upper():
            add(shown, kind.line, "%s is not %s in capitals" % (kind.upper, kind.name), "make the two names agree")
        for flag in kind.flags:
            if flag not in KIND_FLAGS:
                add(shown, kind.line, "unknown flag %s" % flag, "use 0 or a sum of " + ", ".join(KIND_FLAGS))
        for other in before:
            for what in ("number", "name", "table"):
                if getattr(kind, what) == getattr(other, what):
                    add(shown, kind.line, "%s %s is taken by kind %s" % (what, getattr(kind, what), other.name),
                        "choose another one")
        if not (self.folder / (kind.name + ".h")).is_file():
            add(shown, kind.line, "there is no src/kinds/%s.h" % kind.name, "write it, or remove this row")

    def read_kind(self, kind):
        path = self.folder / (kind.name + ".h")
        if not path.is_file():
            return
        text = read_source(path, kind.path, self.problems)
        head = re.match(r"/\* kind: (\w+) -- (.+?)(?:\s*\*/|\n)", text)
        if not head or head.group(1) != kind.name:
            self.problems.add(kind.path, 1, "the first line does not say what the kind is",
                              "begin the file with /* kind: %s -- one sentence. */" % kind.name)
        else:
            kind.sentence = head.group(2)
        macros, lines = read_macros(text, kind.path, self.problems)
        for name in LISTS:
            full = "KECS_%s_%s" % (kind.upper, name)
            if full not in macros:
                self.problems.add(kind.path, 1, "no %s" % full, "define it (it may be empty)")
            rows = self.expand(kind.path, macros.get(full, []))
            if name == "COLUMNS":
                kind.columns = [column for column in map(self.make_column, rows) if column]
            else:
                setattr(kind, name.lower(), [Row(path, line, args[1:]) for path, line, args in rows])
        for name in macros:
            if name.startswith("KECS_%s_" % kind.upper) and name[len(kind.upper) + 6:] not in LISTS:
                if name.endswith(LISTS):
                    self.problems.add(kind.path, lines[name], "%s is not read by anything" % name, "remove it")

    def expand(self, shown, calls):
        """Rows as (file, line, args), with shared blocks put in place."""
        rows = []
        for line, called, args in calls:
            if called == "X":
                rows.append((shown, line, args))
            elif called in self.shared:
                rows.extend(("src/kinds/shared.h", at, inner) for at, _, inner in self.shared[called])
            else:
                self.problems.add(shown, line, "%s is neither X nor a block of src/kinds/shared.h" % called,
                                  "write X(K, ...), or define the block there")
        return rows

    def make_column(self, row):
        path, line, args = row
        if len(args) != 8 or args[0] != "K" or not all(text.startswith('"') for text in args[6:]):
            self.problems.add(path, line, "this is no column row",
                              'write X(K, name, TYPE, GROUP, FLAGS, DEFAULT, "json", "meaning")')
            return None
        return Column(path, line, args[1:])

    def lint_names(self, kinds):
        """Everything printed has one namespace: no two names may meet."""
        seen = {}
        for kind in kinds:
            names = ["KECS_%s_%s" % (kind.upper, column.name.upper()) for column in kind.columns]
            names += ["KECS_%s_COLUMN_COUNT" % kind.upper, "kecs_" + kind.name]
            for name in names:
                if name in seen and seen[name] is not kind:
                    self.problems.add(kind.path, 1, "%s is also made by kind %s" % (name, seen[name].name),
                                      "rename the column or the kind")
                seen[name] = kind


class Lint:
    """What must hold for one kind."""

    def __init__(self, kind, known, registered, problems):
        self.kind, self.known, self.registered, self.problems = kind, known, registered, problems

    def run(self):
        self.columns()
        self.columns_of("keys", 2, CONDITIONS)
        self.columns_of("indexes", 2, CONDITIONS)
        self.columns_of("order", 0, ())
        self.columns_of("address", 0, ())
        self.refs()
        self.indexes()
        if not self.kind.keys:
            self.add(self.kind, "no key", "the first row of KECS_%s_KEYS is the natural key" % self.kind.upper, 1)
        if not self.kind.address or not self.kind.address[0].args:
            self.add(self.kind, "no address", "name at least one column in KECS_%s_ADDRESS" % self.kind.upper, 1)
        for name in ("version", "updated_at"):
            if not self.kind.flags and not self.kind.column(name):
                self.add(self.kind, "no column %s" % name,
                         "add it, or register the kind with the flag PLAIN or APPEND", 1)

    def add(self, row, what, fix, line=None):
        self.problems.add(row.path, line or row.line, what, fix)

    def columns(self):
        seen, members = {}, {}
        if len(self.kind.columns) > COLUMNS_MAX:
            self.add(self.kind.columns[COLUMNS_MAX], "more than %d columns" % COLUMNS_MAX,
                     "a mask has 64 bits: keep rare members in a JSON column", None)
        for column in self.kind.columns:
            self.column(column)
            if column.name in seen:
                self.add(column, "column %s is there already" % column.name, "rename or remove one")
            seen[column.name] = column
            for name in column.json:
                if name in members:
                    self.add(column, 'JSON member "%s" belongs to column %s already' % (name, members[name]),
                             "give each column its own member")
                members[name] = column.name

    def column(self, column):
        if column.type not in TYPES:
            self.add(column, "unknown type %s" % column.type, "use one of " + ", ".join(TYPES))
        if column.group not in GROUPS:
            self.add(column, "unknown group %s" % column.group, "use one of " + ", ".join(GROUPS))
        for flag in column.flags:
            if flag not in FLAGS and not re.fullmatch(r"SINCE\([1-9][0-9]*\)", flag):
                self.add(column, "unknown flag %s" % flag, "use 0 or a sum of %s, SINCE(n)" % ", ".join(FLAGS))
        if not re.fullmatch(r"[a-z][a-z0-9_]*", column.name):
            self.add(column, "%s is no column name" % column.name, "use lower-case letters, digits and _")
        if column.name in C_KEYWORDS or column.name in FOREIGN_MACROS or column.name == "column_count":
            self.add(column, "%s cannot be a field of a C struct everywhere" % column.name, "rename it")
        if not column.meaning or "*/" in column.meaning or "/*" in column.meaning:
            self.add(column, "the meaning is empty or holds a comment mark", "say in one phrase what it holds")
        if column.default is not None and not column.has("NN"):
            self.add(column, "a default without NN", "add NN, or write NONE: a nullable column starts as NULL")

    def columns_of(self, what, fixed, conditions):
        """Rows that name columns from argument `fixed` on (name and condition come before, when there are any)."""
        names = set()
        for row in getattr(self.kind, what):
            if fixed and len(row.args) >= fixed:
                if row.args[0] in names:
                    self.add(row, "%s is there already" % row.args[0], "give it another name")
                names.add(row.args[0])
                if row.args[1] not in conditions:
                    self.add(row, "unknown condition %s" % row.args[1], "use one of " + ", ".join(conditions))
            if len(row.args) <= fixed and not (what == "order" and row.args == []):
                self.add(row, "this row names no column", "list at least one")
            if len(row.args) - fixed > LIST_MAX:
                self.add(row, "more than %d columns" % LIST_MAX,
                         "shorten the list, or raise KECS_KEY_COLUMNS_MAX and LIST_MAX")
            for name in row.args[fixed:]:
                if not self.kind.column(name):
                    self.add(row, "kind %s has no column %s" % (self.kind.name, name), "name one of its columns")

    def refs(self):
        for row in self.kind.refs:
            if len(row.args) != 4:
                self.add(row, "this is no reference", "write X(K, column, parent kind, parent's column, ACTION)")
                continue
            column, parent, target, action = row.args
            if not self.kind.column(column):
                self.add(row, "kind %s has no column %s" % (self.kind.name, column), "name one of its columns")
            elif action == "SET_NULL" and self.kind.column(column).has("NN"):
                self.add(row, "SET_NULL on %s, which is NOT NULL" % column, "drop NN from the column, or CASCADE")
            if action not in ACTIONS:
                self.add(row, "unknown action %s" % action, "use one of " + ", ".join(ACTIONS))
            found = next((kind for kind in self.registered if kind.name == parent), None)
            if not found:
                self.add(row, "there is no kind %s" % parent, "name a kind of src/kinds/kinds.h")
            elif found not in self.known:
                self.add(row, "kind %s is registered later" % parent, "register parents before children")
            elif not any(key.args[1:] == ["ALWAYS", target] for key in found.keys):
                self.add(row, "%s.%s is no key by itself" % (parent, target),
                         "refer to a column that is a key of the parent, ALWAYS and alone")

    def indexes(self):
        for position, row in enumerate(self.kind.indexes):
            condition, columns = row.args[1], row.args[2:]
            for key in self.kind.keys:
                if key.args[1] in ("ALWAYS", condition) and key.args[2:][:len(columns)] == columns:
                    self.add(row, "key %s already finds by %s" % (key.args[0], ", ".join(columns)),
                             "remove this index")
            for other in self.kind.indexes[:position]:
                if other.args[2:] == columns:
                    self.add(row, "index %s has the same columns" % other.args[0], "remove one")
