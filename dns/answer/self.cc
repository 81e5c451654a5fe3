#include "dns/answer/self.h"

#include <cstring>

#include "dns/wire/message.h"

namespace brink::dns::answer {
namespace {

using namespace std::string_view_literals;

// Wire names in lower case.
constexpr std::string_view kIdServer = "\2id\6server\0"sv;
constexpr std::string_view kHostnameBind = "\10hostname\4bind\0"sv;
constexpr std::string_view kVersionServer = "\7version\6server\0"sv;
constexpr std::string_view kVersionBind = "\7version\4bind\0"sv;

bool is_name(const std::uint8_t* name, std::size_t size, std::string_view wanted) noexcept {
  if (size != wanted.size()) return false;
  for (std::size_t i = 0; i < size; ++i) {
    const bool upper = name[i] >= 'A' && name[i] <= 'Z';
    if ((name[i] | (upper ? 0x20 : 0)) != static_cast<std::uint8_t>(wanted[i])) return false;
  }
  return true;
}

// Character strings (RFC 1035 3.3) of at most 64 octets each.
class Text {
 public:
  void add(std::string_view string) noexcept {
    if (string.empty() || size_ + 1 + string.size() > sizeof octets_) return;
    octets_[size_] = static_cast<std::uint8_t>(string.size());
    std::memcpy(octets_ + size_ + 1, string.data(), string.size());
    size_ += 1 + string.size();
  }
  [[nodiscard]] std::span<const std::uint8_t> data() const noexcept { return {octets_, size_}; }

 private:
  std::size_t size_ = 0;
  std::uint8_t octets_[2 * 65];
};

// Empty: nothing is told.
std::string_view chaos_text(const wire::Query& query, const std::uint8_t* name,
                            const ServerNames& names) noexcept {
  if (query.type != wire::kTypeTxt && query.type != wire::kTypeAny) return {};
  const auto asks = [&](std::string_view wanted) { return is_name(name, query.name_size, wanted); };
  if (asks(kIdServer) || asks(kHostnameBind)) return names.identity;
  if (asks(kVersionServer) || asks(kVersionBind)) return names.version;
  return {};
}

bool put(std::uint16_t type, std::uint16_t klass, std::span<const std::uint8_t> data,
         Response& response) noexcept {
  std::size_t data_at = 0;
  return response.put_made({wire::kHeaderSize, type, klass, 0, data}, data_at);
}

}  // namespace

bool knows_chaos(const wire::Query& query, const std::uint8_t* name,
                 const ServerNames& names) noexcept {
  return !chaos_text(query, name, names).empty();
}

void answer_chaos(const wire::Query& query, const std::uint8_t* name, const ServerNames& names,
                  Response& response) noexcept {
  Text strings;
  strings.add(chaos_text(query, name, names));
  response.set_authoritative(true);
  if (!put(wire::kTypeTxt, wire::kClassChaos, strings.data(), response)) response.set_truncated();
}

bool is_whoami(const wire::Query& query, const std::uint8_t* name,
               const ServerNames& names) noexcept {
  return !names.whoami.empty() && is_name(name, query.name_size, names.whoami);
}

void answer_whoami(const wire::Query& query, const base::IpAddress& client,
                   const ServerNames& names, Response& response) noexcept {
  response.set_authoritative(true);
  const std::uint16_t address_type = client.is_v4() ? wire::kTypeA : wire::kTypeAaaa;
  bool fits = true;
  if (query.type == address_type) {
    const auto octets = client.is_v4() ? std::span<const std::uint8_t>(client.v4_wire(), 4)
                                       : std::span<const std::uint8_t>(client.bytes());
    fits = put(address_type, wire::kClassIn, octets, response);
  } else if (query.type == wire::kTypeTxt || query.type == wire::kTypeAny) {
    Text strings;
    const auto address = client.text();
    strings.add(address.view());
    strings.add(names.identity);
    fits = put(wire::kTypeTxt, wire::kClassIn, strings.data(), response);
  }
  if (!fits) response.set_truncated();
}

}  // namespace brink::dns::answer
