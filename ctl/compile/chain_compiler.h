// ChainCompiler: the chains by which signed zones prove what is not there (RFC 4035 2.3, RFC 5155
// 7.1), as far as what is compiled may have changed them. Private to this folder.
//
// A record of a chain says which types its name owns and which name comes next. So a name that may
// have changed touches its own record and that of the name before it. The order of NSEC3 records is
// kept from one compilation to the next (hashed_zones.h), or made anew by hashing all names.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "ctl/compile/affected.h"
#include "ctl/compile/chain_names.h"
#include "ctl/compile/hashed_zones.h"
#include "ctl/compile/name_compiler.h"
#include "dataplane/snapshot/change_sink.h"

namespace brink::ctl::compile {

// Where records of a chain go.
class ChainOutput {
 public:
  virtual ~ChainOutput() = default;
  // A record of the chain with its signatures.
  virtual base::Result<void> put(const dns::zone::Wire& owner, const dns::zone::Rrset& set) = 0;
  // One that is not in it any more, if it was.
  virtual base::Result<void> drop(const dns::zone::Wire& owner) = 0;
};

class ChainCompiler {
 public:
  using Names = Affected::Names;
  struct Touched {
    const model::Zone* zone;
    Names names;
  };

  ChainCompiler(NameCompiler& compiler, Lookups& lookups, const Options& options)
      : compiler_(compiler), lookups_(lookups), options_(options) {}

  // The name was compiled, or dropped: in every zone that has it, or had.
  void touch(const model::DomainName& name);
  // In this zone, whoever owns it now.
  void touch(const model::Zone& zone, const model::DomainName& name);
  // What was touched in signed zones, which is then forgotten.
  std::vector<Touched> take_touched();

  // Put records of the zone's chain into the sink, whose current zone it is: those that names have
  // touched, or all of a zone that is signed. An Error names zone, owner and type.
  base::Result<void> put(const Touched& touched, snapshot::ChangeSink& sink);
  base::Result<void> put_all(const model::Zone& zone, snapshot::ChangeSink& sink);
  // All records of a zone that is signed here.
  base::Result<void> put_all(const model::Zone& zone, ChainOutput& output);

 private:
  [[nodiscard]] ChainNames names_of(const model::Zone& zone);
  [[nodiscard]] dns::zone::Wire schedule_of(const model::Zone& zone, const model::DomainName& name);
  base::Result<void> put_nsec(const model::Zone& zone, const model::DomainName& name,
                              const model::DomainName& next, ChainOutput& output);
  // Whether a name of the chain has a record there: opt-out leaves delegations out of it that are
  // not signed, and what is there for their sake alone (RFC 5155 6, 7.1).
  [[nodiscard]] bool is_hashed(const model::Zone& zone, const model::DomainName& name);
  // The names that have a record, and the hashes of those that opt-out leaves out.
  Nsec3Names hash_all(const model::Zone& zone, std::set<Nsec3Names::Hash>& out);
  Nsec3Names& hash_touched(const model::Zone& zone, const Names& touched,
                           std::optional<Nsec3Names>& own);
  base::Result<void> put_all_nsec3(const model::Zone& zone, ChainOutput& output);
  base::Result<void> put_touched_nsec3(const model::Zone& zone, const Names& touched,
                                       ChainOutput& output);
  base::Result<void> put_nsec3(const model::Zone& zone, const Nsec3Names& names,
                               Nsec3Names::ByHash::const_iterator at, ChainOutput& output);
  base::Result<void> put_record(const model::Zone& zone, const dns::zone::Wire& owner,
                                std::uint16_t type, dns::zone::Wire rdata,
                                const dns::zone::Wire& scheduled_by, ChainOutput& output);

  NameCompiler& compiler_;
  Lookups& lookups_;
  const Options& options_;
  std::map<std::int64_t, Touched> touched_;  // by zone row
};

}  // namespace brink::ctl::compile
