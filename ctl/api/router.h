// Router: method and path to the handler, with the path's variable segments, and what a request
// needs to get there.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/http.h"

namespace brink::ctl::api {

// What a route asks of whoever calls it. Made from a Permission, or one of the two others. A
// permission is looked for on the zone that the path names as ":zone", else on the ":account", else
// (user permissions) on the caller, else anywhere: then the handler filters. See authorize.h.
struct Access {
  enum class Kind : std::uint8_t { kPublic, kAuthenticated, kPermission };

  Access(identity::Permission needed) : kind(Kind::kPermission), permission(needed) {}  // NOLINT
  static Access everybody() { return Access(Kind::kPublic); }
  static Access anybody_known() { return Access(Kind::kAuthenticated); }

  Kind kind;
  identity::Permission permission = identity::Permission::kNodeEdit;  // of kPermission

 private:
  explicit Access(Kind kind_) : kind(kind_) {}
};

struct Route {
  using Handler = std::function<Reply(const Request&)>;

  std::string method;
  std::string pattern;
  Access access;
  Handler handler;
  std::vector<std::string> segments;
};

class Router {
 public:
  using Handler = Route::Handler;

  // `pattern` as "/client/v4/zones/:zone": a segment with a colon matches anything.
  void add(std::string method, std::string_view pattern, Access access, Handler handler);

  // Fills in the request's parameters. The refusal is 404 or 405.
  model::Outcome<const Route*> find(Request& request) const;
  // All of them, in the order in which they are looked at.
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace brink::ctl::api
