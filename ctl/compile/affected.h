// Affected: which names a set of changes may serve in another way. Private to this folder.
//
// A name's contents depend on its own records, on delegations and DNAMEs above it, on the addresses
// of names that its records point at, and on everything that a CNAME chain passes: names, wildcards
// that cover them, names whose existence decides whether one does, and which zone owns them. So
// every change is turned into scopes, that is, into names whose lookup may have another result, and
// whatever points into a scope is affected; an alias that is affected is a scope again. So is a
// name outside the served zones that leads elsewhere. MX and SRV records also depend on whether
// their targets are proxied, by whatever answers for these. A certificate that comes or goes is
// told of by the names that it covers.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ctl/compile/name_compiler.h"
#include "ctl/compile/store_lookups.h"
#include "ctl/store/history.h"

namespace brink::ctl::compile {

class Affected {
 public:
  // What is above comes before what is below. The keys are tree keys.
  using Names = std::map<std::string, model::DomainName>;
  static std::string key_of(const model::DomainName& name);

  Affected(store::Store& store, StoreLookups& lookups) : store_(store), lookups_(lookups) {}

  // Once.
  void collect(const store::Changes& changes);

  // Names to put or drop.
  [[nodiscard]] const Names& names() const { return names_; }
  // Zones all of whose names are to be put or dropped; those are not in names().
  [[nodiscard]] const Names& whole_zones() const { return whole_zones_; }
  // Zones to put, and those that are gone.
  [[nodiscard]] const Names& zones() const { return zones_; }
  [[nodiscard]] const Names& dropped_zones() const { return dropped_zones_; }
  // What MX and SRV records pointed at that are gone or in other hands, each with the apex of its
  // zone. Those of names() are not among them.
  [[nodiscard]] const NameCompiler::Targets& targets() const { return targets_; }

 private:
  enum class Kind : std::uint8_t {
    kName,
    kSubtree,   // at or below the name
    kWildcard,  // below the name, where nothing exists: what *.name covers
  };
  struct Scope {
    Kind kind;
    model::DomainName name;
    std::int64_t zone_row;  // whose records other than CNAME may point there; 0: none
    auto operator<=>(const Scope&) const = default;
  };
  using RowAndName = std::pair<std::int64_t, model::DomainName>;

  void take_zone(const store::ZoneChange& change);
  void take_ownership_below(const model::DomainName& apex);
  void take_name(const model::Zone& zone, const store::NameChange& change);
  void take_resigned(const store::ResignedName& resigned);
  void take_coverage(const store::TableChange& change);
  void add_if_proxied(const model::Zone& zone, const model::DomainName& name);
  void add_exchanges(const model::Zone& zone);
  void take_existence(const model::Zone& zone, const store::NameChange& change);
  void add(const model::DomainName& name) { add_to(names_, name); }
  static void add_to(Names& names, const model::DomainName& name);
  void add_all_within(const model::Zone& zone, const model::DomainName& name);
  void add_scope(Scope scope);
  void spread();
  bool is_covered(const model::DomainName& name, std::int64_t zone_row);
  void visit(const Scope& scope);
  void take_alias(const store::Pointer& alias);
  bool all_new_within(const model::Zone& zone, const model::DomainName& name);

  store::Store& store_;
  StoreLookups& lookups_;
  NameCompiler::Targets targets_;
  Names names_, zones_, whole_zones_, dropped_zones_;
  std::set<model::DomainName> wholly_;  // such zones, and those that are gone
  std::set<RowAndName> new_names_;      // had no records before
  std::map<RowAndName, bool> all_new_;  // answers of all_new_within
  std::set<Scope> seen_;
  std::vector<Scope> next_;  // to be visited
};

}  // namespace brink::ctl::compile
