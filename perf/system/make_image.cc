// Writes an image of synthetic zones to a file that brink-edge can start from.
// Usage: make_image FILE NAMES [NAMES_PER_ZONE | delegations | small-zones]
#include <cstdio>
#include <cstdlib>
#include <random>

#include "dataplane/snapshot/builder.h"
#include "perf/support/synthetic_zones.h"

int main(int argc, char** argv) {
  using namespace brink;
  if (argc < 3) {
    std::fprintf(stderr, "usage: make_image FILE NAMES [NAMES_PER_ZONE | SHAPE]\n");
    return 2;
  }
  perf::SyntheticOptions options;
  options.names = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) perf::set_shape(options, argv[3]);
  if (options.names == 0 || options.names_per_zone == 0) {
    std::fprintf(stderr, "make_image: counts must be positive numbers\n");
    return 2;
  }
  base::HashKey key;
  std::random_device random;
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(random());
  snapshot::Builder builder(key);
  perf::add_synthetic_zones(builder, options);
  const auto image = builder.finish(1, 0);
  const auto saved = image ? image.value().save(argv[1]) : base::Result<void>(image.error());
  if (!saved) std::fprintf(stderr, "make_image: %s\n", saved.error().message().c_str());
  return saved ? 0 : 1;
}
