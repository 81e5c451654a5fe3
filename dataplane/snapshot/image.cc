#include "dataplane/snapshot/image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/denial_tree.h"
#include "dataplane/snapshot/file_io.h"

namespace brink::snapshot {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint64_t aligned(std::uint64_t size) {
  return (size + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
}

template <typename T>
Bytes bytes_of(const T* first, std::uint64_t count) {
  return {reinterpret_cast<const std::uint8_t*>(first), count * sizeof(T)};
}

base::Error out_of_memory(std::uint64_t size) {
  return {"no memory for an image of " + std::to_string(size) + " bytes", "image",
          "add memory or huge pages, or raise snapshot.memory-max-mb"};
}

// A header's block with the checksum field zero, as it is summed up.
void header_block(ImageHeader header, std::uint8_t (&block)[kHeaderSize]) {
  header.crc32c = 0;
  std::memset(block, 0, sizeof block);
  std::memcpy(block, &header, sizeof header);
}

// Pads each section to the alignment of the next.
class SectionWriter {
 public:
  explicit SectionWriter(int fd) : fd_(fd) {}

  bool write(Bytes bytes) {
    static constexpr std::uint8_t kZeros[kSectionAlignment] = {};
    return write_whole(fd_, bytes) &&
           write_whole(fd_, {kZeros, static_cast<std::size_t>(aligned(bytes.size()) - bytes.size())});
  }

 private:
  int fd_;
};

std::uint64_t sum_section(std::uint64_t crc, Bytes bytes) {
  static constexpr std::uint8_t kZeros[kSectionAlignment] = {};
  crc = crc32c_continue(crc, bytes);
  return crc32c_continue(
      crc, {kZeros, static_cast<std::size_t>(aligned(bytes.size()) - bytes.size())});
}

}  // namespace

base::Result<Image> Image::create(const base::HashKey& hash_key, const ImageOptions& options,
                                  std::uint64_t names) {
  Image image;
  image.budget_ = std::make_unique<MemoryBudget>();
  image.budget_->limit_bytes = options.memory_limit_bytes;
  image.options_ = options;
  image.hash_key_ = hash_key;
  image.generation_ = options.generation;
  image.names_ = NameTable(options.placement, *image.budget_);
  auto records =
      Region::reserve(Slots<Record>::kMax * sizeof(Record), options.placement, *image.budget_);
  if (!records) return records.error();
  auto zones = Region::reserve(Slots<Zone>::kMax * sizeof(Zone), options.placement, *image.budget_);
  if (!zones) return zones.error();
  auto heap = Region::reserve(std::size_t{0xffffffff} * kHeapUnit + kHeapTail, options.placement,
                              *image.budget_);
  if (!heap) return heap.error();
  // Element 0 of each is looked at by readers that find nothing.
  if (!records.value().grow((names + 1) * sizeof(Record)) || !zones.value().grow(sizeof(Zone)) ||
      !heap.value().grow(kHeapUnit + kHeapTail) || !image.names_.create(names)) {
    return out_of_memory(names * sizeof(Record));
  }
  image.records_ = Slots<Record>(std::move(records).value(), 1);
  image.zones_ = Slots<Zone>(std::move(zones).value(), 1);
  image.heap_ = Heap(std::move(heap).value(), kHeapUnit);
  image.rrsets_ = RrsetBlocks(hash_key);
  return image;
}

Root Image::root() const {
  Root root;
  root.buckets = names_.current().data();
  root.bucket_mask = names_.current().count() - 1;
  root.records = records_.data();
  root.zones = zones_.data();
  root.heap = heap_.at(0);
  root.hash_key = hash_key_;
  return root;
}

ImageUsage Image::usage() const {
  ImageUsage usage;
  usage.memory_bytes = budget_->used_bytes;
  usage.records_free = records_.free_count();
  usage.records = records_.end() - 1 - usage.records_free;
  usage.heap_bytes = heap_.used_bytes();
  usage.heap_free_bytes = heap_.free_bytes();
  usage.buckets = names_.current().count();
  return usage;
}

ImageHeader Image::make_header() const {
  ImageHeader header{};
  header.magic = kImageMagic;
  header.layout_version = kLayoutVersion;
  header.snapshot_version = state_.version;
  header.hash_key = hash_key_;
  header.bucket_count = names_.current().count();
  header.record_count = records_.end();
  header.zone_count = zones_.end();
  header.name_count = static_cast<std::uint32_t>(state_.names);
  header.created_unix_ns = state_.created_unix_ns;
  header.snapshot_token = state_.token;
  header.heap_size_bytes = aligned(heap_.used_bytes() + kHeapTail);
  header.buckets_offset = kHeaderSize;
  header.records_offset = header.buckets_offset + std::uint64_t{header.bucket_count} * sizeof(Bucket);
  header.zones_offset = header.records_offset + std::uint64_t{header.record_count} * sizeof(Record);
  header.heap_offset =
      header.zones_offset + aligned(std::uint64_t{header.zone_count} * sizeof(Zone));
  header.total_size_bytes = header.heap_offset + header.heap_size_bytes;
  return header;
}

base::Result<void> Image::write(int fd, const std::string& where) const {
  ImageHeader header = make_header();
  const Bytes sections[] = {
      bytes_of(names_.current().data(), header.bucket_count),
      bytes_of(records_.data(), header.record_count),
      bytes_of(zones_.data(), header.zone_count),
      // The tail of the heap is zeros, whatever lies there in memory.
      Bytes{heap_.at(0), heap_.used_bytes()},
  };
  std::uint8_t block[kHeaderSize];
  header_block(header, block);
  std::uint64_t crc = crc32c_continue(0xffffffffU, block);
  for (const Bytes section : sections) crc = sum_section(crc, section);
  const std::vector<std::uint8_t> tail(header.heap_size_bytes - aligned(heap_.used_bytes()));
  crc = crc32c_continue(crc, tail);
  header.crc32c = static_cast<std::uint32_t>(crc) ^ 0xffffffffU;

  std::memcpy(block, &header, sizeof header);
  SectionWriter writer(fd);
  bool written = write_whole(fd, block);
  for (const Bytes section : sections) written = written && writer.write(section);
  written = written && write_whole(fd, tail);
  if (!written) return system_error("cannot write", where, "free space there");
  return {};
}

base::Result<Image> Image::read(int fd, std::uint64_t size_bytes, const std::string& where,
                                const ImageOptions& options) {
  const auto fail = [&](base::Error error) -> base::Error {
    if (!where.empty()) error.where = where + (error.where.empty() ? "" : ", ") + error.where;
    return error;
  };
  if (size_bytes < kHeaderSize) {
    return fail({"it is shorter than an image's header", "image", "publish a fresh image"});
  }
  std::uint8_t block[kHeaderSize];
  if (!read_whole(fd, block, 0)) return system_error("cannot read", where);
  ImageHeader header;
  std::memcpy(&header, block, sizeof header);
  if (auto verified = verify_header(header, size_bytes); !verified) return fail(verified.error());

  auto created = create(header.hash_key, options, 0);
  if (!created) return fail(created.error());
  Image image = std::move(created).value();
  image.state_ = {header.snapshot_version, header.created_unix_ns, header.snapshot_token,
                  header.name_count, 0};
  const std::uint64_t records_size = std::uint64_t{header.record_count} * sizeof(Record);
  const std::uint64_t zones_size = std::uint64_t{header.zone_count} * sizeof(Zone);
  auto buckets = BucketArray();
  Region regions[3];
  const std::uint64_t sizes[3] = {records_size, aligned(zones_size), header.heap_size_bytes};
  const std::uint64_t limits[3] = {Slots<Record>::kMax * sizeof(Record),
                                   Slots<Zone>::kMax * sizeof(Zone),
                                   std::uint64_t{0xffffffff} * kHeapUnit + kHeapTail};
  for (std::size_t i = 0; i < 3; ++i) {
    auto region = Region::reserve(limits[i], options.placement, *image.budget_);
    if (!region) return fail(region.error());
    regions[i] = std::move(region).value();
    if (!regions[i].grow(sizes[i])) return fail(out_of_memory(size_bytes));
  }
  if (!buckets.create(header.bucket_count, options.placement, *image.budget_)) {
    return fail(out_of_memory(size_bytes));
  }

  const auto bucket_bytes = std::uint64_t{header.bucket_count} * sizeof(Bucket);
  const std::span<std::uint8_t> targets[] = {
      {reinterpret_cast<std::uint8_t*>(buckets.data()), bucket_bytes},
      {regions[0].data(), records_size},
      {regions[1].data(), aligned(zones_size)},
      {regions[2].data(), header.heap_size_bytes},
  };
  const std::uint64_t offsets[] = {header.buckets_offset, header.records_offset,
                                   header.zones_offset, header.heap_offset};
  // What nobody reads is summed, too: a file that is not as it was written is not to be trusted.
  std::memset(block + offsetof(ImageHeader, crc32c), 0, sizeof header.crc32c);
  std::uint64_t crc = crc32c_continue(0xffffffffU, block);
  for (std::size_t i = 0; i < 4; ++i) {
    if (!read_whole(fd, targets[i], offsets[i])) {
      return system_error("cannot read", where);
    }
    crc = sum_section(crc, targets[i]);
  }
  if ((static_cast<std::uint32_t>(crc) ^ 0xffffffffU) != header.crc32c) {
    return fail({"the checksum does not fit", "image header", "publish a fresh image"});
  }
  image.names_.loading() = std::move(buckets);
  image.records_ = Slots<Record>(std::move(regions[0]), header.record_count);
  image.zones_ = Slots<Zone>(std::move(regions[1]), header.zone_count);
  image.heap_ = Heap(std::move(regions[2]), header.heap_size_bytes - kHeapTail);
  if (auto verified = snapshot::verify(image.sections(header)); !verified) {
    return fail(verified.error());
  }
  image.names_.loaded(image.adopt_records());
  image.adopt_zones();
  return image;
}

Sections Image::sections(const ImageHeader& header) const {
  return {&header,
          {names_.current().data(), names_.current().count()},
          {records_.data(), records_.end()},
          {zones_.data(), zones_.end()},
          {heap_.at(0), heap_.used_bytes()}};
}

base::Result<void> Image::verify() const {
  const ImageHeader header = make_header();
  return snapshot::verify(sections(header));
}

// Births are of the process that wrote the file. Returns the number of names.
std::uint32_t Image::adopt_records() {
  std::uint32_t names = 0;
  std::vector<bool> seen(heap_.used_bytes() / kHeapUnit);
  for (std::uint32_t i = 1; i < records_.end(); ++i) {
    Record& record = records_[i];
    if (record.name_size == 0) {
      records_.free(i);
      continue;
    }
    record.birth = generation_;
    if ((record.flags & kCut) != 0 && record.rrsets != 0) {
      rrsets_.adopt(heap_, record.rrsets, seen);
    }
    ++names;
  }
  return names;
}

void Image::adopt_zones() {
  for (std::uint32_t i = 1; i < zones_.end(); ++i) {
    if (zones_[i].state == 0) {
      zones_.free(i);
      continue;
    }
    auto& state = *reinterpret_cast<ZoneState*>(heap_.at(zones_[i].state));
    state.birth = generation_;
    const DenialChain* chain = View::chain(state);
    if (chain != nullptr && chain->root != 0) DenialTree::adopt(heap_, chain->root, generation_);
    const Tree* table = View::table(state);
    if (table != nullptr) DenialTree::adopt(heap_, table->root, generation_);
    ++state_.zones;
  }
}

base::Result<Image> Image::receive(int fd, std::uint64_t size_bytes, const ImageOptions& options) {
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return base::Error{"the descriptor is not a memfd sealed against writing and resizing", "image",
                       "publish with brink-control of the same release"};
  }
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != size_bytes) {
    return base::Error{"the descriptor has " + std::to_string(status.st_size) +
                           " bytes, the message says " + std::to_string(size_bytes),
                       "image", ""};
  }
  return read(fd, size_bytes, "", options);
}

base::Result<Image> Image::load(const std::string& path, const ImageOptions& options) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return system_error("cannot open", path);
  return read(fd.get(), static_cast<std::uint64_t>(status.st_size), path, options);
}

base::Result<void> Image::save(const std::string& path) const {
  const std::string fresh = path + ".new";
  base::UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd.valid()) return system_error("cannot create", fresh, "make the directory writable");
  auto written = write(fd.get(), fresh);
  if (written && ::fsync(fd.get()) != 0) written = system_error("cannot flush", fresh);
  if (written && ::rename(fresh.c_str(), path.c_str()) != 0) {
    written = system_error("cannot rename", fresh);
  }
  if (!written) {
    ::unlink(fresh.c_str());
    return written;
  }
  return flush_directory_of(path);
}

base::Result<base::UniqueFd> Image::seal(std::uint64_t& size_bytes) const {
  base::UniqueFd fd(::memfd_create("brink-image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return system_error("no memfd", "image", "add memory");
  if (auto written = write(fd.get(), "memfd"); !written) return written.error();
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
      0) {
    return system_error("cannot seal the image", "memfd");
  }
  size_bytes = make_header().total_size_bytes;
  return fd;
}

}  // namespace brink::snapshot
