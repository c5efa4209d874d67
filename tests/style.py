#!/usr/bin/env python3
"""The style test: what a machine can see, so that reviews can be about design.

    tests/style.py [ROOT]     prints "ok RULE" for each rule that holds; for others "not ok RULE file:line: what; ..." a
                              file that breaks it

Rules: sizes of files, functions and lines; ASCII, no tabs, no trailing blanks; no banned calls; prefixes of file-scope
names; nothing left to do; a comment on every public function."""

import pathlib
import re
import sys

FILE_LINES, FUNCTION_LINES, COLUMNS = 600, 70, 120
PREFIXES = ("kecs_", "KECS_")
FEATURE_MACROS = (
    "_GNU_SOURCE", "_FILE_OFFSET_BITS", "_TIME_BITS", "_POSIX_C_SOURCE", "_DARWIN_C_SOURCE", "WIN32_LEAN_AND_MEAN")
BANNED = {  # call: what to use
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "memcpy with a known length", "strcat": "kecs__text_add",
    "strtok": "strchr or strcspn", "gets": "fgets", "atoi": "strtol, with its errors checked",
    "alloca": "the arena or an array of fixed size",
}
LEFT_OVER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


class Source:
    """A file: its lines, and its code with comments, strings and preprocessor lines blanked, line by line."""

    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.data = path.read_bytes()
        self.text = self.data.decode("utf-8", "replace")
        self.lines = self.text.split("\n")
        self.is_c = path.suffix in (".c", ".h")
        self.generated = self.name.startswith("src/gen/")
        if self.is_c:
            self.code = TOKENS.sub(self.blank, self.text)
            self.plain = re.sub(r"^[ ]*#(?:[^\n]*\\\n)*[^\n]*", lambda match: "\n" * match.group().count("\n"),
                                self.code, flags=re.M)

    @staticmethod
    def blank(match):
        text = match.group()
        return '""' if text[0] == '"' else "' '" if text[0] == "'" else " " + "\n" * text.count("\n")

    def line_of(self, text, at):
        return text.count("\n", 0, at) + 1


class Chunk:
    """A declaration or definition at file scope: the text before its brace or semicolon, and its extent."""

    def __init__(self, head, line, body, end_line, tail):
        self.head, self.line, self.body, self.end_line, self.tail = head, line, body, end_line, tail

    def is_function(self):
        return self.body is not None and self.head.endswith(")") and "=" not in self.head

    def function_name(self):
        match = re.search(r"(\w+)\s*\(", self.head)
        return match.group(1) if match else None


def chunks(source):
    """What stands at file scope, in order."""
    text, at, start = source.plain, 0, 0
    while at < len(text):
        char = text[at]
        if char == ";":
            yield make_chunk(source, text, start, at, None, at)
            start = at + 1
        elif char == "{":
            head_end = at
            at = closing(text, at)
            body = text[head_end:at + 1]
            head = text[start:head_end].strip()
            if re.match(r'extern\s*""$', head):  # extern "C" {: its content is at file scope, too
                at, start = head_end + 1, head_end + 1
                continue
            is_function = head.endswith(")") and "=" not in head
            end = at if is_function else text.find(";", at)
            end = at if end < 0 else end
            yield make_chunk(source, text, start, head_end, body, end)
            at, start = end, end + 1
        elif char == "}":
            start = at + 1
        at += 1


def make_chunk(source, text, start, head_end, body, end):
    head = text[start:head_end]
    # A macro that stands alone, such as KECS_KINDS(KECS__ROW), belongs to no declaration.
    alone = re.match(r"(?:\s*KECS_\w+\((?:[^()]|\([^()]*\))*\)(?=\s*\n))+", head)
    if alone and head[alone.end():].strip():
        start += alone.end()
        head = head[alone.end():]
    first = start + len(head) - len(head.lstrip())
    tail = text[head_end + len(body):end] if body is not None else ""
    return Chunk(head.strip(), source.line_of(text, first), body, source.line_of(text, end), tail.strip())


def closing(text, at):
    """Where the brace at `at` is closed."""
    depth = 0
    while at < len(text):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
        at += 1
    return len(text) - 1


# ---- rules: each yields (line, what) for a source -----------------------------------------------------------------

def file_size(source):
    code = source.name.startswith("src/") and source.is_c and not source.generated
    if (code or source.name.endswith(".py")) and len(source.lines) - 1 > FILE_LINES:
        yield len(source.lines) - 1, "%d lines, at most %d: split it" % (len(source.lines) - 1, FILE_LINES)


def function_size(source):
    if source.is_c and not source.generated and not source.name.startswith("tests/"):
        for chunk in chunks(source):
            length = chunk.end_line - chunk.line + 1
            if chunk.is_function() and length > FUNCTION_LINES:
                yield chunk.line, "%s has %d lines, at most %d" % (chunk.function_name(), length, FUNCTION_LINES)


def line_length(source):
    for number, line in enumerate(source.lines, 1):
        row = source.name.startswith("src/kinds/") and line.startswith("  X(K,")
        if len(line) > COLUMNS and not row:
            yield number, "%d columns, at most %d" % (len(line), COLUMNS)


def characters(source):
    for number, line in enumerate(source.lines, 1):
        if "\t" in line or "\r" in line:
            yield number, "a tab or a carriage return"
        if line != line.rstrip():
            yield number, "trailing blanks"
        if source.name.startswith(("src/", "examples/")) and not line.isascii():
            yield number, "a character outside ASCII"
    if source.data and not source.data.endswith(b"\n"):
        yield len(source.lines), "no newline at the end"


def banned_calls(source):
    if source.is_c and source.name.startswith(("src/", "examples/")):
        for match in re.finditer(r"\b(%s)\s*\(" % "|".join(BANNED), source.code):
            yield source.line_of(source.code, match.start()), "%s: use %s" % (match.group(1), BANNED[match.group(1)])


def left_over(source):
    for number, line in enumerate(source.lines, 1):
        if LEFT_OVER.search(line):
            yield number, "something is left to do"


def names(source):
    if not (source.is_c and source.name.startswith("src/")):
        return
    for line, name in macro_names(source):
        yield line, "macro %s: begin it with KECS_, or #undef it at the end of the file" % name
    for chunk in chunks(source):
        for name in declared(chunk):
            if not name.startswith(PREFIXES):
                yield chunk.line, "%s: names at file scope begin with kecs_, kecs__ or KECS_" % name


def macro_names(source):
    undefined = set(re.findall(r"^[ ]*#[ ]*undef[ ]+(\w+)", source.code, re.M))
    for match in re.finditer(r"^[ ]*#[ ]*define[ ]+(\w+)", source.code, re.M):
        name = match.group(1)
        if not name.startswith(PREFIXES) and name not in undefined and name not in FEATURE_MACROS:
            yield source.line_of(source.code, match.start()), name


def declared(chunk):
    """The names that a chunk brings to file scope."""
    head = chunk.head
    tag = re.match(r"(?:typedef\s+|static\s+|const\s+)*(struct|union|enum)\b\s*(\w*)", head)
    if chunk.is_function():
        yield chunk.function_name()
        return
    if tag and chunk.body is not None and not re.search(r"[=\[]", head):
        if tag.group(2):
            yield tag.group(2)
        if tag.group(1) == "enum":
            for item in chunk.body[1:-1].split(","):
                match = re.match(r"\s*([A-Za-z_]\w*)\s*(?:=|$)", item)
                if match:
                    yield match.group(1)
        for name in re.findall(r"\w+", chunk.tail)[:1]:
            yield name
        return
    head = re.sub(r"\[[^\]]*\]", "", head.split("=")[0]).strip()
    pointer = re.search(r"\(\s*\*\s*(?:const\s+)?(\w+)", head)
    call = re.search(r"(\w+)\s*\(", head)
    if head.startswith("typedef") and pointer:
        yield pointer.group(1)
    elif call and not pointer:
        yield call.group(1)
    elif pointer:
        yield call.group(1) if call and call.start() < pointer.start() else pointer.group(1)
    elif len(re.findall(r"\w+", head)) > 1:
        name = re.findall(r"\w+", head)[-1]
        if not re.match(r"(struct|union|enum)\s+\w+$", head):
            yield name


def public_comments(source):
    """A public prototype has a comment above it, to its right, or above the group that it stands in."""
    if not (source.name.startswith("src/") and source.name.endswith(".h")) or source.generated:
        return
    covered = False
    for number, line in enumerate(source.lines, 1):
        if line.startswith("KECS_STORE_API ") and "(" in line:
            statement = line
            for more in source.lines[number:]:
                if ";" in statement:
                    break
                statement += more
            if not covered and "/*" not in statement.split(";", 1)[1]:
                yield number, "a public function without a comment"
        elif line.rstrip().endswith("*/") and not line.startswith(("/* ----", "#")):
            covered = True
        elif not line.strip():
            covered = False


RULES = (file_size, function_size, line_length, characters, banned_calls, left_over, names, public_comments)
PLACES = ("amalgamate.py", "tools/*.py", "scripts/*", "src/**/*.[ch]", "examples/**/*.[ch]", "bench/**/*.[ch]",
          "bench/**/*.py", "tests/**/*.[ch]", "tests/**/*.py", "tests/**/*.sh")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if len(sys.argv) > 1 else root.parent.parent
    paths = sorted({path for place in PLACES for path in root.glob(place) if path.is_file()})
    sources = [Source(root, path) for path in paths]
    failed = False
    if not any(source.name.startswith("src/") for source in sources):
        print("not ok style there is no source below src/")
        return 1
    for rule in RULES:
        held = True
        for source in sources:
            breaches = ["%s:%d: %s" % (source.name, line, what) for line, what in rule(source)]
            if breaches:
                print("not ok style_%s %s" % (rule.__name__, "; ".join(breaches)))
                held = False
        if held:
            print("ok style_%s" % rule.__name__)
        failed = failed or not held
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
