#include "ctl/identity/token.h"

#include <algorithm>

namespace brink::ctl::identity {

bool ClientCondition::admits(const base::IpAddress& client) const {
  const auto contains = [&](const Network& network) { return network.contains(client); };
  return (in.empty() || std::any_of(in.begin(), in.end(), contains)) &&
         std::none_of(not_in.begin(), not_in.end(), contains);
}

std::string_view to_text(TokenStatus status) {
  switch (status) {
    case TokenStatus::kActive:
      return "active";
    case TokenStatus::kDisabled:
      return "disabled";
    case TokenStatus::kExpired:
      return "expired";
  }
  return "";
}

TokenStatus Token::status(model::Timestamp now) const {
  if (disabled) return TokenStatus::kDisabled;
  if (expires_on && now >= *expires_on) return TokenStatus::kExpired;
  return TokenStatus::kActive;
}

}  // namespace brink::ctl::identity
