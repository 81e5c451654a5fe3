#include "ctl/dnssec/sweep.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "ctl/store/resigned.h"

namespace brink::ctl::dnssec {
namespace {

constexpr char kKey[] = "dnssec_sweep";

std::optional<model::DomainName> name_or_none(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto name = model::DomainName::parse(text);
  if (!name) throw store::Failure("the position of the DNSSEC sweep is damaged: " + text);
  return std::move(name).value();
}

}  // namespace

// Names: the last that was done of `zone`, and the zone; no zone: none has been done.
struct Sweep::Position {
  model::Timestamp since;  // slots that ended after it are looked for
  model::Timestamp began;  // the walk
  bool under_way = false;
  std::optional<model::DomainName> zone, name;
};

// Lines: since, began, whether it is under way, zone, name.
Sweep::Position Sweep::read() {
  const auto value = store_.value(kKey);
  Position position;
  if (!value) return position;
  std::istringstream lines(std::string(value->begin(), value->end()));
  std::string zone, name;
  lines >> position.since.micros >> position.began.micros >> position.under_way;
  lines.ignore();
  std::getline(lines, zone);
  std::getline(lines, name);
  position.zone = name_or_none(zone);
  position.name = name_or_none(name);
  return position;
}

void Sweep::write(const Position& position) {
  std::ostringstream lines;
  lines << position.since.micros << '\n' << position.began.micros << '\n' << position.under_way;
  lines << '\n' << (position.zone ? position.zone->text() : "");
  lines << '\n' << (position.name ? position.name->text() : "") << '\n';
  const std::string text = lines.str();
  store_.set_value(kKey, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// A clock that was ahead has made signatures of slots to come: everything is signed anew. At the
// very first walk nothing has been signed before.
bool Sweep::begin(Position& position, model::Timestamp now) const {
  const bool is_first = position.began.micros == 0;
  const bool was_ahead = now < position.began;
  const std::chrono::microseconds interval = options_.interval;
  if (!was_ahead && now.micros - position.began.micros < interval.count()) return false;
  position.since = is_first ? now : (was_ahead ? model::Timestamp{} : position.began);
  position.began = now;
  position.under_way = true;
  position.zone.reset();
  position.name.reset();
  return true;
}

std::optional<std::uint64_t> Sweep::advance(model::Timestamp now) {
  Position position = read();
  if ((!position.under_way || now < position.began) && !begin(position, now)) return std::nullopt;
  store::Transaction transaction(store_, store::Transaction::Kind::kWrite);
  walk(position, now);
  write(position);
  const auto version = store_.taken_version();
  transaction.commit();
  return version;
}

void Sweep::walk(Position& position, model::Timestamp now) {
  store::ResignedNames names(store_);
  std::size_t left = options_.names_max;
  while (left > 0) {
    auto zone = position.name ? store_.zone_by_name(*position.zone) : std::nullopt;
    if (!zone) {
      zone = names.next_zone(position.zone);
      position.name.reset();
    }
    if (!zone) {
      position.under_way = false;
      position.zone.reset();
      return;
    }
    position.zone = zone->name;
    std::size_t seen = 0;
    if (zone->dnssec.is_signed()) {
      seen = walk_names(*zone, position, now, left);
    } else {
      position.name.reset();
    }
    left -= std::max<std::size_t>(1, seen);
  }
}

// Up to `most` names behind position.name, or from the apex on; returns how many. At the end of the
// zone, position.name is empty. Empty non-terminals come with the first name below them.
std::size_t Sweep::walk_names(model::Zone& zone, Position& position, model::Timestamp now,
                              std::size_t most) {
  store::ResignedNames names(store_);
  std::vector<model::DomainName> due;
  const auto look_at = [&](const model::DomainName& name) {
    if (dns::dnssec::slot_ended(options_.policy, wire_of(name), seconds_of(position.since),
                                seconds_of(now))) {
      due.push_back(name);
    }
  };
  if (!position.name) {
    look_at(zone.name);
    position.name = zone.name;
  }
  const auto found = names.names_behind(zone, *position.name, most);
  for (const model::DomainName& name : found) {
    for (auto above = name.parent(); !position.name->is_within(above); above = above.parent()) {
      look_at(above);
    }
    look_at(name);
    position.name = name;
  }
  if (found.size() < most) position.name.reset();
  names.put(zone, due, now);
  return found.size();
}

}  // namespace brink::ctl::dnssec
