#!/usr/bin/env python3
"""Warnings and static analysis.

    scripts/lint.py [SQLITE_FOLDER]

Compiles every module and every header below src/ by itself, all warnings being errors, with each compiler that is
there; then runs each analyser that is there: cppcheck over the modules, clang-tidy over the joined header, where it
sees through calls from one module into another. Prints findings, then one line a step; exit code 1 when one failed."""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARNINGS = ("-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wstrict-prototypes -Wmissing-prototypes "
            "-Werror").split()
DEFINES = ["-DKECS_STORE_IMPLEMENTATION", "-DKECS__MODULES"]
POSTGRES = "/usr/include/postgresql"
TIDY = ("clang-analyzer-*", "bugprone-*",
        "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling",  # asks for C11 Annex K
        "-bugprone-easily-swappable-parameters", "-bugprone-reserved-identifier",
        "-bugprone-macro-parentheses",      # X-rows cannot have any
        "-bugprone-narrowing-conversions",  # -Wconversion says it
        "-bugprone-sizeof-expression",      # takes the proofs in kinds/describe.c for mistakes
        "-bugprone-assignment-in-if-condition",
        "-bugprone-not-null-terminated-result",  # memcpy into text builders that terminate later
        "-bugprone-misplaced-widening-cast",     # size_t is 32 bits elsewhere
        "-clang-analyzer-optin.performance.Padding")


def run(command, text=None):
    """(whether it succeeded, what it said)"""
    done = subprocess.run(command, cwd=str(ROOT), input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    return done.returncode == 0, done.stdout


def step(name, commands):
    """Runs (command, standard input) pairs side by side; prints what went wrong, then the verdict."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda pair: run(*pair), commands))
    for good, output in results:
        if not good:
            print(output.rstrip())
    failed = sum(1 for good, _ in results if not good)
    print("%s: %s" % (name, "%d of %d failed" % (failed, len(results)) if failed else "good (%d)" % len(results)),
          flush=True)
    return failed == 0


def sources(pattern, includes):
    """Files below src. What needs a library that is missing is left out, aloud."""
    found = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "src").rglob(pattern))
             if not path.name.endswith(".in.h")]
    if not run(["cc", "-fsyntax-only", "-x", "c", "-"] + includes, "#include <libpq-fe.h>\n")[0]:
        left_out = [path for path in found if path.startswith(("src/pg/", "src/sync/"))]
        if left_out:
            print("libpq is missing: %d files of src/pg and src/sync are left out" % len(left_out))
        found = [path for path in found if path not in left_out]
    return found


def tidy(includes):
    source = ROOT / "build" / "lint.c"
    source.parent.mkdir(exist_ok=True)
    companion = '#define KECS_STORE_PG_IMPLEMENTATION\n#include "kecs_store_pg.h"\n'
    libpq = run(["cc", "-fsyntax-only", "-x", "c", "-"] + includes, "#include <libpq-fe.h>\n")[0]
    source.write_text('#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n' + (companion if libpq else ""))
    return ["clang-tidy", "--quiet", "--warnings-as-errors=*", "--header-filter=.*/kecs_store.*", "--checks=-*," +
            ",".join(TIDY), str(source), "--", "-std=c99", "-I."] + includes


def main():
    includes = ["-Isrc", "-I" + POSTGRES] + ["-I" + folder for folder in sys.argv[1:]]
    modules, headers = sources("*.c", includes), sources("*.h", includes)
    good = True
    for compiler in ("gcc", "clang"):
        if not shutil.which(compiler):
            print("%s is not installed: its warnings were not seen" % compiler)
            continue
        base = [compiler, "-std=c99"] + WARNINGS + includes
        good &= step("modules alone, %s" % compiler,
                     [(base + DEFINES + ["-O1", "-c", "-o", os.devnull, path], None) for path in modules])
        # A header is read twice: it must be whole by itself, and harmless when it comes again.
        good &= step("headers alone, %s" % compiler,
                     [(base + ["-DKECS__MODULES", "-fsyntax-only", "-x", "c", "-"],
                       'extern int kecs__header_alone;\n#include "%s"\n#include "%s"\n' % (path[4:], path[4:]))
                      for path in headers])
    if shutil.which("cppcheck"):
        good &= step("cppcheck", [
            (["cppcheck", "--quiet", "--std=c99", "--error-exitcode=1", "--inline-suppr", "--template=gcc",
              "--enable=warning,portability", "--suppress=missingIncludeSystem", "-D__GNUC__",
              "-DSQLITE_VERSION_NUMBER=3053000", "-DLIBPQ_HAS_PIPELINING", "-Isrc"] + DEFINES + [path], None)
            for path in modules])
    if shutil.which("clang-tidy") and (ROOT / "kecs_store.h").is_file():
        good &= step("clang-tidy", [(tidy(includes), None)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
