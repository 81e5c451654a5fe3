// Service: what the handlers share, and the table of all endpoints. One thread (the store's).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctl/api/http.h"
#include "ctl/api/router.h"
#include "ctl/api/token_uses.h"
#include "ctl/compile/served_zone.h"
#include "ctl/dnssec/policy.h"
#include "ctl/identity/rate_limiter.h"
#include "ctl/model/activation.h"
#include "ctl/model/authority.h"
#include "ctl/model/id.h"
#include "ctl/model/rules.h"
#include "ctl/model/timestamp.h"
#include "ctl/publish/edge_questions.h"
#include "ctl/publish/publisher.h"
#include "ctl/resolve/name_table.h"
#include "dataplane/secret/sealed_box.h"
#include "ctl/store/dnssec_keys.h"
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
  std::size_t address_set_count = 1;  // sets of edge addresses that zones are assigned from
  dnssec::Policy dnssec;
  identity::RateLimiter::Limit user_limit{1200, std::chrono::minutes(5)};
  identity::RateLimiter::Limit address_limit{200, std::chrono::seconds(1)};
  // Credentials that are wrong, by address.
  identity::RateLimiter::Limit failure_limit{30, std::chrono::minutes(5)};
};

// How often a caller may ask. The UNIX socket is exempt.
struct RequestLimits {
  static constexpr std::size_t kKeysMax = 65'536;

  explicit RequestLimits(const Settings& settings)
      : users(settings.user_limit, kKeysMax),
        addresses(settings.address_limit, kKeysMax),
        failures(settings.failure_limit, kKeysMax) {}

  identity::RateLimiter users, addresses, failures;
  std::function<identity::RateLimiter::Time()> clock = std::chrono::steady_clock::now;
};

// A zone and what checks of its delegation have come to.
struct ActivationState {
  model::Zone zone;
  model::Activation activation;
};
// Called once, on any thread. Empty: the zone is gone, or the store has failed.
using CheckedActivation = std::function<void(std::optional<ActivationState>)>;

// A zone's DNSSEC as it is in the store.
struct DnssecState {
  model::Zone zone;
  std::vector<store::DnssecKey> keys;
  store::DnssecZone more;
};
DnssecState dnssec_state(store::Store& store, const model::Zone& zone);
// Called once, on any thread. Empty: the zone is gone, or the store has failed.
using CheckedDnssec = std::function<void(std::optional<DnssecState>)>;

// What an import leads to, which is compiled while it is being stored. Destroyed: it does not come.
class ComingImport {
 public:
  virtual ~ComingImport() = default;
  // The store has it.
  virtual void is_stored() = 0;
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
  // Checks a zone's delegation now; answers when the status that follows is served.
  std::function<void(const model::Zone&, CheckedActivation)> check_activation = {};
  // Asks a zone's parent for DS records now; answers when what follows is served.
  std::function<void(const model::Zone&, CheckedDnssec)> check_dnssec = {};
  // What the resolver knows of names outside.
  std::function<void(std::function<void(const resolve::ResolverStatus&)>)> resolver_status = {};
  // A zone as it is served, record by record; see compile::serve_zone. Within a read transaction.
  std::function<base::Result<void>(const model::Zone&, const compile::VisitRrset&)> serve_zone = {};
  // Begins to compile what an import leads to: the zone as it will be, and all records that it will
  // have, whose number is `size`. Within the transaction, before its first change; the version that
  // this takes is the import's. Null: it is compiled when it is stored, like any change.
  std::function<std::unique_ptr<ComingImport>(const model::Zone& zone, std::size_t size,
                                              store::EachRecord records)>
      begin_import = {};
  RequestLimits limits{settings};
  const secret::SealedBox* box = nullptr;  // for secrets that go into the store
  const Request* current = nullptr;        // the request that is being handled
  bool audited = false;                    // it has written to the audit log
  TokenUses token_uses = {};
};

// A route's handler, made of a function that shares `service`, which is borrowed.
inline Router::Handler bound(Service& service, Reply (*handler)(Service&, const Request&)) {
  return [&service, handler](const Request& request) { return handler(service, request); };
}

// The answer where the edge's statistics cannot be read.
Reply no_statistics(const base::Error& error);

// Each noun's file adds its endpoints.
void add_zones(Router& router, Service& service);
void add_dns_records(Router& router, Service& service);
void add_batch(Router& router, Service& service);
void add_zone_files(Router& router, Service& service);
void add_dns_settings(Router& router, Service& service);
void add_plans(Router& router, Service& service);
void add_purge_cache(Router& router, Service& service);
void add_record_usage(Router& router, Service& service);
void add_zone_settings(Router& router, Service& service);
void add_node(Router& router, Service& service);
void add_traffic(Router& router, Service& service);
void add_snapshot(Router& router, Service& service);
void add_history(Router& router, Service& service);
void add_accounts(Router& router, Service& service);
void add_users(Router& router, Service& service);
void add_tokens(Router& router, Service& service);
void add_audit_logs(Router& router, Service& service);
void add_activation(Router& router, Service& service);
void add_resolver(Router& router, Service& service);
void add_dnssec(Router& router, Service& service);
void add_dnssec_keys(Router& router, Service& service);
void add_custom_certificates(Router& router, Service& service);
void add_origin_pulls(Router& router, Service& service);
void add_origin_trust(Router& router, Service& service);
void add_certificate_forwards(Router& router, Service& service);
void add_stapling(Router& router, Service& service);
void add_mtls_certificates(Router& router, Service& service);
void add_client_certificates(Router& router, Service& service);
void add_ssl(Router& router, Service& service);
void add_rulesets(Router& router, Service& service);
void add_serial(Router& router, Service& service);

// The table of endpoints. From now on the audit log is part of what they change.
Router make_router(Service& service);

// What a request over TCP is answered with whatever its body may be, which has not been read yet;
// empty: handle() has to say. Counts against no limit but that of wrong credentials.
std::optional<Reply> turn_away(Service& service, const Router& router, Request& head);

// Work that requests have left for later; quick when there is none.
void do_chores(Service& service);

// A request's whole way: limits, who it is, what that one may do, the handler. A failure of the
// store becomes an answer.
Reply handle(Service& service, const Router& router, Request& request);

}  // namespace brink::ctl::api
