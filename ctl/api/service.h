// Service: what the handlers share, and the table of all endpoints. One thread (the store's).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ctl/api/http.h"
#include "ctl/api/router.h"
#include "ctl/model/authority.h"
#include "ctl/model/id.h"
#include "ctl/model/rules.h"
#include "ctl/model/timestamp.h"
#include "ctl/publish/edge_questions.h"
#include "ctl/publish/publisher.h"
#include "ctl/store/store.h"

namespace brink::ctl::api {

struct Limits {
  std::uint64_t zones_per_page_max = 1000;
  std::uint64_t records_per_page_max = 50'000;
  std::size_t batch_max = 3500;              // operations of one batch
  std::size_t import_size_max = 256 * 1024;  // over TCP
  std::size_t import_size_max_trusted = 512 * 1024 * 1024;
};

struct Settings {
  model::Rules rules;
  model::Authority authority;
  Limits limits;
  std::string program_version;
  std::string store_path;
  std::string stats_path;  // of brink-edge's statistics segment
  std::string edge_socket;
  model::Id account;                  // the one account there is
  std::size_t address_set_count = 1;  // sets of edge addresses that zones are assigned from
};

struct Service {
  store::Store& store;
  const Settings& settings;
  model::Entropy entropy;
  model::WallClock clock;
  std::function<publish::PublisherStatus()> publication;
  model::Timestamp started;
  // Asks brink-edge; see publish::EdgeQuestions.
  std::function<void(publish::Question, publish::EdgeQuestions::Answered)> ask_edge;
};

// Each noun's file adds its endpoints.
void add_zones(Router& router, Service& service);
void add_dns_records(Router& router, Service& service);
void add_batch(Router& router, Service& service);
void add_zone_files(Router& router, Service& service);
void add_dns_settings(Router& router, Service& service);
void add_plans(Router& router, Service& service);
void add_record_usage(Router& router, Service& service);
void add_zone_settings(Router& router, Service& service);
void add_node(Router& router, Service& service);
void add_snapshot(Router& router, Service& service);
void add_history(Router& router, Service& service);

Router make_router(Service& service);

// Routes, and turns a failure of the store into an answer.
Reply handle(const Router& router, Request& request);

}  // namespace brink::ctl::api
