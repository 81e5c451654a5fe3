#include "dataplane/edge/cookie_secrets.h"

#include <charconv>
#include <fstream>

#include "dataplane/edge/random.h"

namespace brink::edge {
namespace {

bool parse_key(const std::string& line, dns::guard::SipKey& key) {
  if (line.size() != key.size() * 2) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* at = line.data() + 2 * i;
    const auto parsed = std::from_chars(at, at + 2, key[i], 16);
    if (parsed.ec != std::errc{} || parsed.ptr != at + 2) return false;
  }
  return true;
}

}  // namespace

base::Result<dns::guard::CookieSecrets> read_cookie_secrets(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return base::Error{"cannot read the secrets of DNS cookies", "dns.cookie-secret-file = " + path,
                       "check that the file is there and brink-edge may read it"};
  }
  dns::guard::CookieSecrets secrets;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::string where = path + ":" + std::to_string(number);
    if (secrets.count == dns::guard::kSecretsMax) {
      return base::Error{"more than three secrets", where, "remove those that are out of use"};
    }
    if (!parse_key(line, secrets.keys[secrets.count])) {
      return base::Error{"no secret of a DNS cookie", where,
                         "give 32 hexadecimal digits, such as openssl rand -hex 16 makes"};
    }
    ++secrets.count;
  }
  if (secrets.count == 0) {
    return base::Error{"no secret in the file", "dns.cookie-secret-file = " + path,
                       "write a line of 32 hexadecimal digits"};
  }
  return secrets;
}

base::Result<dns::guard::CookieSecrets> draw_cookie_secret() {
  dns::guard::CookieSecrets secrets;
  if (auto drawn = draw_random(secrets.keys[0]); !drawn) return drawn.error();
  secrets.count = 1;
  return secrets;
}

}  // namespace brink::edge
