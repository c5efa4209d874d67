#!/usr/bin/env python3
"""amalgamate.py on a tiny tree in a temporary folder: what it joins, what it prints, and what it refuses."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

TREE = {
    "src/kecs_store.in.h": '''/* The manual of a tiny library. */
#include "base/prologue.h"
#ifndef KECS_STORE_H
#define KECS_STORE_H
/* amalgamate: public-begin */
#include "base/config.h"
#include "store/store.h"
#include "gen/api_public.h"
/* amalgamate: public-end */
#endif
#if defined(KECS_STORE_IMPLEMENTATION)
#include "kinds/kinds.h"
#include "store/rows.h"
#include "gen/api.c"
#include "sqlite/sqlite.c"
/* amalgamate: sqlite-tail */
#endif
''',
    "src/kecs_store_pg.in.h": '''#ifndef KECS_STORE_PG_H
#define KECS_STORE_PG_H
#include "pg/pg.h"
#endif
''',
    "src/base/prologue.h": "/* first of all */\n",
    "src/base/config.h": '''#ifndef KECS_BASE_CONFIG_H
#define KECS_BASE_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define KECS_STORE_VERSION_MAJOR 1
#define KECS_STORE_VERSION_MINOR 2
#define KECS_STORE_VERSION_PATCH 3
#define KECS_STORE_VERSION "1.2.3"
#define KECS_STORE_API extern
#endif
''',
    "src/base/types.h": '''#ifndef KECS_BASE_TYPES_H
#define KECS_BASE_TYPES_H
#include "base/config.h"
typedef struct kecs_opt_int {
  int64_t value;
  bool has;
} kecs_opt_int;
#endif
''',
    "src/store/store.h": '''#ifndef KECS_STORE_STORE_H
#define KECS_STORE_STORE_H
#include "gen/kinds_public.h"
typedef struct kecs_store kecs_store;
typedef struct kecs_result kecs_result;
typedef struct kecs_query kecs_query;
typedef enum kecs_status { KECS_OK } kecs_status;
#endif
''',
    "src/store/rows.h": '''#ifndef KECS_STORE_ROWS_H
#define KECS_STORE_ROWS_H
#include "store/store.h"
typedef struct kecs_value {
  const char *text;
  int64_t number;
} kecs_value;
kecs_value kecs__value_text(const char *text);
kecs_value kecs__value_int(int64_t number);
kecs_status kecs__create_many(kecs_store *store, kecs_kind kind, const void *row, size_t count, kecs_result **out);
kecs_status kecs__get(kecs_store *store, kecs_kind kind, const kecs_value *address, int count, kecs_result **out);
kecs_status kecs__get_many(kecs_store *store, kecs_kind kind, const char *const *keys, size_t n, kecs_result **out);
kecs_status kecs__list(kecs_store *store, kecs_kind kind, const kecs_query *query, kecs_result **out);
kecs_status kecs__each(kecs_store *store, kecs_kind kind, const kecs_query *query,
                       kecs_status (*visit)(const void *row, void *user), void *user);
kecs_status kecs__count(kecs_store *store, kecs_kind kind, const kecs_query *query, int64_t *out_count);
kecs_status kecs__update(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask, kecs_result **out);
kecs_status kecs__update_fields(kecs_store *store, kecs_kind kind, const void *row, uint64_t mask, kecs_result **out);
kecs_status kecs__upsert(kecs_store *store, kecs_kind kind, const void *row, kecs_result **out);
kecs_status kecs__upsert_many(kecs_store *store, kecs_kind kind, const void *rows, size_t count, kecs_result **out);
kecs_status kecs__delete(kecs_store *store, kecs_kind kind, const kecs_value *address, int count);
const void *kecs__at(const kecs_result *result, kecs_kind kind, size_t index);
#endif
''',
    "src/sqlite/sqlite3_header.h": '''#ifndef KECS_SQLITE_HEADER_H
#define KECS_SQLITE_HEADER_H
#include <sqlite3.h> /* amalgamate: sqlite-head */
#endif
''',
    "src/sqlite/sqlite.c": '''#include "base/prologue.h"

#include "base/config.h"
#include "sqlite/sqlite3_header.h"

const char *kecs__sqlite(void) { return sqlite3_libversion(); }
''',
    "src/pg/pg.h": '''#ifndef KECS_PG_H
#define KECS_PG_H
#include "store/store.h"
kecs_status kecs_pg(void);
#endif
''',
    "src/kinds/shared.h": '''#define KECS_KEPT_COLUMNS(X, K) \\
  X(K, region, TEXT, KEY, NN | SERVER, "", "kecs.region", "Region.")
''',
    "src/kinds/kinds.h": '''#include "kinds/shared.h"
#include "kinds/box.h"
#include "kinds/note.h"
#define KECS_KINDS(X) \\
  X(1, box, BOX, "boxes", 0) \\
  X(2, note, NOTE, "notes", APPEND)
''',
    "src/kinds/box.h": '''/* kind: box -- a thing to put things in. */
#define KECS_BOX_COLUMNS(X, K) \\
  X(K, arn, TEXT, KEY, NN | SERVER, NONE, "boxArn|box", "Name of all names, \\"arn:...\\".") \\
  X(K, name, TEXT, KEY, NN, NONE, "boxName", "Name.") \\
  X(K, size, OPTI, SPEC, 0, NONE, "size", "Size.") \\
  X(K, namespace, JSON, STATUS, SINCE(2), NONE, "", "A keyword elsewhere.") \\
  X(K, updated_at, TIME, LOCAL, NN | AUTO, NONE, "kecs.updatedAt", "When it changed.") \\
  X(K, version, INT, LOCAL, NN | AUTO, "1", "kecs.version", "How often.") \\
  KECS_KEPT_COLUMNS(X, K)
#define KECS_BOX_KEYS(X, K) \\
  X(K, arn, ALWAYS, arn)
#define KECS_BOX_REFS(X, K)
#define KECS_BOX_INDEXES(X, K) \\
  X(K, name, ALWAYS, name, arn)
#define KECS_BOX_ORDER(X, K) X(K, name)
#define KECS_BOX_ADDRESS(X, K) X(K, name)
''',
    "src/kinds/note.h": '''/* kind: note -- a line about a box. */
#define KECS_NOTE_COLUMNS(X, K) \\
  X(K, box_arn, TEXT, KEY, NN, NONE, "boxArn", "Box.") \\
  X(K, line, INT, KEY, NN, "0", "line", "Line.") \\
  X(K, open, BOOL, KEY, NN, "0", "open", "Whether.")
#define KECS_NOTE_KEYS(X, K) \\
  X(K, natural, ALWAYS, box_arn, line)
#define KECS_NOTE_REFS(X, K) \\
  X(K, box_arn, box, arn, CASCADE)
#define KECS_NOTE_INDEXES(X, K)
#define KECS_NOTE_ORDER(X, K) X(K, line)
#define KECS_NOTE_ADDRESS(X, K) X(K, box_arn, line)
''',
    "README.md": "# Tiny\n<!-- kinds: begin -->\nold\n<!-- kinds: end -->\nend\n",
}

FAKE_SQLITE = '''/* sqlite3.c
#if in a comment
*/
#ifndef SQLITE_AMALGAMATION
#define SQLITE_AMALGAMATION 1
#ifndef SQLITEINT_H
#ifndef SQLITE3_H
#define SQLITE_VERSION "3.99.1"
SQLITE_API const char *sqlite3_libversion(void);
#endif
/************** End of sqlite3.h *********************************************/
#endif
static int unused_variable_of_sqlite = 1;
SQLITE_API const char *sqlite3_libversion(void){ return SQLITE_VERSION; }
#endif
'''


class Tiny:
    """A tree with amalgamate.py in it, gone at the end of the `with` block."""

    def __init__(self, changes=None):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        shutil.copy(str(ROOT / "amalgamate.py"), str(self.root))
        shutil.copytree(str(ROOT / "tools"), str(self.root / "tools"), ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in dict(TREE, **(changes or {})).items():
            if text is not None:
                self.write(name, text)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))

    def read(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def run(self, *args, **environment):
        done = subprocess.run([sys.executable, "amalgamate.py"] + list(args), cwd=str(self.root),
                              env=environment or None, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)
        return done.returncode, done.stdout + done.stderr

    def compiles(self, name, *options):
        command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c", name]
        done = subprocess.run(command + list(options), cwd=str(self.root), stderr=subprocess.PIPE,
                              universal_newlines=True)
        assert done.returncode == 0, done.stderr


def edit(name, old, new):
    assert old in TREE[name], old
    return {name: TREE[name].replace(old, new)}


# ---- what it makes ----------------------------------------------------------------------------------------------

def test_joins():
    with Tiny() as tiny:
        code, output = tiny.run()
        assert code == 0, output
        text = tiny.read("kecs_store.h")
        assert text.startswith("/* kecs_store.h 1.2.3 -- generated"), text[:80]
        assert text.count("#define KECS_BASE_CONFIG_H") == 1
        assert text.count("typedef struct kecs_store kecs_store;") == 1
        assert '#include "' not in text and "amalgamate:" not in text
        assert "#include <sqlite3.h>\n" in text
        assert text.index("/* first of all */") < text.index("KECS_BASE_CONFIG_H")
        assert "/* ---- base/config.h ---" in text
        assert '#include "' not in tiny.read("kecs_store_pg.h")
        assert "kecs_store kecs_store" not in tiny.read("kecs_store_pg.h")
        tiny.compiles("kecs_store.h")
        tiny.write("a.c", '#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n')
        tiny.write("sqlite3.h", "const char *sqlite3_libversion(void);\n")
        tiny.compiles("a.c", "-I.")


def test_runs_again_without_a_change():
    with Tiny() as tiny:
        tiny.run()
        before = (tiny.root / "kecs_store.h").stat().st_mtime_ns
        code, output = tiny.run()
        assert (code, output) == (0, ""), output
        assert (tiny.root / "kecs_store.h").stat().st_mtime_ns == before
        assert tiny.run("--check") == (0, "")
        assert not list(tiny.root.rglob("*.tmp")) and not list(tiny.root.rglob("__pycache__"))


def test_same_bytes_in_another_place():
    with Tiny() as one, Tiny() as two:
        one.run()
        two.run(LC_ALL="C", TZ="Asia/Tokyo", PYTHONHASHSEED="7", HOME="/nowhere")
        for name in ("kecs_store.h", "kecs_store_pg.h", "docs/kinds.md", "src/gen/api.c"):
            assert one.read(name) == two.read(name), name


def test_prints_the_kinds():
    with Tiny() as tiny:
        tiny.run()
        public = tiny.read("src/gen/kinds_public.h")
        for text in ("KECS_KIND_BOX = 1,", "KECS_KIND_COUNT = 3", "  kecs_opt_int size;", "KECS_BOX_REGION,",
                     "KECS_BOX_COLUMN_COUNT\n", "const char *namespace_;", '[key] Name of all names, "arn:...".',
                     "[key] Name. Required.", "  bool open;"):
            assert text in public, text
        api = tiny.read("src/gen/api_public.h")
        assert "kecs_note_get(kecs_store *store, const char *box, int64_t line, kecs_result **out_result);" in api
        assert "kecs_box_upsert" in api and "kecs_note_upsert" not in api and "kecs_note_update" not in api
        body = tiny.read("src/gen/api.c")
        assert "address[] = {kecs__value_text(box), kecs__value_int(line)};" in body
        assert "kecs__update(store, KECS_KIND_BOX, row, UINT64_MAX, out_result)" in body
        page = tiny.read("docs/kinds.md")
        assert "| `arn` | TEXT NOT NULL | key | `boxArn` (`box`) |" in page
        assert "Reference: `box_arn` to [box](#box) `arn`, deleted with it" in page
        readme = tiny.read("README.md")
        assert "old" not in readme and "| `box` | `boxes` |" in readme and readme.endswith("<!-- kinds: end -->\nend\n")
        assert max(len(line) for line in (public + api + body).split("\n")) <= 120


def test_lists_modules():
    with Tiny() as tiny:
        code, output = tiny.run("--list")
        assert code == 0 and "base/config.h  (public)" in output and "sqlite/sqlite.c\n" in output, output
        assert not (tiny.root / "kecs_store.h").exists()


def test_check_names_the_first_difference():
    with Tiny() as tiny:
        tiny.run()
        lines = tiny.read("kecs_store.h").split("\n")
        lines[20] += " /* edited */"
        tiny.write("kecs_store.h", "\n".join(lines))
        code, output = tiny.run("--check")
        assert code == 1 and "kecs_store.h:21: stale or edited" in output, output
        assert "python3 amalgamate.py" in output and "/* edited */" in output
        (tiny.root / "docs" / "kinds.md").unlink()
        assert "docs/kinds.md: missing" in tiny.run("--check")[1]


def test_check_sees_a_changed_kind():
    with Tiny() as tiny:
        tiny.run()
        tiny.write("src/kinds/box.h", TREE["src/kinds/box.h"].replace('"Size."', '"Size in all."'))
        code, output = tiny.run("--check")
        assert code == 1 and "src/gen/kinds_public.h:" in output and "kecs_store.h:" in output, output
        assert "Size in all." not in tiny.read("kecs_store.h")


def test_bundles():
    with Tiny({"sq/sqlite3.c": FAKE_SQLITE}) as tiny:
        tiny.run()
        code, output = tiny.run("--bundle-sqlite", "sq")
        assert code == 0, output
        text = tiny.read("dist/kecs_store.h")
        head, tail = FAKE_SQLITE.split("*/\n#endif\n", 1)
        assert head in text and tail in text
        assert "KECS_STORE_SYSTEM_SQLITE" in text and "SQLITE_THREADSAFE 2" in text
        tiny.run("--bundle-sqlite", "sq", "-o", "two.h")
        assert tiny.read("two.h") == text
        tiny.write("a.c", '#define KECS_STORE_IMPLEMENTATION\n#include "dist/kecs_store.h"\n')
        tiny.compiles("a.c")
        tiny.write("sqlite3.h", "const char *sqlite3_libversion(void);\n")
        tiny.compiles("a.c", "-I.", "-DKECS_STORE_SYSTEM_SQLITE")


# ---- what it refuses: (name, changed files, words that the message has) ---------------------------------------------

BOX, NOTE, KINDS = "src/kinds/box.h", "src/kinds/note.h", "src/kinds/kinds.h"
MANIFEST, CONFIG, STORE = "src/kecs_store.in.h", "src/base/config.h", "src/store/store.h"
CYCLE = dict(edit(CONFIG, "#include <stdbool.h>", '#include "base/types.h"'),
             **edit(MANIFEST, '#include "base/config.h"', '#include "base/types.h"'))

REFUSED = [
    ("missing_include", edit(STORE, "gen/kinds_public.h", "gen/nothing.h"),
     ["src/store/store.h:3: there is no src/gen/nothing.h", "Fix:"]),
    ("missing_manifest", {MANIFEST: None}, ["src/kecs_store.in.h: missing"]),
    ("cycle", CYCLE, ["an include cycle: base/types.h -> base/config.h -> base/types.h"]),
    ("layer", edit(CONFIG, "#include <stdbool.h>", '#include "store/store.h"'), ["base must not include store"]),
    ("orphan", {"src/base/lost.c": "int kecs__lost;\n"}, ["src/base/lost.c:1: no manifest reaches this file"]),
    ("doc_from_a_module", dict(edit(CONFIG, "#include <stdbool.h>", '#include "doc/manual.h"'),
                               **{"src/doc/manual.h": "/* manual */\n"}), ["src/doc is for manifests only"]),
    ("private_in_companion", edit("src/pg/pg.h", "store/store.h", "store/rows.h"),
     ["src/pg/pg.h:3: store/rows.h is not in the public part of kecs_store.h"]),
    ("conditional_include", edit(STORE, '#include "gen/kinds_public.h"',
                                 '#if 1\n#include "gen/kinds_public.h"\n#endif'),
     ["src/store/store.h:4: an include inside a condition"]),
    ("not_ascii", edit(STORE, "typedef struct kecs_query", "/* \u00e4 */\ntypedef struct kecs_query"),
     ["src/store/store.h:6: a character outside ASCII"]),
    ("carriage_return", {STORE: TREE[STORE].replace("\n", "\r\n")}, ["src/store/store.h:1: carriage return"]),
    ("tab", edit(STORE, "typedef enum", "\ttypedef enum"), ["src/store/store.h:7: tab"]),
    ("no_last_newline", {STORE: TREE[STORE][:-1]}, ["src/store/store.h:8: no newline"]),
    ("version", edit(CONFIG, '"1.2.3"', '"1.2.4"'), ["KECS_STORE_VERSION does not agree"]),
    ("unknown_mark", edit(MANIFEST, "sqlite-tail", "sqlite-end"), ["src/kecs_store.in.h:16: unknown mark sqlite-end"]),
    ("public_without_end", edit(MANIFEST, "/* amalgamate: public-end */\n", ""), ["public-begin without public-end"]),
    ("unknown_type", edit(BOX, "size, OPTI", "size, OPTINT"), ["src/kinds/box.h:5: unknown type OPTINT", "use one of"]),
    ("unknown_group", edit(BOX, "OPTI, SPEC", "OPTI, SPECS"), ["src/kinds/box.h:5: unknown group SPECS"]),
    ("unknown_flag", edit(BOX, "NN | AUTO, NONE", "NN | OUTO, NONE"), ["src/kinds/box.h:7: unknown flag OUTO"]),
    ("column_twice", edit(BOX, "X(K, size", "X(K, name"), ["src/kinds/box.h:5: column name is there already"]),
    ("column_twice_by_a_block", edit(BOX, "X(K, size", "X(K, region"),
     ["src/kinds/shared.h:2: column region is there already"]),
    ("member_twice", edit(BOX, '"boxName"', '"box"'), ['src/kinds/box.h:4: JSON member "box" belongs to column arn']),
    ("too_many_columns", edit(BOX, "  KECS_KEPT_COLUMNS", "".join(
        '  X(K, c%d, TEXT, SPEC, 0, NONE, "", "C.") \\\n' % number for number in range(60)) + "  KECS_KEPT_COLUMNS"),
     ["more than 64 columns"]),
    ("keyword", edit(BOX, "X(K, size", "X(K, default"), ["default cannot be a field"]),
    ("default_of_a_nullable", edit(BOX, 'SPEC, 0, NONE, "size"', 'SPEC, 0, "1", "size"'), ["a default without NN"]),
    ("broken_row", edit(BOX, '"size", "Size.") ', '"size", "Size." '), ["src/kinds/box.h:5: cannot read this row"]),
    ("short_row", edit(BOX, ', "Size."', ""), ["src/kinds/box.h:5: this is no column row"]),
    ("unknown_block", edit(BOX, "KECS_KEPT", "KECS_KEEP"), ["src/kinds/box.h:9: KECS_KEEP_COLUMNS is neither"]),
    ("no_version_column", edit(BOX, "X(K, version,", "X(K, edition,"), ["src/kinds/box.h:1: no column version"]),
    ("unknown_key_column", edit(BOX, "X(K, arn, ALWAYS, arn)", "X(K, arn, ALWAYS, urn)"),
     ["src/kinds/box.h:11: kind box has no column urn"]),
    ("unknown_order_column", edit(BOX, "ORDER(X, K) X(K, name)", "ORDER(X, K) X(K, nome)"), ["has no column nome"]),
    ("unknown_condition", edit(BOX, "X(K, arn, ALWAYS", "X(K, arn, OFTEN"), ["unknown condition OFTEN"]),
    ("missing_list", edit(BOX, "KECS_BOX_REFS", "KECS_BOX_REFERENCES"), ["src/kinds/box.h:1: no KECS_BOX_REFS"]),
    ("no_head", edit(BOX, "/* kind: box", "/* kind: bax"), ["src/kinds/box.h:1: the first line"]),
    ("unknown_parent", edit(NOTE, "X(K, box_arn, box,", "X(K, box_arn, bag,"), ["there is no kind bag"]),
    ("parent_later", edit(KINDS, '  X(1, box, BOX, "boxes", 0) \\\n  X(2, note, NOTE, "notes", APPEND)\n',
                          '  X(2, note, NOTE, "notes", APPEND) \\\n  X(1, box, BOX, "boxes", 0)\n'),
     ["src/kinds/note.h:9: kind box is registered later"]),
    ("parent_column_is_no_key", edit(NOTE, "box, arn, CASCADE", "box, name, CASCADE"),
     ["box.name is no key by itself"]),
    ("set_null_not_null", edit(NOTE, "CASCADE", "SET_NULL"), ["SET_NULL on box_arn, which is NOT NULL"]),
    ("index_of_a_key", edit(NOTE, "INDEXES(X, K)", "INDEXES(X, K) X(K, box, ALWAYS, box_arn)"),
     ["key natural already finds by box_arn"]),
    ("index_twice", edit(BOX, "X(K, name, ALWAYS, name, arn)",
                         "X(K, name, ALWAYS, name, arn) X(K, again, WHEN_SET, name, arn)"),
     ["src/kinds/box.h:14: index name has the same columns"]),
    ("number_twice", edit(KINDS, "X(2, note", "X(1, note"), ["src/kinds/kinds.h:6: number 1 is taken by kind box"]),
    ("unknown_kind_flag", edit(KINDS, "APPEND", "APPENDED"), ["unknown flag APPENDED"]),
    ("kind_without_file", edit(KINDS, "X(2, note, NOTE", "X(2, noted, NOTED"), ["there is no src/kinds/noted.h"]),
]


def refuse(changes, words):
    with Tiny(changes) as tiny:
        code, output = tiny.run()
        assert code == 1, "it was accepted"
        assert "Traceback" not in output, output
        for word in words:
            assert word in output, "%r is not in:\n%s" % (word, output)
        if not changes.get(MANIFEST, "") is None:
            assert not (tiny.root / "kecs_store.h").exists()


def test_refuses_a_foreign_sqlite():
    for text, word in ((FAKE_SQLITE.replace("End of sqlite3.h", "End of it"), "exactly one was expected"),
                       (FAKE_SQLITE + "#endif\n", "do not balance"), (None, "there is no such file")):
        with Tiny({"sq/sqlite3.c": text}) as tiny:
            tiny.run()
            code, output = tiny.run("--bundle-sqlite", "sq")
            assert code == 1 and word in output and "Traceback" not in output, output


def main():
    cases = [(name[5:], function) for name, function in sorted(globals().items()) if name.startswith("test_")]
    cases += [("refuses_" + name, lambda changes=changes, words=words: refuse(changes, words))
              for name, changes, words in REFUSED]
    failed = 0
    for name, case in cases:
        try:
            case()
            print("ok amalgamate_%s" % name)
        except AssertionError as error:
            failed += 1
            print("not ok amalgamate_%s %s" % (name, str(error).replace("\n", " | ")[:600]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
