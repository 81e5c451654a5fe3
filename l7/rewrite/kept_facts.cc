#include "l7/rewrite/kept_facts.h"

#include <cstring>

namespace brink::l7::rewrite {

bool KeptFacts::keep(const Facts& facts, std::span<char> room) noexcept {
  const std::string_view texts[] = {facts.method, facts.host, facts.target, facts.user_agent};
  std::uint32_t* const sizes[] = {&method_size, &host_size, &target_size, &user_agent_size};
  std::size_t at = 0;
  for (std::size_t i = 0; i < std::size(texts); ++i) {
    if (texts[i].size() > room.size() - at) return false;
    if (!texts[i].empty()) std::memcpy(room.data() + at, texts[i].data(), texts[i].size());
    at += texts[i].size();
    *sizes[i] = static_cast<std::uint32_t>(texts[i].size());
  }
  version = facts.version;
  is_tls = facts.is_tls;
  client = facts.client;
  country = facts.country;
  return true;
}

Facts KeptFacts::facts(std::span<const char> room) const noexcept {
  const char* at = room.data();
  const auto take = [&at](std::uint32_t size) {
    const std::string_view text(at, size);
    at += size;
    return text;
  };
  Facts facts;
  facts.method = take(method_size);
  facts.host = take(host_size);
  facts.target = take(target_size);
  facts.user_agent = take(user_agent_size);
  facts.version = version;
  facts.is_tls = is_tls;
  facts.client = client;
  facts.country = country;
  return facts;
}

}  // namespace brink::l7::rewrite
