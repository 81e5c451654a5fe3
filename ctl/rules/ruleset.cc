#include "ctl/rules/ruleset.h"

#include <algorithm>
#include <span>

#include "ctl/rules/expression.h"

namespace brink::ctl::rules {
namespace {

using model::Refusal;
using Operation = HeaderChange::Operation;

constexpr std::string_view kPhases[] = {"http_request_firewall_custom",
                                        "http_request_late_transform",
                                        "http_response_headers_transform"};
// Of other implementations; named, so that whoever asks for one is told that it is not a typing
// error.
constexpr std::string_view kOtherPhases[] = {"ddos_l4",
                                             "ddos_l7",
                                             "http_config_settings",
                                             "http_custom_errors",
                                             "http_log_custom_fields",
                                             "http_ratelimit",
                                             "http_request_cache_settings",
                                             "http_request_dynamic_redirect",
                                             "http_request_firewall_managed",
                                             "http_request_origin",
                                             "http_request_redirect",
                                             "http_request_sanitize",
                                             "http_request_sbfm",
                                             "http_request_transform",
                                             "http_response_cache_settings",
                                             "http_response_compression",
                                             "http_response_firewall_managed",
                                             "magic_transit",
                                             "magic_transit_ids_managed",
                                             "magic_transit_managed",
                                             "magic_transit_ratelimit"};
// What frames a message, belongs to one connection or names its destination is the proxy's own
// (RFC 9110 7.2, 7.6.1), and so is what it writes itself (l7/proxy/forwarded_head).
constexpr std::string_view kOwnHeaders[] = {"cdn-loop",
                                            "connection",
                                            "content-length",
                                            "host",
                                            "keep-alive",
                                            "proxy-authenticate",
                                            "proxy-authorization",
                                            "proxy-authentication-info",
                                            "proxy-connection",
                                            "te",
                                            "trailer",
                                            "transfer-encoding",
                                            "upgrade"};
constexpr std::string_view kOwnRequestHeaders[] = {"accept-encoding", "expect",
                                                   "x-forwarded-proto"};
constexpr std::string_view kOwnResponseHeaders[] = {"date", "server"};
// They tell who the client is: a rule may keep that to itself, but not say something else.
constexpr std::string_view kClientHeaders[] = {"cf-connecting-ip", "true-client-ip",
                                               "x-forwarded-for", "x-real-ip"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// RFC 9110 5.5: no control characters but TAB, no white space around.
bool is_field_value(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (text.empty() || is_blank(text.front()) || is_blank(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

bool is_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

Refusal invalid_expression(const std::string& text, const Fault& fault) {
  return {400,
          kCodeExpressionInvalid,
          "'" + text + "' is not a valid expression: " + fault.text() + ".",
          {}};
}

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Refusal> name_fault(const HeaderChange& change, Phase phase) {
  if (change.name.size() > kHeaderNameMax || !is_token(change.name)) {
    return invalid_rule("\"" + change.name + "\" is not a name of a header (RFC 9110 5.1).");
  }
  // Origins with CGI take both spellings for one (RFC 3875 4.1.18).
  std::string name = lower(change.name);
  std::replace(name.begin(), name.end(), '_', '-');
  const bool is_request = stage_of(phase) == Stage::kRequest;
  if (is_request && is_among(name, kClientHeaders)) {
    if (change.operation == Operation::kRemove) return std::nullopt;
    return invalid_rule("The header \"" + change.name +
                        "\" says who the client is: it can be removed, but not changed.");
  }
  const std::span<const std::string_view> own_of_phase =
      is_request ? std::span<const std::string_view>(kOwnRequestHeaders) : kOwnResponseHeaders;
  const bool is_own = is_among(name, kOwnHeaders) || is_among(name, own_of_phase) ||
                      name.starts_with("cf-") || name.starts_with("x-cf-");
  if (!is_own) return std::nullopt;
  return invalid_rule("The header \"" + change.name +
                      "\" is the proxy's own and cannot be changed.");
}

// A control character in a value that is put together could end the header and begin another.
bool has_control_character(const Node& node) {
  const auto* text = std::get_if<std::string>(&node.value);
  if (node.kind == NodeKind::kLiteral && text != nullptr && !is_line(*text)) return true;
  return std::any_of(node.operands.begin(), node.operands.end(), has_control_character);
}

std::optional<Refusal> header_fault(const HeaderChange& change, Phase phase) {
  if (auto fault = name_fault(change, phase)) return fault;
  if (change.operation == Operation::kRemove) return std::nullopt;
  if (change.is_expression) {
    const auto parsed = parse_text_value(change.value, stage_of(phase));
    if (!parsed) return invalid_expression(change.value, parsed.error());
    if (!has_control_character(parsed.value())) return std::nullopt;
    return invalid_rule("The expression of header \"" + change.name +
                        "\" has a string with a control character.");
  }
  if (change.value.size() <= kHeaderValueMax && is_field_value(change.value)) return std::nullopt;
  return invalid_rule("The value of header \"" + change.name + "\" must have 1 to " +
                      std::to_string(kHeaderValueMax) +
                      " octets, no control characters and no white space around it.");
}

std::optional<Refusal> headers_fault(const Rule& rule, Phase phase) {
  if (rule.headers.empty() || rule.headers.size() > kHeadersMax) {
    return invalid_rule("A rewrite changes 1 to " + std::to_string(kHeadersMax) +
                        " headers (action_parameters.headers).");
  }
  std::vector<std::string> names;
  for (const HeaderChange& change : rule.headers) {
    if (auto fault = header_fault(change, phase)) return fault;
    names.push_back(lower(change.name));
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return std::nullopt;
  return invalid_rule("The header \"" + *twice + "\" is there twice.");
}

std::optional<Refusal> response_fault(const BlockResponse& response) {
  if (response.status_code < 400 || response.status_code > 499) {
    return invalid_rule("\"action_parameters.response.status_code\" must be from 400 to 499.");
  }
  if (response.content.size() > kContentMax) {
    return invalid_rule("\"action_parameters.response.content\" has at most " +
                        std::to_string(kContentMax) + " octets.");
  }
  for (const char* type : {"application/json", "text/html", "text/plain", "text/xml"}) {
    if (response.content_type == type) return std::nullopt;
  }
  return invalid_rule(
      "\"action_parameters.response.content_type\" must be application/json, text/html, text/plain "
      "or text/xml.");
}

}  // namespace

std::string_view to_text(Phase phase) {
  return kPhases[static_cast<std::size_t>(phase)];
}

model::Outcome<Phase> phase_from_text(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kPhases); ++i) {
    if (kPhases[i] == text) return static_cast<Phase>(i);
  }
  std::string offered;
  for (const std::string_view phase : kPhases) {
    offered += (offered.empty() ? "" : ", ") + std::string(phase);
  }
  const bool is_other =
      std::find(std::begin(kOtherPhases), std::end(kOtherPhases), text) != std::end(kOtherPhases);
  const std::string shown = text.size() > 64 ? "this" : "\"" + std::string(text) + "\"";
  return Refusal{
      400,
      kCodeRuleInvalid,
      (is_other ? "The phase " + shown + " is not provided" : "There is no phase " + shown) +
          "; there are " + offered + ".",
      {}};
}

Stage stage_of(Phase phase) {
  return phase == Phase::kResponseHeaders ? Stage::kResponse : Stage::kRequest;
}

std::optional<Refusal> fault_of(const Rule& rule, Phase phase) {
  if (rule.description.size() > kDescriptionMax || !is_line(rule.description)) {
    return invalid_rule("\"description\" has at most " + std::to_string(kDescriptionMax) +
                        " octets and no control characters.");
  }
  if (rule.ref.size() > kDescriptionMax || !is_line(rule.ref)) {
    return invalid_rule("\"ref\" has at most " + std::to_string(kDescriptionMax) +
                        " octets and no control characters.");
  }
  if (rule.expression.empty()) {
    return Refusal{400, kCodeExpressionBlank, "A rule needs an \"expression\".", {}};
  }
  const auto condition = parse_condition(rule.expression, stage_of(phase));
  if (!condition) return invalid_expression(rule.expression, condition.error());
  if (phase != Phase::kFirewallCustom) return headers_fault(rule, phase);
  return rule.response ? response_fault(*rule.response) : std::nullopt;
}

Refusal invalid_rule(std::string message) {
  return {400, kCodeRuleInvalid, std::move(message), {}};
}

}  // namespace brink::ctl::rules
