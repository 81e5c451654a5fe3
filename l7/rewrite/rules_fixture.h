// A blob of rules in memory of exactly its size, so that a sanitizer sees an octet too far.
#pragma once

#include <cstring>
#include <memory>
#include <optional>

#include "l7/render/rules_blob.h"
#include "l7/route/rules_view.h"

namespace brink::l7::rewrite {

class LoadedRules {
 public:
  explicit LoadedRules(std::span<const std::uint8_t> blob)
      : words_(std::make_unique<std::uint64_t[]>(blob.size() / 8)), size_(blob.size()) {
    CHECK(size_ % 8 == 0);
    std::memcpy(words_.get(), blob.data(), size_);
  }
  [[nodiscard]] std::span<std::uint8_t> octets() const {
    return {reinterpret_cast<std::uint8_t*>(words_.get()), size_};
  }
  [[nodiscard]] std::optional<route::RulesView> view() const {
    return route::RulesView::open(octets());
  }

 private:
  std::unique_ptr<std::uint64_t[]> words_;
  std::size_t size_;
};

}  // namespace brink::l7::rewrite
