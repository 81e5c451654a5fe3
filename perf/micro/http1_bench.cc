// What parsing a request head costs: 35 octets (the smallest useful request) and about 700 (a
// browser's).
#include <memory>
#include <string>

#include "dataplane/base/check.h"
#include "l7/http1/request_parser.h"
#include "perf/support/micro.h"

namespace brink::l7::http1 {
namespace {

const std::string kSmall = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
const std::string kBrowser =
    "GET /catalogue/garden/tools/spades?sort=price&page=3&colour=green HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Accept-Language: de,en-GB;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: http://shop.example.com/catalogue/garden/tools?page=2\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: basket=7f3a9c51e0d84b62; session=0123456789abcdef0123456789abcdef; "
    "seen=spade.rake.hoe.shears.trowel; consent=functional.statistics\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "If-Modified-Since: Tue, 06 Oct 2026 08:12:31 GMT\r\n"
    "Cache-Control: max-age=0\r\n\r\n";

int add(const char* name, const std::string& text) {
  return perf::add_micro(name, [&text]() -> perf::Batch {
    return [&text, head = std::make_shared<http::RequestHead>()] {
      constexpr std::size_t kRequests = 32;
      const Limits limits;
      for (std::size_t i = 0; i < kRequests; ++i) {
        Progress progress;
        std::uint32_t size = 0;
        const Verdict verdict = parse_request(text, limits, 80, progress, *head, size);
        CHECK(verdict == Verdict::ok && size == text.size());
      }
      return kRequests;
    };
  });
}

const int kRegistered[] = {add("http1/request_35_octets", kSmall),
                           add("http1/request_700_octets", kBrowser)};

}  // namespace
}  // namespace brink::l7::http1
