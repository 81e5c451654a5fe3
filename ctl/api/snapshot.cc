// /brink/v1/snapshot/{name,compact,verify} and /brink/v1/cookie-secrets: what only brink-edge can
// tell or do. It is asked on a thread of its own, so that nobody else waits for it.
#include <algorithm>
#include <array>

#include "ctl/api/json_input.h"
#include "ctl/api/name_json.h"
#include "ctl/api/paging.h"
#include "ctl/api/service.h"
#include "ctl/model/id.h"
#include "dns/zone/text.h"

namespace brink::ctl::api {
namespace {

using ipc::MessageType;
using publish::EdgeReply;

// The edge's word, or why there is none.
std::optional<Reply> failure_of(const base::Result<EdgeReply>& answered) {
  if (!answered) {
    return refuse(
        {503, kCodeEdgeSilent, "brink-edge gave no answer: " + answered.error().message(), {}});
  }
  const EdgeReply& reply = answered.value();
  if (reply.status == ipc::ReplyStatus::kDone) return std::nullopt;
  return refuse({502, kCodeEdgeRefused, "brink-edge: " + reply.reason, {}});
}

// Asks, and answers with what `read` makes of the edge's reply.
Reply ask(Service& service, publish::Question question,
          std::function<Reply(const EdgeReply&)> read) {
  Reply reply;
  reply.later = [&service, question = std::move(question),
                 read = std::move(read)](std::function<void(Reply)> complete) {
    service.ask_edge(
        question, [read, complete = std::move(complete)](const base::Result<EdgeReply>& answered) {
          auto failure = failure_of(answered);
          complete(failure ? *std::move(failure) : read(answered.value()));
        });
  };
  return reply;
}

Reply name(Service& service, const Request& request) {
  const auto* text = request.query_value("name");
  if (text == nullptr) return refuse(bad_parameter("name", "", "a domain name"));
  const auto wire = dns::zone::name_from_text(*text);
  if (!wire) return refuse(bad_parameter("name", *text, "a domain name, such as www.example.com"));
  const dns::zone::Wire& asked = wire.value();
  return ask(service, {MessageType::kShowName, {asked.begin(), asked.end()}},
             [asked](const EdgeReply& reply) {
               const auto json = name_json(asked, reply);
               if (json) return answer(to_text(json.value()));
               return refuse({502, kCodeEdgeRefused, json.error().message(), {}});
             });
}

Reply run_job(Service& service, MessageType type, std::vector<std::uint8_t> argument = {}) {
  return ask(service, {type, std::move(argument)}, [](const EdgeReply& reply) {
    return answer(to_text({{"served_version", reply.served_version}, {"report", reply.reason}}));
  });
}

Reply compact(Service& service, const Request&) {
  return run_job(service, MessageType::kCompact);
}

Reply verify(Service& service, const Request&) {
  return run_job(service, MessageType::kVerify);
}

// In the order of CookieStep in dataplane/edge/cookie_secrets.h.
constexpr std::array<std::string_view, 5> kCookieSteps = {"show", "reload", "add", "activate",
                                                          "drop"};

Reply show_cookie_secrets(Service& service, const Request&) {
  return run_job(service, MessageType::kCookieSecrets, {0});
}

// The secret is in no log and no answer.
Reply roll_cookie_secrets(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  std::string step, secret;
  FieldReader reader(body.value());
  reader.text("step", step);
  reader.text("secret", secret);
  if (reader.fault()) return refuse(*reader.fault());
  const auto known = std::find(kCookieSteps.begin() + 1, kCookieSteps.end(), step);
  if (known == kCookieSteps.end()) {
    return refuse(wrong_field("step", "reload, add, activate or drop"));
  }
  std::vector<std::uint8_t> argument = {static_cast<std::uint8_t>(known - kCookieSteps.begin())};
  if (step == "add") {
    const auto octets = model::Id::parse(secret);  // as long, and written alike
    if (!octets) {
      return refuse(wrong_field("secret", "32 hexadecimal digits, as openssl rand -hex 16 makes"));
    }
    argument.insert(argument.end(), octets->bytes.begin(), octets->bytes.end());
  } else if (body.value().contains("secret")) {
    return refuse(wrong_field("secret", "nothing but where one is added"));
  }
  return run_job(service, MessageType::kCookieSecrets, std::move(argument));
}

}  // namespace

void add_snapshot(Router& router, Service& service) {
  router.add("GET", "/brink/v1/snapshot/name", identity::Permission::kNodeRead,
             bound(service, name));
  router.add("POST", "/brink/v1/snapshot/compact", identity::Permission::kNodeEdit,
             bound(service, compact));
  router.add("POST", "/brink/v1/snapshot/verify", identity::Permission::kNodeEdit,
             bound(service, verify));
  router.add("GET", "/brink/v1/cookie-secrets", identity::Permission::kNodeRead,
             bound(service, show_cookie_secrets));
  router.add("POST", "/brink/v1/cookie-secrets", identity::Permission::kNodeEdit,
             bound(service, roll_cookie_secrets));
}

}  // namespace brink::ctl::api
