// Writes the synthetic zones of make_image as zone files for other name servers: FOLDER/NAME.zone.
// Usage: make_zone_files FOLDER NAMES [NAMES_PER_ZONE | delegations | small-zones]
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "dns/zone/text.h"
#include "perf/support/synthetic_zones.h"

namespace {

using namespace brink;

// False when the file cannot be written whole.
bool write_zone(const std::string& folder, const dns::zone::Wire& apex,
                const std::vector<dns::zone::ResourceRecord>& records) {
  std::string name = dns::zone::name_to_text(apex);
  if (name.back() == '.') name.pop_back();
  std::ofstream file(folder + "/" + name + ".zone");
  for (const auto& record : records) {
    const auto data = dns::zone::rdata_to_text(record.type, record.rdata);
    CHECK(data.ok());
    file << dns::zone::name_to_text(record.owner) << ' ' << record.ttl << " IN "
         << dns::zone::type_to_text(record.type) << ' ' << data.value() << '\n';
  }
  file.close();
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  perf::SyntheticOptions options;
  if (argc > 2) options.names = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) perf::set_shape(options, argv[3]);
  if (argc < 3 || options.names == 0 || options.names_per_zone == 0) {
    std::fprintf(stderr, "usage: make_zone_files FOLDER NAMES [NAMES_PER_ZONE | SHAPE]\n");
    return 2;
  }
  bool written = true;
  perf::for_each_synthetic_zone(options, [&](const auto& apex, const auto& records) {
    written = written && write_zone(argv[1], apex, records);
  });
  if (!written) std::fprintf(stderr, "make_zone_files: cannot write to %s\n", argv[1]);
  return written ? 0 : 1;
}
