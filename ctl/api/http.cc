#include "ctl/api/http.h"

#include <nlohmann/json.hpp>

namespace brink::ctl::api {
namespace {

using Json = nlohmann::ordered_json;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Json to_json(const model::Cause& cause) {
  return {{"code", cause.code}, {"message", cause.message}};
}

Json to_json(const model::Refusal& refusal) {
  Json json = {{"code", refusal.code}, {"message", refusal.message}};
  if (!refusal.chain.empty()) {
    json["error_chain"] = Json::array();
    for (const auto& cause : refusal.chain) json["error_chain"].push_back(to_json(cause));
  }
  return json;
}

// Text that came from outside may not be UTF-8; the answer must be.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const ResultInfo& info) {
  const std::uint64_t pages =
      info.per_page == 0 ? 0 : (info.total_count + info.per_page - 1) / info.per_page;
  return dump({{"page", info.page},
               {"per_page", info.per_page},
               {"count", info.count},
               {"total_count", info.total_count},
               {"total_pages", pages}});
}

}  // namespace

std::string to_json(const Envelope& envelope) {
  Json errors = Json::array();
  for (const auto& error : envelope.errors) errors.push_back(to_json(error));
  Json messages = Json::array();
  for (const auto& message : envelope.messages) messages.push_back(to_json(message));
  std::string text = "{\"result\":" + envelope.result;
  text += envelope.errors.empty() ? ",\"success\":true" : ",\"success\":false";
  text += ",\"errors\":" + dump(errors) + ",\"messages\":" + dump(messages);
  if (envelope.info) text += ",\"result_info\":" + to_json(*envelope.info);
  text += envelope.extra + "}";
  return text;
}

Reply refuse(model::Refusal refusal) {
  Reply reply;
  reply.status = refusal.http_status;
  reply.envelope.errors.push_back(std::move(refusal));
  return reply;
}

Reply answer(std::string json) {
  Reply reply;
  reply.envelope.result = std::move(json);
  return reply;
}

Reply nothing() {
  Reply reply;
  reply.status = 204;
  return reply;
}

void set_target(Request& request, std::string_view target) {
  target = target.substr(0, target.find('#'));
  const std::size_t question = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, question);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  request.path = decode(path, false);
  std::string_view query = target.substr(std::min(question + 1, target.size()));
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    request.query.emplace(decode(pair.substr(0, equals), true),
                          decode(pair.substr(std::min(equals + 1, pair.size())), true));
  }
}

}  // namespace brink::ctl::api
