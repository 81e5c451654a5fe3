// Router: method and path to the handler, with the path's variable segments.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/http.h"

namespace brink::ctl::api {

class Router {
 public:
  using Handler = std::function<Reply(const Request&)>;

  // `pattern` as "/client/v4/zones/:zone": a segment with a colon matches anything.
  void add(std::string method, std::string_view pattern, Handler handler);

  // Fills in the request's parameters and calls the handler; 404 and 405 are answers too.
  Reply route(Request& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace brink::ctl::api
