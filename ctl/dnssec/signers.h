// StoreSigners: zones signed with the keys that the store holds. Opening a key costs about as much
// as signing with it, so that the signers of the zones used last are kept, a bounded number of
// them.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>

#include "ctl/dnssec/policy.h"
#include "ctl/dnssec/zone_signer.h"
#include "dataplane/secret/sealed_box.h"
#include "ctl/store/store.h"

namespace brink::ctl::dnssec {

class StoreSigners : public Signers {
 public:
  static constexpr std::size_t kZonesMax = 8192;  // some 10 KiB each

  // Everything given outlives it. It belongs to the thread of `store`.
  StoreSigners(store::Store& store, const secret::SealedBox& box,
               const dns::dnssec::SignaturePolicy& policy, std::size_t zones_max = kZonesMax)
      : store_(store), box_(box), policy_(policy), zones_max_(zones_max) {}

  // Throws store::Failure.
  base::Result<std::shared_ptr<const ZoneSigner>> of(const model::Zone& zone) override;

  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    model::Id zone;
    std::uint32_t key_set = 0;
    std::shared_ptr<const ZoneSigner> signer;
  };
  using Place = std::list<Known>::iterator;

  base::Result<std::shared_ptr<const ZoneSigner>> open(const model::Zone& zone);
  void keep(Known known);

  store::Store& store_;
  const secret::SealedBox& box_;
  const dns::dnssec::SignaturePolicy policy_;
  const std::size_t zones_max_;
  std::list<Known> known_;  // the one used last in front
  std::map<model::Id, Place> places_;
};

}  // namespace brink::ctl::dnssec
