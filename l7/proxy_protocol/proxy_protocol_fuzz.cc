// Headers from arbitrary bytes. Checked: nothing is read outside of them (sanitizers); sizes are in
// their bounds; what is one header is one however it is cut, and says what all of it says; what was
// read is written and read back alike.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "l7/proxy_protocol/header.h"

namespace {

using namespace brink::l7::proxy_protocol;  // NOLINT

void require(bool condition) {
  if (!condition) std::abort();
}

// In memory of exactly that size, so that reading beyond it is found.
Verdict read(std::span<const std::uint8_t> bytes, Header& out) {
  const auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return read_header({copy.get(), bytes.size()}, out);
}

void check_cuts(std::span<const std::uint8_t> bytes, const Header& whole) {
  bool known = false;
  for (std::size_t size = 0; size <= std::min(bytes.size(), kLookMax); ++size) {
    Header header;
    const Verdict verdict = read(bytes.first(size), header);
    require(verdict != Verdict::kMalformed);
    require(verdict == Verdict::kOk || !known);
    known = verdict == Verdict::kOk;
    if (known) require(header.size == whole.size && header.addresses == whole.addresses);
  }
  require(known);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  Header header;
  if (read(bytes, header) != Verdict::kOk) return 0;
  require(header.size > 0 && header.size <= kV2SizeMax);
  require(header.version == Version::kV2 || header.size <= std::min(size, kV1SizeMax));
  check_cuts(bytes, header);
  if (!header.addresses) return 0;
  for (const Version version : {Version::kV1, Version::kV2}) {
    std::array<std::uint8_t, kWrittenMax> out;
    const std::size_t written = write_header(version, *header.addresses, out);
    Header again;
    require(read(std::span(out).first(written), again) == Verdict::kOk);
    require(again.size == written && again.addresses == header.addresses);
  }
  return 0;
}
