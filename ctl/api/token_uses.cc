#include "ctl/api/token_uses.h"

#include "ctl/store/identities.h"

namespace brink::ctl::api {

void TokenUses::note(const model::Id& token, model::Timestamp now) {
  const auto [use, fresh] = uses_.try_emplace(token);
  use->second.used = now;
  if (fresh) next_ = {};  // the first use is shown in the store soon
}

std::optional<model::Timestamp> TokenUses::last(const model::Id& token) const {
  const auto use = uses_.find(token);
  return use == uses_.end() ? std::nullopt : std::optional(use->second.used);
}

bool TokenUses::is_due(model::Timestamp now) const {
  return !uses_.empty() && now.micros >= next_.micros;
}

void TokenUses::flush(store::Store& store, model::Timestamp now, bool everything) {
  const auto wants = [&](const Use& use) {
    return use.used > use.written &&
           (everything || now.micros - use.written.micros >= kInterval.count());
  };
  next_ = {now.micros + kInterval.count()};
  store::Transaction transaction(store, store::Transaction::Kind::kWrite);
  store::Identities identities(store);
  bool any = false;
  for (const auto& [token, use] : uses_) {
    if (!wants(use)) continue;
    identities.set_token_used(token, use.used);
    any = true;
  }
  if (any) transaction.commit();
  for (auto& [token, use] : uses_) {
    if (wants(use)) use.written = now;
  }
  // Those that were not used in a whole interval are in the store.
  std::erase_if(uses_, [&](const auto& use) {
    return now.micros - use.second.used.micros > kInterval.count() &&
           use.second.written >= use.second.used;
  });
}

}  // namespace brink::ctl::api
