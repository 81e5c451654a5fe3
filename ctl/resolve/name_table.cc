#include "ctl/resolve/name_table.h"

#include <algorithm>

namespace brink::ctl::resolve {
namespace {

using model::DomainName;

constexpr model::RecordType kTypes[] = {model::kTypeA, model::kTypeAaaa};

std::uint32_t seconds_until(Time then, Time now) {
  if (then <= now) return 0;
  return static_cast<std::uint32_t>(std::chrono::duration_cast<seconds>(then - now).count());
}

}  // namespace

void NameTable::use(const std::vector<DomainName>& names, Time now) {
  const std::set<DomainName> wanted(names.begin(), names.end());
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (wanted.contains(it->first)) {
      ++it;
      continue;
    }
    for (const auto type : kTypes) schedule_.erase({it->second.half(type).next, {it->first, type}});
    touched_.erase(it->first);
    it = entries_.erase(it);
  }
  left_out_ = 0;
  for (const DomainName& name : wanted) {
    if (entries_.contains(name)) continue;
    if (entries_.size() >= limits_.names_max) {
      ++left_out_;
      continue;
    }
    Entry& entry = entries_[name];
    for (const auto type : kTypes) schedule({name, type}, entry.half(type), now);
  }
}

void NameTable::seed(const Resolved& known, Time now) {
  const auto found = entries_.find(known.name);
  if (found == entries_.end() || found->second.v4.good || found->second.v6.good) return;
  Entry& entry = found->second;
  for (const base::IpAddress& address : known.addresses) {
    Half& half = address.is_v4() ? entry.v4 : entry.v6;
    half.addresses.push_back(address);
    half.good = true;
    half.expires = now;
  }
  entry.told = known.addresses;
  entry.is_told = true;
  touched_.insert(known.name);
}

void NameTable::schedule(const Key& key, Half& half, Time at) {
  half.next = at;
  schedule_.insert({at, key});
}

std::vector<Question> NameTable::due(Time now) {
  std::vector<Question> questions;
  while (!schedule_.empty() && schedule_.begin()->first <= now &&
         in_flight_.size() < limits_.in_flight_max) {
    const Key key = schedule_.begin()->second;
    schedule_.erase(schedule_.begin());
    Half& half = entries_.at(key.first).half(key.second);
    half.in_flight = true;
    const Question question{half.asked.value_or(key.first), key.second};
    std::set<Key>& askers = in_flight_[question];
    if (askers.empty()) {
      ++counters_.questions;
      questions.push_back(question);
    }
    askers.insert(key);
  }
  return questions;
}

// A name may have gone out of use, or come back into it, while its question was on its way.
void NameTable::take(const Question& question, const Answer& answer, Time now) {
  const auto askers = in_flight_.extract(question);
  if (askers.empty()) return;
  for (const Key& key : askers.mapped()) {
    const auto entry = entries_.find(key.first);
    if (entry == entries_.end()) continue;
    Half& half = entry->second.half(key.second);
    if (!half.in_flight) continue;
    half.in_flight = false;
    switch (answer.kind) {
      case Answer::Kind::kAddresses:
      case Answer::Kind::kNothing:
        succeed(key, half, answer, now);
        break;
      case Answer::Kind::kAlias:
        go_on(key, half, answer, now);
        break;
      case Answer::Kind::kFailed:
        fail(key, half, answer.reason, now);
        break;
    }
    touched_.insert(key.first);
  }
}

void NameTable::succeed(const Key& key, Half& half, const Answer& answer, Time now) {
  const bool nothing = answer.kind == Answer::Kind::kNothing;
  ++(nothing ? counters_.negative : counters_.answers);
  std::uint32_t ttl_s = answer.ttl_s;
  if (half.asked) ttl_s = std::min(ttl_s, half.chain_ttl_s);
  const seconds ttl = std::clamp(seconds(ttl_s), limits_.ttl_min, limits_.ttl_max);
  half.asked.reset();
  half.addresses = answer.addresses;
  half.settled = half.good = true;
  half.failures = 0;
  half.problem = answer.reason;
  half.expires = now + ttl;
  for (const base::IpAddress& address : answer.addresses) {
    if (!filter_.admits(address)) ++counters_.addresses_refused;
  }
  schedule(key, half, now + std::max(ttl - ttl / 10, seconds(1)));
}

void NameTable::go_on(const Key& key, Half& half, const Answer& answer, Time now) {
  const std::size_t links = (half.asked ? half.links : 0) + answer.links;
  if (links > kChainMax) {
    return fail(key, half, "its CNAME records form a loop, or too long a chain", now);
  }
  half.chain_ttl_s = half.asked ? std::min(half.chain_ttl_s, answer.ttl_s) : answer.ttl_s;
  half.links = links;
  half.asked = answer.alias;
  schedule(key, half, now);
}

void NameTable::fail(const Key& key, Half& half, const std::string& reason, Time now) {
  ++counters_.failures;
  half.asked.reset();
  half.settled = true;
  half.problem = reason;
  if (half.good && now >= half.expires + limits_.stale_max) {
    half.good = false;
    half.addresses.clear();
  }
  if (half.good) ++counters_.stale;
  constexpr unsigned kDoublingsMax = 20;
  const seconds doubled(limits_.retry_min.count() << std::min(half.failures, kDoublingsMax));
  const seconds pause = std::min(doubled, limits_.retry_max);
  ++half.failures;
  schedule(key, half, now + pause);
}

std::optional<Time> NameTable::next_due() const {
  if (schedule_.empty() || in_flight_.size() >= limits_.in_flight_max) return std::nullopt;
  return schedule_.begin()->first;
}

Resolved NameTable::resolved(const DomainName& name, const Entry& entry, Time now) const {
  Resolved resolved{name, {}, 0};
  std::optional<Time> expires;
  for (const Half* half : {&entry.v4, &entry.v6}) {
    for (const base::IpAddress& address : half->addresses) {
      if (!filter_.admits(address)) continue;
      resolved.addresses.push_back(address);
      expires = expires ? std::min(*expires, half->expires) : half->expires;
    }
  }
  std::sort(resolved.addresses.begin(), resolved.addresses.end());
  if (expires) {
    resolved.ttl_s =
        std::max(seconds_until(*expires, now), static_cast<std::uint32_t>(limits_.ttl_min.count()));
  }
  return resolved;
}

// A name is told about when both of its questions have come to something, so that its two families
// do not appear one after the other.
std::vector<Resolved> NameTable::changes(Time now) {
  std::vector<Resolved> changes;
  for (auto it = touched_.begin(); it != touched_.end();) {
    Entry& entry = entries_.at(*it);
    const bool is_known = entry.is_told || is_settled(*it);
    if (!is_known) {
      ++it;
      continue;
    }
    Resolved state = resolved(*it, entry, now);
    if (!entry.is_told || state.addresses != entry.told) {
      entry.told = state.addresses;
      entry.is_told = true;
      changes.push_back(std::move(state));
    }
    it = touched_.erase(it);
  }
  return changes;
}

bool NameTable::is_settled(const DomainName& name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() || (entry->second.v4.settled && entry->second.v6.settled);
}

std::vector<NameStatus> NameTable::status(Time now) const {
  std::vector<NameStatus> list;
  for (const auto& [name, entry] : entries_) {
    NameStatus status;
    status.resolved = resolved(name, entry, now);
    bool stale = false, failed = false;
    for (const Half* half : {&entry.v4, &entry.v6}) {
      for (const base::IpAddress& address : half->addresses) {
        if (!filter_.admits(address)) status.refused.push_back(address);
      }
      stale = stale || (half->failures > 0 && half->good) || (half->good && half->expires <= now);
      failed = failed || (half->failures > 0 && !half->good);
      if (status.problem.empty() && (half->failures > 0 || status.resolved.addresses.empty())) {
        status.problem = half->problem;
      }
    }
    if (!is_settled(name)) {
      status.state = status.resolved.addresses.empty() ? NameState::kUnknown : NameState::kStale;
    } else if (stale) {
      status.state = NameState::kStale;
    } else {
      const bool is_failed = failed && status.resolved.addresses.empty();
      status.state = is_failed ? NameState::kFailed : NameState::kFresh;
    }
    list.push_back(std::move(status));
  }
  return list;
}

}  // namespace brink::ctl::resolve
