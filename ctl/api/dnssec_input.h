// What the endpoints of DNSSEC share: a change of a zone's DNSSEC, and reading keys out of a body.
#pragma once

#include "ctl/api/change.h"
#include "ctl/api/dnssec_json.h"
#include "ctl/dnssec/zone_keys.h"

namespace brink::ctl::api {

// A change of one zone's DNSSEC. Nothing is kept unless commit() has returned no refusal.
class DnssecChange {
 public:
  DnssecChange(Service& service, model::Zone zone);

  [[nodiscard]] model::Zone& zone() { return change_.zone(); }
  [[nodiscard]] dnssec::ZoneKeys& keys() { return keys_; }
  [[nodiscard]] model::Timestamp now() const { return change_.now(); }

  // Does with the keys what follows, and keeps everything. `found`: what the parent has.
  std::optional<model::Refusal> commit(const std::optional<dnssec::ParentFound>& found = {});

  // Of what was kept.
  [[nodiscard]] const DnssecState& state() const { return state_; }
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  Service& service_;
  Change change_;
  dnssec::ZoneKeys keys_;
  DnssecState state_;
  std::uint64_t version_ = 0;
};

struct BroughtKey {
  dns::dnssec::Role role;
  dns::dnssec::SigningKey key;
};
// "private_key" (PEM or the text of a private-key file), "role", and "algorithm", which a PEM does
// not tell: the zone's, if it is not said.
model::Outcome<BroughtKey> read_key(const model::Zone& zone, const Json& body);

// Refuses zones that cannot be signed here.
std::optional<model::Refusal> signing_fault(const model::Zone& zone);

model::Refusal wrong_state(std::string message);

}  // namespace brink::ctl::api
