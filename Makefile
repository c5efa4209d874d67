# make            the headers, the command-line companion build/kecs and the examples
# make run        the demonstration (DATA=... is handed to it)
# make run-sync   two edges and a hub on one terminal: the link is cut, both are edited, the conflict is decided
# make test       everything that runs in minutes; ends with "N passed, N failed"; ONLY=word runs what has it in its name
# make test-full  also every compiler, standard and architecture, and every version of PostgreSQL
# make sim        the simulation of sync: 2000 seeds on a model of a hub, 50 on PostgreSQL; SEED=n: that one, step by step;
#                 MANY=n: so many others
# make test-tsan  the contract tests under the thread sanitizer
# make check      generated files up to date, style, warnings, static analysis
# make bench      the benchmark; make bench-pg  that of PostgreSQL; make bench-sync  that of sync
# make dist       dist/kecs_store.h with SQLite inside
# make install    PREFIX=/usr/local, DESTDIR=; the scripts for PostgreSQL go to PREFIX/share/kecs_store/postgresql
# make clean      build/ but for what was fetched; make distclean: all that is not source
#
# KECS_SQLITE=system or KECS_SQLITE=FOLDER chooses the SQLite; see scripts/fetch_sqlite.py.

# ---- Settings ------------------------------------------------------------------------------------------------

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
DESTDIR ?=
DATA ?=
ONLY ?=
PYTHON ?= python3

STD := -std=c99
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
LIBS := -pthread -lm

# Each flavour has its own flags, for our code and for SQLite. Undefined-behaviour checks are for our code alone.
FLAGS_normal := $(CFLAGS)
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
# Without all that can be left out.
FLAGS_small := -Os -g -DKECS_STORE_NO_MEANINGS -DKECS_STORE_NO_VALIDATION -DKECS_STORE_NO_IMPORT \
               -DKECS_STORE_NO_HISTORY -DKECS_STORE_NO_CACHE -DKECS_STORE_NO_WATCH -DKECS_STORE_SQLITE_ONLY
SQLITE_FLAGS_normal := $(CFLAGS)
SQLITE_FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address
SQLITE_FLAGS_tsan := $(FLAGS_tsan)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all run run-sync tests test test-full test-tsan sim check bench bench-pg bench-sync dist install clean distclean help

# ---- What is there -------------------------------------------------------------------------------------------

# Every file below the folders $1 that matches the patterns $2.
files = $(foreach folder,$1,$(foreach entry,$(wildcard $(folder)/*),$(call files,$(entry),$2) $(filter $2,$(entry))))

SOURCES := $(call files,src,%.c %.h)
MODULES := $(filter %.c,$(SOURCES))
CORE := $(filter-out src/pg/% src/sync/%,$(MODULES))
HEADERS := $(patsubst src/%.in.h,%.h,$(wildcard src/*.in.h))
EXAMPLES := $(patsubst examples/%.c,build/examples/%,$(filter-out examples/kecs.c examples/run.c,$(wildcard examples/*.c))) \
            $(if $(shell command -v $(CXX)),$(patsubst examples/cpp/%.cpp,build/examples/%,$(wildcard examples/cpp/*.cpp)))
PROGRAMS := $(patsubst examples/kecs.c,build/kecs,$(wildcard examples/kecs.c)) \
            $(patsubst examples/run.c,build/kecs-demo,$(wildcard examples/run.c))

# ---- SQLite --------------------------------------------------------------------------------------------------

# Make builds an included file first, once, and starts anew; so nothing is fetched twice, whatever -j says.
SQLITE_MK := build/sqlite-$(if $(KECS_SQLITE),$(subst /,_,$(KECS_SQLITE)),auto).mk
export KECS_SQLITE

NEEDS_SQLITE := $(filter-out clean distclean help,$(or $(MAKECMDGOALS),all))
ifneq ($(NEEDS_SQLITE),)
include $(SQLITE_MK)
endif

$(SQLITE_MK): scripts/fetch_sqlite.py tools/sqlite.py
	@$(PYTHON) scripts/fetch_sqlite.py -o $@

SQLITE_INCLUDE := $(if $(SQLITE_DIR),-I$(SQLITE_DIR))
LIBS += $(if $(SQLITE_DIR),,-lsqlite3)
sqlite_object = $(if $(SQLITE_DIR),build/obj/$1/sqlite3.o)

build/obj/%/sqlite3.o: $(SQLITE_MK)
	@mkdir -p $(@D)
	$(CC) $(SQLITE_FLAGS_$*) -w $(SQLITE_OPTIONS) -c $(SQLITE_DIR)/sqlite3.c -o $@

# ---- libpq ---------------------------------------------------------------------------------------------------

# The flags that find libpq, or nothing where it is missing: then what needs it is left out, but tests ask for it first.
$(if $(filter test tests test-full run-sync,$(MAKECMDGOALS)),$(shell scripts/need.sh libpq postgresql pgbouncer openssl >&2))
LIBPQ_INCLUDE := $(firstword $(wildcard /usr/include/postgresql/libpq-fe.h $(shell pg_config --includedir 2>/dev/null)/libpq-fe.h))
LIBPQ := $(if $(LIBPQ_INCLUDE),-I$(patsubst %/,%,$(dir $(LIBPQ_INCLUDE))) -lpq)

# ---- The headers ---------------------------------------------------------------------------------------------

build/headers.stamp: amalgamate.py $(wildcard tools/*.py) $(SOURCES)
	@mkdir -p $(@D)
	@$(PYTHON) amalgamate.py
	@touch $@

$(HEADERS): build/headers.stamp
	@test -f $@ || $(PYTHON) amalgamate.py

dist: dist/kecs_store.h
dist/kecs_store.h: build/headers.stamp $(SQLITE_MK)
	@test -n "$(SQLITE_DIR)" || { echo "make dist needs SQLite's amalgamation: make dist KECS_SQLITE=FOLDER" >&2; exit 1; }
	$(PYTHON) amalgamate.py --bundle-sqlite $(SQLITE_DIR) -o $@
	@touch $@
	@echo "PostgreSQL: put kecs_store_pg.h beside it, and link libpq (docs/postgresql.md); its scripts: docs/postgresql"

# ---- The library, its programs, the examples -----------------------------------------------------------------

build/obj/kecs_store.c:
	@mkdir -p $(@D)
	@printf '#define KECS_STORE_IMPLEMENTATION\n#include "kecs_store.h"\n' > $@

build/obj/%/kecs_store.o: build/obj/kecs_store.c $(HEADERS) $(SQLITE_MK)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARNINGS) $(FLAGS_$*) -I. $(SQLITE_INCLUDE) -c $< -o $@

build/obj/kecs_store_pg.c:
	@mkdir -p $(@D)
	@printf '#define KECS_STORE_PG_IMPLEMENTATION\n#include "kecs_store_pg.h"\n' > $@

build/obj/%/kecs_store_pg.o: build/obj/kecs_store_pg.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARNINGS) $(FLAGS_$*) -I. $(filter -I%,$(LIBPQ)) -c $< -o $@

LIBRARY := build/obj/normal/kecs_store.o $(call sqlite_object,normal)

all: $(HEADERS) $(PROGRAMS) $(EXAMPLES)

LINK = $(CC) $(STD) $(WARNINGS) $(FLAGS_normal) -I. $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS) -o $@

# The command line opens postgres:// as well where libpq is there.
build/kecs: examples/kecs.c $(wildcard examples/*.h) $(LIBRARY) $(if $(LIBPQ),build/obj/normal/kecs_store_pg.o)
	$(LINK) $(if $(LIBPQ),-DKECS_POSTGRES $(LIBPQ))

build/kecs-demo: examples/run.c $(wildcard examples/*.h) $(LIBRARY)
	$(LINK)

build/examples/%: examples/%.c $(wildcard examples/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK)

build/examples/sync/%: examples/sync/%.c $(LIBRARY) $(if $(LIBPQ),build/obj/normal/kecs_store_pg.o)
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(STD) $(WARNINGS) $(FLAGS_normal) -I. $(filter %.c %.o,$^) $(LDFLAGS) $(LIBPQ) $(LIBS) -o $@

build/examples/%: examples/cpp/%.cpp $(LIBRARY)
	@mkdir -p $(@D)
	$(CXX) -std=c++11 $(WARNINGS) $(FLAGS_normal) -I. $(filter %.cpp %.o,$^) $(LDFLAGS) $(LIBS) -o $@

run: all
	build/kecs-demo $(DATA)

run-sync: build/kecs
	@$(PYTHON) scripts/run_sync.py

# ---- Tests ---------------------------------------------------------------------------------------------------

# tests/contract/test_*.c  what users see; each one a program, with the plain and with the sanitized library
# tests/fault/test_*.c     failing memory and disks; sanitized, but for SQLite: they open thousands of stores
# tests/syncfault/test_*.c the same for edges in their rounds; sanitized, with the simulation's model of a hub
# tests/stress/test_*.c    everything at once for KECS_STRESS_SECONDS (20); with test-tsan, too
# tests/small/test_*.c     the library without the parts that can be left out
# tests/unit/test_*.c      single modules, compiled one by one; sanitized
# tests/fuzz/fuzz_*.c      likewise, given every file of tests/fuzz/corpus
# tests/kill               a writer that is killed again and again, and what it leaves
# tests/edge               what the edge profile writes to a disk, and the memory that it takes
# tests/sync               edges and a hub: two and more files, and a PostgreSQL of their own
# tests/sim                the same by chance: edges on a disk in memory, a model of a hub, every fault by a seed
# tests/*/*.py, *.sh       scripts that print "ok NAME" and "not ok NAME reason"
#
# tests/postgres/test_*.c  PostgreSQL alone; the contract runs there, too. Both need libpq, and a server that tests/run.py
#                          starts for them
#
# Other .c files of a folder are linked into each of its programs. A new file is found by its name.
programs = $(patsubst tests/$2/%.c,build/test/$1/$2/%,$(wildcard tests/$2/test_*.c tests/$2/fuzz_*.c))
helpers = $(filter-out tests/$1/test_% tests/$1/fuzz_%,$(wildcard tests/$1/*.c))

TESTS := $(call programs,normal,contract) $(call programs,asan,contract) $(call programs,asan,fault) \
         $(call programs,normal,stress) $(call programs,small,small) $(filter-out $(if $(LIBPQ),,build/test/asan/unit/test_pg_%),$(call programs,asan,unit))
POSTGRES_TESTS := $(if $(LIBPQ),$(call programs,postgres,contract) $(call programs,postgres,postgres))
TESTS += $(POSTGRES_TESTS)
# The same programs behind a pooler: some that show what a pooler could spoil; with test-full all.
POOLED := changes history paging savepoints threads transactions watch
PGBOUNCER_TESTS := $(if $(LIBPQ),$(if $(filter test-full,$(MAKECMDGOALS)),$(call programs,pgbouncer,contract),\
                   $(POOLED:%=build/test/pgbouncer/contract/test_%)))
TESTS += $(PGBOUNCER_TESTS)
# And with sanitizers, in test-full: what has memory, connections and threads of PostgreSQL's own.
SANITIZED := bulk errors group outputs paging pipeline savepoints threads transactions upserts
SANITIZED_POSTGRES := $(if $(LIBPQ),$(call programs,postgres-asan,postgres) $(SANITIZED:%=build/test/postgres-asan/contract/test_%) \
                      build/test/postgres-tsan/postgres/test_pool build/test/postgres-tsan/contract/test_threads)
FUZZERS := $(call programs,asan,fuzz)
TESTS_TSAN := $(call programs,tsan,contract) $(call programs,tsan,stress)
# The longest first: the others run beside it.
LONGEST := $(if $(LIBPQ),$(wildcard tests/sim/test_*.py))
SCRIPTS := tests/style.py tests/amalgamate_test.py scripts/examples.py $(if $(FUZZERS),scripts/replay.py) \
           $(if $(LIBPQ),$(wildcard tests/postgres/test_*.py tests/sync/test_*.py)) \
           $(foreach folder,cli kill edge corpus compile valgrind,$(wildcard tests/$(folder)/*.py tests/$(folder)/*.sh))

KECS_CORPUS ?= $(wildcard ../shared/corpus)
export KECS_CORPUS
export KECS := $(CURDIR)/build/kecs
export CC

build/cmocka.ok: scripts/need.sh
	@mkdir -p $(@D)
	@scripts/need.sh cmocka
	@touch $@

# What is silenced are gcc's guesses about the lengths of texts.
TEST_FLAGS := $(STD) -D_GNU_SOURCE $(WARNINGS) -Wno-unknown-warning-option -Wno-format-truncation -Wno-restrict -I. -Itests
TEST_HEADERS := $(call files,tests,%.h)

# $1 flavour, $2 folder, $3 flavour of SQLite
define program_rule
build/test/$1/$2/%: tests/$2/%.c $(call helpers,$2) $(TEST_HEADERS) build/obj/$1/kecs_store.o $(call sqlite_object,$3) \
                    build/cmocka.ok
	@mkdir -p $$(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_$1) $(SQLITE_INCLUDE) $$(filter %.c %.o,$$^) $(LDFLAGS) -lcmocka $(LIBS) -o $$@
endef
$(foreach flavour,normal asan tsan,$(eval $(call program_rule,$(flavour),contract,$(flavour))))
$(foreach flavour,normal tsan,$(eval $(call program_rule,$(flavour),stress,$(flavour))))
$(eval $(call program_rule,asan,fault,normal))
$(eval $(call program_rule,small,small,normal))

# $1 folder: the same programs on PostgreSQL,
# $2 flavour, $3 where they go
define postgres_rule
build/test/$3/$1/%: tests/$1/%.c $(call helpers,$1) $(TEST_HEADERS) build/obj/$2/kecs_store.o \
                    build/obj/$2/kecs_store_pg.o $(call sqlite_object,$2) build/cmocka.ok
	@mkdir -p $$(@D)
	$(CC) $(TEST_FLAGS) -DCONTRACT_POSTGRES $(FLAGS_$2) $(SQLITE_INCLUDE) $$(filter %.c %.o,$$^) $(LDFLAGS) -lcmocka \
	  $(LIBPQ) $(LIBS) -o $$@
endef
$(foreach folder,contract postgres,$(eval $(call postgres_rule,$(folder),normal,postgres)) \
  $(eval $(call postgres_rule,$(folder),asan,postgres-asan)) $(eval $(call postgres_rule,$(folder),tsan,postgres-tsan)))

build/test/pgbouncer/%: build/test/postgres/%
	@mkdir -p $(@D)
	@ln -f $< $@

MODULE_FLAGS := $(STD) -DKECS_STORE_IMPLEMENTATION -DKECS__MODULES -Isrc $(SQLITE_INCLUDE) $(filter -I%,$(LIBPQ))
MODULE_OBJECTS := $(patsubst src/%.c,build/obj/modules/%.o,$(CORE) $(if $(LIBPQ),$(filter src/pg/% src/sync/%,$(MODULES))))

build/obj/modules/%.o: src/%.c $(SQLITE_MK) | build/headers.stamp
	@mkdir -p $(@D)
	$(CC) $(MODULE_FLAGS) $(WARNINGS) $(FLAGS_asan) -MMD -MP -c $< -o $@
-include $(MODULE_OBJECTS:.o=.d)

# An archive: a test of one module is linked with what that module needs, and with nothing else.
build/obj/modules.a: $(MODULE_OBJECTS) $(call sqlite_object,asan)
	@rm -f $@
	@$(AR) rcs $@ $^

build/test/asan/unit/%: tests/unit/%.c $(call helpers,unit) $(TEST_HEADERS) build/obj/modules.a build/cmocka.ok
	@mkdir -p $(@D)
	$(CC) $(MODULE_FLAGS) $(WARNINGS) -Itests $(FLAGS_asan) $(filter %.c %.a,$^) $(LDFLAGS) -lcmocka $(LIBPQ) $(LIBS) -o $@

build/test/asan/fuzz/%: tests/fuzz/%.c $(TEST_HEADERS) build/obj/modules.a
	@mkdir -p $(@D)
	$(CC) $(MODULE_FLAGS) -DKECS_FUZZ_REPLAY $(WARNINGS) -Itests $(FLAGS_asan) $(filter %.c %.a,$^) $(LDFLAGS) $(LIBS) -o $@

# The processes that the scripts in tests/kill kill.
KILLED := $(patsubst tests/kill/%.c,build/test/normal/%,$(wildcard tests/kill/kill_*.c))
build/test/normal/kill_%: tests/kill/kill_%.c $(TEST_HEADERS) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_normal) $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS) -o $@

# The program of tests/edge/test_edge.py.
EDGE_WRITER := $(patsubst tests/edge/%.c,build/test/normal/%,$(wildcard tests/edge/edge_writer.c))
build/test/normal/edge_writer: tests/edge/edge_writer.c $(TEST_HEADERS) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_normal) $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS) -o $@

# The program of tests/postgres/test_outages.py and its like.
PG_DRIVER := $(if $(LIBPQ),build/test/postgres/pg_driver)
build/test/postgres/pg_driver: tests/postgres/driver/pg_driver.c build/obj/normal/kecs_store.o \
                               build/obj/normal/kecs_store_pg.o $(call sqlite_object,normal)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_normal) $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(LIBPQ) $(LIBS) -o $@

# The program of tests/sync.
SYNC_DRIVER := $(if $(LIBPQ),build/test/postgres/sync_driver)
build/test/postgres/sync_driver: tests/sync/driver/sync_driver.c build/obj/normal/kecs_store.o \
                                 build/obj/normal/kecs_store_pg.o $(call sqlite_object,normal)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_normal) $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(LIBPQ) $(LIBS) -o $@

# The simulation of tests/sim: the modules one by one, so that the linker can put its link in the place of theirs.
SIM := $(if $(LIBPQ),build/test/normal/sim)
SIM_FLAGS := $(MODULE_FLAGS) $(WARNINGS) $(FLAGS_normal) -Itests/sim
SIM_WRAPS := -Wl,--wrap=kecs_sync__send -Wl,--wrap=PQconnectStartParams -Wl,--wrap=PQfinish
SIM_OBJECTS := $(patsubst src/%.c,build/obj/sim/%.o,$(CORE) $(filter src/pg/% src/sync/%,$(MODULES)))

build/obj/sim/%.o: src/%.c $(SQLITE_MK) | build/headers.stamp
	@mkdir -p $(@D)
	$(CC) $(SIM_FLAGS) -MMD -MP -c $< -o $@
-include $(SIM_OBJECTS:.o=.d)

build/test/normal/sim: $(wildcard tests/sim/*.c tests/sim/*.h) $(SIM_OBJECTS) $(call sqlite_object,normal)
	@mkdir -p $(@D)
	$(CC) $(SIM_FLAGS) $(filter %.c %.o,$^) $(LDFLAGS) $(SIM_WRAPS) $(LIBPQ) $(LIBS) -o $@

# Edges whose memory and disk fail, and the simulation's model of a hub: the modules with sanitizers, SQLite without, and
# the simulation's link. What is the simulation's sees the library's inside, the rest the headers alone.
SYNCFAULT := $(if $(LIBPQ),$(patsubst tests/syncfault/%.c,build/test/asan/syncfault/%,$(wildcard tests/syncfault/test_*.c)))
SYNCFAULT_INSIDE := $(patsubst tests/%.c,build/obj/syncfault/%.o,tests/syncfault/bridge.c \
                    $(filter-out tests/sim/sim_main.c,$(wildcard tests/sim/*.c)))
SYNCFAULT_OUTSIDE := $(patsubst tests/%.c,build/obj/syncfault/%.o,tests/fault/fault.c tests/syncfault/scenes.c \
                     tests/syncfault/runner.c)
TESTS += $(SYNCFAULT)

$(SYNCFAULT_INSIDE): build/obj/syncfault/%.o: tests/%.c $(TEST_HEADERS) | build/headers.stamp
	@mkdir -p $(@D)
	$(CC) $(MODULE_FLAGS) $(WARNINGS) $(FLAGS_asan) -Itests -Itests/sim -c $< -o $@

$(SYNCFAULT_OUTSIDE): build/obj/syncfault/%.o: tests/%.c $(TEST_HEADERS) $(HEADERS) build/cmocka.ok
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_asan) $(SQLITE_INCLUDE) $(filter -I%,$(LIBPQ)) -c $< -o $@

build/test/asan/syncfault/%: tests/syncfault/%.c $(SYNCFAULT_INSIDE) $(SYNCFAULT_OUTSIDE) $(MODULE_OBJECTS) \
                             $(call sqlite_object,normal)
	@mkdir -p $(@D)
	$(CC) $(TEST_FLAGS) $(FLAGS_asan) $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(SIM_WRAPS) \
	  -lcmocka $(LIBPQ) $(LIBS) -o $@

RUN_TESTS := $(PYTHON) tests/run.py $(if $(ONLY),-k $(ONLY))

SYNC_EXAMPLES := $(if $(LIBPQ),$(patsubst examples/sync/%.c,build/examples/sync/%,$(wildcard examples/sync/*.c)))

tests: $(SYNC_EXAMPLES) $(TESTS) $(FUZZERS) $(KILLED) $(EDGE_WRITER) $(PG_DRIVER) $(SYNC_DRIVER) $(SIM)

test: all tests
	@$(RUN_TESTS) $(LONGEST) $(TESTS) $(SCRIPTS)

test-full: all dist tests $(TESTS_TSAN) $(SANITIZED_POSTGRES)
	@KECS_FULL=1 $(RUN_TESTS) -t 7200 $(LONGEST) $(TESTS) $(TESTS_TSAN) $(SANITIZED_POSTGRES) $(SCRIPTS) \
	  $(if $(LIBPQ),tests/postgres/versions.py)

sim: $(SIM)
	@$(PYTHON) tests/sim/test_sim.py $(or $(SEED),$(if $(MANY),--many $(MANY)))
	@$(if $(SEED),,$(PYTHON) tests/sim/test_sim_postgres.py $(if $(MANY),--many $$(( $(MANY) / 40 ))))

test-tsan: $(TESTS_TSAN)
	@$(RUN_TESTS) $(TESTS_TSAN)

# ---- Checks --------------------------------------------------------------------------------------------------

check: build/headers.stamp
	@status=0; \
	$(PYTHON) amalgamate.py --check && echo "generated files: good" || status=1; \
	$(PYTHON) tests/style.py | grep -v '^ok ' && status=1 || echo "style: good"; \
	$(PYTHON) scripts/lint.py $(SQLITE_DIR) || status=1; \
	exit $$status

# ---- Benchmark -----------------------------------------------------------------------------------------------

BENCHES := $(patsubst bench/%.c,build/bench/%,$(filter-out bench/bench_pg.c bench/bench_sync.c \
           bench/bench_sync_scale.c bench/slow_disk.c,$(wildcard bench/*.c)))

build/bench/%: bench/%.c $(wildcard bench/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(STD) -D_GNU_SOURCE $(WARNINGS) $(FLAGS_normal) -I. $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS) -o $@

build/bench/bench_pg: bench/bench_pg.c $(wildcard bench/*.h) $(LIBRARY) build/obj/normal/kecs_store_pg.o
	@mkdir -p $(@D)
	$(CC) $(STD) -D_GNU_SOURCE $(WARNINGS) $(FLAGS_normal) -I. $(filter %.c %.o,$^) $(LDFLAGS) $(LIBPQ) $(LIBS) -o $@

build/bench/bench_sync build/bench/bench_sync_scale: build/bench/%: bench/%.c $(wildcard bench/*.h) $(LIBRARY) build/obj/normal/kecs_store_pg.o
	@mkdir -p $(@D)
	$(CC) $(STD) -D_GNU_SOURCE $(WARNINGS) $(FLAGS_normal) -I. $(SQLITE_INCLUDE) $(filter %.c %.o,$^) $(LDFLAGS) $(LIBPQ) $(LIBS) -o $@

# Loaded into the server of bench_sync_scale.
build/bench/slow_disk.so: bench/slow_disk.c
	@mkdir -p $(@D)
	$(CC) $(STD) -D_GNU_SOURCE $(WARNINGS) -O2 -fPIC -shared $< $(LDFLAGS) -ldl -o $@

# ROUNDS=N, ONLY=word
SYNC_BENCH_ARGS = $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

bench-sync: build/bench/bench_sync build/bench/bench_sync_scale build/bench/slow_disk.so
	@$(PYTHON) bench/sync.py build/bench/bench_sync $(SYNC_BENCH_ARGS)
	@$(PYTHON) bench/sync.py --scale build/bench/slow_disk.so build/bench/bench_sync_scale $(SYNC_BENCH_ARGS)

# ROUNDS=N, ONLY=word; FLUSH=no: the server never waits for the disk; CORES=1: it shares a processor with the program
bench-pg: build/bench/bench_pg
	@$(PYTHON) bench/pg.py $(if $(filter no,$(FLUSH)),--no-flush) $(if $(filter 1,$(CORES)),--one-core) $< \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

bench: $(BENCHES)
	@set -e; if [ -f bench/run.py ]; then $(PYTHON) bench/run.py $(BENCHES); \
	elif [ -f bench/run.sh ]; then SQLITE_DIR=$(SQLITE_DIR) PYTHON=$(PYTHON) sh bench/run.sh $(BENCHES); \
	else for program in $(BENCHES); do echo "== $$program"; $$program; done; fi

# ---- Installing ----------------------------------------------------------------------------------------------

VERSION = $(shell sed -n 's/^.define KECS_STORE_VERSION "\(.*\)"/\1/p' src/base/config.h)
INCLUDE_TO := $(DESTDIR)$(PREFIX)/include
CONFIG_TO := $(DESTDIR)$(PREFIX)/share
fill = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g' packaging/$1 > $2

install: $(HEADERS) $(filter build/kecs,$(PROGRAMS))
	install -d $(INCLUDE_TO) $(CONFIG_TO)/pkgconfig $(CONFIG_TO)/cmake/kecs_store $(CONFIG_TO)/kecs_store/postgresql \
	  $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard docs/postgresql/*.sql) $(CONFIG_TO)/kecs_store/postgresql
	install -m 644 $(HEADERS) $(INCLUDE_TO)
	$(call fill,kecs.pc.in,$(CONFIG_TO)/pkgconfig/kecs.pc)
	$(call fill,kecs_store-config.cmake.in,$(CONFIG_TO)/cmake/kecs_store/kecs_store-config.cmake)
	$(call fill,kecs_store-config-version.cmake.in,$(CONFIG_TO)/cmake/kecs_store/kecs_store-config-version.cmake)
	$(if $(filter build/kecs,$(PROGRAMS)),install -m 755 build/kecs $(DESTDIR)$(PREFIX)/bin)

# ---- Housekeeping --------------------------------------------------------------------------------------------

clean:
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name sqlite ! -name '.sqlite.lock' -exec rm -rf {} +; fi
	rm -rf dist

distclean:
	rm -rf build dist

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile
