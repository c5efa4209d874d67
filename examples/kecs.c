/* kecs -- a command line for kecs_store: put, get, list, update, delete, import and export, for every kind.
 *
 * It uses nothing but the public functions of kecs_store.h and names no kind and no column: what a kind is like comes
 * from kecs_kind_describe, so a kind that is added to the library is here, too. The parts:
 *
 *   kecs_args.h    the command line: options, their help, suggestions
 *   kecs_print.h   what is printed: cells, tables, documents, JSON, progress
 *   kecs_open.h    which database, and opening it
 *   kecs_rows.h    get, list, update, delete
 *   kecs_files.h   put, import and export
 *   kecs_migrate.h migrate: a whole store into another one
 *   kecs_about.h   describe-kind, stat, version
 *   kecs_watch.h   track, watch, compact
 *   kecs_sync.h    sync, conflicts, hub
 *   kecs_history.h history, diff, get --as-of
 *
 * Build:  cc kecs.c kecs_store_impl.c -lsqlite3 -lpthread -lm
 *   or, for postgres:// as well, with -DKECS_POSTGRES, kecs_store_pg_impl.c and -lpq */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1 /* isatty, lstat, readdir */
#endif

#include "kecs_store.h"
#if defined(KECS_POSTGRES)
#include "kecs_store_pg.h"
#endif

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Exit codes, as --help tells them. */
typedef enum exit_code {
  EXIT_GOOD = 0,
  EXIT_FAILED = 1,
  EXIT_USAGE = 2,
  EXIT_NOT_FOUND = 3,
  EXIT_CONFLICT = 4,
  EXIT_UNAVAILABLE = 5,
  EXIT_CORRUPT = 6,
  EXIT_DENIED = 7
} exit_code;

#include "kecs_args.h"
#include "kecs_print.h"

static exit_code exit_of(kecs_status status) {
  switch (status) {
    case KECS_OK:
      return EXIT_GOOD;
    case KECS_E_NOT_FOUND:
      return EXIT_NOT_FOUND;
    case KECS_E_EXISTS:
    case KECS_E_CONFLICT:
      return EXIT_CONFLICT;
    case KECS_E_BUSY:
    case KECS_E_OFFLINE:
    case KECS_E_TIMEOUT:
    case KECS_E_OUTCOME_UNKNOWN:
    case KECS_E_FULL:
      return EXIT_UNAVAILABLE;
    case KECS_E_CORRUPT:
    case KECS_E_SCHEMA_NEWER:
      return EXIT_CORRUPT;
    case KECS_E_DENIED:
    case KECS_E_READONLY:
      return EXIT_DENIED;
    default:
      return EXIT_FAILED;
  }
}

/* The library's last failure. It speaks to programs; here its options go by other names. */
static void tell_failure(void) {
  static const char *const names[][2] = {
      {"raise options.busy_timeout_ms", "raise --wait"},
      {"open it with read_only", "give --read-only"},
      {"open with read_only", "give --read-only"},
      {"options.account_id", "--account"},
      {"options.region", "--region"},
      {"; leave it NULL for us-east-1", ""},
      {"; for PostgreSQL set options.backends, for SQLite give a plain path", "; give the path of a file"},
  };
  buffer text = {NULL, 0, 0};
  const char *at = kecs_last_error()->text;
  add_text(&text, "");
  while (*at) {
    size_t length = 1;
    const char *shown = NULL;
    for (size_t i = 0; !shown && i < sizeof names / sizeof names[0]; i++) {
      size_t len = strlen(names[i][0]);
      shown = strncmp(at, names[i][0], len) == 0 ? names[i][1] : NULL;
      length = shown ? len : 1;
    }
    add_bytes(&text, shown ? shown : at, shown ? strlen(shown) : 1);
    at += length;
  }
  complain("%s", text.data);
  free(text.data);
}

/* Tells the library's last failure and gives the exit code for it. */
static exit_code fail(kecs_status status) {
  tell_failure();
  return exit_of(status);
}

/* As fail, for calls that only look at what the command line says: what is not valid is then the command line. */
static exit_code fail_asked(kecs_status status) {
  tell_failure();
  return status == KECS_E_INVALID ? EXIT_USAGE : exit_of(status);
}

#include "kecs_open.h"

#include "kecs_history.h"

#include "kecs_rows.h"

#include "kecs_files.h"

#include "kecs_migrate.h"

#include "kecs_about.h"

#include "kecs_watch.h"

#include "kecs_sync.h"

/* ---- the commands ---- */

static const command commands[] = {
    {"put", "KIND [FILE|-]", "store documents of a kind", 1, 2, run_put,
     "Stores the AWS document, or documents, of a file as rows of a kind: creates them or replaces what is there.\n"
     "A task definition without an ARN is registered as the next revision of its family.\n",
     "  kecs --db shop.db put cluster cluster.json\n"
     "  aws ecs describe-services --cluster web --services shop | kecs --db shop.db put service -\n"},
    {"get", "KIND KEY", "show one row", 2, 2, run_get,
     "KEY is an ARN, a name or id where that says enough, or all parts of the address joined by commas\n"
     "(CLUSTER,NAME for a service). `kecs describe-kind KIND` tells the parts.\n",
     "  kecs --db shop.db get service web,shop\n"
     "  kecs --db shop.db get task_definition shop:3 --json\n"
     "  kecs --db shop.db get service web,shop --as-of 2024-05-01T10:00:00Z\n"},
    {"list", "KIND", "list rows, a page at a time", 1, 1, run_list,
     "Rows in the kind's own order, mostly newest first. --where takes COLUMN OPERATOR VALUE with = != < <= > >=,\n"
     "~ (contains) and ^= (begins with); several must all hold. Columns may be named as in AWS documents.\n"
     "When more rows follow, their page token is told.\n",
     "  kecs --db shop.db list task --where last_status=RUNNING --limit 20\n"
     "  kecs --db shop.db list service --where 'name^=shop-' --json\n"},
    {"update", "KIND KEY", "change columns of a row", 2, 2, run_update,
     "--set COLUMN=VALUE writes a column, --unset COLUMN makes it NULL. With --version N the row is changed only\n"
     "while that is its version; otherwise exit code 4 tells that somebody else was faster.\n",
     "  kecs --db shop.db update service web,shop --set desired_count=4\n"
     "  kecs --db shop.db update task 0123abcd --set last_status=STOPPED --version 7\n"},
    {"delete", "KIND KEY", "delete a row and what belongs to it", 2, 2, run_delete,
     "Children go with their parent: a cluster takes its services and tasks along.\n",
     "  kecs --db shop.db delete service web,shop\n"},
    {"import", "PATH|-...", "store whatever files and folders hold", 1, 0, run_import,
     "Reads files and, recursively, the *.json and *.jsonl files of folders, in order. Every ECS and ELBv2 document\n"
     "is recognised by its members: inputs and responses of the AWS API, recorded wrappers, JSON lines, exports.\n"
     "What can't be stored is told with the place and the reason, and the import goes on.\n",
     "  kecs --db shop.db import backup/ extra.json\n"
     "  aws ecs describe-tasks --cluster web --tasks $(...) | kecs --db shop.db import -\n"},
    {"export", "[KIND...]", "write all rows as JSON lines", 0, 0, run_export,
     "One line a row: {\"kind\":...,\"document\":{...}} with ids, versions and times, so that `kecs import` makes an\n"
     "equal database of it. Without KIND: everything.\n",
     "  kecs --db shop.db export > shop.jsonl\n"
     "  kecs --db shop.db export cluster service | kecs --db copy.db import -\n"},
    {"migrate", "", "copy a whole store into another one, and verify it", 0, 0, run_migrate,
     "Copies every row of the store --from into the store --to, with ids, versions and times, and compares the two at\n"
     "the end. A run that was interrupted is run again: what is there is left alone. A target that has other rows is\n"
     "refused, unless --merge says that they may stay. --dry-run only counts.\n",
     "  kecs migrate --from shop.db --to 'postgres://kecs@db.example/kecs?tenant=shop'\n"
     "  kecs migrate --from 'postgres://kecs@db.example/kecs?tenant=shop' --to copy.db --dry-run\n"},
    {"describe-kind", "[KIND]", "what a kind is: columns, keys, address", 0, 1, run_describe, "",
     "  kecs describe-kind\n"
     "  kecs describe-kind service\n"},
    {"track", "[on|off|status]", "keep a log of changes, or no longer", 0, 1, run_track,
     "The log is what `kecs watch` reads. It is a property of the file: every program that opens it logs. It grows\n"
     "until `kecs compact` is run. With --history what rows were before they changed is kept, too: for\n"
     "`kecs history`, `kecs diff` and `kecs get --as-of`.\n",
     "  kecs --db shop.db track on\n"
     "  kecs --db shop.db track on --history service,task --days 90\n"},
    {"watch", "[KIND...]", "tell changes as they happen", 0, 0, run_watch,
     "One line a change: sequence, time, what happened, kind, key, and of an update the groups that were written.\n"
     "With --json one document a line, with the row as it is now. --from goes on after a sequence that was told\n"
     "before; it fails when the log no longer has what came then. Runs until it is stopped, or --for is over.\n",
     "  kecs --db shop.db watch service task\n"
     "  kecs --db shop.db watch task --where last_status=STOPPED --json\n"
     "  kecs --db shop.db watch --from 117 --for 0\n"},
    {"history", "KIND KEY", "who changed a row, when and why", 2, 2, run_history,
     "The changes of a row that the history has, newest first; the row may be deleted. It is switched on with\n"
     "`kecs track on --history KINDS`; what --actor and --reason said of a write stands in it. --full gives the rows\n"
     "as they were before, with --json.\n",
     "  kecs --db shop.db history service web,shop --limit 10\n"
     "  kecs --db shop.db history service web,shop --from 2024-05-01T00:00:00Z --json\n"},
    {"diff", "KIND KEY", "in what two versions of a row differ", 2, 2, run_diff,
     "Member by member, as JSON Pointers into the document. Versions are the sequences that `kecs history` tells: the\n"
     "row as it was right after that change. Without options: what the latest change has changed.\n",
     "  kecs --db shop.db diff service web,shop\n"
     "  kecs --db shop.db diff service web,shop --from 117 --to 130\n"},
    {"compact", "", "remove old entries of the log of changes", 0, 0, run_compact, "",
     "  kecs --db shop.db compact --older 24\n"},
    {"sync", "[status]", "bring an edge and its hub into agreement", 0, 1, run_sync,
     "One round: what was changed here goes to the hub, what was changed there or on other edges comes here. The file\n"
     "is tracked from then on. What is refused is sent again in the next round. With --every rounds\n"
     "go on until the program is interrupted. `sync status` works without the hub.\n"
     "A token is taken from KECS_TOKEN.\n",
     "  kecs --db edge.db sync --hub 'postgres://kecs@db.example/kecs?tenant=shop' --site cellar\n"
     "  kecs --db edge.db sync --every 5 --hub 'postgres://kecs@db.example/kecs?tenant=shop' --site cellar\n"
     "  KECS_HUB=postgres://... KECS_SITE=cellar kecs --db edge.db sync status\n"},
    {"conflicts", "[resolve ID]", "what has lost against another edge or the hub", 0, 2, run_conflicts,
     "One line a row: number, open or what was decided, time of the change that lost, reason, kind, key, and the\n"
     "whole row. `resolve` decides: --take kept leaves the row as it is, --take lost writes what had lost once more,\n"
     "as an ordinary edit, which the next round pushes.\n",
     "  kecs --db edge.db conflicts\n"
     "  kecs --db edge.db conflicts resolve 3 --take lost\n"},
    {"hub",
     "init | sites | status | retain DAYS | grant SITE CLUSTER | revoke SITE [CLUSTER] | token SITE | limit SITE",
     "a hub on PostgreSQL, and its sites", 1, 3, run_hub,
     "init makes tables, change log and functions, or makes them anew after an upgrade. retain says how long the hub\n"
     "keeps what was deleted, and its log: longer than edges stay away; 90 days at first. sites tells a line each:\n"
     "when it was seen, up to when its changes are here (microseconds since 1970), what was refused, up to which\n"
     "number of the hub's feed (`hub status` tells its head) it had everything, and what is asked of it.\n"
     "grant narrows a site to clusters, by name or ARN; - is what belongs to none, * the whole tenant, which a site\n"
     "has that was never granted anything. token makes a site's token, in the place of an earlier one, and prints it\n"
     "once; revoke without a cluster takes it. limit asks a site, or * all, to begin rounds no more often, to send\n"
     "no more at once, or to wait until `limit SITE none`: sites learn of it with their next round.\n",
     "  kecs --db 'postgres://kecs_owner@db.example/kecs?tenant=shop' hub init\n"
     "  kecs --db 'postgres://kecs_owner@db.example/kecs?tenant=shop' hub retain 30\n"
     "  kecs --db 'postgres://kecs@db.example/kecs?tenant=shop' hub sites --json\n"
     "  KECS_DB=postgres://... kecs hub grant cellar web\n"
     "  KECS_DB=postgres://... kecs hub limit '*' --every 60 --batch 200\n"
     "  KECS_DB=postgres://... kecs hub limit cellar --pause 'the database is moved'\n"},
    {"stat", "", "the database: size, schema, rows of each kind", 0, 0, run_stat, "",
     "  kecs --db shop.db stat\n"},
    {"version", "", "the version of this program and of SQLite", 0, 0, run_version, "",
     "  kecs version\n"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(void) {
  printf("kecs -- a store for the state of a container orchestrator\n\n"
         "usage: kecs --db FILE COMMAND [ARGUMENT...] [OPTION...]\n\n");
  for (int i = 0; i < COMMAND_COUNT; i++) {
    printf("  %-13s %-14s %s\n", commands[i].name, commands[i].operands, commands[i].summary);
  }
  printf("\nOptions, in any position:\n");
  print_options(NULL);
  printf("\nKinds:");
  for (int kind = 1; kind < KECS_KIND_COUNT; kind++) {
    const char *name = kecs_kind_describe((kecs_kind)kind)->name;
    printf("%s%s", kind % 8 == 1 ? "\n  " : " ", name);
  }
  printf("\n\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 not found, 4 exists or was changed meanwhile,\n"
         "  5 busy or full, 6 damaged or made by a newer version, 7 denied or read-only.\n"
         "`kecs COMMAND --help` tells more, with examples.\n");
}

static bool takes_database(const command *one) {
  return strcmp(one->name, "version") != 0 && strcmp(one->name, "migrate") != 0 &&
         strcmp(one->name, "describe-kind") != 0;
}

static void print_command_help(const command *one) {
  printf("usage: kecs%s %s%s%s [OPTION...]\n\n%s%sOptions:\n", takes_database(one) ? " --db FILE" : "", one->name,
         one->operands[0] ? " " : "", one->operands, one->details, one->details[0] ? "\n" : "");
  print_options(one);
  printf("\nExamples:\n%s", one->examples);
}

static const command *find_command(const char *name) {
  for (int i = 0; i < COMMAND_COUNT; i++) {
    if (strcmp(commands[i].name, name) == 0) {
      return &commands[i];
    }
  }
  return NULL;
}

static exit_code unknown_command(const arguments *args, const char *name) {
  suggestion best = {name, NULL, 0};
  for (int i = 0; i < COMMAND_COUNT; i++) {
    suggest(&best, commands[i].name);
  }
  return best.word ? usage_error(args, "unknown command \"%s\"; did you mean \"%s\"?", name, best.word)
                   : usage_error(args, "unknown command \"%s\"", name);
}

static exit_code run(arguments *args) {
  if (args->operand_count == 0) {
    if (args->help) {
      print_help();
      return EXIT_GOOD;
    }
    return usage_error(args, "which command?");
  }
  args->command = find_command(args->operands[0]);
  args->operands++;
  args->operand_count--;
  if (!args->command) {
    return unknown_command(args, args->operands[-1]);
  }
  if (args->help) {
    print_command_help(args->command);
    return EXIT_GOOD;
  }
  exit_code code = check_options(args);
  if (code) {
    return code;
  }
  if (args->operand_count < args->command->operands_min) {
    return usage_error(args, "%s needs %s", args->command->name, args->command->operands);
  }
  if (args->command->operands_max > 0 && args->operand_count > args->command->operands_max) {
    return usage_error(args, "%s takes %s; \"%s\" is too much", args->command->name,
                       args->command->operands, args->operands[args->command->operands_max]);
  }
  if (args->command->operands[0] == '\0' && args->operand_count > 0) {
    return usage_error(args, "%s takes no argument; \"%s\" is too much", args->command->name, args->operands[0]);
  }
  return args->command->run(args);
}

int main(int argc, char **argv) {
  arguments args;
  exit_code code = read_arguments(argc, argv, &args);
  if (code == EXIT_GOOD) {
    code = run(&args);
  }
  /* A full disk or a closed pipe must not look like success. */
  if (fflush(stdout) != 0 || ferror(stdout)) {
    complain("could not write the output: %s", strerror(errno));
    code = code == EXIT_GOOD ? EXIT_FAILED : code;
  }
  free_arguments(&args);
  return (int)code;
}
