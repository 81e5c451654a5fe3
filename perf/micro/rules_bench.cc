// What the rules of a zone cost a request: ten conditions that do not hold, a set of a thousand
// networks, five changes of headers, and the most that a client can make of two hundred wildcards.
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "l7/render/rules_blob.h"
#include "l7/rewrite/rules.h"
#include "perf/support/micro.h"

namespace brink::l7::rewrite {
namespace {

using render::Bytes;
using render::RulesWriter;
using route::ChangeKind;
using route::RuleField;
using route::RulePhase;
using route::StepKind;

Bytes finish(RulesWriter& writer) {
  auto blob = writer.finish();
  CHECK(blob.ok());
  return std::move(blob).value();
}

Bytes ten_conditions() {
  RulesWriter writer(RulePhase::kFirewall);
  for (int i = 0; i < 10; ++i) {
    const auto condition = writer.program([&] {
      writer.field(RuleField::kPath);
      writer.text("/admin/" + std::to_string(i));
      writer.apply(StepKind::kStartsWith);
      const auto jump = writer.jump_if(true);
      writer.apply(StepKind::kDrop);
      writer.field(RuleField::kUserAgent);
      writer.contains("scanner" + std::to_string(i));
      writer.land(jump);
    });
    writer.add_block(condition, {});
  }
  return finish(writer);
}

Bytes thousand_networks() {
  RulesWriter writer(RulePhase::kFirewall);
  const auto condition = writer.program([&] {
    std::vector<std::pair<base::IpAddress, base::IpAddress>> networks;
    for (std::uint32_t i = 0; i < 1000; ++i) {
      const std::uint32_t first = 0x0a000000 + (i << 9);
      networks.emplace_back(base::IpAddress::v4(first), base::IpAddress::v4(first | 0xff));
    }
    writer.field(RuleField::kClientAddress);
    writer.in(std::move(networks));
  });
  writer.add_block(condition, {});
  return finish(writer);
}

Bytes five_changes() {
  RulesWriter writer(RulePhase::kRequest);
  const auto uri = writer.program([&] {
    writer.field(RuleField::kHost);
    writer.field(RuleField::kUri);
    writer.apply(StepKind::kConcat);
  });
  writer.add_changes(writer.program([&] { writer.flag(true); }),
                     {{ChangeKind::kSet, "X-One", "1"},
                      {ChangeKind::kSet, "X-Two", "2"},
                      {ChangeKind::kAdd, "X-Uri", uri},
                      {ChangeKind::kRemove, "X-Powered-By", {}},
                      {ChangeKind::kRemove, "X-Debug", {}}});
  return finish(writer);
}

Bytes two_hundred_wildcards() {
  RulesWriter writer(RulePhase::kFirewall);
  for (int i = 0; i < 200; ++i) {
    const auto condition = writer.program([&] {
      writer.field(RuleField::kUri);
      writer.wildcard("*aaaaaaaaaaaaaaaa" + std::to_string(i) + "*", false);
    });
    writer.add_block(condition, {});
  }
  return finish(writer);
}

int add(const char* name, Bytes (*make)(), std::size_t target_size) {
  return perf::add_micro(name, [make, target_size]() -> perf::Batch {
    struct State {
      Bytes blob;
      std::string target;
      Workspace work;
    };
    auto state = std::make_shared<State>();
    state->blob = make();
    state->target = "/" + std::string(target_size - 1, 'a');
    return [state] {
      constexpr std::size_t kRequests = 32;
      Facts facts;
      facts.host = "shop.example.com";
      facts.target = state->target;
      facts.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
      facts.client = base::IpAddress::v4(0xc0000201);
      for (std::size_t i = 0; i < kRequests; ++i) {
        const auto rules = route::RulesView::open(state->blob);
        Block block;
        const RunVerdict verdict = rules->phase() == RulePhase::kFirewall
                                       ? run_firewall(*rules, facts, state->work, block)
                                       : run_header_rules(*rules, facts, state->work);
        CHECK(verdict == RunVerdict::kPassed);
      }
      return kRequests;
    };
  });
}

const int kRegistered[] = {add("rules/10_conditions", ten_conditions, 64),
                           add("rules/1000_networks", thousand_networks, 64),
                           add("rules/5_changes", five_changes, 64),
                           add("rules/200_wildcards_16_kb", two_hundred_wildcards, 16'000)};

}  // namespace
}  // namespace brink::l7::rewrite
