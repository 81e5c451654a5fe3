#include "ctl/api/service.h"

#include <spdlog/spdlog.h>

#include "ctl/api/audit.h"
#include "ctl/api/authenticate.h"
#include "ctl/api/authorize.h"

namespace brink::ctl::api {
namespace {

using Verdict = identity::RateLimiter::Verdict;

// Of IPv6 a network of 64 bits counts as one address: whoever has one has all of them.
std::string address_key(const base::IpAddress& address) {
  return std::string(identity::masked(address, address.is_v4() ? 32 : 64).text().view());
}

std::string user_key(const identity::Principal& principal) {
  return (principal.user() ? *principal.user() : principal.id()).hex();
}

void add_headers(Reply& reply, const Verdict& verdict) {
  reply.headers.emplace_back("x-ratelimit-limit", std::to_string(verdict.limit));
  reply.headers.emplace_back("x-ratelimit-remaining", std::to_string(verdict.remaining));
  reply.headers.emplace_back("x-ratelimit-reset", std::to_string(verdict.reset_s));
  if (!verdict.allowed) reply.headers.emplace_back("retry-after", std::to_string(verdict.retry_s));
}

Reply too_many(const Verdict& verdict, const std::string& what) {
  Reply reply =
      refuse({429,
              kCodeTooMany,
              "Too many " + what + "; try again in " + std::to_string(verdict.retry_s) + " s.",
              {}});
  add_headers(reply, verdict);
  return reply;
}

// By its credentials; the refusal of those that are wrong is counted.
std::optional<Reply> identify(Service& service, Request& request) {
  auto& limits = service.limits;
  const std::string address = address_key(request.peer);
  const Verdict failures = limits.failures.look(address, limits.clock());
  if (!failures.allowed) return too_many(failures, "wrong credentials from this address");
  auto principal = authenticate(service, request);
  if (!principal) {
    if (!request.credentials.empty()) limits.failures.take(address, limits.clock());
    return refuse(principal.error());
  }
  request.principal = std::move(principal).value();
  return std::nullopt;
}

// The request is `current` while its handler runs, so that changes know whose they are.
Reply run(Service& service, const Route& route, const Request& request) {
  struct Current {
    explicit Current(Service& service_, const Request& request_) : service(service_) {
      service.current = &request_;
      service.audited = false;
    }
    ~Current() { service.current = nullptr; }
    Service& service;
  } current(service, request);
  return route.handler(request);
}

Reply admit_and_run(Service& service, const Route& route, Request& request) {
  if (route.access.kind == Access::Kind::kPublic) return run(service, route, request);
  if (request.trusted) {
    request.principal = identity::Principal::local_operator(request.uid);
    if (auto refusal = authorize(service, route, request)) return refuse(*std::move(refusal));
    return run(service, route, request);
  }
  if (auto unknown = identify(service, request)) return *std::move(unknown);
  if (request.principal.kind() == identity::Principal::Kind::kToken) {
    service.token_uses.note(request.principal.id(), service.clock());
  }
  auto& limits = service.limits;
  const Verdict verdict = limits.users.take(user_key(request.principal), limits.clock());
  if (!verdict.allowed) return too_many(verdict, "requests of this user");
  auto refusal = authorize(service, route, request);
  Reply reply = refusal ? refuse(*std::move(refusal)) : run(service, route, request);
  add_headers(reply, verdict);
  return reply;
}

Reply route_and_run(Service& service, const Router& router, Request& request) {
  if (!request.trusted) {
    auto& limits = service.limits;
    const Verdict verdict = limits.addresses.take(address_key(request.peer), limits.clock());
    if (!verdict.allowed) return too_many(verdict, "requests from this address");
  }
  const auto route = router.find(request);
  if (!route) return refuse(route.error());
  return admit_and_run(service, *route.value(), request);
}

Reply failed(const Request& request, const store::Failure& failure) {
  spdlog::error("{} {}: {}", request.method, request.path, failure.what());
  return refuse({500,
                 kCodeStoreFailed,
                 std::string("The record store failed, nothing was changed: ") + failure.what(),
                 {}});
}

}  // namespace

Router make_router(Service& service) {
  service.store.set_before_commit([&service] { audit_changes(service); });
  Router router;
  add_zones(router, service);
  add_zone_settings(router, service);
  add_dns_settings(router, service);
  add_plans(router, service);
  add_purge_cache(router, service);
  // Before the records: "batch", "export", "import", "usage" and "scan" stand where an id stands
  // otherwise.
  add_batch(router, service);
  add_zone_files(router, service);
  add_record_usage(router, service);
  add_dns_records(router, service);
  add_node(router, service);
  add_traffic(router, service);
  add_snapshot(router, service);
  add_history(router, service);
  add_accounts(router, service);
  add_users(router, service);
  add_tokens(router, service);
  add_audit_logs(router, service);
  add_activation(router, service);
  add_resolver(router, service);
  add_dnssec(router, service);
  add_dnssec_keys(router, service);
  add_custom_certificates(router, service);
  add_origin_pulls(router, service);
  add_origin_trust(router, service);
  add_certificate_forwards(router, service);
  add_stapling(router, service);
  add_mtls_certificates(router, service);
  add_client_certificates(router, service);
  add_ssl(router, service);
  add_rulesets(router, service);
  add_serial(router, service);
  return router;
}

void do_chores(Service& service) {
  const model::Timestamp now = service.clock();
  if (!service.token_uses.is_due(now)) return;
  try {
    service.token_uses.flush(service.store, now);
  } catch (const store::Failure& failure) {
    spdlog::error("when tokens were used cannot be kept: {}", failure.what());
  }
}

std::optional<Reply> turn_away(Service& service, const Router& router, Request& head) {
  try {
    auto& limits = service.limits;
    const Verdict address = limits.addresses.look(address_key(head.peer), limits.clock());
    if (!address.allowed) return too_many(address, "requests from this address");
    const auto route = router.find(head);
    if (!route) return refuse(route.error());
    if (auto unknown = identify(service, head)) return unknown;
    const Verdict user = limits.users.look(user_key(head.principal), limits.clock());
    if (!user.allowed) return too_many(user, "requests of this user");
    auto refusal = authorize(service, *route.value(), head);
    return refusal ? std::optional(refuse(*std::move(refusal))) : std::nullopt;
  } catch (const store::Failure& failure) {
    return failed(head, failure);
  }
}

Reply handle(Service& service, const Router& router, Request& request) {
  try {
    return route_and_run(service, router, request);
  } catch (const store::Failure& failure) {
    return failed(request, failure);
  }
}

}  // namespace brink::ctl::api
