// ZoneKeys: a zone's keys in the store, and the steps by which they are made, replaced and taken
// away. What a step means is decided by dns/dnssec; here it is read, made true and written, so that
// the compiler finds it done.
//
// Belongs to the thread of its Store, within the caller's write transaction. Failures of the disk
// or file throw store::Failure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ctl/dnssec/policy.h"
#include "dataplane/secret/sealed_box.h"
#include "ctl/store/dnssec_keys.h"
#include "ctl/store/store.h"
#include "dataplane/base/result.h"
#include "dns/dnssec/signing_key.h"

namespace brink::ctl::dnssec {

// What a look at the parent came to. No value: nobody could be asked, for the reason `why`.
struct ParentFound {
  std::optional<std::vector<dns::zone::Wire>> ds;  // data; none: the parent has no DS of the zone
  std::string why;
};

// What a sealed key is bound to; see secret::SealedBox.
std::string key_context(const model::Id& key);

class ZoneKeys {
 public:
  // Everything given outlives it.
  ZoneKeys(store::Store& store, const secret::SealedBox& box, const Policy& policy,
           const model::Entropy& entropy)
      : keys_(store), box_(box), policy_(policy), entropy_(entropy) {}

  // Does what is to be done with the keys of `zone` by its status and `now`, and gives it the
  // status that follows. True: zone.dnssec differs, and the caller stores the zone. `found`: a look
  // at the parent that was made just now, see ParentFound. Fails, and leaves the transaction to be
  // undone, when a key cannot be made.
  base::Result<bool> advance(model::Zone& zone, model::Timestamp now,
                             const std::optional<ParentFound>& found = std::nullopt);

  // Keeps a key that the user brings along, for when the next one of this role and its algorithm is
  // needed, and returns its id. Fails when the zone has this key, or too many.
  base::Result<model::Id> add_spare(const model::Zone& zone, dns::dnssec::Role role,
                                    const dns::dnssec::SigningKey& key, model::Timestamp now);
  static constexpr std::size_t kKeysMax = 16;  // of one zone

  // The DS data that the parent ought to have now as CDS asks for; none: that it has no DS. Empty:
  // it is not asked to do anything.
  std::optional<std::vector<dns::zone::Wire>> wanted_ds(const model::Zone& zone);

 private:
  struct Work;

  base::Result<dns::dnssec::Step> step_and_make(const model::Zone& zone, model::Timestamp now,
                                                const std::optional<ParentFound>& found,
                                                Work& work);
  base::Result<void> make_key(const dns::dnssec::NewKey& wanted, model::Timestamp now, Work& work);
  bool take_spare(const dns::dnssec::NewKey& wanted, model::Timestamp now, Work& work);
  [[nodiscard]] store::DnssecKey sealed(const dns::dnssec::SigningKey& key, model::Timestamp now);
  // Raises the zone's counters when what the apex has, or which keys sign names, differs.
  void write_keys(model::Zone& zone, const dns::dnssec::Step& step, Work& work);
  void plan_look(const model::Zone& zone, bool has_news, const std::optional<ParentFound>& found,
                 model::Timestamp now, Work& work);
  static void wait_for_look(bool has_looked, model::Timestamp now, Work& work);

  store::DnssecKeys keys_;
  const secret::SealedBox& box_;
  const Policy& policy_;
  const model::Entropy& entropy_;
};

}  // namespace brink::ctl::dnssec
