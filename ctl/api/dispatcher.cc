#include "ctl/api/dispatcher.h"

#include <memory>

#include "dataplane/secret/wipe.h"

namespace brink::ctl::api {
namespace {

// Bodies up to this size are overwritten when they have been used, as there may be a key in them;
// what is larger is a zone file.
constexpr std::size_t kWipedBodyMax = 8 * 1024 * 1024;

void add_outcome(Envelope& envelope, std::uint64_t version,
                 const publish::Publication& publication) {
  const std::string stored = "Stored as version " + std::to_string(version);
  switch (publication.state) {
    case publish::Publication::State::kServed:
      break;
    case publish::Publication::State::kPending:
      envelope.messages.push_back(
          {kCodeNotServedYet, stored + ", not served yet: " + publication.reason});
      break;
    case publish::Publication::State::kFailed:
      envelope.messages.push_back(
          {kCodeNotPublished, stored + ", but it cannot be published: " + publication.reason});
      break;
  }
}

}  // namespace

Answer to_answer(const Reply& reply) {
  if (reply.status == 204) return {reply.status, "", reply.headers, ""};
  if (reply.text) return {reply.status, "text/plain; charset=utf-8", reply.headers, *reply.text};
  return {reply.status, "application/json", reply.headers, to_json(reply.envelope)};
}

void Dispatcher::admit(Request head, TurnAway respond) {
  auto shared = std::make_shared<Request>(std::move(head));
  queue_.post([this, shared, respond = std::move(respond)] {
    const auto reply = turn_away(service_, router_, *shared);
    respond(reply ? std::optional(to_answer(*reply)) : std::nullopt);
  });
}

void Dispatcher::dispatch(Request request, Respond respond) {
  auto shared = std::make_shared<Request>(std::move(request));
  queue_.post([this, shared, respond = std::move(respond)] {
    Reply reply = handle(service_, router_, *shared);
    if (shared->body.size() <= kWipedBodyMax) secret::wipe(shared->body);
    // Behind requests that wait already.
    queue_.post([this] { do_chores(service_); });
    if (reply.later) {
      return reply.later([respond, headers = reply.headers](Reply late) {
        late.headers = headers;
        respond(to_answer(late));
      });
    }
    if (reply.version == 0) return respond(to_answer(reply));
    const std::uint64_t version = reply.version;
    auto answered = [reply = std::move(reply), respond,
                     version](const publish::Publication& publication) mutable {
      add_outcome(reply.envelope, version, publication);
      respond(to_answer(reply));
    };
    settle_(
        [this, version, answered = std::move(answered)] { publisher_.await(version, answered); });
  });
}

}  // namespace brink::ctl::api
