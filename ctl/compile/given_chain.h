// GivenChain: the chain of a presigned zone, as it is among its records. Private to this folder.
#pragma once

#include "ctl/compile/name_compiler.h"
#include "dataplane/snapshot/change_sink.h"

namespace brink::ctl::compile {

class GivenChain {
 public:
  // Of NSEC3 records, which may be there with other parameters too while somebody changes those,
  // the chain that the apex is in (RFC 5155 7.3, 10.4).
  GivenChain(NameCompiler& compiler, Lookups& lookups, const model::Zone& zone);

  // Good as long as this.
  [[nodiscard]] snapshot::Denial denial() const { return {kind_, iterations_, salt_}; }

  // Puts the record that `owner` has, or drops what it had. An Error names zone, owner and type.
  base::Result<void> put(const model::DomainName& owner, snapshot::ChangeSink& sink);
  base::Result<void> put_all(snapshot::ChangeSink& sink);

 private:
  void take(const Entry& parameters);
  [[nodiscard]] bool is_of_chain(const Entry& entry) const;

  NameCompiler& compiler_;
  Lookups& lookups_;
  const model::Zone& zone_;
  snapshot::DenialKind kind_ = snapshot::DenialKind::kNone;
  std::uint16_t iterations_ = 0;
  model::Rdata salt_;
};

}  // namespace brink::ctl::compile
