// TableCompiler: what the edge has of a zone beside its names, into the values of the zone's table
// (l7/route/table_key.h): settings, certificates with their keys as they lie in the store, which of
// them names show, authorities of client certificates and what those revoked, origin pulls, rules.
// Private to this folder.
//
// Pure like the rest: keys stay sealed, and time plays no part (expired certificates are there, the
// edge chooses).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/model/certificate.h"
#include "ctl/model/zone.h"
#include "ctl/rules/ruleset.h"
#include "ctl/store/history.h"
#include "ctl/store/store.h"
#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"
#include "l7/render/tls_blob.h"

namespace brink::ctl::compile {

class TableCompiler {
 public:
  // Both outlive it.
  TableCompiler(store::Store& store, const Options& options) : store_(store), options_(options) {}

  // Of the sink's current zone, which is this one. An Error names zone and certificate.
  //
  // Puts all values into a table that has none, or, with `is_fresh` false, has others.
  base::Result<void> put_all(const model::Zone& zone, bool is_fresh, snapshot::ChangeSink& sink);
  // Puts what the zone's own row says.
  base::Result<void> put_settings(const model::Zone& zone, snapshot::ChangeSink& sink);
  // Brings one part up to date.
  base::Result<void> put(const model::Zone& zone, const store::TableChange& change,
                         snapshot::ChangeSink& sink);

  // False: put_all has nothing to put. Reads which zones have something, once.
  bool has_any(const model::Zone& zone) {
    return !zone.settings.empty() || has_contents(zone);
  }

 private:
  bool has_contents(const model::Zone& zone);
  using Values = std::map<std::string, l7::render::Bytes>;
  struct EdgeCertificate {
    model::ZoneCertificate stored;
    l7::render::HostCertificate shown;
  };

  // The values whose keys begin with `prefix`.
  base::Result<Values> values(const model::Zone& zone, std::string_view prefix);
  base::Result<void> add_certificates(const model::Zone& zone, std::string_view prefix,
                                      Values& values);
  base::Result<void> add_hosts(const model::Zone& zone, Values& values);
  base::Result<void> add_authorities(const model::Zone& zone, std::string_view prefix,
                                     Values& values);
  void add_origin_pulls(const model::Zone& zone, Values& values);
  base::Result<void> add_trust_store(const model::Zone& zone, Values& values);
  base::Result<void> add_rules(const model::Zone& zone, Values& values);
  base::Result<std::vector<EdgeCertificate>> edge_certificates(const model::Zone& zone);
  std::map<std::string, std::vector<l7::route::EntryId>> host_authorities(const model::Zone& zone);

  void report_broken(const model::Zone& zone, const rules::Ruleset& ruleset) const;

  store::Store& store_;
  const Options& options_;
  std::set<model::Id> zones_;  // with contents
  bool has_read_ = false;
};

}  // namespace brink::ctl::compile
