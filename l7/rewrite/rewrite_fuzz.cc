// Rules from arbitrary bytes, run on requests and responses from arbitrary bytes. Checked: nothing
// is read outside of either (sanitizers), what is put has the form of a header, running twice gives
// the same, and a loop would be a timeout.
//
// Input: two octets, size of the blob in units of 8; the blob; a request head.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "l7/http/chars.h"
#include "l7/http1/request_parser.h"
#include "l7/rewrite/kept_facts.h"
#include "l7/rewrite/rules.h"

namespace {

using namespace brink::l7;           // NOLINT
using namespace brink::l7::rewrite;  // NOLINT

void require(bool condition) {
  if (!condition) std::abort();
}

std::string shown(const Workspace& work) {
  std::string out;
  work.edits.for_each([&](std::string_view name, std::string_view value) {
    require(!name.empty() && http::all_of_class(name, http::kCharToken));
    require(!value.empty() && http::all_of_class(value, http::kCharValue));
    out.append(name).append(":").append(value).append("\n");
  });
  return out;
}

void run(const route::RulesView& rules, const Facts& facts) {
  static Workspace work;
  Block block;
  if (run_firewall(rules, facts, work, block) == RunVerdict::kBlocked) {
    require(block.status >= 400 && block.status <= 499);
  }
  const RunVerdict first = run_header_rules(rules, facts, work);
  const std::string put = shown(work);
  require(first == RunVerdict::kPassed || put.empty());
  require(run_header_rules(rules, facts, work) == first && shown(work) == put);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t wanted = (std::size_t{data[0]} << 8 | data[1]) * 8;
  const std::size_t blob_size = std::min(wanted, (size - 2) / 8 * 8);
  // Exactly as long as it is.
  const auto blob = std::make_unique<std::uint64_t[]>(blob_size / 8);
  if (blob_size > 0) std::memcpy(blob.get(), data + 2, blob_size);
  const auto rules =
      route::RulesView::open({reinterpret_cast<const std::uint8_t*>(blob.get()), blob_size});
  if (!rules) return 0;

  const std::string text(reinterpret_cast<const char*>(data) + 2 + blob_size, size - 2 - blob_size);
  http::RequestHead head;
  http1::Progress progress;
  std::uint32_t head_size = 0;
  Facts facts;
  facts.target = text;
  facts.host = text;
  facts.user_agent = text;
  if (http1::parse_request(text, {}, 80, progress, head, head_size) == http1::Verdict::ok) {
    facts = facts_of(head, brink::base::IpAddress::v4(0xc0000201), size % 2 == 0);
  }
  run(*rules, facts);

  ClientCertificate certificate;
  certificate.is_presented = true;
  certificate.subject_dn = text;
  KeptFacts kept;
  std::string room(3 * text.size() + 16, '\0');
  require(kept.keep(facts, room));
  Facts later = kept.facts(room);
  later.status = 200;
  later.certificate = &certificate;
  run(*rules, later);
  return 0;
}
