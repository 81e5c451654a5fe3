// TimerWheel: intrusive hierarchical timing wheel with a tick of one millisecond.
// Arming, cancelling and finding the next deadline are O(1); firing is O(1) per timer plus at most
// one move per level. A node belongs to its user, who keeps it at one address while it is armed.
// One thread; the time is an argument. Hot: no allocation, no exception.
//
// Seven levels of 64 slots. A timer stands in the level of the highest base-64 digit in which its
// tick differs from the present one, so everything in a level is due after everything in the levels
// below, and each level's occupied slots are one 64-bit word.
#pragma once

#include <bit>
#include <cstdint>

#include "dataplane/base/check.h"
#include "dataplane/base/clock.h"

namespace brink::base {

// Embedded in what is to be timed; `owner` is the user's to find its object again.
struct TimerNode {
  TimerNode* next = nullptr;
  TimerNode* previous = nullptr;
  std::uint64_t tick = 0;
  std::uint32_t owner = 0;

  [[nodiscard]] bool armed() const noexcept { return next != nullptr; }
};

class TimerWheel {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(1);

  TimerWheel() noexcept {
    for (auto& level : slots_) {
      for (TimerNode& head : level) head.next = head.previous = &head;
    }
  }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires in the first advance() whose time is `at` or later, rounded up to a tick; an `at` that
  // has passed fires in the next advance() that reaches a new tick. An armed node is moved.
  void arm(TimerNode& node, Time at) noexcept {
    cancel(node);
    std::uint64_t tick = tick_at_or_after(at);
    if (tick <= floor_) tick = floor_ + 1;
    node.tick = tick < kHorizon ? tick : kHorizon;
    place(node);
  }

  void cancel(TimerNode& node) noexcept {
    if (!node.armed()) return;
    TimerNode* const next = node.next;
    next->previous = node.previous;
    node.previous->next = next;
    node.next = node.previous = nullptr;
    // The last node of a slot leaves the slot's head alone, and only heads are their own neighbour.
    if (next->next == next) mark_empty(*next);
  }

  // Calls fire(TimerNode&) once for every node that is due, earliest tick first. The node is no
  // longer armed; fire may arm or cancel any node. Times that go back are ignored.
  template <typename Fire>
  void advance(Time now, Fire&& fire) noexcept {
    const std::uint64_t target = tick_at_or_before(now);
    if (target <= current_) return;
    floor_ = target;
    for (Next next = find_next(); next.tick <= target; next = find_next()) {
      current_ = next.tick;
      TimerNode& head = slots_[next.level][next.slot];
      while (head.next != &head) {
        TimerNode& node = *head.next;
        cancel(node);
        if (node.tick <= current_) {
          fire(node);
        } else {
          place(node);
        }
      }
    }
    current_ = target;
  }

  // Never later than the earliest timer, Time::max() without one. It is earlier when that timer
  // stands in a higher level, whose slot is opened at its first tick; exact within the last 64
  // ticks.
  [[nodiscard]] Time next_deadline() const noexcept {
    const Next next = find_next();
    return next.tick == kNone ? Time::max() : Time(kTick * static_cast<Duration::rep>(next.tick));
  }

 private:
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kSlots = 1U << kDigitBits;
  static constexpr unsigned kLevels = 7;
  static constexpr std::uint64_t kHorizon = (std::uint64_t{1} << (kDigitBits * kLevels)) - 1;
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  struct Next {
    std::uint64_t tick;
    unsigned level;
    unsigned slot;
  };

  static std::uint64_t tick_at_or_after(Time at) noexcept {
    const Duration::rep ns = at.time_since_epoch().count();
    if (ns <= 0) return 0;
    const auto unsigned_ns = static_cast<std::uint64_t>(ns);
    return unsigned_ns / 1'000'000 + (unsigned_ns % 1'000'000 != 0 ? 1 : 0);
  }
  static std::uint64_t tick_at_or_before(Time now) noexcept {
    const Duration::rep ns = now.time_since_epoch().count();
    return ns <= 0 ? 0 : static_cast<std::uint64_t>(ns) / 1'000'000;
  }

  // Precondition: current_ < node.tick, or (while a slot is opened) equal to it.
  void place(TimerNode& node) noexcept {
    const std::uint64_t differing = node.tick ^ current_;
    const unsigned level =
        differing == 0 ? 0 : static_cast<unsigned>(63 - std::countl_zero(differing)) / kDigitBits;
    const unsigned slot = static_cast<unsigned>(node.tick >> (kDigitBits * level)) % kSlots;
    TimerNode& head = slots_[level][slot];
    node.previous = head.previous;
    node.next = &head;
    head.previous->next = &node;
    head.previous = &node;
    occupied_[level] |= std::uint64_t{1} << slot;
  }

  void mark_empty(const TimerNode& head) noexcept {
    const auto index = static_cast<unsigned>(&head - &slots_[0][0]);
    occupied_[index / kSlots] &= ~(std::uint64_t{1} << (index % kSlots));
  }

  [[nodiscard]] Next find_next() const noexcept {
    for (unsigned level = 0; level < kLevels; ++level) {
      if (occupied_[level] == 0) continue;
      const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
      const unsigned shift = kDigitBits * level;
      const std::uint64_t above = current_ >> (shift + kDigitBits) << (shift + kDigitBits);
      return {above | (std::uint64_t{slot} << shift), level, slot};
    }
    return {kNone, 0, 0};
  }

  std::uint64_t current_ = 0;  // every tick up to here has been served
  std::uint64_t floor_ = 0;    // nothing may be armed at or before it
  std::uint64_t occupied_[kLevels] = {};
  TimerNode slots_[kLevels][kSlots];
};

}  // namespace brink::base
