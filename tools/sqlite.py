"""SQLite's amalgamation, cut in two for the one-file release.

sqlite3.c holds sqlite3.h near its beginning. Its text up to there (the head) goes where our modules want to include
<sqlite3.h>; the rest (the tail) goes to the end of the file, so that our code never sees the thousands of short macro
and type names that SQLite's body defines. Not a byte of either half is changed. The cut leaves conditionals open:
they are closed after the head and opened again before the tail."""

import re

from tools.problems import Failed

MARKER = "/************** End of sqlite3.h "
OPTIONS = (
    ("SQLITE_THREADSAFE", "2", "the store locks; connections are opened NOMUTEX"),
    ("SQLITE_DQS", "0", "a mistyped name is an error, not a text"),
    ("SQLITE_DEFAULT_MEMSTATUS", "0", "no counters behind a lock"),
    ("SQLITE_DEFAULT_WAL_SYNCHRONOUS", "1", "NORMAL; durability FULL sets it per connection"),
    ("SQLITE_LIKE_DOESNT_MATCH_BLOBS", "1", ""),
    ("SQLITE_OMIT_DEPRECATED", "1", ""),
    ("SQLITE_OMIT_LOAD_EXTENSION", "1", "no code from outside, no -ldl"),
    ("HAVE_MREMAP", "0", "its declaration depends on the order of system headers"),
)
# Warnings that SQLite's own text gives. Only its halves are exempt, but for unused functions: compilers report
# those at the end of the file.
QUIET = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wfloat-conversion", "-Wshadow",
         "-Wcast-align", "-Wcast-qual", "-Wundef")
QUIET_TO_THE_END = ("-Wunused-function",)


class Bundle:
    def __init__(self, folder):
        path = folder / "sqlite3.c"
        if not path.is_file():
            raise Failed("%s: there is no such file.\n    Fix: name a folder that holds SQLite's amalgamation; "
                         "scripts/fetch_sqlite.py prints one." % path)
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        if text.count(MARKER) != 1:
            raise Failed("%s: %d lines begin with \"%s\", exactly one was expected.\n    Fix: this is no amalgamation "
                         "that can be cut; use the pinned one (scripts/fetch_sqlite.py)."
                         % (path, text.count(MARKER), MARKER))
        cut = text.index("\n", text.index(MARKER)) + 1
        self.first, self.second = text[:cut], text[cut:]
        self.open = open_conditionals(self.first)
        if open_conditionals(self.second) != -self.open or self.open < 0:
            raise Failed("%s: the conditionals around the cut do not balance.\n    Fix: use the pinned amalgamation "
                         "(scripts/fetch_sqlite.py)." % path)
        version = re.search(r'^#define SQLITE_VERSION\s+"([0-9.]+)"', self.first, re.M)
        self.version = version.group(1) if version else "unknown"

    def head(self, include):
        """What replaces `include`, the line that the plain header keeps."""
        lines = ["#if defined(KECS_STORE_SYSTEM_SQLITE)", include, "#else",
                 "/* SQLite %s, first part: bundled, every symbol static. */" % self.version,
                 "#define KECS__SQLITE_BUNDLED 1", "#define SQLITE_API static", "#define SQLITE_EXTERN"]
        for name, value, why in OPTIONS:
            lines += ["#ifndef " + name, "#define %s %s%s" % (name, value, " /* %s */" % why if why else ""), "#endif"]
        return "\n".join(lines) + "\n" + self.quiet(QUIET + QUIET_TO_THE_END) + self.first + (
            "#endif\n" * self.open + self.loud() + ignore(QUIET_TO_THE_END) + "#endif /* KECS_STORE_SYSTEM_SQLITE */\n")

    def tail(self):
        return ("#if defined(KECS__SQLITE_BUNDLED)\n/* SQLite %s, second part. */\n" % self.version +
                self.quiet(QUIET + QUIET_TO_THE_END) + "#if 1\n" * self.open + self.second + self.loud() +
                "#endif /* KECS__SQLITE_BUNDLED */\n")

    @staticmethod
    def quiet(warnings):
        return "#if defined(__GNUC__)\n#pragma GCC diagnostic push\n#endif\n" + ignore(warnings)

    @staticmethod
    def loud():
        return "#if defined(__GNUC__)\n#pragma GCC diagnostic pop\n#endif\n"


def ignore(warnings):
    lines = ['#pragma GCC diagnostic ignored "%s"' % warning for warning in warnings]
    return "#if defined(__GNUC__)\n" + "\n".join(lines) + "\n#endif\n"


LEXEMES = re.compile(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


def open_conditionals(text):
    """How many #if are not ended in `text`; what stands in comments does not count."""
    code = LEXEMES.sub(lambda match: " " if match.group().startswith("/*") else match.group(), text)
    words = re.findall(r"^[ ]*#[ ]*(if|endif)", code, re.M)
    return words.count("if") - words.count("endif")
