#!/bin/sh
# Runs the benchmark, then the comparison with SOCI where SOCI is installed (Debian: libsoci-dev, libboost-dev, libsqlite3-dev).
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
mkdir -p build/peers
printf '#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n' > build/peers/kecs_store.c
"${CC:-cc}" -std=c99 -O2 -I. -c build/peers/kecs_store.c -o build/peers/kecs_store.o
"${CXX:-c++}" -std=c++14 -Wall -Wextra -O2 -I. bench/peers.cpp build/peers/kecs_store.o \
  -lsoci_sqlite3 -lsoci_core -lsqlite3 -pthread -lm -o build/peers/peers
build/peers/peers "$small"
