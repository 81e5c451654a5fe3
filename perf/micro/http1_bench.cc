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
    "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n"
    "Host: www.kittyhell.example\r\n"
    "User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) "
    "Gecko/20100401 Firefox/3.6.3 Pathtraq/0.9\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip,deflate\r\n"
    "Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\n"
    "Keep-Alive: 115\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; "
    "__utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; "
    "__utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.example|"
    "utmcct=/reader/|utmcmd=referral\r\n\r\n";

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
