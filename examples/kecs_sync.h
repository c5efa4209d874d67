/* kecs_sync.h -- sync, conflicts and hub: edges and their hub. */

#if defined(KECS_POSTGRES)

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

static exit_code sync_round(kecs_sync *sync) {
  kecs_sync_report done;
  kecs_status status = kecs_sync_once(sync, &done);
  printf("pushed %lld, refused %lld, pulled %lld, appended %lld, conflicts %lld; %lld round trips, %lld bytes out, "
         "%lld in\n",
         (long long)done.pushed, (long long)done.refused, (long long)done.pulled, (long long)done.appended,
         (long long)done.conflicts,
         (long long)done.round_trips, (long long)done.bytes_out, (long long)done.bytes_in);
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
         info.site, (long long)info.number, (long long)info.pending, (long long)info.refused, (long long)info.wanted,
         (long long)info.conflicts, (long long)info.cursor, info.last_us ? last.data : "never");
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
    code = look ? sync_state(sync) : sync_round(sync);
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
  add_text(out, "  ");
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

static exit_code run_conflicts(const arguments *args) {
  exit_code code = EXIT_GOOD;
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

static exit_code run_hub(const arguments *args) {
  const char *path = NULL;
  const char *verb = args->operands[0];
  const char *site = args->operand_count > 1 ? args->operands[1] : NULL;
  const char *cluster = args->operand_count > 2 ? args->operands[2] : NULL;
  bool init = strcmp(verb, "init") == 0 && !site;
  bool token = strcmp(verb, "token") == 0 && site && !cluster;
  bool grant = strcmp(verb, "grant") == 0 && cluster;
  bool revoke = strcmp(verb, "revoke") == 0 && site;
  if (!init && !token && !grant && !revoke) {
    return usage_error(args, "hub takes init, grant SITE CLUSTER, revoke SITE [CLUSTER], or token SITE");
  }
  exit_code code = choose_database(args, &path);
  if (code) {
    return code;
  }
  kecs_status status = init      ? kecs_sync_hub_init(path)
                       : token   ? hub_token(path, site)
                       : grant   ? kecs_sync_hub_grant(path, site, cluster)
                       : cluster ? kecs_sync_hub_revoke(path, site, cluster)
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
