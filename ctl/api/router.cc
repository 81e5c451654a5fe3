#include "ctl/api/router.h"

namespace brink::ctl::api {
namespace {

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (!segment.empty()) segments.emplace_back(segment);
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
  }
  return segments;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
             std::map<std::string, std::string>& parameters) {
  if (pattern.size() != path.size()) return false;
  parameters.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (pattern[i].front() == ':') {
      parameters[pattern[i].substr(1)] = path[i];
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, Access access, Handler handler) {
  routes_.push_back(
      {std::move(method), std::string(pattern), access, std::move(handler), segments_of(pattern)});
}

model::Outcome<const Route*> Router::find(Request& request) const {
  const auto path = segments_of(request.path);
  bool path_is_known = false;
  for (const Route& route : routes_) {
    if (!matches(route.segments, path, request.parameters)) continue;
    path_is_known = true;
    if (route.method == request.method) return &route;
  }
  if (path_is_known) {
    return model::Refusal{
        405, kCodeMethod, request.method + " is not allowed on " + request.path, {}};
  }
  return model::Refusal{
      404,
      model::kCodeNotFound,
      "Could not route to " + request.path + ", perhaps the path or an identifier in it is wrong.",
      {}};
}

}  // namespace brink::ctl::api
