// Writes the seeds of rewrite_fuzz into a folder. Usage: rules_corpus FOLDER
#include <cstdio>
#include <fstream>
#include <string>

#include "dataplane/base/check.h"
#include "l7/render/rules_blob.h"

namespace {

using namespace brink;  // NOLINT
using l7::render::RulesWriter;
using l7::route::ChangeKind;
using l7::route::Comparison;
using l7::route::RuleField;
using l7::route::RulePhase;
using l7::route::StepKind;

constexpr char kRequest[] =
    "GET /a/b?c=d HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8\r\nX-Old: 1\r\n\r\n";

void write(const std::string& folder, const std::string& name, RulesWriter& writer) {
  const auto blob = writer.finish();
  CHECK(blob.ok());
  const std::size_t units = blob.value().size() / 8;
  std::ofstream file(folder + "/" + name, std::ios::binary);
  file.put(static_cast<char>(units >> 8)).put(static_cast<char>(units));
  file.write(reinterpret_cast<const char*>(blob.value().data()),
             static_cast<std::streamsize>(blob.value().size()));
  file << kRequest;
}

l7::route::ProgramRef everything(RulesWriter& writer) {
  return writer.program([&] {
    writer.field(RuleField::kFullUri);
    writer.apply(StepKind::kLower);
    writer.wildcard("*example*B*", false);
    const auto first = writer.jump_if(false);
    writer.apply(StepKind::kDrop);
    writer.field(RuleField::kClientAddress);
    writer.in(std::vector<std::pair<base::IpAddress, base::IpAddress>>{
        {base::IpAddress::v4(0xc0000200), base::IpAddress::v4(0xc00002ff)}});
    const auto second = writer.jump_if(false);
    writer.apply(StepKind::kDrop);
    writer.field(RuleField::kMethod);
    writer.in(std::vector<std::string>{"GET", "HEAD", "POST"});
    writer.field(RuleField::kResponseCode);
    writer.in(std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {200, 299}});
    writer.apply(StepKind::kXor);
    writer.apply(StepKind::kNot);
    writer.land(first);
    writer.land(second);
  });
}

l7::route::ProgramRef put_together(RulesWriter& writer) {
  return writer.program([&] {
    writer.field(RuleField::kPath);
    writer.apply(StepKind::kUpper);
    writer.text("-");
    writer.apply(StepKind::kConcat);
    writer.field(RuleField::kClientAddress);
    writer.apply(StepKind::kToText);
    writer.apply(StepKind::kConcat);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: rules_corpus FOLDER\n");
    return 2;
  }
  RulesWriter firewall(RulePhase::kFirewall);
  firewall.add_block(everything(firewall), {429, l7::route::BlockContent::kJson, "{}"});
  write(argv[1], "firewall", firewall);

  RulesWriter certificate(RulePhase::kFirewall);
  const auto presented = certificate.program([&] {
    certificate.field(RuleField::kCertVerified);
    certificate.compare_flag(true, false);
    const auto jump = certificate.jump_if(true);
    certificate.apply(StepKind::kDrop);
    certificate.field(RuleField::kCertSubjectDn);
    certificate.contains("example");
    certificate.land(jump);
  });
  certificate.add_block(presented, {});
  write(argv[1], "certificate", certificate);

  for (const RulePhase phase : {RulePhase::kRequest, RulePhase::kResponse}) {
    RulesWriter headers(phase);
    headers.add_changes(everything(headers), {{ChangeKind::kSet, "X-New", "1"},
                                              {ChangeKind::kAdd, "X-More", put_together(headers)},
                                              {ChangeKind::kRemove, "X-Old", {}}});
    headers.add_changes(put_together(headers), {});
    write(argv[1], phase == RulePhase::kRequest ? "request" : "response", headers);
  }
  return 0;
}
