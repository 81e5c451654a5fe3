// The zone's rules on the way of an exchange: they block a request, change the head that the origin
// gets, and the one that the client gets. What they say is l7/rewrite.
#include "l7/proxy/stage.h"
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

// What the client has shown, as it stands now; null: nothing.
const rewrite::ClientCertificate* Stage::certificate_of(const Exchange& exchange,
                                                        const route::ZoneTable& table) noexcept {
  if (!clients_[exchange.client].has_certificate) return nullptr;
  const std::int64_t unix_s =
      (now_.time_since_epoch() + config_.wall_offset) / std::chrono::seconds(1);
  return config_.credentials->clients().find(exchange.client, table, unix_s);
}

// Of request_, but for the certificate.
rewrite::Facts Stage::request_facts(const Exchange& exchange) const noexcept {
  const Client& client = clients_.items[exchange.client];
  rewrite::Facts facts = rewrite::facts_of(*request_, client.address, client.secure);
  facts.country = exchange.country;
  return facts;
}

// Firewall first, then the headers to the origin, which rules_ then has for build_origin_request().
Stage::Decision Stage::run_request_rules(std::uint32_t x, EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  rewrite::Workspace& work = rules_.front();
  work.edits.clear();
  exchange.has_response_rules = false;
  error = EdgeError::internal;
  const auto table = route::find_zone_table(*view_, request_->authority.host());
  if (!table) return Decision::forward;
  rewrite::Facts facts = request_facts(exchange);
  facts.certificate = certificate_of(exchange, *table);
  std::optional<route::RulesView> rules;
  if (!open_rules(*table, RulePhase::kFirewall, rules)) return Decision::error;
  rewrite::Block block;
  RunVerdict verdict = rules ? run_firewall(*rules, facts, work, block) : RunVerdict::kPassed;
  if (verdict == RunVerdict::kBlocked) return block_request(x, block, error);
  if (!open_rules(*table, RulePhase::kRequest, rules)) return Decision::error;
  if (rules && verdict == RunVerdict::kPassed) verdict = run_header_rules(*rules, facts, work);
  if (verdict == RunVerdict::kTooLarge) error = EdgeError::fields_too_large;
  exchange.has_response_rules = !table->rules(RulePhase::kResponse).empty();
  return verdict == RunVerdict::kPassed ? Decision::forward : Decision::error;
}

// The answer that the rule gives, composed; else the edge's page.
Stage::Decision Stage::block_request(std::uint32_t x, const rewrite::Block& block,
                                     EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  counters_.add(ipc::Counter::kHttpBlocked);
  error = EdgeError::blocked;
  if (block.content_type.empty()) return Decision::error;
  if (!exchange.request_done) exchange.close_client = true;
  note_error(exchange, error);
  exchange.entry.status = block.status;
  return compose_answer(x, {block.status, block.content_type, block.content.size()},
                        block.content)
             ? Decision::own
             : Decision::error;
}

// What the response's rules will ask about the request is kept behind it, as the origin gets it.
// False: there is no room.
bool Stage::keep_facts(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (!exchange.has_response_rules) return true;
  return exchange.kept_facts.keep(request_facts(exchange),
                                  out_buffer(x).subspan(exchange.out_size));
}

// Leaves what the rules change of *response_ in rules_. False: they could not be run.
bool Stage::run_response_rules(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  rewrite::Workspace& work = rules_.front();
  work.edits.clear();
  if (!exchange.has_response_rules || response_->status < 200) return true;
  const auto table = route::find_zone_table(*view_, exchange.route.zone_name());
  if (!table) return true;
  std::optional<route::RulesView> rules;
  if (!open_rules(*table, RulePhase::kResponse, rules)) return false;
  if (!rules) return true;
  auto facts = exchange.kept_facts.facts(out_buffer(x).subspan(exchange.out_size));
  facts.status = response_->status;
  facts.certificate = certificate_of(exchange, *table);
  return run_header_rules(*rules, facts, work) == RunVerdict::kPassed;
}

}  // namespace brink::l7::proxy
