// Any bytes as an image, with the checksum put right so that the checks behind it are reached. What
// verify() lets through, View and the questions below must survive.
#include <cstdint>
#include <cstring>
#include <new>

#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/verify.h"
#include "dataplane/snapshot/view.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brink::snapshot;
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
    const View view(root_of(sections_of({bytes, size})), 0);
    NameKey key;
    for (const char* name :
         {"www.example.com", "x.w.example.com", "nope.example.com", "sub.example.com"}) {
      set_key_from_text(key, view.hash_key(), name);
      const Lookup found = view.lookup(key);
      if (found.record == nullptr) continue;
      for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{16}}) {
        const BlobHeader* blob = view.blob(*found.record, type);
        if (blob != nullptr) static_cast<void>(blob_target(*blob).size());
      }
      static_cast<void>(view.route(*found.record).size());
    }
  }
  ::operator delete (bytes, std::align_val_t{kSectionAlignment});
  return 0;
}
