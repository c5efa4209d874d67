/* kecs_sync.h -- sync, conflicts and hub: edges and their hub. */

#if defined(KECS_POSTGRES)
#include <signal.h>

/* The edge's handle, from --hub and --site or their variables. */
static kecs_sync *open_sync(const arguments *args, kecs_store *store, exit_code *code) {
  const char *hub = args->values[OPTION_HUB] ? args->values[OPTION_HUB] : getenv("KECS_HUB");
  const char *site = args->values[OPTION_SITE] ? args->values[OPTION_SITE] : getenv("KECS_SITE");
  kecs_sync_options options = {0};
  kecs_sync *sync = NULL;
  if (!hub || !site) {
    *code = usage_error(args, "%s", hub ? "which site is this? Give --site NAME, or set KECS_SITE"
                                        : "which hub? Give --hub URL, or set KECS_HUB");
    return NULL;
  }
  options.hub = hub;
  options.site = site;
  options.token = getenv("KECS_TOKEN");
  kecs_status status = kecs_sync_open(store, &options, &sync);
  *code = status ? fail_asked(status) : EXIT_GOOD;
  return sync;
}

/* What was found broken, and that it is whole again; or will be, once a round goes through. */
static void print_repairs(const kecs_sync_report *done) {
  static const struct {
    unsigned cause;
    const char *text;
  } causes[] = {{KECS_SYNC_AWAY, "this edge was away for longer than the hub keeps its log"},
                {KECS_SYNC_HISTORY, "the hub's history is another one: a failover, or a restored hub"},
                {KECS_SYNC_LOST, "the hub had lost pushes"},
                {KECS_SYNC_COPIED, "this file was copied or restored, or its name is another device's, too: it is "
                                   "another site now, as `kecs sync status` says"}};
  for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
    if (done->reconciled & causes[i].cause) {
      printf("repaired: %s\n", causes[i].text);
    }
  }
  if (done->resent + done->forgotten + done->restamped > 0) {
    printf("sent again %lld, forgotten by the hub %lld, stamped anew %lld\n", (long long)done->resent,
           (long long)done->forgotten, (long long)done->restamped);
  }
}

static void print_round(const kecs_sync_report *given) {
  kecs_sync_report done = *given;
  print_repairs(given);
  if (done.hub_every_ms) {
    printf("the hub asks for a round every %lld s, no more often\n", (long long)(done.hub_every_ms + 999) / 1000);
  }
  if (done.hub_batch) {
    printf("the hub asks for batches of at most %lld\n", (long long)done.hub_batch);
  }
  printf("pushed %lld, refused %lld, pulled %lld, appended %lld, conflicts %lld; %lld round trips, %lld bytes out, "
         "%lld in\n",
         (long long)done.pushed, (long long)done.refused, (long long)done.pulled, (long long)done.appended,
         (long long)done.conflicts,
         (long long)done.round_trips, (long long)done.bytes_out, (long long)done.bytes_in);
}

static exit_code sync_round(kecs_sync *sync) {
  kecs_sync_report done;
  kecs_status status = kecs_sync_once(sync, &done);
  print_round(&done);
  return status ? fail(status) : EXIT_GOOD;
}

static void tell_round(kecs_status status, const kecs_sync_report *done, const kecs_error *error, void *user) {
  (void)user;
  if (status) {
    fprintf(stderr, "kecs: %s\n", error->text);
  } else if (done->pushed || done->refused || done->pulled || done->conflicts) {
    print_round(done);
    fflush(stdout);
  }
}

/* Until SIGINT or SIGTERM. Rounds that have moved nothing print nothing. */
static exit_code sync_on(const arguments *args, kecs_sync *sync) {
  kecs_sync_pace pace = {0};
  int64_t seconds = 0;
  sigset_t ends;
  int number = 0;
  if (!read_number(args->values[OPTION_EVERY], &seconds) || seconds < 1 || seconds > 86400) {
    return usage_error(args, "--every is a number of seconds, 1 to 86400; not \"%s\"", args->values[OPTION_EVERY]);
  }
  pace.every_ms = (int)seconds * 1000;
  pace.after = tell_round;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  (void)pthread_sigmask(SIG_BLOCK, &ends, NULL); /* the thread inherits it */
  kecs_status status = kecs_sync_start(sync, &pace);
  if (status) {
    return fail(status);
  }
  (void)sigwait(&ends, &number);
  status = kecs_sync_stop(sync);
  return status ? fail(status) : EXIT_GOOD;
}

static exit_code sync_state(kecs_sync *sync) {
  kecs_sync_status_info info;
  kecs_status status = kecs_sync_status(sync, &info);
  if (status) {
    return fail(status);
  }
  buffer last = {NULL, 0, 0};
  add_text(&last, "");
  if (info.last_us) {
    add_time(&last, info.last_us / 1000 * 65536);
  }
  printf("site       %s (%lld)\npending    %lld\nrefused    %lld\nwanted     %lld\nconflicts  %lld\ncursor     %lld\n"
         "last       %s\n",
         info.known_as, (long long)info.number, (long long)info.pending, (long long)info.refused,
         (long long)info.wanted, (long long)info.conflicts, (long long)info.cursor, info.last_us ? last.data : "never");
  free(last.data);
  return EXIT_GOOD;
}

static exit_code run_sync(const arguments *args) {
  exit_code code = EXIT_GOOD;
  bool look = args->operand_count > 0;
  if (look && strcmp(args->operands[0], "status") != 0) {
    return usage_error(args, "sync takes nothing, or status; not \"%s\"", args->operands[0]);
  }
  arguments tracked = *args;
  tracked.track = look ? KECS_TRACK_KEEP : KECS_TRACK_ON;
  kecs_store *store = open_store(&tracked, ACCESS_WRITE, &code);
  kecs_sync *sync = store ? open_sync(args, store, &code) : NULL;
  if (sync) {
    code = look ? sync_state(sync) : args->values[OPTION_EVERY] ? sync_on(args, sync) : sync_round(sync);
  }
  kecs_sync_close(sync);
  (void)kecs_close(store);
  return code;
}

static kecs_status print_conflict(const kecs_sync_conflict *conflict, void *user) {
  buffer *out = user;
  size_t width = 0;
  out->len = 0;
  add_number(out, (long long)conflict->id);
  add_text(out, conflict->resolved == 0 ? "  open  " : conflict->resolved == 1 ? "  kept  " : "  lost  ");
  add_time(out, conflict->lost_stamp);
  add_text(out, "  ");
  add_text(out, conflict->reason);
  add_text(out, "  ");
  add_text(out, kecs_kind_describe(conflict->kind)->name);
  add_text(out, "  ");
  add_shown(out, conflict->key, &width);
  add_text(out, "  ");
  add_shown(out, conflict->lost, &width);
  add_text(out, "\n");
  print_buffer(out);
  return KECS_OK;
}

static exit_code resolve_conflict(const arguments *args) {
  const char *take = args->values[OPTION_TAKE];
  char *end = NULL;
  exit_code code = EXIT_GOOD;
  bool lost = take && strcmp(take, "lost") == 0;
  if (args->operand_count < 2 || strcmp(args->operands[0], "resolve") != 0) {
    return usage_error(args, "conflicts takes nothing, or resolve ID; not \"%s\"", args->operands[0]);
  }
  long long id = strtoll(args->operands[1], &end, 10);
  if (!*args->operands[1] || *end) {
    return usage_error(args, "\"%s\" is no number of a conflict; `kecs conflicts` lists them", args->operands[1]);
  }
  if (!lost && (!take || strcmp(take, "kept") != 0)) {
    return usage_error(args, "which is it to be? Give --take lost or --take kept%s", "");
  }
  kecs_store *store = open_store(args, ACCESS_WRITE, &code);
  if (store) {
    kecs_status status = kecs_sync_resolve(store, id, lost ? KECS_SYNC_TAKE_LOST : KECS_SYNC_TAKE_KEPT);
    code = status ? fail_asked(status) : EXIT_GOOD;
  }
  (void)kecs_close(store);
  return code;
}

static exit_code run_conflicts(const arguments *args) {
  exit_code code = EXIT_GOOD;
  if (args->operand_count > 0) {
    return resolve_conflict(args);
  }
  buffer out = {NULL, 0, 0};
  kecs_store *store = open_store(args, ACCESS_READ, &code);
  if (store) {
    kecs_status status = kecs_sync_conflicts(store, 0, print_conflict, &out);
    code = status ? fail(status) : EXIT_GOOD;
  }
  free(out.data);
  (void)kecs_close(store);
  return code;
}

static kecs_status hub_token(const char *path, const char *site) {
  char token[KECS_SYNC_TOKEN_SIZE];
  kecs_status status = kecs_sync_hub_token(path, site, token);
  if (!status) {
    printf("%s\n", token);
  }
  return status;
}

/* ,"everyMs":5000,"batch":200,"pause":"repair" or  every 5000  batch 200  pause "repair"; what is not asked for is left
 * out. */
static void add_limits(buffer *out, const kecs_sync_limits *limits, bool json) {
  const struct {
    const char *name;
    const char *member;
    int64_t value;
  } numbers[] = {{"  every ", ",\"everyMs\":", limits->every_ms}, {"  batch ", ",\"batch\":", limits->batch}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (numbers[i].value) {
      add_text(out, json ? numbers[i].member : numbers[i].name);
      add_number(out, (long long)numbers[i].value);
    }
  }
  if (limits->pause) {
    add_text(out, json ? ",\"pause\":" : "  pause ");
    add_quoted(out, limits->pause);
  }
}

static kecs_status print_site(const kecs_sync_site *site, void *user) {
  const arguments *args = user;
  bool json = args->json || args->jsonl;
  buffer out = {NULL, 0, 0};
  buffer limits = {NULL, 0, 0};
  if (json) {
    add_text(&out, "{\"name\":");
    add_quoted(&out, site->name);
  } else {
    size_t width = 0;
    add_shown(&out, site->name, &width);
  }
  add_text(&limits, "");
  add_limits(&limits, &site->limits, json);
  printf(json ? "%s,\"number\":%lld,\"seenUs\":%lld,\"lagUs\":%lld,\"ackedUs\":%lld,\"pushes\":"
                "%lld,\"refused\":%lld,\"cursor\":%lld%s}\n"
              : "%s  number %lld  seen %lld  lag %lld  acked %lld  pushes %lld  refused %lld  cursor %lld%s\n",
         out.data, (long long)site->number, (long long)site->seen_us, (long long)site->lag_us,
         (long long)kecs_stamp_time(site->acked_stamp), (long long)site->pushes, (long long)site->refused,
         (long long)site->cursor, limits.data);
  free(out.data);
  free(limits.data);
  return KECS_OK;
}

static kecs_status print_hub(const arguments *args, const char *path) {
  kecs_sync_hub_info info;
  kecs_status status = kecs_sync_hub_status(path, &info);
  if (!status) {
    printf(args->json || args->jsonl
               ? "{\"sites\":%lld,\"head\":%lld,\"floor\":%lld,\"queued\":%lld,\"tombstones\":%lld,\"conflicts\":%lld,"
                 "\"refused\":%lld,\"bytes\":%lld}\n"
               : "sites      %lld\nhead       %lld\nfloor      %lld\nqueued     %lld\ntombstones %lld\n"
                 "conflicts  %lld\nrefused    %lld\nbytes      %lld\n",
           (long long)info.sites, (long long)info.head, (long long)info.floor, (long long)info.queued,
           (long long)info.tombstones, (long long)info.conflicts, (long long)info.refused, (long long)info.bytes);
  }
  return status;
}

/* "*" is every site; "none" in the place of options takes back what was said. */
static exit_code hub_limit(const arguments *args, const char *path, const char *site, const char *none) {
  kecs_sync_limits limits = {0, 0, args->values[OPTION_PAUSE]};
  int64_t seconds = 0;
  bool any = args->values[OPTION_EVERY] || args->values[OPTION_BATCH] || limits.pause;
  if (none ? any || strcmp(none, "none") != 0 : !any) {
    return usage_error(args, "%s", "hub limit SITE takes --every SECONDS, --batch N, --pause REASON; or none");
  }
  if (args->values[OPTION_EVERY] && (!read_number(args->values[OPTION_EVERY], &seconds) || seconds < 1)) {
    return usage_error(args, "--every is a number of seconds, 1 to 86400; not \"%s\"", args->values[OPTION_EVERY]);
  }
  if (args->values[OPTION_BATCH] && (!read_number(args->values[OPTION_BATCH], &limits.batch) || limits.batch < 1)) {
    return usage_error(args, "--batch is a number, 1 to 100000; not \"%s\"", args->values[OPTION_BATCH]);
  }
  limits.every_ms = seconds > 86400 ? INT64_MAX : seconds * 1000;
  kecs_status status = kecs_sync_hub_limit(path, strcmp(site, "*") == 0 ? NULL : site, none ? NULL : &limits);
  return status ? fail_asked(status) : EXIT_GOOD;
}

/* What can be said of a hub: the word, and how many more there must be and may be. */
typedef struct hub_verb {
  const char *name;
  int least;
  int most;
} hub_verb;

static const hub_verb *hub_verb_of(const arguments *args) {
  static const hub_verb verbs[] = {{"init", 0, 0},  {"sites", 0, 0}, {"status", 0, 0}, {"retain", 1, 1},
                                   {"token", 1, 1}, {"grant", 2, 2}, {"revoke", 1, 2}, {"limit", 1, 2}};
  int more = args->operand_count - 1;
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
    if (strcmp(args->operands[0], verbs[i].name) == 0 && more >= verbs[i].least && more <= verbs[i].most) {
      return &verbs[i];
    }
  }
  return NULL;
}

static exit_code run_hub(const arguments *args) {
  const char *path = NULL;
  const hub_verb *verb = hub_verb_of(args);
  const char *site = args->operand_count > 1 ? args->operands[1] : NULL;
  const char *cluster = args->operand_count > 2 ? args->operands[2] : NULL;
  bool limit = verb && strcmp(verb->name, "limit") == 0;
  bool retain = verb && strcmp(verb->name, "retain") == 0;
  char *end = NULL;
  long days = retain ? strtol(site, &end, 10) : 0;
  if (!verb) {
    return usage_error(args, "hub takes init, sites, status, retain DAYS, grant SITE CLUSTER, "
                             "revoke SITE [CLUSTER], token SITE, or limit SITE");
  }
  if (!limit && (args->values[OPTION_EVERY] || args->values[OPTION_BATCH] || args->values[OPTION_PAUSE])) {
    return usage_error(args, "--every, --batch and --pause are of hub limit, not of hub %s", verb->name);
  }
  if (retain && (*end || days < 1 || days > 36500)) {
    return usage_error(args, "\"%s\" is no number of days from 1 to 36500", site);
  }
  exit_code code = choose_database(args, &path);
  if (code || limit) {
    return code ? code : hub_limit(args, path, site, cluster);
  }
  arguments shown = *args;
  kecs_status status = retain ? kecs_sync_hub_retain(path, (int64_t)days * 24 * 3600 * 1000000)
                       : strcmp(verb->name, "init") == 0   ? kecs_sync_hub_init(path)
                       : strcmp(verb->name, "sites") == 0  ? kecs_sync_hub_sites(path, print_site, &shown)
                       : strcmp(verb->name, "status") == 0 ? print_hub(args, path)
                       : strcmp(verb->name, "token") == 0  ? hub_token(path, site)
                       : strcmp(verb->name, "grant") == 0  ? kecs_sync_hub_grant(path, site, cluster)
                       : cluster                           ? kecs_sync_hub_revoke(path, site, cluster)
                                                           : kecs_sync_hub_token(path, site, NULL);
  return status ? fail_asked(status) : EXIT_GOOD;
}

#else

static exit_code run_without(const arguments *args) {
  return usage_error(args, "this program was built without libpq, which %s needs", args->command->name);
}

#define run_sync run_without
#define run_conflicts run_without
#define run_hub run_without

#endif
