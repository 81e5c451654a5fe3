// A log file of any bytes: the first byte of the input says how they become one. What a scan calls
// good is good in the next scan, too, once the rest is cut and one more transaction appended; what
// was whole in front of the damage is found; a log that was merely cut is said to be torn.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/file_io.h"
#include "dataplane/snapshot/log.h"
#include "dataplane/snapshot/snapshot_fixture.h"

namespace {

using namespace brink;
using namespace brink::snapshot;

enum class Mode : std::uint8_t { kAsIs, kChunks, kFlip, kCut };
constexpr std::uint8_t kModes = 4;

// Removed with the process.
const std::string& path() {
  static const struct Folder {
    Folder() {
      char name[] = "/dev/shm/brink-log-XXXXXX";
      CHECK(::mkdtemp(name) != nullptr);
      folder = name;
      file = folder + "/log";
    }
    ~Folder() { std::filesystem::remove_all(folder); }
    std::string folder;
    std::string file;
  } kFolder;
  return kFolder.file;
}

void write_file(std::span<const std::uint8_t> bytes) {
  base::UniqueFd fd(::open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  CHECK(fd.valid() && write_whole(fd.get(), bytes));
}

Bytes transaction(std::uint64_t from, std::span<const std::uint8_t> route) {
  TransactionEncoder encoder;
  CHECK(encoder.use_zone(wire_name("b")).ok());
  CHECK(encoder.put_name(wire_name("a.b"), {{}, route}).ok());
  return encoder.finish(from, from + 1, 0);
}

// Each chunk, u8 size and that many bytes, as the operations of a transaction that checks out.
Bytes chunks(std::span<const std::uint8_t> bytes) {
  Bytes log;
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes[0], bytes.size() - 1);
    TransactionHeader header{};
    header.magic = kTransactionMagic;
    header.layout_version = kLayoutVersion;
    header.total_size_bytes = sizeof header + size;
    header.version = 1;
    header.operation_count = 3;
    Bytes one(header.total_size_bytes);
    std::memcpy(one.data(), &header, sizeof header);
    std::memcpy(one.data() + sizeof header, bytes.data() + 1, size);
    header.crc32c = crc32c(one);
    std::memcpy(one.data(), &header, sizeof header);
    log.insert(log.end(), one.begin(), one.end());
    bytes = bytes.subspan(1 + size);
  }
  return log;
}

struct Scanned {
  LogScan scan;
  std::uint64_t visited_bytes = 0;
};

Scanned scan() {
  Scanned result;
  const auto scanned = scan_log(path(), [&](const TransactionHeader& header,
                                            std::span<const std::uint8_t> bytes) {
    CHECK(header.total_size_bytes == bytes.size());
    result.visited_bytes += bytes.size();
    TransactionEncoder sink;  // takes whatever decodes
    TransactionDecoder decoder(bytes);
    while (true) {
      const auto more = decoder.apply(sink, 2);
      if (!more.ok() || !more.value()) break;
    }
    return base::Result<void>{};
  });
  CHECK(scanned.ok());
  result.scan = scanned.value();
  CHECK(result.visited_bytes == result.scan.good_bytes);
  CHECK(result.scan.good_bytes <= result.scan.size_bytes);
  CHECK(result.scan.fault.empty() == (result.scan.good_bytes == result.scan.size_bytes));
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6 || size > (1U << 16)) return 0;
  const auto mode = static_cast<Mode>(data[0] % kModes);
  const std::size_t at_wanted = data[1] + 256U * data[2];
  const std::uint8_t flip = data[3];
  const std::span<const std::uint8_t> bytes(data + 4, size - 4);

  Bytes log(bytes.begin(), bytes.end());
  std::uint64_t whole_before = 0;  // of the place that is changed
  std::uint64_t last_start = 0;
  if (mode != Mode::kAsIs) log = chunks(bytes);
  const std::size_t at = at_wanted % log.size();
  if (mode == Mode::kFlip || mode == Mode::kCut) {
    for (std::uint64_t start = 0; start < log.size();) {
      TransactionHeader header;
      std::memcpy(&header, log.data() + start, sizeof header);
      last_start = start;
      start += header.total_size_bytes;
      if (start <= at) whole_before = start;
    }
  }
  if (mode == Mode::kFlip) log[at] ^= flip;
  if (mode == Mode::kCut) log.resize(at);
  write_file(log);

  const LogScan first = scan().scan;
  if (mode == Mode::kChunks) CHECK(first.fault.empty());
  if (mode == Mode::kFlip && flip != 0) {
    CHECK(first.good_bytes == whole_before && !first.fault.empty());
    CHECK(!first.torn || whole_before == last_start);
  }
  if (mode == Mode::kCut) {
    CHECK(first.good_bytes == whole_before);
    CHECK(first.torn == (whole_before != at));
  }
  auto opened = Log::open(path(), first.good_bytes);
  CHECK(opened.ok() && opened.value().append(transaction(1, bytes)).ok());
  const LogScan second = scan().scan;
  CHECK(second.fault.empty() && second.transactions == first.transactions + 1);
  return 0;
}
