// OriginTable: what a worker knows of each origin address: how much goes on there, whether
// connecting is worth a try, what is left for retries, how long idle connections live. Of fixed
// size, in sets; a record that nothing goes on with is forgotten for a newer one.
//
// One worker, one thread. Memory is passed in; nothing is allocated.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"
#include "l7/origin/circuit.h"
#include "l7/origin/idle_estimate.h"
#include "l7/origin/idle_pool.h"
#include "l7/origin/retry_budget.h"

namespace brink::l7::origin {

// Of one worker to one origin address; 0: none.
struct OriginLimits {
  std::uint32_t connections = 0;  // idle ones included
  std::uint32_t requests = 0;     // in flight
  std::uint32_t pending = 0;      // of them, those that wait for a new connection
};

struct OriginRecord {
  base::Endpoint endpoint;
  base::Time used{};
  // Kept by the caller. With connections or requests the record stays.
  std::uint32_t connections = 0;
  std::uint32_t requests = 0;
  std::uint32_t pending = 0;
  Circuit circuit;
  RetryBudget retries;
  IdleEstimate idle;

  [[nodiscard]] bool is_held() const noexcept { return connections + requests > 0; }
};

class OriginTable {
 public:
  static constexpr std::size_t kWays = 8;

  // Twice as many records as there can be connections.
  static std::size_t record_count(std::uint32_t max_connections) noexcept;

  // `records` is as large as record_count() says, and outlives the table.
  OriginTable(std::span<OriginRecord> records, const base::HashKey& key) noexcept;

  // The index of the endpoint's record, which is made if there is none; kNone if too many others
  // are held where it would be.
  std::uint32_t find(const base::Endpoint& endpoint, base::Time now) noexcept;

  OriginRecord& operator[](std::uint32_t index) noexcept { return records_[index]; }

 private:
  std::span<OriginRecord> records_;
  base::HashKey key_;
};

}  // namespace brink::l7::origin
