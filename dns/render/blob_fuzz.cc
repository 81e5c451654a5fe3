// Any bytes as a blob: what an operator's look at a name takes apart. Whatever it is, nothing is
// read outside of it, and what comes out has a presentation form or a reason why not.
#include <cstdint>
#include <string>

#include "dns/render/blob_reader.h"
#include "dns/zone/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brink::dns;
  static const zone::Wire owner("\3www\7example\3com\0", 17);
  static const zone::Wire apex("\7example\3com\0", 13);
  const auto contents = render::read_blob({data, size}, owner, apex);
  if (!contents) return 0;
  const auto print = [](const std::vector<zone::ResourceRecord>& records) {
    for (const auto& record : records) {
      (void)zone::name_to_text(record.owner);
      (void)zone::rdata_to_text(record.type, record.rdata).ok();
    }
  };
  print(contents.value().body);
  print(contents.value().required);
  print(contents.value().optional);
  return 0;
}
