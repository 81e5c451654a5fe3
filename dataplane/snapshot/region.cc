#include "dataplane/snapshot/region.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace brink::snapshot {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr int kPolicyPreferred = 1;  // MPOL_PREFERRED of mbind(2)

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Small regions grow by pages, large ones by an eighth in whole huge pages: system calls stay few
// and what is taken ahead stays bounded.
std::size_t next_size(std::size_t size, std::size_t wanted) {
  if (wanted < kHugePage) return std::max(round_up(wanted, kPage), std::min(2 * size, kHugePage));
  return round_up(std::max(wanted, size + size / 8), kHugePage);
}

// The node is a preference: memory of another one is better than none.
void prefer_node(void* at, std::size_t size, int node) {
  if (node < 0 || node >= 64) return;
  const unsigned long mask = 1UL << node;
  ::syscall(SYS_mbind, at, size, kPolicyPreferred, &mask, 65UL, 0U);
}

}  // namespace

Region::Region(Region&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      reserved_(std::exchange(other.reserved_, 0)),
      size_(std::exchange(other.size_, 0)),
      placement_(other.placement_),
      budget_(other.budget_) {}

Region& Region::operator=(Region&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(reserved_, other.reserved_);
  std::swap(size_, other.size_);
  std::swap(placement_, other.placement_);
  std::swap(budget_, other.budget_);
  return *this;
}

Region::~Region() {
  if (data_ == nullptr) return;
  ::munmap(data_, reserved_);
  budget_->used_bytes -= size_;
}

base::Result<Region> Region::reserve(std::size_t max_bytes, const Placement& placement,
                                     MemoryBudget& budget) {
  Region region;
  region.placement_ = placement;
  region.budget_ = &budget;
  // More than the limit it never takes.
  region.reserved_ =
      round_up(std::clamp<std::size_t>(budget.limit_bytes, 1, std::max<std::size_t>(max_bytes, 1)),
               kHugePage);
  // One huge page more, cut off again, so that the region starts at a boundary of huge pages.
  const std::size_t padded = region.reserved_ + kHugePage;
  void* at = ::mmap(nullptr, padded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return base::Error{std::string("no address space: ") + std::strerror(errno), "image",
                       "raise the limit on virtual memory (ulimit -v)"};
  }
  const auto start = reinterpret_cast<std::uintptr_t>(at);
  const std::uintptr_t aligned = round_up(start, kHugePage);
  if (aligned > start) ::munmap(at, aligned - start);
  ::munmap(reinterpret_cast<void*>(aligned + region.reserved_), start + kHugePage - aligned);
  region.data_ = reinterpret_cast<std::uint8_t*>(aligned);
  return region;
}

bool Region::grow(std::size_t bytes) {
  if (bytes <= size_) return true;
  const std::size_t size = std::min(next_size(size_, bytes), reserved_);
  const std::size_t more = size - size_;
  if (size < bytes || budget_->used_bytes > budget_->limit_bytes ||
      more > budget_->limit_bytes - budget_->used_bytes) {
    return false;
  }
  std::uint8_t* at = data_ + size_;
  const bool aligned = size_ % kHugePage == 0 && more % kHugePage == 0;
  bool backed = false;
  if (placement_.huge_pages && aligned) {
    backed = ::mmap(at, more, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0) != MAP_FAILED;
    // A failed MAP_FIXED may have taken the reservation away.
    if (!backed &&
        ::mmap(at, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
               0) == MAP_FAILED) {
      return false;
    }
  }
  if (!backed) {
    if (::mprotect(at, more, PROT_READ | PROT_WRITE) != 0) return false;
    if (more >= kHugePage) ::madvise(at, more, MADV_HUGEPAGE);
  }
  prefer_node(at, more, placement_.numa_node);
  size_ = size;
  budget_->used_bytes += more;
  return true;
}

}  // namespace brink::snapshot
