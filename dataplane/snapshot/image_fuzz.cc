// Any bytes as an image, with the checksum put right so that the checks behind it are reached. What
// verify() lets through, View and the questions below must survive; and a Writer that takes all of
// it away again, after which nothing is in use.
#include <fcntl.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/file_io.h"
#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/verify.h"

namespace {

using namespace brink::snapshot;

void look(const View& view, const NameKey& key) {
  const Lookup found = view.lookup(key);
  if (found.encloser != nullptr) static_cast<void>(view.zone(*found.encloser).serial);
  if (found.record == nullptr) return;
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{16}}) {
    const BlobHeader* blob = view.blob(*found.record, type);
    if (blob != nullptr) static_cast<void>(blob_target(*blob).size());
  }
  static_cast<void>(view.route(*found.record).size());
}

Image receive(std::span<const std::uint8_t> bytes) {
  brink::base::UniqueFd fd(::memfd_create("image", MFD_ALLOW_SEALING));
  CHECK(fd.valid() && write_whole(fd.get(), bytes));
  CHECK(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0);
  auto received = Image::receive(fd.get(), bytes.size(), {});
  CHECK(received.ok());
  return std::move(received).value();
}

// All names and zones of a verified image, by the Writer.
void take_away(Image image, std::span<const std::uint8_t> bytes) {
  Store store(std::move(image));
  std::vector<Bytes> names, apexes;
  const Sections sections = sections_of(bytes);
  const View view(root_of(sections), 0);
  for (const Record& record : sections.records.subspan(1)) {
    if (record.name_size == 0 || record.zone == 0) continue;
    const std::uint8_t* name = view.name_bytes(record);
    ((record.flags & kApex) != 0 ? apexes : names).emplace_back(name, name + record.name_size);
  }
  Writer& writer = store.begin();
  for (const Bytes& name : names) CHECK(writer.drop_name(name).ok());
  for (const Bytes& apex : apexes) CHECK(writer.drop_zone(apex).ok());
  store.commit();
  CHECK(store.image().state().names == 0 && store.image().state().zones == 0);
  store.release();
  CHECK(store.usage().records == 0);
  CHECK(store.image().verify().ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > (1U << 20)) return 0;
  // Exactly as large as the input: the sanitizer sees a single byte too far.
  auto* bytes =
      static_cast<std::uint8_t*>(::operator new (size, std::align_val_t{kSectionAlignment}));
  std::memcpy(bytes, data, size);
  if (size >= kHeaderSize) {
    auto* header = reinterpret_cast<ImageHeader*>(bytes);
    header->magic = kImageMagic;
    header->layout_version = kLayoutVersion;
    header->total_size_bytes = size;
    header->crc32c = 0;
    header->crc32c = crc32c({bytes, size});
  }
  const auto& header = *reinterpret_cast<const ImageHeader*>(bytes);
  if (size >= kHeaderSize && verify_header(header, size).ok() &&
      verify(sections_of({bytes, size})).ok()) {
    Image image = receive({bytes, size});
    NameKey key;
    for (const char* name :
         {"www.example.com", "x.w.example.com", "nope.example.com", "sub.example.com"}) {
      set_key_from_text(key, image.view().hash_key(), name);
      look(image.view(), key);
    }
    take_away(std::move(image), {bytes, size});
  }
  ::operator delete (bytes, std::align_val_t{kSectionAlignment});
  return 0;
}
