// TokenUses: when tokens were used last. Noted in memory with every request, and written to the
// store apart from requests, at most once a minute for each token: what was used within the last
// minute of a process that is killed is forgotten. One thread (the store's).
#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "ctl/model/id.h"
#include "ctl/model/timestamp.h"
#include "ctl/store/store.h"

namespace brink::ctl::api {

class TokenUses {
 public:
  static constexpr std::chrono::microseconds kInterval = std::chrono::minutes(1);

  void note(const model::Id& token, model::Timestamp now);
  [[nodiscard]] std::optional<model::Timestamp> last(const model::Id& token) const;
  // Whether flush() would write anything.
  [[nodiscard]] bool is_due(model::Timestamp now) const;
  // Writes what is due; with `everything` also what was written less than a minute ago. What cannot
  // be written throws store::Failure and stays due.
  void flush(store::Store& store, model::Timestamp now, bool everything = false);

 private:
  struct Use {
    model::Timestamp used, written;
  };
  std::map<model::Id, Use> uses_;
  // No use is due before this.
  model::Timestamp next_{};
};

}  // namespace brink::ctl::api
