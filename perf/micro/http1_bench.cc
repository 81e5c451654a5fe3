// What parsing a request head costs: 35 bytes (the smallest useful request) and about 700 bytes (a
// browser's). Counters: allocations per operation must be 0.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "l7/http1/request_parser.h"
#include "perf/support/allocation_count.h"

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

void parse(benchmark::State& state, const std::string& text) {
  http::RequestHead head;
  const Limits limits;
  const std::uint64_t before = perf::allocation_count();
  for (auto _ : state) {
    Progress progress;
    std::uint32_t size = 0;
    const Verdict verdict = parse_request(text, limits, 80, progress, head, size);
    if (verdict != Verdict::ok || size != text.size()) std::abort();
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.counters["allocs_per_op"] = static_cast<double>(perf::allocation_count() - before) /
                                    static_cast<double>(state.iterations());
  state.counters["request_bytes"] = static_cast<double>(text.size());
}

void BM_ParseSmall(benchmark::State& state) {
  parse(state, kSmall);
}
void BM_ParseBrowser(benchmark::State& state) {
  parse(state, kBrowser);
}
BENCHMARK(BM_ParseSmall);
BENCHMARK(BM_ParseBrowser);

}  // namespace
}  // namespace brink::l7::http1
