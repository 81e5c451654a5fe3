// Service: what the handlers share, and the table of all endpoints. One thread (the store's).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ctl/api/http.h"
#include "ctl/api/router.h"
#include "ctl/model/activation.h"
#include "ctl/model/authority.h"
#include "ctl/model/id.h"
#include "ctl/model/rules.h"
#include "ctl/model/timestamp.h"
#include "ctl/publish/edge_questions.h"
#include "ctl/publish/publisher.h"
#include "ctl/resolve/name_table.h"
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
  model::Id account;  // the one account there is
};

// A zone and what checks of its delegation have come to.
struct ActivationState {
  model::Zone zone;
  model::Activation activation;
};
// Called once, on any thread. Empty: the zone is gone, or the store has failed.
using CheckedActivation = std::function<void(std::optional<ActivationState>)>;

struct Service {
  store::Store& store;
  const Settings& settings;
  model::Entropy entropy;
  model::WallClock clock;
  std::function<publish::PublisherStatus()> publication;
  model::Timestamp started;
  // Asks brink-edge; see publish::EdgeQuestions.
  std::function<void(publish::Question, publish::EdgeQuestions::Answered)> ask_edge;
  // Checks a zone's delegation now; answers when the status that follows is served.
  std::function<void(const model::Zone&, CheckedActivation)> check_activation = {};
  // What the resolver knows of names outside.
  std::function<void(std::function<void(const resolve::ResolverStatus&)>)> resolver_status = {};
};

// Each noun's file adds its endpoints.
void add_zones(Router& router, Service& service);
void add_dns_records(Router& router, Service& service);
void add_batch(Router& router, Service& service);
void add_zone_files(Router& router, Service& service);
void add_node(Router& router, Service& service);
void add_snapshot(Router& router, Service& service);
void add_history(Router& router, Service& service);
void add_activation(Router& router, Service& service);
void add_resolver(Router& router, Service& service);

Router make_router(Service& service);

// Routes, and turns a failure of the store into an answer.
Reply handle(const Router& router, Request& request);

}  // namespace brink::ctl::api
