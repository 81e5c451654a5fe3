#include "l7/proxy/exchange/zone_rules.h"

#include <optional>

#include "l7/route/certificate_lookup.h"

namespace brink::l7::proxy {
namespace {

using rewrite::RunVerdict;
using route::RulePhase;

// Opens the rules of a phase; true: there are none, or `view` has them.
bool open_rules(const route::ZoneTable& table, RulePhase phase,
                std::optional<route::RulesView>& view) noexcept {
  const auto blob = table.rules(phase);
  view = route::RulesView::open(blob);
  return blob.empty() || (view && view->phase() == phase);
}

}  // namespace

// But for the certificate.
rewrite::Facts ZoneRules::request_facts(const Exchange& exchange,
                                        const http::RequestHead& request) const noexcept {
  const Client& client = clients_[exchange.client];
  rewrite::Facts facts = rewrite::facts_of(request, client.address, client.secure);
  facts.country = exchange.country;
  return facts;
}

ZoneRules::Verdict ZoneRules::run_on_request(Exchange& exchange, const http::RequestHead& request,
                                             rewrite::Block& block, EdgeError& error) noexcept {
  work_.edits.clear();
  exchange.has_response_rules = false;
  error = EdgeError::internal;
  const auto table = route::find_zone_table(*turn_.view, request.authority.host());
  if (!table) return Verdict::pass;
  rewrite::Facts facts = request_facts(exchange, request);
  facts.certificate = client_tls_.certificate_of(exchange.client, *table);
  std::optional<route::RulesView> rules;
  if (!open_rules(*table, RulePhase::kFirewall, rules)) return Verdict::error;
  RunVerdict verdict = rules ? run_firewall(*rules, facts, work_, block) : RunVerdict::kPassed;
  if (verdict == RunVerdict::kBlocked) return Verdict::block;
  if (!open_rules(*table, RulePhase::kRequest, rules)) return Verdict::error;
  if (rules && verdict == RunVerdict::kPassed) verdict = run_header_rules(*rules, facts, work_);
  if (verdict == RunVerdict::kTooLarge) error = EdgeError::fields_too_large;
  exchange.has_response_rules = !table->rules(RulePhase::kResponse).empty();
  return verdict == RunVerdict::kPassed ? Verdict::pass : Verdict::error;
}

bool ZoneRules::keep_facts(std::uint32_t x, const http::RequestHead& request) noexcept {
  Exchange& exchange = exchanges_[x];
  if (!exchange.has_response_rules) return true;
  return exchange.kept_facts.keep(request_facts(exchange, request),
                                  exchanges_.out(x).subspan(exchange.out_size));
}

bool ZoneRules::run_on_response(std::uint32_t x, const http::ResponseHead& response) noexcept {
  Exchange& exchange = exchanges_[x];
  work_.edits.clear();
  if (!exchange.has_response_rules || response.status < 200) return true;
  const auto table = route::find_zone_table(*turn_.view, exchange.route.zone_name());
  if (!table) return true;
  std::optional<route::RulesView> rules;
  if (!open_rules(*table, RulePhase::kResponse, rules)) return false;
  if (!rules) return true;
  auto facts = exchange.kept_facts.facts(exchanges_.out(x).subspan(exchange.out_size));
  facts.status = response.status;
  facts.certificate = client_tls_.certificate_of(exchange.client, *table);
  return run_header_rules(*rules, facts, work_) == RunVerdict::kPassed;
}

}  // namespace brink::l7::proxy
