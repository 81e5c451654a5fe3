// PEM (RFC 7468): what lies between BEGIN and END lines, as octets. No TLS library is asked, so that
// a hundred thousand certificates cost what their base64 costs. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace brink::secret {

// The octets of all blocks, each behind the other, and how many blocks there were. Empty: the text
// holds none, or one that is malformed. Text between blocks does not matter. Whoever decodes a
// secret wipes the octets; no other copy of them is left.
struct PemBlocks {
  std::vector<std::uint8_t> octets;
  std::size_t count = 0;
};
std::optional<PemBlocks> decode_pem(std::string_view text);

}  // namespace brink::secret
