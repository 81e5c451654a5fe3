#include "ctl/store/activation.h"

#include <algorithm>

#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

Activation read_activation(const Statement& statement) {
  Activation activation;
  const auto id = statement.blob(0);
  if (id.size() != activation.zone.bytes.size()) throw Failure("a zone's identifier is damaged");
  std::copy(id.begin(), id.end(), activation.zone.bytes.begin());
  activation.forced = statement.integer(1) != 0;
  activation.checks = static_cast<std::uint32_t>(statement.integer(2));
  activation.failures = static_cast<std::uint32_t>(statement.integer(3));
  if (const auto time = statement.optional_integer(4)) activation.checked_on = {*time};
  activation.next_on = {statement.integer(5)};
  activation.result = std::string(statement.text(6));
  return activation;
}

}  // namespace

std::vector<Activation> Activations::due(model::Timestamp now, std::chrono::microseconds first,
                                         std::size_t limit) {
  auto select = database_.cached(
      "SELECT a.zone_id, a.forced, a.checks, a.failures, a.checked_on, a.next_on, a.result "
      "FROM activations a JOIN zones z ON z.id = a.zone_id "
      "WHERE a.next_on <= ?1 AND (a.checked_on IS NOT NULL OR a.next_on <= ?1 - ?2) "
      "AND z.type = 0 AND z.status IN (1, 2, 3) AND (a.forced = 0 OR z.status <> 2) "
      "ORDER BY a.next_on LIMIT ?3");
  select->bind(1, now.micros).bind(2, first.count()).bind(3, static_cast<std::int64_t>(limit));
  std::vector<Activation> list;
  while (select->step()) list.push_back(read_activation(*select));
  return list;
}

std::optional<Activation> Activations::find(const model::Id& zone) {
  auto select = database_.cached(
      "SELECT zone_id, forced, checks, failures, checked_on, next_on, result FROM activations "
      "WHERE zone_id = ?1");
  select->bind(1, zone.bytes);
  if (!select->step()) return std::nullopt;
  return read_activation(*select);
}

void Activations::update(const Activation& activation) {
  auto update = database_.cached(
      "UPDATE activations SET forced = ?2, checks = ?3, failures = ?4, checked_on = ?5, "
      "next_on = ?6, result = ?7 WHERE zone_id = ?1");
  update->bind(1, activation.zone.bytes)
      .bind(2, static_cast<std::int64_t>(activation.forced))
      .bind(3, std::int64_t{activation.checks})
      .bind(4, std::int64_t{activation.failures})
      .bind(5, micros(activation.checked_on))
      .bind(6, activation.next_on.micros)
      .bind(7, activation.result)
      .run();
}

void Activations::sweep() {
  database_
      .cached(
          "DELETE FROM activations WHERE zone_id NOT IN (SELECT id FROM zones UNION ALL "
          "SELECT id FROM zone_log WHERE id IS NOT NULL)")
      ->run();
}

}  // namespace brink::ctl::store
