#include "ctl/compile/compile.h"

#include <optional>

#include "ctl/compile/zone_compiler.h"

namespace brink::ctl::compile {

base::Result<Counts> compile(Source& source, const Options& options, snapshot::ChangeSink& sink) {
  Counts counts;
  std::optional<base::Error> failure;
  OriginFinder origins(source);
  source.for_each_zone([&](const model::Zone& zone) {
    if (failure) return;
    ZoneIndex index(zone);
    source.for_each_record(zone, [&](const model::Record& record) {
      index.add(record);
      ++counts.records;
    });
    index.finish();
    origins.use(index);
    ZoneCompiler compiler(index, origins, options);
    if (auto added = compiler.add_to(sink); !added) {
      failure = added.error();
      failure->where = "zone " + zone.name.text() + ", " + failure->where;
      return;
    }
    ++counts.zones;
    counts.routes += compiler.route_count();
  });
  if (failure) return *failure;
  return counts;
}

}  // namespace brink::ctl::compile
