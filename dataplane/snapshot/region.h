// Region: memory that grows in place. Address space for its largest size is set aside once and
// backed as it is needed, by huge pages where there are any, so that what readers hold stays where
// it is. Cold.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/result.h"

namespace brink::snapshot {

// MemoryBudget counts what regions take, against the operator's limit. One thread.
struct MemoryBudget {
  std::size_t limit_bytes = ~std::size_t{0};
  std::size_t used_bytes = 0;
};

struct Placement {
  bool huge_pages = false;  // from the kernel's pool; transparent ones are asked for where it is dry
  int numa_node = -1;       // -1: wherever the kernel likes
};

class Region {
 public:
  Region() = default;
  Region(Region&& other) noexcept;
  Region& operator=(Region&& other) noexcept;
  ~Region();

  // `budget` outlives the region.
  static base::Result<Region> reserve(std::size_t max_bytes, const Placement& placement,
                                      MemoryBudget& budget);

  // Makes at least `bytes` usable, new ones zero. False, and nothing has changed: the budget, the
  // reserved space or the machine's memory is used up.
  bool grow(std::size_t bytes);

  [[nodiscard]] std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t reserved_ = 0;
  std::size_t size_ = 0;
  Placement placement_;
  MemoryBudget* budget_ = nullptr;
};

}  // namespace brink::snapshot
