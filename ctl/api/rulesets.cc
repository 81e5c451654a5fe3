// /client/v4/zones/:zone/rulesets: rulesets, the one of a phase (its entrypoint), and single rules.
#include "ctl/store/rulesets.h"

#include <algorithm>

#include "ctl/api/audit.h"
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/compile/rules_compiler.h"
#include "ctl/rules/ruleset_json.h"

namespace brink::ctl::api {
namespace {

using model::Outcome;
using model::Refusal;
using model::Zone;
using rules::Phase;
using rules::Rule;
using rules::Ruleset;
using store::Rulesets;
using RuleList = std::vector<Rule>;

Outcome<Phase> phase_of(const Request& request) {
  return rules::phase_from_text(request.parameters.at("phase"));
}

Refusal no_such_ruleset(const std::string& id) {
  return {404, model::kCodeNotFound, "There is no ruleset with the identifier " + id + ".", {}};
}

// The ruleset that a request names, and its zone.
struct Named {
  Zone zone;
  Ruleset ruleset;
};

Outcome<Named> find(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return zone.error();
  const std::string& text = request.parameters.at("ruleset");
  const auto id = model::Id::parse(text);
  auto ruleset = id ? Rulesets(service.store).find(zone.value().id, *id) : std::nullopt;
  if (!ruleset) return no_such_ruleset(text);
  return Named{std::move(zone).value(), *std::move(ruleset)};
}

Outcome<std::size_t> find_rule(const Ruleset& ruleset, const std::string& id_text) {
  for (std::size_t i = 0; i < ruleset.rules.size(); ++i) {
    if (ruleset.rules[i].id.hex() == id_text) return i;
  }
  return Refusal{
      404, model::kCodeNotFound, "There is no rule with the identifier " + id_text + ".", {}};
}

// A rule that was fine when it was stored may name what is not there any more; its author is told.
Reply shown(const Ruleset& ruleset) {
  Reply reply = answer(to_text(rules::to_json(ruleset, true)));
  for (std::size_t i = 0; i < ruleset.rules.size(); ++i) {
    const auto fault = rules::fault_of(ruleset.rules[i], ruleset.phase);
    if (!fault) continue;
    reply.envelope.messages.push_back(
        {fault->code, item_name("rules", i) + " has no effect any more: " + fault->message});
  }
  return reply;
}

// Stores what the ruleset has become, as a new version of it.
Reply store_as(Service& service, const Zone& zone, const std::optional<Ruleset>& former,
               Ruleset ruleset) {
  if (ruleset.rules.size() > rules::kRulesMax) {
    return refuse(rules::invalid_rule("A ruleset has at most " + std::to_string(rules::kRulesMax) +
                                      " rules."));
  }
  if (auto fault = compile::size_fault(ruleset)) return refuse(*std::move(fault));
  ruleset.last_updated = service.clock();
  if (former) ruleset.version = former->version + 1;
  const Json after = rules::to_json(ruleset, true);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Rulesets(service.store).put(ruleset);
  audit(service, {zone.account, former ? "update" : "create", "ruleset", ruleset.id.hex(),
                  std::string(rules::to_text(ruleset.phase)),
                  former ? rules::to_json(*former, true) : Json(nullptr), after, zone.name.text()});
  return committed(service, transaction, shown(ruleset));
}

// A rule that says what `old` said keeps its version; id and ref stay in any case.
void follow(const Rule& old, model::Timestamp now, Rule& rule) {
  rule.id = old.id;
  if (rule.ref.empty()) rule.ref = old.ref;
  const bool is_same = rule.says_the_same_as(old);
  rule.version = is_same ? old.version : old.version + 1;
  rule.last_updated = is_same ? old.last_updated : now;
}

void make_new(Service& service, Rule& rule) {
  rule.id = model::Id::random(service.entropy);
  if (rule.ref.empty()) rule.ref = rule.id.hex();
  rule.version = 1;
  rule.last_updated = service.clock();
}

// The rule among `rules` that an author means by id or ref.
RuleList::const_iterator meant(const RuleList& rules, const Rule& rule) {
  return std::find_if(rules.begin(), rules.end(), [&](const Rule& other) {
    return rule.id == model::Id{} ? !rule.ref.empty() && other.ref == rule.ref
                                  : other.id == rule.id;
  });
}

std::optional<Refusal> refs_fault(const RuleList& rules) {
  std::vector<std::string> refs;
  for (const Rule& rule : rules) refs.push_back(rule.ref);
  std::sort(refs.begin(), refs.end());
  const auto twice = std::adjacent_find(refs.begin(), refs.end());
  if (twice == refs.end()) return std::nullopt;
  return rules::invalid_rule("The ref \"" + *twice + "\" is there twice.");
}

// All rules of a ruleset at once. One that was there before keeps its id.
Outcome<RuleList> read_rules(Service& service, const Json& list, Phase phase,
                             const RuleList& former) {
  RuleList rules;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto read = rules::rule_from_json(list[i], phase);
    if (!read) {
      Refusal refusal = read.error();
      refusal.message = item_name("rules", i) + ": " + refusal.message;
      return refusal;
    }
    Rule& rule = read.value();
    const auto old = meant(former, rule);
    const bool is_taken =
        old != former.end() && std::any_of(rules.begin(), rules.end(),
                                           [&](const Rule& other) { return other.id == old->id; });
    if (is_taken) {
      return rules::invalid_rule(item_name("rules", i) + ": this rule is there twice.");
    }
    if (old != former.end()) {
      follow(*old, service.clock(), rule);
    } else {
      make_new(service, rule);
    }
    rules.push_back(std::move(rule));
  }
  if (auto fault = refs_fault(rules)) return *fault;
  return rules;
}

// What of a ruleset itself a body says. "kind" and "phase" may be repeated, but not changed.
std::optional<Refusal> read_head(const Json& body, Ruleset& ruleset) {
  std::string kind = "zone", phase(rules::to_text(ruleset.phase));
  FieldReader fields(body, Nulls::kRefused);
  fields.text("name", ruleset.name);
  fields.text("description", ruleset.description);
  fields.text("kind", kind);
  fields.text("phase", phase);
  fields.array("rules");
  if (fields.fault()) return fields.fault();
  if (kind != "zone") {
    return Refusal{501, kCodeNotProvided, "A ruleset's \"kind\" is \"zone\" only.", {}};
  }
  if (phase != rules::to_text(ruleset.phase)) {
    return rules::invalid_rule("The \"phase\" of a ruleset cannot be changed.");
  }
  for (const auto& [name, text] :
       {std::pair("name", &ruleset.name), std::pair("description", &ruleset.description)}) {
    if (text->size() <= rules::kDescriptionMax && is_printable(*text)) continue;
    return rules::invalid_rule(std::string("\"") + name + "\" has at most " +
                               std::to_string(rules::kDescriptionMax) +
                               " octets and no control characters.");
  }
  return std::nullopt;
}

// Makes the ruleset what the body says.
Reply write(Service& service, const Zone& zone, const Json& body,
            const std::optional<Ruleset>& former, Ruleset ruleset) {
  if (auto fault = read_head(body, ruleset)) return refuse(*fault);
  if (const Json* list = FieldReader(body).array("rules")) {
    auto rules = read_rules(service, *list, ruleset.phase, ruleset.rules);
    if (!rules) return refuse(rules.error());
    ruleset.rules = std::move(rules).value();
  }
  return store_as(service, zone, former, std::move(ruleset));
}

Ruleset new_ruleset(Service& service, const Zone& zone, Phase phase) {
  Ruleset ruleset;
  ruleset.id = model::Id::random(service.entropy);
  ruleset.zone = zone.id;
  ruleset.phase = phase;
  ruleset.name = "default";
  return ruleset;
}

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Json result = Json::array();
  for (const Ruleset& ruleset : Rulesets(service.store).list(zone.value().id)) {
    result.push_back(rules::to_json(ruleset, false));
  }
  return answer(to_text(result));
}

Reply show(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  return shown(found.value().ruleset);
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  std::string text;
  FieldReader fields(body.value(), Nulls::kRefused);
  fields.text("phase", text);
  if (fields.fault()) return refuse(*fields.fault());
  const auto phase = rules::phase_from_text(text);
  if (!phase) return refuse(phase.error());
  if (Rulesets(service.store).find(zone.value().id, phase.value())) {
    return refuse({400,
                   rules::kCodeRulesetExists,
                   "The zone has a ruleset for phase " + text + " already; change that one.",
                   {}});
  }
  return write(service, zone.value(), body.value(), std::nullopt,
               new_ruleset(service, zone.value(), phase.value()));
}

Reply update(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  const auto& [zone, ruleset] = found.value();
  return write(service, zone, body.value(), ruleset, ruleset);
}

Reply remove(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  const auto& [zone, ruleset] = found.value();
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Rulesets(service.store).remove(ruleset.id);
  audit(service, {zone.account, "delete", "ruleset", ruleset.id.hex(),
                  std::string(rules::to_text(ruleset.phase)), rules::to_json(ruleset, true),
                  nullptr, zone.name.text()});
  return committed(service, transaction, nothing());
}

Reply show_entrypoint(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto phase = phase_of(request);
  if (!phase) return refuse(phase.error());
  const auto found = Rulesets(service.store).find(zone.value().id, phase.value());
  if (found) return shown(*found);
  return refuse({404,
                 rules::kCodeRulesetMissing,
                 "could not find entrypoint ruleset: the zone has none for phase " +
                     std::string(rules::to_text(phase.value())) + ".",
                 {}});
}

Reply write_entrypoint(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto phase = phase_of(request);
  if (!phase) return refuse(phase.error());
  const auto former = Rulesets(service.store).find(zone.value().id, phase.value());
  return write(service, zone.value(), body.value(), former,
               former.value_or(new_ruleset(service, zone.value(), phase.value())));
}

// The place among the others at which a rule is to stand. Without a position it stays at
// `otherwise`.
Outcome<std::size_t> read_place(const Ruleset& others, const Json& body, std::size_t otherwise) {
  using Kind = rules::Position::Kind;
  const auto read = rules::position_from_json(body);
  if (!read) return read.error();
  if (!read.value()) return std::min(otherwise, others.rules.size());
  const rules::Position& position = *read.value();
  if (position.kind == Kind::kIndex) {
    if (position.index <= others.rules.size() + 1) return position.index - 1;
    return rules::invalid_rule("\"position.index\" must be from 1 to " +
                               std::to_string(others.rules.size() + 1) + ".");
  }
  if (position.rule.empty()) return position.kind == Kind::kBefore ? 0 : others.rules.size();
  auto at = find_rule(others, position.rule);
  if (!at) {
    return about_field(position.kind == Kind::kBefore ? "position.before" : "position.after",
                       at.error());
  }
  if (position.kind == Kind::kAfter) ++at.value();
  return at;
}

Reply put_rule(Service& service, const Zone& zone, const Json& body, const Ruleset& former,
               Ruleset others, Rule rule, std::size_t otherwise) {
  const auto place = read_place(others, body, otherwise);
  if (!place) return refuse(place.error());
  others.rules.insert(others.rules.begin() + static_cast<std::ptrdiff_t>(place.value()),
                      std::move(rule));
  if (auto fault = refs_fault(others.rules)) return refuse(*fault);
  return store_as(service, zone, former, std::move(others));
}

Reply create_rule(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  const auto& [zone, ruleset] = found.value();
  auto rule = rules::rule_from_json(body.value(), ruleset.phase);
  if (!rule) return refuse(rule.error());
  make_new(service, rule.value());
  return put_rule(service, zone, body.value(), ruleset, ruleset, std::move(rule).value(),
                  ruleset.rules.size());
}

// Replaces the rule by what the body says; a body with a position alone moves it.
Reply edit_rule(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  const auto& [zone, ruleset] = found.value();
  const auto at = find_rule(ruleset, request.parameters.at("rule"));
  if (!at) return refuse(at.error());
  const Rule& old = ruleset.rules[at.value()];
  Rule rule = old;
  const bool moves_only = body.value().size() == 1 && body.value().contains("position");
  if (!moves_only) {
    auto read = rules::rule_from_json(body.value(), ruleset.phase);
    if (!read) return refuse(read.error());
    rule = std::move(read).value();
    follow(old, service.clock(), rule);
  }
  Ruleset others = ruleset;
  others.rules.erase(others.rules.begin() + static_cast<std::ptrdiff_t>(at.value()));
  return put_rule(service, zone, body.value(), ruleset, std::move(others), std::move(rule),
                  at.value());
}

Reply remove_rule(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  const auto& [zone, ruleset] = found.value();
  const auto at = find_rule(ruleset, request.parameters.at("rule"));
  if (!at) return refuse(at.error());
  Ruleset others = ruleset;
  others.rules.erase(others.rules.begin() + static_cast<std::ptrdiff_t>(at.value()));
  return store_as(service, zone, ruleset, std::move(others));
}

}  // namespace

void add_rulesets(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/zones/:zone/rulesets";
  const std::string entrypoint = all + "/phases/:phase/entrypoint";
  router.add("GET", all, kRulesetsRead, bound(service, list));
  router.add("POST", all, kRulesetsEdit, bound(service, create));
  router.add("GET", entrypoint, kRulesetsRead, bound(service, show_entrypoint));
  router.add("PUT", entrypoint, kRulesetsEdit, bound(service, write_entrypoint));
  router.add("GET", all + "/:ruleset", kRulesetsRead, bound(service, show));
  router.add("PUT", all + "/:ruleset", kRulesetsEdit, bound(service, update));
  router.add("DELETE", all + "/:ruleset", kRulesetsEdit, bound(service, remove));
  router.add("POST", all + "/:ruleset/rules", kRulesetsEdit, bound(service, create_rule));
  router.add("PATCH", all + "/:ruleset/rules/:rule", kRulesetsEdit, bound(service, edit_rule));
  router.add("DELETE", all + "/:ruleset/rules/:rule", kRulesetsEdit, bound(service, remove_rule));
}

}  // namespace brink::ctl::api
