// Ring: entries of any size on their way from one worker to the log's writer. One thread writes,
// one other reads; neither ever waits: a writer that finds no room drops its entry and counts it.
//
//   worker: reserve(), commit()      writer of the log: front(), pop()
//
// Each entry lies in one piece behind a word with its size; what is left at the end of the memory
// is skipped. Positions only grow (2^64 octets), so that full and empty differ.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/check.h"

namespace brink::l7::log {

class Ring {
 public:
  // `memory` outlives the ring: a power of two of octets, aligned to 8.
  explicit Ring(std::span<std::byte> memory) noexcept : memory_(memory), mask_(memory.size() - 1) {
    CHECK(memory.size() >= 64 && (memory.size() & mask_) == 0 &&
          reinterpret_cast<std::uintptr_t>(memory.data()) % 8 == 0);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Room for an entry of `size` octets, or nothing. At most one is reserved at a time; without
  // commit() it is as if it had not been.
  std::span<std::byte> reserve(std::size_t size) noexcept {
    const std::uint64_t whole = whole_of(size);
    std::uint64_t start = written_;
    if (tail_room(start) < whole) start += tail_room(start);
    if (start + whole - seen_read_ > memory_.size()) {
      seen_read_ = read_.load(std::memory_order_acquire);
      if (start + whole - seen_read_ > memory_.size()) return {};
    }
    if (start != written_) put_size(written_, kSkip);
    put_size(start, static_cast<std::uint32_t>(size));
    reserved_end_ = start + whole;
    return memory_.subspan((start & mask_) + kSizeWord, size);
  }
  void commit() noexcept {
    written_ = reserved_end_;
    published_.store(written_, std::memory_order_release);
  }

  // The oldest entry, empty when there is none; it stays valid until pop().
  [[nodiscard]] std::span<const std::byte> front() noexcept {
    if (taken_ == seen_written_) {
      seen_written_ = published_.load(std::memory_order_acquire);
      if (taken_ == seen_written_) return {};
    }
    std::uint32_t size = size_at(taken_);
    if (size == kSkip) {
      taken_ += tail_room(taken_);
      size = size_at(taken_);
    }
    return memory_.subspan((taken_ & mask_) + kSizeWord, size);
  }
  void pop() noexcept {
    taken_ += whole_of(size_at(taken_));
    read_.store(taken_, std::memory_order_release);
  }

 private:
  static constexpr std::size_t kSizeWord = 8;
  static constexpr std::uint32_t kSkip = 0xffffffff;

  static std::uint64_t whole_of(std::size_t size) noexcept {
    return (kSizeWord + size + 7) & ~std::uint64_t{7};
  }
  // A multiple of 8, so that a size word always fits.
  [[nodiscard]] std::uint64_t tail_room(std::uint64_t at) const noexcept {
    return memory_.size() - (at & mask_);
  }
  void put_size(std::uint64_t at, std::uint32_t size) noexcept {
    std::memcpy(memory_.data() + (at & mask_), &size, sizeof size);
  }
  [[nodiscard]] std::uint32_t size_at(std::uint64_t at) const noexcept {
    std::uint32_t size;
    std::memcpy(&size, memory_.data() + (at & mask_), sizeof size);
    return size;
  }

  const std::span<std::byte> memory_;
  const std::uint64_t mask_;
  // Worker.
  alignas(64) std::uint64_t written_ = 0;
  std::uint64_t reserved_end_ = 0;
  std::uint64_t seen_read_ = 0;
  alignas(64) std::atomic<std::uint64_t> published_{0};  // worker: wo, writer of the log: ro
  // Writer of the log.
  alignas(64) std::uint64_t taken_ = 0;
  std::uint64_t seen_written_ = 0;
  alignas(64) std::atomic<std::uint64_t> read_{0};  // writer of the log: wo, worker: ro
};

}  // namespace brink::l7::log
