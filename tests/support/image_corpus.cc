// Writes the seed of the image fuzzer: a small image with every kind of record in it.
// Usage: image_corpus FILE
#include <cstdio>

#include "dataplane/snapshot/image.h"
#include "tests/support/dns_image.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: image_corpus FILE\n");
    return 2;
  }
  const auto image = brink::test::image_of_zones(
      {{"example.com.",
        "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nwww 60 A 192.0.2.3\nwww 60 TXT t\n"
        "*.w 60 A 192.0.2.2\nalias 60 CNAME www\nsub 60 NS ns.sub\nns.sub 60 A 192.0.2.4\n"}});
  const auto saved = image.save(argv[1]);
  if (!saved) std::fprintf(stderr, "%s\n", saved.error().message().c_str());
  return saved ? 0 : 1;
}
