#include "dataplane/edge/origin_trust.h"

#include <fstream>
#include <iterator>

#include "dataplane/secret/pem.h"

namespace brink::edge {

base::Result<std::vector<std::uint8_t>> read_origin_trust(const std::string& path) {
  if (path.empty()) return std::vector<std::uint8_t>{};
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return base::Error{"the authorities of origins cannot be read",
                       "tls.origin-trust-file = " + path,
                       "install ca-certificates, name another file, or give none"};
  }
  auto blocks = secret::decode_pem(text);
  if (!blocks) {
    return base::Error{"no certificates in PEM", "tls.origin-trust-file = " + path,
                       "give CERTIFICATE blocks, or no file"};
  }
  return std::move(blocks->octets);
}

}  // namespace brink::edge
