#include "dns/dnssec/private_key_format.h"

#include <openssl/crypto.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "dns/dnssec/signing_key.h"

namespace brink::dns::dnssec {
namespace {

struct Field {
  std::string_view name, value;
};

base::Error fault(std::string what, std::string_view field) {
  return {std::move(what), "private key, field " + std::string(field),
          "use the .private file as dnssec-keygen wrote it"};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

std::vector<Field> fields_of(std::string_view text) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    fields.push_back({trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1))});
  }
  return fields;
}

// Empty: there is no such field, or there are several.
std::string_view value_of(const std::vector<Field>& fields, std::string_view name) {
  std::string_view value;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    if (!value.empty()) return {};
    value = field.value;
  }
  return value;
}

int sextet_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// RFC 4648 4, with its padding; `out` is emptied first. Not by EVP_DecodeBlock, which does not tell
// the padding.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  out.reserve(text.size());  // it does not move, and leave copies behind
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int sextet = sextet_of(c);
    if (sextet < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(sextet);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count);
  }
  return true;
}

base::Result<Algorithm> algorithm_of(const std::vector<Field>& fields) {
  const std::string_view value = value_of(fields, "Algorithm");
  const std::string_view number = value.substr(0, value.find(' '));
  std::uint8_t parsed = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), parsed);
  const bool read = error == std::errc() && end == number.data() + number.size();
  const auto algorithm = read ? algorithm_from_number(parsed) : std::nullopt;
  if (algorithm.has_value()) return *algorithm;
  return base::Error{"not an algorithm that zones are signed with here",
                     "private key, field Algorithm", "use 8, 10, 13, 14 or 15"};
}

base::Result<Pkey> rsa_key(const std::vector<Field>& fields) {
  RsaNumbers numbers;
  const std::array<std::pair<std::string_view, std::string*>, 8> wanted = {{
      {"Modulus", &numbers.n},
      {"PublicExponent", &numbers.e},
      {"PrivateExponent", &numbers.d},
      {"Prime1", &numbers.p},
      {"Prime2", &numbers.q},
      {"Exponent1", &numbers.dp},
      {"Exponent2", &numbers.dq},
      {"Coefficient", &numbers.qinv},
  }};
  for (const auto& [name, number] : wanted) {
    if (!decode_base64(value_of(fields, name), *number)) {
      return fault("absent, there twice, or not base64", name);
    }
    if (number->size() > kRsaBitsMax / 8 + 1) return fault("longer than 4096 bits", name);
  }
  return rsa_private_key(numbers);
}

base::Result<Pkey> curve_key(const std::vector<Field>& fields, Algorithm algorithm) {
  std::string secret;
  const bool read = decode_base64(value_of(fields, "PrivateKey"), secret);
  const std::size_t size = coordinate_size(algorithm);
  Pkey key;
  if (read && secret.size() == size) key = private_key_of(algorithm, secret);
  OPENSSL_cleanse(secret.data(), secret.size());
  if (!read) return fault("absent, there twice, or not base64", "PrivateKey");
  if (key == nullptr) {
    return fault("not " + std::to_string(size) + " octets, or zero, or too great", "PrivateKey");
  }
  return key;
}

}  // namespace

base::Result<PrivateKey> read_private_key_format(std::string_view text) {
  if (text.size() > kKeyTextMax) {
    return base::Error{"its text has " + std::to_string(text.size()) + " octets", "private key",
                       std::to_string(kKeyTextMax) + " are allowed"};
  }
  const std::vector<Field> fields = fields_of(text);
  if (!value_of(fields, "Private-key-format").starts_with("v1.")) {
    return fault("not version 1 of the format", "Private-key-format");
  }
  const auto algorithm = algorithm_of(fields);
  if (!algorithm) return algorithm.error();
  auto key = is_rsa(algorithm.value()) ? rsa_key(fields) : curve_key(fields, algorithm.value());
  if (!key) return key.error();
  if (key.value() == nullptr) return fault("its numbers make no key", "Modulus");
  return PrivateKey{algorithm.value(), std::move(key).value()};
}

}  // namespace brink::dns::dnssec
