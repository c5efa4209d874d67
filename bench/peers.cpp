/* peers.cpp -- reading a task by its ARN: this library beside SOCI, on the same file, in one process.
 *
 *   peers FILE WHAT [ROUNDS]     FILE is build/bench-data/small.db, which bench makes; WHAT stands beside the figures
 *
 * Both give the caller a row of its own with all columns. SOCI's statement is prepared once and fetches into variables
 * that are bound once, which is its fast way; the row is their copy. SOCI is linked with the system's SQLite; this
 * library uses the one that its header brings, or the same (bench/run.sh). */
#include "kecs_store.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

const int gets = 5000;      // in a round, on each side
const double target = 1.6;  // times as fast, at least

// The columns of a task as SOCI fetches them.
struct Row {
  std::vector<std::string> texts;
  std::vector<long long> numbers;
  std::vector<soci::indicator> indicators;
};

class Soci {
 public:
  explicit Soci(const std::string &path) : session_(soci::sqlite3, "db=" + path + " timeout=10"), statement_(session_) {
    session_ << "PRAGMA cache_size=-262144";
    std::string sql;
    const kecs_kind_info *info = kecs_kind_describe(KECS_KIND_TASK);
    size_t columns = static_cast<size_t>(info->column_count);
    row_.texts.reserve(columns);  // SOCI keeps references, so nothing may move
    row_.numbers.reserve(columns);
    row_.indicators.reserve(columns);
    for (int i = 0; i < info->column_count; i++) {
      sql += (i > 0 ? "," : "SELECT ") + std::string(info->columns[i].name);
      row_.indicators.push_back(soci::i_ok);
      if (info->columns[i].type == KECS_TYPE_TEXT || info->columns[i].type == KECS_TYPE_JSON) {
        row_.texts.emplace_back();
        statement_.exchange(soci::into(row_.texts.back(), row_.indicators.back()));
      } else {
        row_.numbers.push_back(0);
        statement_.exchange(soci::into(row_.numbers.back(), row_.indicators.back()));
      }
    }
    statement_.exchange(soci::use(arn_));
    statement_.alloc();
    statement_.prepare(sql + " FROM tasks WHERE arn=:arn");
    statement_.define_and_bind();
  }

  Row get(const std::string &arn) {
    arn_ = arn;
    if (!statement_.execute(true)) {
      std::fprintf(stderr, "peers: SOCI finds no task %s\n", arn.c_str());
      std::exit(1);
    }
    return row_;
  }

 private:
  soci::session session_;
  soci::statement statement_;
  std::string arn_;
  Row row_;
};

double cpu() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void check(bool good, const char *what) {
  if (!good) {
    std::fprintf(stderr, "peers: %s: %s\n", what, kecs_last_error()->text);
    std::exit(1);
  }
}

std::vector<std::string> keys_of(kecs_store *store) {
  std::vector<std::string> keys;
  kecs_query query = kecs_query();
  query.limit = 1000;
  kecs_result *result = nullptr;
  check(kecs_task_list(store, &query, &result) == KECS_OK, "list");
  for (size_t i = 0; i < kecs_result_count(result); i++) {
    keys.push_back(kecs_task_at(result, i)->arn);
  }
  kecs_result_free(result);
  check(!keys.empty(), "the file has no tasks");
  return keys;
}

double time_ours(kecs_store *store, const std::vector<std::string> &keys) {
  double since = cpu();
  for (int i = 0; i < gets; i++) {
    const std::string &key = keys[static_cast<size_t>(i) * 7919 % keys.size()];
    kecs_result *result = nullptr;
    check(kecs_task_get(store, nullptr, key.c_str(), &result) == KECS_OK, "get");
    check(key == kecs_task_at(result, 0)->arn, "another task came back");
    kecs_result_free(result);
  }
  return (cpu() - since) / gets * 1e6;
}

double time_soci(Soci &soci, const std::vector<std::string> &keys) {
  double since = cpu();
  for (int i = 0; i < gets; i++) {
    const std::string &key = keys[static_cast<size_t>(i) * 7919 % keys.size()];
    Row row = soci.get(key);
    check(row.texts.front() == key, "SOCI: another task came back");
  }
  return (cpu() - since) / gets * 1e6;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char **arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: peers FILE WHAT [ROUNDS]\n");
    return 2;
  }
  int rounds = count > 3 ? std::max(3, std::atoi(arguments[3])) : 15;
  kecs_options options = kecs_options();
  kecs_store *store = nullptr;
  options.path = arguments[1];
  options.must_exist = true;
  options.cache_kib = 1048576;
  options.row_cache.entries = -1;  // every get goes to SQLite, as SOCI's does
  check(kecs_open(&options, &store) == KECS_OK, "open");
  try {
    Soci soci(arguments[1]);
    std::vector<std::string> keys = keys_of(store);
    std::vector<double> ours, theirs, ratios;
    for (int round = -1; round < rounds; round++) {
      double mine = time_ours(store, keys);
      double peer = time_soci(soci, keys);
      if (round >= 0) {
        ours.push_back(mine);
        theirs.push_back(peer);
        ratios.push_back(peer / mine);
      }
    }
    double ratio = median(ratios);
    std::string what = std::string("get.hot beside SOCI, ") + arguments[2];
    std::printf("%-44s %6.2f %8.2f   %.2f times as fast, target %.1f %s\n", what.c_str(), median(ours), median(theirs),
                ratio, target, ratio >= target ? "met" : "MISSED");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "peers: SOCI: %s\n", error.what());
    return 1;
  }
  check(kecs_close(store) == KECS_OK, "close");
  return 0;
}
