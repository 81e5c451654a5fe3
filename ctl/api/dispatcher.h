// Dispatcher: a request's way from a connection to the store's thread, to the edge, and back.
#pragma once

#include <functional>
#include <optional>

#include "ctl/api/router.h"
#include "ctl/api/service.h"
#include "ctl/api/work_queue.h"
#include "ctl/publish/publisher.h"

namespace brink::ctl::api {

// An answer ready to be written to a connection.
struct Answer {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

class Dispatcher {
 public:
  using Respond = std::function<void(Answer)>;
  using TurnAway = std::function<void(std::optional<Answer>)>;

  // Calls its argument once, from any thread, when a change that was just stored may be published:
  // what it needs from elsewhere is there, or has been waited for.
  using Settle = std::function<void(std::function<void()>)>;

  // All borrowed.
  Dispatcher(Service& service, const Router& router, WorkQueue& queue,
             publish::Publisher& publisher, Settle settle)
      : service_(service),
        router_(router),
        queue_(queue),
        publisher_(publisher),
        settle_(std::move(settle)) {}

  // Any thread. `respond` is called once, on the store's, the publisher's, the resolver's or an
  // edge question's thread. A change is answered when the edge serves it, or with a message that
  // says why it does not yet.
  void dispatch(Request request, Respond respond);

  // Any thread. Whether a request, of which only the head is there, may go on, before more than a
  // little of its body is read. `respond` is called once, on the store's thread: the answer, when
  // there is one whatever the body says.
  void admit(Request head, TurnAway respond);

 private:
  Service& service_;  // the store's thread
  const Router& router_;
  WorkQueue& queue_;
  publish::Publisher& publisher_;
  const Settle settle_;
};

Answer to_answer(const Reply& reply);

}  // namespace brink::ctl::api
