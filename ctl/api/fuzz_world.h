// The endpoints on a store in memory, with one of everything, for fuzzers. What a run does depends
// on its input alone: clock and entropy count, and the world is made anew after a change.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "ctl/api/dispatcher.h"
#include "ctl/api/json_input.h"
#include "ctl/api/service.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"

namespace brink::ctl::api {

class FuzzWorld {
 public:
  FuzzWorld() { make(); }

  void make() {
    store_.reset();
    store_ = std::move(store::Store::open(":memory:", store::Access::kReadWrite, [this] {
               return model::Timestamp{++now_};
             })).value();
    now_ = 1'767'225'600'000'000;
    entropy_ = 0;
    settings_ = {};
    settings_.authority.name_servers = {model::DomainName::parse("ns1.brink.test").value(),
                                        model::DomainName::parse("ns2.brink.test").value()};
    settings_.rules.edge_addresses = {*base::IpAddress::parse("192.0.2.1")};
    settings_.stats_path = "/nonexistent/stats";
    service_ = std::make_unique<Service>(Service{*store_,
                                                 settings_,
                                                 [this](std::span<std::uint8_t> out) {
                                                   for (std::uint8_t& byte : out) byte = 0;
                                                   base::store_be64(out.data(), ++entropy_);
                                                 },
                                                 [this] { return model::Timestamp{++now_}; },
                                                 [] { return publish::PublisherStatus{}; },
                                                 {},
                                                 [](const auto&, const auto& answered) {
                                                   answered(base::Error{"away", "", ""});
                                                 }});
    service_->check_activation = [](const model::Zone& checked, const CheckedActivation& done) {
      done(ActivationState{checked, {}});
    };
    service_->check_dnssec = [this](const model::Zone& checked, const CheckedDnssec& done) {
      done(dnssec_state(*store_, checked));
    };
    service_->resolver_status = [](const auto& done) { done(resolve::ResolverStatus{}); };
    service_->box = &box_;
    router_ = make_router(*service_);
    zone = id_of(ask("POST", "/client/v4/zones", R"({"name":"example.com"})"));
    record = id_of(ask("POST", "/client/v4/zones/" + zone + "/dns_records",
                       R"({"name":"www","type":"A","content":"203.0.113.10"})"));
    account = id_of(ask("POST", "/client/v4/accounts", R"({"name":"Shop"})"));
    user =
        id_of(ask("POST", "/brink/v1/accounts/" + account + "/users", R"({"email":"a@b.test"})"));
    token = id_of(ask("POST", "/client/v4/accounts/" + account + "/tokens",
                      R"({"name":"t","policies":[{"effect":"allow","resources":)"
                      R"({"com.cloudflare.api.account.zone.*":"*"},)"
                      R"("permission_groups":[{"name":"DNS Write"}]}]})"));
  }

  // As the operator. Every answer is looked at: an envelope that says whether it succeeded, and no
  // change when it did not. A zone file has no envelope.
  Answer ask(const std::string& method, const std::string& target, std::string body,
             const std::string& content_type = "application/json") {
    Request request;
    request.method = method;
    set_target(request, target);
    request.body = std::move(body);
    request.content_type = content_type;
    request.trusted = true;
    const std::uint64_t version = store_->version();
    Reply reply = handle(*service_, router_, request);
    if (reply.later) {
      const auto later = std::move(reply.later);
      later([&](Reply late) { reply = std::move(late); });
    }
    const Answer answer = to_answer(reply);
    CHECK(answer.status != 500);
    if (answer.status >= 300) CHECK(store_->version() == version);
    if (answer.status == 204) CHECK(answer.body.empty());
    if (answer.content_type != "application/json") return answer;
    const Json json = Json::parse(answer.body, nullptr, false);
    CHECK(json.is_object() && json["success"] == (answer.status < 300));
    CHECK(json["errors"].empty() == (answer.status < 300));
    return answer;
  }
  static Json result_of(const Answer& answer) { return Json::parse(answer.body)["result"]; }
  [[nodiscard]] std::uint64_t records() const { return store_->record_count(); }

  std::string zone, record, account, user, token;  // identifiers

 private:
  static std::string id_of(const Answer& answer) {
    CHECK(answer.status == 200);
    return result_of(answer)["id"].get<std::string>();
  }

  std::int64_t now_ = 0;
  std::uint64_t entropy_ = 0;
  Settings settings_;
  secret::SealedBox box_{secret::Key{}, [](std::span<std::uint8_t> out) {
                           std::fill(out.begin(), out.end(), std::uint8_t{1});
                         }};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Service> service_;
  Router router_;
};

}  // namespace brink::ctl::api
