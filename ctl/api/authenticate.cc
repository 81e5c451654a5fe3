#include "ctl/api/authenticate.h"

#include <algorithm>

#include "ctl/api/paging.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using identity::Principal;
using identity::Token;
using model::Outcome;
using model::Refusal;

constexpr std::size_t kSecretSizeMax = 256;
constexpr std::size_t kEmailSizeMax = 254;

Refusal malformed(int cause, const std::string& message) {
  return {400, kCodeHeadersInvalid, "Invalid request headers", {{cause, message}}};
}

Refusal bad_token(const std::string& message) {
  return {403, kCodeTokenInvalid, message, {}};
}

// RFC 6750 2.1: b64token.
bool is_secret(std::string_view text) {
  return !text.empty() && text.size() <= kSecretSizeMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-._~+/=").find(c) != std::string_view::npos;
         });
}

bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != 0 && at != std::string_view::npos && at + 1 < text.size() &&
         text.size() <= kEmailSizeMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

// RFC 9110 11.1: the scheme's case does not matter.
std::optional<std::string> bearer_secret(const std::string& header) {
  constexpr std::string_view kScheme = "bearer ";
  if (lower_case(header.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  std::string_view secret = std::string_view(header).substr(kScheme.size());
  while (secret.starts_with(' ')) secret.remove_prefix(1);
  while (secret.ends_with(' ')) secret.remove_suffix(1);
  if (!is_secret(secret)) return std::nullopt;
  return std::string(secret);
}

// Why a token that is known does not count now.
std::optional<Refusal> fault_of(const Token& token, const Request& request, model::Timestamp now) {
  switch (token.status(now)) {
    case identity::TokenStatus::kDisabled:
      return bad_token("This API token is disabled.");
    case identity::TokenStatus::kExpired:
      return bad_token("This API token has expired.");
    case identity::TokenStatus::kActive:
      break;
  }
  if (token.not_before && now < *token.not_before) {
    return bad_token("This API token is not valid yet.");
  }
  if (!token.client.admits(request.peer)) {
    return bad_token("Cannot use the access token from location: " +
                     std::string(request.peer.text().view()));
  }
  return std::nullopt;
}

Outcome<Principal> by_token(Service& service, const Request& request) {
  const auto& headers = request.credentials.authorization;
  const auto secret = headers.size() == 1 ? bearer_secret(headers.front()) : std::nullopt;
  if (!secret) {
    return malformed(kCodeAuthorizationFormat, "Invalid format for Authorization header");
  }
  store::Identities identities(service.store);
  const auto token = identities.token_by_secret(secret::sha256(*secret));
  if (!token) return bad_token("Invalid access token");
  if (auto fault = fault_of(*token, request, service.clock())) return *fault;
  return Principal::of(*token, token->user ? identities.user_by_id(*token->user) : std::nullopt);
}

Outcome<Principal> by_key(Service& service, const Request& request) {
  const auto& [authorization, emails, keys] = request.credentials;
  if (emails.size() != 1 || !is_email(emails.front())) {
    return malformed(kCodeEmailFormat, "Invalid format for X-Auth-Email header");
  }
  if (keys.size() != 1 || !is_secret(keys.front())) {
    return malformed(kCodeKeyFormat, "Invalid format for X-Auth-Key header");
  }
  const auto user = store::Identities(service.store).user_by_email(lower_case(emails.front()));
  if (!user || user->key_hash != secret::sha256(keys.front())) {
    return Refusal{403, kCodeKeyUnknown, "Unknown X-Auth-Key or X-Auth-Email", {}};
  }
  return Principal::of(*user);
}

}  // namespace

Outcome<Principal> authenticate(Service& service, const Request& request) {
  const Credentials& credentials = request.credentials;
  if (!credentials.authorization.empty()) return by_token(service, request);
  if (!credentials.empty()) return by_key(service, request);
  return Refusal{
      403, kCodeAuthentication, "Authentication error: send \"Authorization: Bearer TOKEN\".", {}};
}

}  // namespace brink::ctl::api
