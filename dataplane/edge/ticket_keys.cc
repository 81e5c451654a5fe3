#include "dataplane/edge/ticket_keys.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/base/bytes.h"
#include "dataplane/edge/random.h"
#include "dataplane/secret/digest.h"
#include "dataplane/secret/key_file.h"

namespace brink::edge {
namespace {

// What a digest is for: it is the last octet of what goes into it.
enum class Part : std::uint8_t { kName = 1, kCipher = 2, kMac = 3 };

secret::Sha256 derive(const secret::Key& secret, std::int64_t slot, Part part) {
  constexpr std::string_view kLabel = "brink tls ticket";
  std::array<std::uint8_t, kLabel.size() + 9> data;
  std::copy(kLabel.begin(), kLabel.end(), data.begin());
  base::store_be64(data.data() + kLabel.size(), static_cast<std::uint64_t>(slot));
  data.back() = static_cast<std::uint8_t>(part);
  return secret::hmac_sha256(secret.bytes, data);
}

tls::TicketKey key_of(const secret::Key& secret, std::int64_t slot) {
  tls::TicketKey key;
  const secret::Sha256 name = derive(secret, slot, Part::kName);
  std::copy_n(name.begin(), key.name.size(), key.name.begin());
  key.cipher = derive(secret, slot, Part::kCipher);
  key.mac = derive(secret, slot, Part::kMac);
  return key;
}

}  // namespace

base::Result<secret::Key> read_ticket_secret(const std::string& path) {
  secret::Key key;
  if (path.empty()) {
    if (auto drawn = draw_random(key.bytes); !drawn) return drawn.error();
    return key;
  }
  if (::access(path.c_str(), F_OK) != 0) {
    return base::Error{"the file of the ticket secret is not there",
                       "tls.ticket-key-file = " + path,
                       "make it: (umask 077; openssl rand -hex 32 > " + path + ")"};
  }
  auto read = secret::load_key(path, false, {});
  if (read) return read;
  base::Error error = read.error();
  error.where = "tls.ticket-key-file = " + path;
  return error;
}

tls::TicketKeys ticket_keys(const secret::Key& secret, std::int64_t slot) {
  return {.current = key_of(secret, slot),
          .previous = key_of(secret, slot - 1),
          .next = key_of(secret, slot + 1)};
}

}  // namespace brink::edge
