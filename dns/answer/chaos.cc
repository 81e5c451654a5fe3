#include "dns/answer/chaos.h"

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

}  // namespace

bool answer_chaos(const wire::Query& query, const std::uint8_t* name, const ServerNames& names,
                  Response& response) noexcept {
  if (query.type != wire::kTypeTxt && query.type != wire::kTypeAny) return false;
  const auto asks = [&](std::string_view wanted) { return is_name(name, query.name_size, wanted); };
  std::string_view text;
  if (asks(kIdServer) || asks(kHostnameBind)) text = names.identity;
  if (asks(kVersionServer) || asks(kVersionBind)) text = names.version;
  return !text.empty() && response.put_chaos_text(text);
}

}  // namespace brink::dns::answer
