// cpp_user -- kecs_store from C++11: the declarations are C++, the implementation stands in a C file of two lines.
//
//   cc -c kecs_store_impl.c && c++ -std=c++11 cpp_user.cpp kecs_store_impl.o -lsqlite3 -lpthread -lm
//   cpp_user [FILE]     ":memory:" unless a file is given
//
// Two deleters give everything back, whatever is thrown.
#include "kecs_store.h"

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct closer {
  void operator()(kecs_store *store) const { (void)kecs_close(store); }
  void operator()(kecs_result *result) const { kecs_result_free(result); }
};

using store_ptr = std::unique_ptr<kecs_store, closer>;
using result_ptr = std::unique_ptr<kecs_result, closer>;

struct store_error : std::runtime_error {
  explicit store_error(kecs_status code) : std::runtime_error(kecs_last_error()->text), status(code) {}
  kecs_status status;
};

void check(kecs_status status) {
  if (status != KECS_OK) {
    throw store_error(status);
  }
}

store_ptr open_store(const std::string &path) {
  kecs_options options = kecs_options();
  kecs_store *store = nullptr;
  options.path = path.c_str();
  check(kecs_open(&options, &store));
  return store_ptr(store);
}

std::vector<std::string> service_names(kecs_store *store, const char *prefix) {
  kecs_filter begins = kecs_filter();
  begins.column = KECS_SERVICE_NAME;
  begins.op = KECS_PREFIX;
  begins.text = prefix;
  kecs_query query = kecs_query();
  query.where = &begins;
  query.where_count = 1;
  query.direction = KECS_ORDER_ASCENDING;
  query.order_by = KECS_SERVICE_NAME;
  kecs_result *page = nullptr;
  check(kecs_service_list(store, &query, &page));
  result_ptr keep(page);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kecs_result_count(page); i++) {
    names.push_back(kecs_service_at(page, i)->name);
  }
  return names;
}

void run(const std::string &path) {
  store_ptr store = open_store(path);
  kecs_cluster cluster = kecs_cluster();
  cluster.name = "shop";
  check(kecs_cluster_ensure(store.get(), &cluster, nullptr, nullptr));
  for (const char *name : {"web", "web-admin", "worker"}) {
    kecs_service service = kecs_service();
    service.cluster_arn = "shop";
    service.name = name;
    check(kecs_service_upsert(store.get(), &service, nullptr));
  }
  for (const std::string &name : service_names(store.get(), "web")) {
    std::cout << "service " << name << '\n';
  }
  try {
    check(kecs_service_delete(store.get(), "shop", "search"));
  } catch (const store_error &error) {
    std::cout << kecs_status_name(error.status) << ": " << error.what() << '\n';
  }
}

} // namespace

int main(int argc, char **argv) {
  try {
    run(argc > 1 ? argv[1] : ":memory:");
  } catch (const std::exception &error) {
    std::cerr << "failed: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
