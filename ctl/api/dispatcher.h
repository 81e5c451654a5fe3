// Dispatcher: a request's way from a connection to the store's thread, to the edge, and back.
#pragma once

#include <functional>

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

  // All borrowed.
  Dispatcher(Service& service, const Router& router, WorkQueue& queue,
             publish::Publisher& publisher)
      : service_(service), router_(router), queue_(queue), publisher_(publisher) {}

  // Any thread. `respond` is called once, on the store's, the publisher's or an edge question's
  // thread. A change is answered when the edge serves it, or with a message that says why it does
  // not yet.
  void dispatch(Request request, Respond respond);

 private:
  Service& service_;  // the store's thread
  const Router& router_;
  WorkQueue& queue_;
  publish::Publisher& publisher_;
};

Answer to_answer(const Reply& reply);

}  // namespace brink::ctl::api
