// Any bytes as a query against an image with every kind of answer. The response, if there is one,
// must be a well-formed message with the query's ID.
#include <cstdint>
#include <cstring>
#include <memory>

#include "dataplane/base/check.h"
#include "dns/answer/engine.h"
#include "tests/support/dns_image.h"

namespace {

using brink::test::Chain;
using brink::test::sign_zone;

const char kSigned[] =
    "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n*.w 60 A 192.0.2.2\n"
    "*.c 60 CNAME ns1\na.b.e 60 TXT t\nsub 60 NS ns.sub\nns.sub 60 A 192.0.2.4\n"
    "d 60 DNAME w\n@ 60 MX 1 ns1\n";

const brink::snapshot::Image& image() {
  static const brink::snapshot::Image built = brink::test::image_of_zones(
      {{"s.test.", sign_zone("s.test.", kSigned, Chain::kNsec)},
       {"h.test.", sign_zone("h.test.", kSigned, Chain::kNsec3)},
       {"example.com.",
        "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n*.w 60 A 192.0.2.2\n"
        "a.b.c 60 TXT t\nalias 60 CNAME www\nwww 60 A 192.0.2.3\nsub 60 NS ns.sub\n"
        "ns.sub 60 A 192.0.2.4\nout 60 CNAME www.example.org.\n@ 60 MX 1 www\n"},
       {"example.org.", "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nwww 60 A 192.0.2.3\n"}});
  return built;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brink;
  constexpr std::size_t kCapacity = 2048;
  if (size > kCapacity) return 0;
  static dns::answer::Engine engine;
  static ipc::WorkerCounters counters;
  const auto buffer = std::make_unique<std::uint8_t[]>(kCapacity);
  if (size > 0) std::memcpy(buffer.get(), data, size);
  static const base::IpAddress client = *base::IpAddress::parse("198.51.100.1");
  static const dns::guard::CookieSecrets secrets{{dns::guard::SipKey{1, 2, 3}}, 1};
  engine.set_cookies(&secrets, 1'700'000'000);
  dns::answer::Message message{buffer.get(), static_cast<std::uint16_t>(size), kCapacity, &client};
  engine.answer_burst(image().view(), dns::answer::Transport::kUdp, {&message, 1}, counters);
  if (message.size == 0) return 0;
  CHECK(message.size >= 12 && message.size <= kCapacity);
  CHECK(buffer[0] == data[0] && buffer[1] == data[1] && (buffer[2] & 0x80) != 0);
  const std::string text = test::response_text({buffer.get(), buffer.get() + message.size});
  CHECK(!text.starts_with("malformed"));
  return 0;
}
