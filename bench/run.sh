#!/bin/sh
# Runs the benchmark, then the comparison with SOCI where SOCI is installed (Debian: libsoci-dev, libboost-dev,
# libsqlite3-dev): our one-file release beside SOCI with the system's SQLite, then both with the system's.
#   bench/run.sh PROGRAM [OPTION...]     from the top folder, as make bench does
set -e
program=$1
shift
"$program" "$@"

small=build/bench-data/small.db
probe='#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sqlite3.h>'
if ! echo "$probe" | "${CXX:-c++}" -std=c++14 -x c++ -fsyntax-only - 2> /dev/null || [ ! -f "$small" ]; then
  echo "SOCI is not installed, so there is no comparison with it"
  exit 0
fi
# build_peers NAME HEADER-FOLDER: each with the SQLite that its header brings; SOCI always with the system's.
build_peers() {
  mkdir -p "build/peers/$1"
  printf '#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n' > "build/peers/$1/kecs_store.c"
  "${CC:-cc}" -std=c99 -O2 -w "-I$2" -c "build/peers/$1/kecs_store.c" -o "build/peers/$1/kecs_store.o"
  "${CXX:-c++}" -std=c++14 -Wall -Wextra -O2 "-I$2" bench/peers.cpp "build/peers/$1/kecs_store.o" \
    -lsoci_sqlite3 -lsoci_core -lsqlite3 -pthread -lm -o "build/peers/$1/peers"
}

if [ -n "$SQLITE_DIR" ]; then
  mkdir -p build/peers/release
  "${PYTHON:-python3}" amalgamate.py --bundle-sqlite "$SQLITE_DIR" -o build/peers/release/kecs_store.h > build/peers/release.log
  build_peers shipped build/peers/release
  build/peers/shipped/peers "$small" "as both are shipped"
fi
build_peers same .
build/peers/same/peers "$small" "on the system's SQLite"
