// DenialCheck: the chain of denial of a zone that somebody signed. Private to this folder.
#pragma once

#include <map>
#include <vector>

#include "dns/dnssec/denial.h"
#include "dns/zone/finding.h"

namespace brink::dns::dnssec {

class DenialCheck {
 public:
  DenialCheck(const zone::Zone& zone, zone::Findings& findings)
      : zone_(zone), findings_(findings) {}

  void run();

 private:
  // What an NSEC3 chain has to show of a name.
  struct Hashed {
    Wire name;
    std::vector<std::uint16_t> types;
    bool may_be_out =
        true;  // with opt-out: a delegation that is not signed, or nothing but such below
  };
  struct Nsec3 {
    Wire owner;
    bool opts_out = false;
    Nsec3Hash next{};
    Wire bitmap;
  };
  using Names = std::map<Nsec3Hash, Hashed>;
  using Chain = std::map<Nsec3Hash, Nsec3>;

  void check_nsec();
  void check_nsec3(const Nsec3Parameters& parameters);
  void check_link(const Chain& chain, Chain::const_iterator at, const Names& names);
  void check_missing(const Chain& chain, const Nsec3Hash& hash, const Hashed& name);
  [[nodiscard]] Names names_of(const Nsec3Parameters& parameters) const;
  [[nodiscard]] Chain chain_of(const Nsec3Parameters& parameters) const;
  void fault(const Wire& owner, std::uint16_t type, std::string what);

  const zone::Zone& zone_;
  zone::Findings& findings_;
};

}  // namespace brink::dns::dnssec
