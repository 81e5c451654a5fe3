// NameTable: the names in use outside the served zones, their last good answers, and when each is
// to be asked again. Does no I/O and reads no clock: questions go out by due(), answers come in by
// take(), time is an argument. One thread.
//
// - Each name is asked for A and AAAA, which succeed and fail apart from each other.
// - An answer is refreshed when nine tenths of its TTL have passed. The TTL is brought into the
//   limits' range first; so is that of a negative answer (RFC 2308).
// - If a refresh fails, the last good answer stays for `stale_max` behind its end (RFC 8767), and
//   the question rests for a while that doubles with every failure.
// - That there is nothing is an answer like any other and takes the addresses away.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ctl/resolve/address_filter.h"
#include "ctl/resolve/answer.h"

namespace brink::ctl::resolve {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::seconds;

struct TableLimits {
  seconds ttl_min{30};
  seconds ttl_max{3600};
  seconds stale_max{86'400};
  seconds retry_min{2};
  seconds retry_max{300};
  std::size_t names_max = 10'000;
  std::size_t in_flight_max = 100;
};

// A name's addresses as the snapshot may use them.
struct Resolved {
  model::DomainName name;
  std::vector<base::IpAddress> addresses;  // admitted ones, sorted; none: it leads nowhere
  std::uint32_t ttl_s = 0;                 // what remained when it was resolved

  bool operator==(const Resolved&) const = default;
};

enum class NameState : std::uint8_t { kUnknown, kFresh, kStale, kFailed };

struct NameStatus {
  Resolved resolved;
  NameState state = NameState::kUnknown;
  std::vector<base::IpAddress> refused;  // that the filter did not admit
  std::string problem;                   // of the last answer; empty: none
};

struct TableCounters {
  std::uint64_t questions = 0;
  std::uint64_t answers = 0;            // with addresses
  std::uint64_t negative = 0;           // that there are none
  std::uint64_t failures = 0;           // no answer, or an unusable one
  std::uint64_t stale = 0;              // failures bridged by the last good answer
  std::uint64_t addresses_refused = 0;  // by the filter
};

struct ResolverStatus {
  std::vector<NameStatus> names;
  TableCounters counters;
  std::size_t left_out = 0;  // names beyond names_max
};

class NameTable {
 public:
  NameTable(TableLimits limits, AddressFilter filter)
      : limits_(limits), filter_(std::move(filter)) {}

  // These names are in use from now on, and no others; those beyond names_max are left out.
  void use(const std::vector<model::DomainName>& names, Time now);
  // The last known answer of a name in use that has none yet, as after a restart: stale from the
  // start. Addresses that the filter does not admit any more are gone with the next changes().
  void seed(const Resolved& known, Time now);

  // Questions to ask now, as many as may be in flight. Each is answered by one take().
  std::vector<Question> due(Time now);
  void take(const Question& question, const Answer& answer, Time now);
  // When due() has something to say again, unless an answer comes first. Empty: not at all.
  [[nodiscard]] std::optional<Time> next_due() const;

  // Every name whose addresses differ from what was told before, once.
  std::vector<Resolved> changes(Time now);
  // Nothing better is to be expected soon: both questions are answered, or failed once. True of a
  // name that is not in use.
  [[nodiscard]] bool is_settled(const model::DomainName& name) const;

  [[nodiscard]] std::vector<NameStatus> status(Time now) const;
  [[nodiscard]] const TableCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Names that found no place.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  // The answer to one of a name's two questions.
  struct Half {
    std::vector<base::IpAddress> addresses;  // as answered
    Time expires{};                          // of the last good answer
    Time next{};                             // to be asked
    bool in_flight = false;
    bool settled = false;
    bool good = false;  // there is a good answer, be it that there is nothing
    unsigned failures = 0;
    std::string problem;
    // Of a chain that goes on in other messages.
    std::optional<model::DomainName> asked;
    std::size_t links = 0;
    std::uint32_t chain_ttl_s = 0;
  };
  struct Entry {
    Half v4, v6;
    std::vector<base::IpAddress> told;
    bool is_told = false;
    Half& half(model::RecordType type) { return type == model::kTypeA ? v4 : v6; }
  };
  using Key = std::pair<model::DomainName, model::RecordType>;  // the name in use

  void schedule(const Key& key, Half& half, Time at);
  void succeed(const Key& key, Half& half, const Answer& answer, Time now);
  void go_on(const Key& key, Half& half, const Answer& answer, Time now);
  void fail(const Key& key, Half& half, const std::string& reason, Time now);
  [[nodiscard]] Resolved resolved(const model::DomainName& name, const Entry& entry,
                                  Time now) const;

  const TableLimits limits_;
  const AddressFilter filter_;
  std::map<model::DomainName, Entry> entries_;
  std::set<std::pair<Time, Key>> schedule_;      // of halves that are not in flight
  std::map<Question, std::set<Key>> in_flight_;  // chains may meet in one question
  std::set<model::DomainName> touched_;          // may have changed
  std::size_t left_out_ = 0;
  TableCounters counters_;
};

}  // namespace brink::ctl::resolve
