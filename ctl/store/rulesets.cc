#include "ctl/store/rulesets.h"

#include "ctl/rules/ruleset_json.h"
#include "ctl/store/row.h"
#include "ctl/store/zone_tables.h"

namespace brink::ctl::store {
namespace {

using model::Id;
using rules::Ruleset;

constexpr char kSelect[] =
    "SELECT id, zone, phase, name, description, version, last_updated, rules FROM rulesets ";

// What the store keeps has the form that it was written in, unless the file was edited.
Ruleset read_row(const Statement& row) {
  Ruleset ruleset;
  ruleset.id = read_id(row.blob(0));
  ruleset.zone = read_id(row.blob(1));
  ruleset.phase = static_cast<rules::Phase>(row.integer(2));
  ruleset.name = row.text(3);
  ruleset.description = row.text(4);
  ruleset.version = static_cast<std::uint64_t>(row.integer(5));
  ruleset.last_updated = {row.integer(6)};
  for (const auto& json : rules::Json::parse(row.text(7), nullptr, false)) {
    auto rule = rules::stored_rule_from_json(json, ruleset.phase);
    if (!rule) throw Failure("the store holds a rule that is none: " + rule.error().message);
    ruleset.rules.push_back(std::move(rule).value());
  }
  return ruleset;
}

std::optional<Ruleset> one(Statement& select) {
  if (!select.step()) return std::nullopt;
  return read_row(select);
}

}  // namespace

std::vector<Ruleset> Rulesets::list(const Id& zone) {
  auto select = database_.prepare(std::string(kSelect) + "WHERE zone = ?1 ORDER BY phase");
  select->bind(1, zone.bytes);
  std::vector<Ruleset> rulesets;
  while (select->step()) rulesets.push_back(read_row(*select));
  return rulesets;
}

std::optional<Ruleset> Rulesets::find(const Id& zone, const Id& id) {
  auto select = database_.prepare(std::string(kSelect) + "WHERE zone = ?1 AND id = ?2");
  select->bind(1, zone.bytes).bind(2, id.bytes);
  return one(*select);
}

std::optional<Ruleset> Rulesets::find(const Id& zone, rules::Phase phase) {
  auto select = database_.prepare(std::string(kSelect) + "WHERE zone = ?1 AND phase = ?2");
  select->bind(1, zone.bytes).bind(2, static_cast<std::int64_t>(phase));
  return one(*select);
}

void Rulesets::put(const Ruleset& ruleset) {
  ZoneTables(store_).note(ruleset.zone, TablePart::kRules);
  auto write = database_.cached(
      "INSERT INTO rulesets (id, zone, phase, name, description, version, last_updated, rules) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET name = ?4, "
      "description = ?5, version = ?6, last_updated = ?7, rules = ?8");
  const std::string rules = rules::to_json(ruleset, true)["rules"].dump();
  write->bind(1, ruleset.id.bytes)
      .bind(2, ruleset.zone.bytes)
      .bind(3, static_cast<std::int64_t>(ruleset.phase))
      .bind(4, ruleset.name)
      .bind(5, ruleset.description)
      .bind(6, static_cast<std::int64_t>(ruleset.version))
      .bind(7, ruleset.last_updated.micros)
      .bind(8, rules)
      .run();
}

void Rulesets::remove(const Id& id) {
  std::optional<Id> zone;
  {
    auto select = database_.cached("SELECT zone FROM rulesets WHERE id = ?1");
    select->bind(1, id.bytes);
    if (!select->step()) return;
    zone = read_id(select->blob(0));
  }
  ZoneTables(store_).note(*zone, TablePart::kRules);
  database_.cached("DELETE FROM rulesets WHERE id = ?1")->bind(1, id.bytes).run();
}

}  // namespace brink::ctl::store
