// Requests as text: a line with method and target, then the body. In the target Z, R, A, U and T
// stand for the identifiers of a zone, record, account, user and token that there are; likewise
// $Z, $R, ... in the body.
#include <cstdint>
#include <string>
#include <string_view>

#include "ctl/api/fuzz_world.h"

namespace {

using brink::ctl::api::FuzzWorld;

constexpr std::size_t kSizeMax = 1 << 16;

const std::string* identifier(const FuzzWorld& world, char letter) {
  switch (letter) {
    case 'Z':
      return &world.zone;
    case 'R':
      return &world.record;
    case 'A':
      return &world.account;
    case 'U':
      return &world.user;
    case 'T':
      return &world.token;
    default:
      return nullptr;
  }
}

std::string with_identifiers(const FuzzWorld& world, std::string_view text, char mark) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto* known =
        text[i] == mark && i + 1 < text.size() ? identifier(world, text[i + 1]) : nullptr;
    if (known == nullptr) {
      out += text[i];
      continue;
    }
    if (mark == '/') out += mark;
    out += *known;
    ++i;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzWorld world;
  if (size > kSizeMax) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view line = input.substr(0, input.find('\n'));
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  const std::string method(line.substr(0, space));
  const std::string target = with_identifiers(world, line.substr(space + 1), '/');
  const std::string_view rest = input.substr(std::min(line.size() + 1, size));
  const auto answer = world.ask(method, target, with_identifiers(world, rest, '$'));
  if (method != "GET" && answer.status < 300) world.make();
  return 0;
}
