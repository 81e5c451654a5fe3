// Any bytes as a zone file. What is taken comes out of an export again: importing that adds
// nothing, and into an empty zone as many records as there were. What is refused leaves nothing
// behind.
#include <cstdint>
#include <string>

#include "ctl/api/fuzz_world.h"

namespace {

using namespace brink::ctl::api;

constexpr std::size_t kSizeMax = 1 << 14;
constexpr char kBoundary[] = "fuzz-8Hf3kQ";

Answer import_file(FuzzWorld& world, const std::string& file) {
  return world.ask("POST", "/client/v4/zones/" + world.zone + "/dns_records/import",
                   std::string("--") + kBoundary +
                       "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + file +
                       "\r\n--" + kBoundary + "--\r\n",
                   std::string("multipart/form-data; boundary=") + kBoundary);
}

std::string export_file(FuzzWorld& world) {
  const Answer answer =
      world.ask("GET", "/client/v4/zones/" + world.zone + "/dns_records/export", "");
  CHECK(answer.status == 200);
  return answer.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzWorld world;
  const std::string file(reinterpret_cast<const char*>(data), size);
  if (size > kSizeMax || file.find(kBoundary) != std::string::npos) return 0;
  const std::uint64_t before = world.records();
  if (import_file(world, file).status >= 300) {
    CHECK(world.records() == before);
    return 0;
  }
  const std::uint64_t records = world.records();
  const std::string exported = export_file(world);
  const Answer again = import_file(world, exported);
  CHECK(again.status == 200);
  CHECK(FuzzWorld::result_of(again)["recs_added"] == 0);
  CHECK(world.records() == records);
  world.make();
  CHECK(import_file(world, exported).status == 200);
  CHECK(world.records() == records);
  world.make();
  return 0;
}
