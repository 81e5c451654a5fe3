#include "perf/support/churn.h"

#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <random>
#include <utility>

#include "perf/support/synthetic_changes.h"

namespace brink::perf {
namespace {

constexpr std::size_t kTransactions = 1 << 15;
constexpr std::uint32_t kBucketsAtOnce = 1024;

}  // namespace

Churn::Churn(snapshot::Image& image, const SyntheticOptions& options, std::uint32_t changes_per_s,
             int cpu)
    : image_(image), writer_(image), changes_per_s_(changes_per_s) {
  std::mt19937_64 random(3);
  for (std::uint32_t i = 0; i < kTransactions; ++i) {
    transactions_.push_back(synthetic_change(options, random() % options.names, i + 2));
  }
  newest_.reset(new Published{image_.root(), image_.generation()});
  published_.store(newest_.get(), std::memory_order_release);
  thread_ = std::thread([this, cpu] {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    started_.store(true);
    started_.notify_one();
    loop();
  });
  // It has to leave the reader's CPU before the reader keeps that busy.
  started_.wait(false);
}

Churn::~Churn() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
}

// Late changes are made up for: the rate is kept over a busy CPU.
void Churn::loop() {
  using Clock = std::chrono::steady_clock;
  const auto step = std::chrono::nanoseconds(1'000'000'000 / changes_per_s_);
  auto next = Clock::now();
  while (!stop_.load(std::memory_order_relaxed)) {
    if (paused_.load(std::memory_order_relaxed)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      next = Clock::now();
      continue;
    }
    for (; next <= Clock::now(); next += step) {
      const std::uint64_t number = changes_.load(std::memory_order_relaxed);
      publish(
          apply_change(writer_, transactions_[number % kTransactions], image_.generation() + 1));
      changes_.store(number + 1, std::memory_order_relaxed);
      reclaim();
    }
    std::this_thread::sleep_until(next);
  }
}

void Churn::publish(snapshot::Garbage garbage) {
  std::unique_ptr<const Published> fresh(new Published{image_.root(), image_.generation()});
  published_.store(fresh.get(), std::memory_order_release);
  Retired retired;
  retired.garbage = std::move(garbage);
  retired.published = std::exchange(newest_, std::move(fresh));
  retired.token = issued_.load(std::memory_order_relaxed) + 1;
  issued_.store(retired.token, std::memory_order_release);
  retired_.push_back(std::move(retired));
}

void Churn::reclaim() {
  while (!retired_.empty() && passed_.load(std::memory_order_acquire) >= retired_.front().token) {
    snapshot::Garbage later = writer_.release(std::move(retired_.front().garbage));
    retired_.pop_front();
    if (!later.empty()) publish(std::move(later));
  }
  writer_.maintain(kBucketsAtOnce);
}

}  // namespace brink::perf
