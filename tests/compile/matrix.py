#!/usr/bin/env python3
"""The headers in every way that a user may compile them.

    tests/compile/matrix.py [--full] [-k WORD]

The quick part: declarations and implementation by gcc and clang in the oldest and the newest C, declarations in C++11.
--full, or KECS_FULL=1 in the environment: all standards, static linkage, include orders, the bundled header, the
system's SQLite, 32 bits, big endian and musl. What is not installed is installed when that is allowed; a leg that
cannot run is skipped aloud, and counts as failed when CI=true."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = "tests/compile"
WORK = ROOT / "build" / "matrix"
STRICT = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror".split()
LIBS = ["-pthread", "-lm"]
C_STANDARDS, CPP_STANDARDS = ("c99", "c11", "c17"), ("c++11", "c++14", "c++17", "c++20")


class Missing(Exception):
    """A leg cannot run here."""


def once(function):
    """Legs run side by side: what they share is made once, and waited for."""
    lock, results = threading.Lock(), {}

    def make(*args):
        with lock:
            if args not in results:
                results[args] = function(*args)
            return results[args]

    return make


def run(*command, **options):
    """Runs a command in the repository's root; an assertion fails, with what it said, unless it ends as `expect`."""
    expect = options.pop("expect", 0)
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    output = done.stdout.decode("utf-8", "replace")
    assert (done.returncode == 0) == (expect == 0), "%s: exit code %d\n%s" % (" ".join(words), done.returncode, output)
    return output


@once
def need(what):
    """Makes sure of a tool or library, installing it where that is allowed."""
    done = subprocess.run(["scripts/need.sh", what], cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0


def require(*needs):
    for what in needs:
        if not need(what):
            raise Missing("%s is not installed and could not be" % what)


def require_compiler(compiler):
    if compiler in ("clang", "clang++", "g++"):
        require("clang" if compiler.startswith("clang") else "g++")
    elif not shutil.which(compiler):
        raise Missing("%s is not installed" % compiler)


@once
def sqlite_folder():
    """The amalgamation's folder, or "" when the system's library is built with."""
    text = run(sys.executable, "-B", "scripts/fetch_sqlite.py")
    return re.search(r"^SQLITE_DIR :=[ ]*(.*)$", text, re.M).group(1)


def sqlite_include():
    return ["-I" + sqlite_folder()] if sqlite_folder() else []


@once
def sqlite_libs():
    """What the plain header is linked with: the object that make has built, or one of its own, or the library."""
    if not sqlite_folder():
        return ("-lsqlite3",)
    built = ROOT / "build" / "obj" / "normal" / "sqlite3.o"
    if not built.is_file():
        built = WORK / "sqlite3.o"
        run("cc", "-O0", "-w", "-c", sqlite_folder() + "/sqlite3.c", "-o", built)
    return (str(built),)


@once
def bundled():
    """The folder of the bundled header, made here from the present sources."""
    folder = sqlite_folder()
    if not folder:
        raise Missing("there is no amalgamation to bundle: KECS_SQLITE=system")
    run(sys.executable, "amalgamate.py", "--bundle-sqlite", folder, "-o", WORK / "dist" / "kecs_store.h")
    return "-I%s" % (WORK / "dist")


def write(name, text):
    path = WORK / name
    temporary = WORK / ("%s.%d" % (name, threading.get_ident()))  # another leg may be reading it
    temporary.write_text(text)
    temporary.replace(path)
    return path


IMPLEMENTATION = '#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n'


def headers():
    """The headers that this release has: a placeholder only says that it is one."""
    return [path.name for path in sorted(ROOT.glob("kecs_store*.h")) if "not part of this release" not in
            path.read_text()[:2000]]


# ---- legs: quick ------------------------------------------------------------------------------------------------

def declarations(compiler, standard):
    require_compiler(compiler)
    language = "c++" if "++" in compiler else "c"
    text = "".join('#include "%s"\n' % name for name in headers()) * 2 + "int main(void) { return 0; }\n"
    source = write("decl.%s" % ("cc" if language == "c++" else "c"), text)
    run(compiler, "-std=" + standard, *STRICT, "-I.", "-fsyntax-only", "-x", language, source)


def implementation(compiler, standard, optimize="-O1"):
    require_compiler(compiler)
    run(compiler, "-std=" + standard, *STRICT, optimize, "-I.", *sqlite_include(),
        "-c", write("impl.c", IMPLEMENTATION), "-o", WORK / ("impl-%s-%s.o" % (compiler, standard)))


# ---- legs: the plain header ---------------------------------------------------------------------------------------

def build_and_run(name, command, sources, libs):
    program = WORK / name
    run(*(command + sources + ["-o", program] + libs))
    assert "smoke: " in run(program)
    return program


def two_units(compiler):
    require_compiler(compiler)
    second = write("second.c", '#include "kecs_store.h"\nconst char *second(void);\n'
                               "const char *second(void) { return kecs_version(); }\n")
    build_and_run("two-" + compiler, [compiler, "-std=c99"] + STRICT + ["-I."] + sqlite_include(),
                  [write("impl.c", IMPLEMENTATION), HERE + "/smoke.c", second], list(sqlite_libs()) + LIBS)


def cpp_user(compiler, standard):
    """A C++ program with the implementation in a C file."""
    require_compiler(compiler)
    c_compiler = "clang" if compiler == "clang++" else "gcc"
    implementation_object = WORK / ("cpp-impl-%s.o" % compiler)
    run(c_compiler, "-std=c99", "-I.", *sqlite_include(), "-c", write("impl.c", IMPLEMENTATION),
        "-o", implementation_object)
    user = WORK / ("cpp-user-%s.o" % compiler)
    run(compiler, "-std=" + standard, *STRICT, "-Wno-missing-field-initializers", "-I.", "-x", "c++", "-c",
        HERE + "/smoke.c", "-o", user)
    build_and_run("cpp-" + compiler, [compiler], [user, implementation_object], list(sqlite_libs()) + LIBS)


def static_linkage(compiler):
    require_compiler(compiler)
    text = "#define KECS_STORE_STATIC\n" + IMPLEMENTATION + '#include "tests/compile/smoke.c"\n'
    program = build_and_run("static-" + compiler, [compiler, "-std=c99"] + STRICT + ["-I."] + sqlite_include(),
                            [write("static.c", text)], list(sqlite_libs()) + LIBS)
    exported = [line for line in run("nm", "-g", "--defined-only", program).split("\n") if " kecs" in line]
    assert not exported, "exported: " + exported[0]


def stdio_first(standard):
    source = write("stdio.c", "#include <stdio.h>\n" + IMPLEMENTATION)
    build_and_run("stdio-" + standard, ["gcc", "-std=" + standard] + STRICT + ["-I."] + sqlite_include(),
                  [source, HERE + "/smoke.c"], list(sqlite_libs()) + LIBS)


def stdio_first_strict():
    source = write("stdio.c", "#include <stdio.h>\n" + IMPLEMENTATION)
    command = ["gcc", "-std=c99", "-I."] + sqlite_include() + ["-fsyntax-only", source]
    output = run(*command, expect=1)
    assert "-D_GNU_SOURCE" in output and output.count("error") < 10, output
    run(*(command + ["-D_GNU_SOURCE"]))


def cpp_implementation_is_refused():
    require("g++")
    source = write("impl.c", IMPLEMENTATION)
    output = run("g++", "-I.", *sqlite_include(), "-fsyntax-only", "-x", "c++", source, expect=1)
    assert "compile the implementation as C" in output, output


def included_twice():
    source = write("twice.c", IMPLEMENTATION + '#include "kecs_store.h"\n')
    run("gcc", "-std=c99", *STRICT, "-I.", *sqlite_include(), "-fsyntax-only", source)


def only_our_symbols():
    """Everything that the implementation exports begins with kecs_, never kecs__."""
    path = WORK / "symbols.o"
    run("gcc", "-std=c99", "-I.", *sqlite_include(), "-c", write("impl.c", IMPLEMENTATION), "-o", path)
    listing = run("nm", "-g", "--defined-only", path)
    names = [line.split()[-1] for line in listing.split("\n") if line]
    strange = [name for name in names if not name.startswith("kecs_") or name.startswith("kecs__")]
    assert names and not strange, "exported: " + ", ".join(strange[:5])


def left_out(*switches):
    """A library with parts left out, in a program that would use them."""
    name = "left-out-" + "-".join(switches)
    defines = ["-D" + switch for switch in switches]
    source = write(name + ".c", IMPLEMENTATION)
    program = build_and_run(name, ["gcc", "-std=c99"] + STRICT + defines + ["-I."] + sqlite_include(),
                            [source, HERE + "/cache.c"], list(sqlite_libs()) + LIBS)
    symbols = run("nm", program)
    assert ("kecs__cache_find" in symbols) == ("KECS_STORE_NO_CACHE" not in switches), "the cache's code"


def system_sqlite():
    require("sqlite")
    build_and_run("system", ["gcc", "-std=c99"] + STRICT + ["-I."],
                  [write("impl.c", IMPLEMENTATION), HERE + "/smoke.c"], ["-lsqlite3"] + LIBS)


# ---- legs: the bundled header -------------------------------------------------------------------------------------

def bundle_warnings(compiler, standard, optimize="-O0"):
    require_compiler(compiler)
    run(compiler, "-std=" + standard, *STRICT, optimize, bundled(), "-c", write("impl.c", IMPLEMENTATION),
        "-o", WORK / ("dist-%s-%s%s.o" % (compiler, standard, optimize)))


@once
def bundle_object():
    path = WORK / "dist-impl.o"
    run("gcc", "-std=c99", *STRICT, "-O1", bundled(), "-c", write("impl.c", IMPLEMENTATION), "-o", path)
    return path


def bundle_runs():
    program = build_and_run("bundled", ["gcc", "-std=c99", bundled()], [HERE + "/smoke.c", bundle_object()], LIBS)
    for listing in (run("nm", "-g", bundle_object()), run("nm", "-g", program)):
        assert "sqlite3" not in listing, "a symbol of SQLite is visible"


def bundle_beside_system_sqlite():
    require("sqlite")
    program = WORK / "beside"
    run("gcc", "-std=c99", *STRICT, bundled(), HERE + "/beside.c", bundle_object(), "-o", program, "-lsqlite3", *LIBS)
    run(program)


def bundle_switched_to_system_sqlite():
    require("sqlite")
    implementation_object = WORK / "dist-system.o"
    run("gcc", "-std=c99", *STRICT, "-DKECS_STORE_SYSTEM_SQLITE", bundled(), "-c", write("impl.c", IMPLEMENTATION),
        "-o", implementation_object)
    listing = run("nm", implementation_object)
    assert " U sqlite3_open_v2" in listing and " t sqlite3" not in listing, "SQLite is inside"
    build_and_run("bundled-system", ["gcc", "-std=c99", bundled()], [HERE + "/smoke.c", implementation_object],
                  ["-lsqlite3"] + LIBS)


def stdio_first_bundle():
    source = write("stdio.c", "#include <stdio.h>\n" + IMPLEMENTATION)
    build_and_run("bundled-stdio", ["gcc", "-std=gnu99", bundled()], [source, HERE + "/smoke.c"], LIBS)


def elsewhere(what, compiler, runner):
    """Another machine or C library: bundled, strict, static, run."""
    require(what)
    program = WORK / what
    run(compiler, "-std=c99", *STRICT, "-O1", "-static", bundled(), write("impl.c", IMPLEMENTATION), HERE + "/smoke.c",
        "-o", program, *LIBS)
    assert "smoke: " in run(*(runner + [program]))


# ---- legs: what `make install` installs ---------------------------------------------------------------------------

@once
def installed():
    prefix = WORK / "prefix"
    shutil.rmtree(str(prefix), ignore_errors=True)
    run("make", "install", "PREFIX=%s" % prefix, "DESTDIR=")
    return prefix


def pkg_config():
    require("sqlite", "pkg-config")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(installed() / "share" / "pkgconfig"))
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "kecs"], env=environment, stdout=subprocess.PIPE,
                           check=True, universal_newlines=True).stdout.split()
    build_and_run("by-pkg-config", ["gcc", "-std=gnu99"], [write("impl.c", IMPLEMENTATION), HERE + "/smoke.c"], flags)


def cmake():
    require("sqlite", "cmake")
    folder = WORK / "cmake"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.14)\nproject(smoke C)\nfind_package(kecs_store 0.1 REQUIRED)\n"
        "add_executable(smoke %s/smoke.c)\ntarget_link_libraries(smoke kecs_store::library)\n" % (ROOT / HERE))
    run("cmake", "-S", folder, "-B", folder / "build", "-DCMAKE_PREFIX_PATH=%s" % installed())
    run("cmake", "--build", folder / "build")
    assert "smoke: " in run(folder / "build" / "smoke")


# ---- the matrix -----------------------------------------------------------------------------------------------------

def legs(full):
    """(name, function, arguments)"""
    for compiler in ("gcc", "clang"):
        for standard in C_STANDARDS if full else ("c99", "c17"):
            yield "declarations_%s_%s" % (compiler, standard), declarations, (compiler, standard)
        for standard in ("c99", "gnu99", "c11", "c17") if full else ("c99", "c17"):
            yield "implementation_%s_%s" % (compiler, standard), implementation, (compiler, standard)
    for compiler in ("g++", "clang++"):
        for standard in CPP_STANDARDS if full else ("c++11",):
            yield "declarations_%s_%s" % (compiler, standard), declarations, (compiler, standard)
    yield "cpp_implementation_is_refused", cpp_implementation_is_refused, ()
    yield "stdio_first_strict", stdio_first_strict, ()
    yield "included_twice", included_twice, ()
    yield "only_our_symbols", only_our_symbols, ()
    yield "no_cache", left_out, ("KECS_STORE_NO_CACHE",)
    yield "no_threads", left_out, ("KECS_STORE_NO_THREADS",)
    yield "no_cache_no_threads", left_out, ("KECS_STORE_NO_CACHE", "KECS_STORE_NO_THREADS")
    if full:
        yield from full_legs()


def full_legs():
    for compiler in ("gcc", "clang"):
        yield "two_units_" + compiler, two_units, (compiler,)
        yield "static_" + compiler, static_linkage, (compiler,)
        yield "bundle_%s_o2" % compiler, bundle_warnings, (compiler, "c99", "-O2")
        for standard in ("c99", "gnu99", "c11", "c17"):
            yield "bundle_%s_%s" % (compiler, standard), bundle_warnings, (compiler, standard)
    yield "cpp_user_g++", cpp_user, ("g++", "c++11")
    yield "cpp_user_clang++", cpp_user, ("clang++", "c++17")
    yield "stdio_first_gnu99", stdio_first, ("gnu99",)
    yield "stdio_first_gnu17", stdio_first, ("gnu17",)
    yield "system_sqlite", system_sqlite, ()
    yield "bundle_runs", bundle_runs, ()
    yield "bundle_beside_system_sqlite", bundle_beside_system_sqlite, ()
    yield "bundle_switched_to_system_sqlite", bundle_switched_to_system_sqlite, ()
    yield "bundle_stdio_first_gnu99", stdio_first_bundle, ()
    yield "pkg_config", pkg_config, ()
    yield "cmake", cmake, ()
    yield "musl", elsewhere, ("musl", "musl-gcc", [])
    yield "arm_32_bit", elsewhere, ("arm", "arm-linux-gnueabihf-gcc", ["qemu-arm"])
    yield "s390x_big_endian", elsewhere, ("s390x", "s390x-linux-gnu-gcc", ["qemu-s390x"])


def report(leg):
    """Runs a leg; what to print, and whether it failed."""
    name, function, arguments = leg
    try:
        function(*arguments)
        return "ok compile_" + name, False
    except Missing as missing:
        if os.environ.get("CI") == "true":
            return "not ok compile_%s NOT TESTED: %s" % (name, missing), True
        return "ok compile_%s # SKIP NOT TESTED: %s" % (name, missing), False
    except (AssertionError, subprocess.SubprocessError, OSError) as error:
        lines = str(error).strip().split("\n")
        first = next((line for line in lines if re.search(r"error:|undefined reference", line)), lines[-1])
        return "# %s\nnot ok compile_%s %s" % ("\n# ".join(lines[:16]), name, first[:300]), True


def main():
    parser = argparse.ArgumentParser(description="Compiles the headers in every way.")
    parser.add_argument("--full", action="store_true", default=bool(os.environ.get("KECS_FULL")))
    parser.add_argument("-k", default="", help="only legs with this in their name")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    chosen = [leg for leg in legs(args.full) if args.k in leg[0]]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for text, bad in pool.map(report, chosen):
            print(text, flush=True)
            failed = failed or bad
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
