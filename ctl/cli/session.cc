#include <cstdio>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {
namespace {

constexpr int kCodeNotPublished = 12003;
constexpr int kStatusNotFound = 404;

// What an operator can do about refusals that clients of the API know by their code alone.
const char* remedy_of(int code) {
  switch (code) {
    case 1061:
      return "; use that zone, or delete it first with brinkctl zone delete";
    case 81053:
      return "; delete that one first with brinkctl record delete";
    case 81057:
      return "; there is nothing to add, brinkctl record set changes what is there";
    default:
      return "";
  }
}

// "message: detail; remedy (code 9004)" for the first error.
std::string reason_of(const Response& response) {
  const auto errors = response.envelope.find("errors");
  if (errors == response.envelope.end() || errors->empty()) {
    return "the server answered with status " + std::to_string(response.status);
  }
  const Json& error = errors->front();
  std::string text = error.value("message", "");
  if (error.contains("error_chain")) {
    for (const Json& cause : error["error_chain"]) text += ": " + cause.value("message", "");
  }
  const int code = error.value("code", 0);
  return text + remedy_of(code) + " (code " + std::to_string(code) + ")";
}

}  // namespace

Response Session::call_raw(const std::string& method, const std::string& target, std::string body,
                           const std::string& content_type, const Sent& sent) {
  auto response = client_.call(method, target, std::move(body),
                               content_type.empty() ? "application/json" : content_type, sent);
  if (!response) throw Stop(Exit::kUnreachable, response.error().message());
  const int status = response.value().status;
  if (status >= 200 && status < 300) {
    if (!response.value().envelope.is_object()) return std::move(response).value();
    for (const Json& message : response.value().envelope["messages"]) {
      std::fprintf(stderr, "brinkctl: %s\n", message.value("message", "").c_str());
      if (message.value("code", 0) == kCodeNotPublished) outcome_ = Exit::kNotPublished;
    }
    return std::move(response).value();
  }
  throw Stop(status == kStatusNotFound ? Exit::kNotFound : Exit::kRefused,
             reason_of(response.value()));
}

Json Session::call(const std::string& method, const std::string& target, const Json& body) {
  const std::string text =
      body.is_null() ? std::string() : body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return call_raw(method, target, text).envelope["result"];
}

Json Session::list(const std::string& target) {
  Json all = Json::array();
  const std::string separator = target.find('?') == std::string::npos ? "?" : "&";
  for (int page = 1;; ++page) {
    const Json part =
        call("GET", target + separator + "per_page=1000&page=" + std::to_string(page));
    if (part.empty()) return all;
    for (const Json& item : part) all.push_back(item);
  }
}

}  // namespace brink::ctl::cli
