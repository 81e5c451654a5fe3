// Readers look names up while one thread writes, aborts, frees, rehashes, and swaps to compacted
// images that another has made. What every committed state has and no mixture of two: pairs of
// names in different zones carry the same number or are both not there, a sum over several names is
// constant, two zones have one serial and the same records in their chains of denial, a wildcard
// comes and goes with a name of the other zone.
// Some of the pairs are delegations, whose servers are shared blocks of memory.
//
// Built twice, plainly and with -fsanitize=thread.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/transaction.h"

namespace brink::snapshot {
namespace {

constexpr std::size_t kReaders = 3;
constexpr std::uint32_t kPairs = 16;
constexpr std::uint32_t kAccounts = 6;
constexpr std::uint32_t kBalance = 1000;  // of an account, at first
constexpr std::uint32_t kCrowd = 2000;     // names that make the table grow when they come
constexpr std::uint32_t kOperators = 3;
constexpr std::uint32_t kDenials = 1500;  // owners of records in the chains
constexpr std::uint16_t kNs = 2;
constexpr std::uint16_t kDs = 43;
constexpr std::uint16_t kTxt = 16;

Bytes pair_name(std::uint32_t pair, bool first) {
  const std::string label = "p" + std::to_string(pair);
  // Every other one too long for its record.
  const std::string middle = pair % 2 == 0 ? "" : "." + std::string(20 + pair, 'm');
  return wire_name(label + middle + (first ? ".one.test" : ".two.test"));
}
Bytes account_name(std::uint32_t account) {
  return wire_name("a" + std::to_string(account) + ".one.test");
}
bool is_delegation(std::uint32_t pair) {
  return pair % 4 < 2;
}
// Of `number` there are few, so that several have the same.
std::vector<Rrset> servers_of(std::uint32_t pair, std::uint32_t number) {
  Bytes rdata(70);
  std::memcpy(rdata.data(), &number, sizeof number);
  std::vector<Rrset> sets = {{kNs, blob(kNs, rdata)}};
  if (pair % 8 < 4) sets.push_back({kDs, blob(kDs, Bytes(70, static_cast<std::uint8_t>(pair)))});
  return sets;
}
Bytes number_blob(std::uint32_t number) {
  Bytes rdata(4);
  std::memcpy(rdata.data(), &number, sizeof number);
  // Some in the record, some in a block of their own.
  rdata.resize(number % 3 == 0 ? 70 : 4);
  return blob(kTxt, rdata);
}

std::string denial_label(std::uint32_t denial) {
  return "d" + std::to_string(denial * 7919 % kDenials);
}

struct Published {
  Root root;
  std::uint32_t generation;
};

// What readers and the writer share.
struct Shared {
  std::atomic<const Published*> published{nullptr};

  // Grace periods: a reader that stores `epoch` holds nothing from before.
  alignas(64) std::atomic<std::uint64_t> epoch{1};
  struct alignas(64) Seen {
    std::atomic<std::uint64_t> epoch{0};
  };
  std::array<Seen, kReaders> seen;

  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> rounds{0};
  std::atomic<const char*> fault{nullptr};
};

class Reader {
 public:
  Reader(Shared& shared, std::size_t number) : shared_(shared), number_(number), random_(static_cast<unsigned>(number) + 1) {}

  void run() {
    while (!shared_.stop.load(std::memory_order_relaxed)) {
      const Published* published = shared_.published.load(std::memory_order_acquire);
      if (random_() % 16 == 0) std::this_thread::yield();  // the writer's chance
      const View view(published->root, published->generation);
      if (const char* fault = look(view); fault != nullptr) shared_.fault.store(fault);
      shared_.rounds.fetch_add(1, std::memory_order_relaxed);
      shared_.seen[number_].epoch.store(shared_.epoch.load(std::memory_order_acquire),
                                        std::memory_order_release);
    }
  }

 private:
  // As the packet path does it.
  static Lookup find(const View& view, const Bytes& name) {
    const NameKey key = key_of(view, name);
    const std::uint32_t index = view.candidate(key.hash);
    if (index != 0 && view.is_hit(view.record(index), key)) {
      return {&view.record(index), &view.record(index), true};
    }
    return view.lookup(key);
  }
  static std::optional<std::uint32_t> number_at(const View& view, const Bytes& name) {
    const Lookup found = find(view, name);
    if (!found.exact) return {};
    const bool delegation = (found.record->flags & kCut) != 0;
    const BlobHeader* set = view.blob(*found.record, delegation ? kNs : kTxt);
    if (set == nullptr) return {};
    std::uint32_t number;
    std::memcpy(&number, blob_body(*set) + 12, sizeof number);
    return number;
  }

  const char* look(const View& view) {
    switch (random_() % 5) {
      case 0: {
        std::uint32_t sum = 0;
        for (std::uint32_t i = 0; i < kAccounts; ++i) {
          sum += number_at(view, account_name(i)).value_or(0);
        }
        return sum == kAccounts * kBalance ? nullptr : "the accounts' sum is another";
      }
      case 1: {
        const Lookup one = find(view, wire_name("one.test"));
        const Lookup two = find(view, wire_name("nothing.two.test"));
        if (!one.exact || two.encloser == nullptr || two.exact) return "a zone is not there";
        const bool same = view.zone(*one.record).serial == view.zone(*two.encloser).serial;
        return same ? nullptr : "two zones have different serials";
      }
      case 2: {
        const bool flag = find(view, wire_name("flag.two.test")).exact;
        const Lookup below = find(view, wire_name("x.y.wild.one.test"));
        if (below.encloser == nullptr) return "the wildcard's zone is not there";
        return (below.record != nullptr) == flag ? nullptr : "wildcard and name do not agree";
      }
      case 3:
        return look_at_chains(view);
      default: {
        const auto pair = static_cast<std::uint32_t>(random_() % kPairs);
        const auto one = number_at(view, pair_name(pair, true));
        const auto two = number_at(view, pair_name(pair, false));
        return one == two ? nullptr : "a pair has two numbers";
      }
    }
  }

  const char* look_at_chains(const View& view) {
    const Bytes apex = wire_name("one.test");
    const Lookup one = find(view, apex), two = find(view, wire_name("two.test"));
    if (!one.exact || !two.exact) return "a zone is not there";
    const DenialChain* first = View::chain(view.zone(*one.record));
    const DenialChain* second = View::chain(view.zone(*two.record));
    if (first == nullptr || second == nullptr) return "a zone has no chain";
    if (first->count != second->count || first->iterations != second->iterations) {
      return "two chains are different";
    }
    DenialKey keys[4];
    std::vector<DenialQuestion> questions;
    for (DenialKey& key : keys) {
      const char* const more = random_() % 2 == 0 ? "" : "x.";
      const std::string label = denial_label(static_cast<std::uint32_t>(random_() % kDenials));
      key = denial_key_of(wire_name(more + label + ".one.test"), apex);
      questions.push_back({second, &key});
    }
    view.find_denials(questions);
    for (const DenialQuestion& question : questions) {
      const DenialHit hit = view.find_denial(*first, *question.key);
      if ((hit.blob() == nullptr) != (question.hit.blob() == nullptr) ||
          hit.exact != question.hit.exact) {
        return "a record is in one chain only";
      }
      if (hit.blob() != nullptr &&
          (blob_size(*hit.blob()) != blob_size(*question.hit.blob()) ||
           std::memcmp(hit.blob(), question.hit.blob(), blob_size(*hit.blob())) != 0)) {
        return "two chains have different records";
      }
    }
    return nullptr;
  }

  Shared& shared_;
  const std::size_t number_;
  std::minstd_rand random_;
};

class RaceWriter {
 public:
  RaceWriter(Shared& shared, std::uint64_t seed) : shared_(shared), random_(static_cast<unsigned>(seed)) {
    adopt(Image::create(key_of_seed(seed), {}).value());
    change([this](ChangeSink& sink) {
      for (const char* zone : {"one.test", "two.test"}) {
        ASSERT_TRUE(sink.put_zone(wire_name(zone), zone_contents(1)).ok());
        ASSERT_TRUE(sink.put_name(wire_name(zone), {std::vector{a(1)}, {}}).ok());
      }
      ASSERT_TRUE(sink.use_zone(wire_name("one.test")).ok());
      for (std::uint32_t i = 0; i < kAccounts; ++i) {
        ASSERT_TRUE(
            sink.put_name(account_name(i), {std::vector{Rrset{kTxt, number_blob(kBalance)}}, {}})
                .ok());
      }
    });
    balances_.fill(kBalance);
  }
  ~RaceWriter() {
    if (compactor_.joinable()) compactor_.join();
  }

  void step() {
    if (compaction_done_.load(std::memory_order_acquire)) swap();
    if (!compactor_.joinable() && random_() % 64 == 0) start_compaction();
    change([this](ChangeSink& sink) { random_change(sink); });
    if (random_() % 4 == 0) {
      static_cast<void>(writer_->maintain(pick(32)));
      leave(writer_->flush());
    }
    release();
  }
  [[nodiscard]] std::uint64_t swaps() const { return swaps_; }
  [[nodiscard]] std::uint64_t rehashes() const { return rehashes_; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] std::uint64_t aborts() const { return aborts_; }
  [[nodiscard]] std::uint64_t released() const { return released_; }

 private:
  struct Left {
    std::uint64_t epoch = 0;
    Garbage garbage;
    std::unique_ptr<const Published> published;
    std::unique_ptr<Image> image;
    std::vector<Garbage> dropped;  // of `image`, before which they go
  };
  struct Logged {
    std::uint32_t generation;
    Bytes transaction;
  };

  void adopt(Image image) {
    image_ = std::make_unique<Image>(std::move(image));
    writer_ = std::make_unique<Writer>(*image_);
  }

  // 1 to `most`.
  std::uint32_t pick(std::uint32_t most) {
    return 1 + static_cast<std::uint32_t>(random_() % most);
  }

  template <typename Change>
  void change(const Change& change) {
    TransactionEncoder encoder;
    const auto before = std::tuple(numbers_, balances_, flag_, crowd_, iterations_);
    change(encoder);
    const Bytes bytes = encoder.finish(commits_, commits_ + 1, 0);
    const std::uint32_t generation = image_->generation() + 1;
    writer_->begin(generation);
    TransactionDecoder decoder(bytes);
    const bool aborted = commits_ > 0 && random_() % 4 == 0;
    const std::uint32_t until = aborted ? pick(encoder.operation_count() + 1) - 1 : ~0U;
    for (bool more = true; more && decoder.applied() < until;) {
      const auto applied = decoder.apply(*writer_, 1);
      ASSERT_TRUE(applied.ok()) << applied.error().message();
      more = applied.value();
      if (random_() % 2 == 0) static_cast<void>(writer_->maintain(pick(8)));
    }
    if (aborted) {
      std::tie(numbers_, balances_, flag_, crowd_, iterations_) = before;
      leave(writer_->abort());
      ++aborts_;
      return;
    }
    if (compactor_.joinable()) log_.push_back({generation, bytes});
    leave(writer_->commit(++commits_, 0));
  }

  void random_change(ChangeSink& sink);
  void change_chains(ChangeSink& sink);
  [[nodiscard]] ZoneContents zone_contents(std::uint32_t serial) const {
    return {serial, soa_, soa_, {DenialKind::kNsec3, iterations_, {}}};
  }
  void put_number(ChangeSink& sink, const Bytes& name, std::uint32_t number) {
    EXPECT_TRUE(sink.put_name(name, {std::vector{Rrset{kTxt, number_blob(number)}}, {}}).ok());
  }

  // Publishes what is committed; `garbage` is freed when no reader can have anything from before.
  void leave(Garbage garbage, std::vector<Garbage> dropped = {},
             std::unique_ptr<Image> image = nullptr) {
    auto fresh = std::make_unique<const Published>(Published{image_->root(), image_->generation()});
    const Root& root = fresh->root;
    const bool other = published_ == nullptr || published_->root.buckets != root.buckets;
    if (other && image == nullptr) ++rehashes_;
    shared_.published.store(fresh.get(), std::memory_order_release);
    std::unique_ptr<const Published> old = std::exchange(published_, std::move(fresh));
    const std::uint64_t epoch = shared_.epoch.fetch_add(1, std::memory_order_acq_rel) + 1;
    left_.push_back(
        {epoch, std::move(garbage), std::move(old), std::move(image), std::move(dropped)});
  }

  [[nodiscard]] std::uint64_t epoch_of_all() const {
    // The compactor is a reader, too.
    std::uint64_t epoch = compactor_.joinable() ? pinned_epoch_ : ~std::uint64_t{0};
    for (const auto& seen : shared_.seen) {
      epoch = std::min(epoch, seen.epoch.load(std::memory_order_acquire));
    }
    return epoch;
  }

  void release() {
    const std::uint64_t epoch = epoch_of_all();
    while (!left_.empty() && left_.front().epoch <= epoch) {
      Garbage later = writer_->release(std::move(left_.front().garbage));
      left_.pop_front();
      ++released_;
      if (!later.empty()) leave(std::move(later));
    }
  }

  void start_compaction() {
    pinned_epoch_ = shared_.epoch.load(std::memory_order_relaxed);
    log_.clear();
    compactor_ = std::thread([this, pinned = image_->pin()] {
      ImageOptions options;
      options.generation = pinned.generation;
      compacted_ = compact(pinned, options);
      compacted_good_ = compacted_->ok() && compacted_->value().verify().ok();
      compaction_done_.store(true, std::memory_order_release);
    });
  }

  // The compacted image learns what was committed meanwhile, in the same generations.
  void swap() {
    compactor_.join();
    compaction_done_.store(false, std::memory_order_relaxed);
    ASSERT_TRUE(compacted_good_);
    std::vector<Garbage> dropped;
    for (Left& left : left_) dropped.push_back(std::move(left.garbage));
    for (Left& left : left_) left.garbage = {};
    std::unique_ptr<Image> old = std::move(image_);
    adopt(std::move(*compacted_).value());
    compacted_.reset();
    std::vector<Garbage> fresh;
    for (const Logged& logged : log_) {
      writer_->begin(logged.generation);
      TransactionDecoder decoder(logged.transaction);
      ASSERT_TRUE(decoder.apply(*writer_, ~0U).ok());
      fresh.push_back(writer_->commit(commits_, 0));
    }
    leave({}, std::move(dropped), std::move(old));
    for (Garbage& garbage : fresh) leave(std::move(garbage));
    ++swaps_;
  }

  Shared& shared_;
  std::minstd_rand random_;
  std::unique_ptr<Image> image_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<const Published> published_;
  std::deque<Left> left_;

  std::array<std::uint32_t, kPairs> numbers_{};  // 0: not there
  std::array<std::uint32_t, kAccounts> balances_{};
  bool flag_ = false;
  bool crowd_ = false;
  std::uint16_t iterations_ = 0;
  const Bytes soa_ = soa();

  std::thread compactor_;
  std::atomic<bool> compaction_done_{false};
  std::uint64_t pinned_epoch_ = 0;
  std::optional<base::Result<Image>> compacted_;
  bool compacted_good_ = false;
  std::vector<Logged> log_;

  std::uint64_t commits_ = 0, aborts_ = 0, swaps_ = 0, rehashes_ = 0, released_ = 0;
};

void RaceWriter::random_change(ChangeSink& sink) {
  const auto use = [&](const char* zone) { EXPECT_TRUE(sink.use_zone(wire_name(zone)).ok()); };
  const auto serial = static_cast<std::uint32_t>(random_());
  // Other iterations are another chain, which begins empty.
  const bool rechained = random_() % 200 == 0;
  if (rechained) iterations_ = static_cast<std::uint16_t>((iterations_ + 1) % 3);
  if (rechained || random_() % 4 == 0) {
    EXPECT_TRUE(sink.put_zone(wire_name("one.test"), zone_contents(serial)).ok());
    EXPECT_TRUE(sink.put_zone(wire_name("two.test"), zone_contents(serial)).ok());
  }
  if (random_() % 2 == 0) change_chains(sink);
  for (auto count = random_() % 4; count > 0; --count) {
    const auto pair = static_cast<std::uint32_t>(random_() % kPairs);
    const auto number = static_cast<std::uint32_t>(random_());
    numbers_[pair] = random_() % 3 == 0    ? 0
                     : is_delegation(pair) ? 1 + number % kOperators
                                           : number;
    for (const bool first : {true, false}) {
      use(first ? "one.test" : "two.test");
      if (numbers_[pair] == 0) {
        EXPECT_TRUE(sink.drop_name(pair_name(pair, first)).ok());
      } else if (is_delegation(pair)) {
        const auto sets = servers_of(pair, numbers_[pair]);
        EXPECT_TRUE(sink.put_name(pair_name(pair, first), {sets, {}, true}).ok());
      } else {
        put_number(sink, pair_name(pair, first), numbers_[pair]);
      }
    }
  }
  use("one.test");
  const auto from = static_cast<std::uint32_t>(random_() % kAccounts);
  const auto to = static_cast<std::uint32_t>(random_() % kAccounts);
  if (from != to && balances_[from] > 0) {
    const std::uint32_t amount = 1 + static_cast<std::uint32_t>(random_() % balances_[from]);
    balances_[from] -= amount;
    balances_[to] += amount;
    put_number(sink, account_name(from), balances_[from]);
    put_number(sink, account_name(to), balances_[to]);
  }
  if (random_() % 4 == 0) {
    flag_ = !flag_;
    const Bytes wildcard = wire_name("*.wild.one.test"), flag = wire_name("flag.two.test");
    if (flag_) {
      put_number(sink, wildcard, 1);
      use("two.test");
      put_number(sink, flag, 1);
    } else {
      EXPECT_TRUE(sink.drop_name(wildcard).ok() && sink.drop_name(flag).ok());
    }
  }
  if (random_() % 48 == 0) {
    crowd_ = !crowd_;
    use("two.test");
    for (std::uint32_t i = 0; i < kCrowd; ++i) {
      const Bytes name = wire_name("c" + std::to_string(i) + ".two.test");
      if (crowd_) {
        put_number(sink, name, i);
      } else {
        EXPECT_TRUE(sink.drop_name(name).ok());
      }
    }
  }
}

void RaceWriter::change_chains(ChangeSink& sink) {
  const std::uint32_t count = random_() % 40 == 0 ? pick(kDenials) : pick(4);
  const bool drops = random_() % 5 < 2;
  const auto first = static_cast<std::uint32_t>(random_() % kDenials);
  const auto value = static_cast<std::uint8_t>(random_());
  for (const char* zone : {"one.test", "two.test"}) {
    const Bytes apex = wire_name(zone);
    EXPECT_TRUE(sink.use_zone(apex).ok());
    for (std::uint32_t i = 0; i < count; ++i) {
      const Bytes owner = wire_name(denial_label(first + i) + "." + zone);
      EXPECT_TRUE(drops
                      ? sink.drop_denial(owner).ok()
                      : sink.put_denial(owner, denial_blob_of(owner, apex, Bytes(8, value))).ok());
    }
  }
}

TEST(Race, ReadersSeeWholeTransactionsOnly) {
  const char* given = std::getenv("BRINK_RACE_TRANSACTIONS");
  const std::uint64_t transactions = given == nullptr ? 3000 : std::strtoull(given, nullptr, 10);
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Shared shared;
  RaceWriter writer(shared, seed);
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back([&shared, i] { Reader(shared, i).run(); });
  }
  for (std::uint64_t i = 0; i < transactions && shared.fault.load() == nullptr && !testing::Test::HasFailure(); ++i) {
    writer.step();
  }
  shared.stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(shared.fault.load(), nullptr) << shared.fault.load();
  EXPECT_GT(shared.rounds.load(), 0U);
  EXPECT_GT(writer.commits(), 0U);
  EXPECT_GT(writer.aborts(), 0U);
  EXPECT_GT(writer.rehashes(), 0U);
  EXPECT_GT(writer.swaps(), 0U);
  EXPECT_GT(writer.released(), 0U);
  std::printf("%llu rounds, %llu commits, %llu aborts, %llu new roots, %llu swaps, %llu released\n",
              static_cast<unsigned long long>(shared.rounds.load()),
              static_cast<unsigned long long>(writer.commits()),
              static_cast<unsigned long long>(writer.aborts()),
              static_cast<unsigned long long>(writer.rehashes()),
              static_cast<unsigned long long>(writer.swaps()),
              static_cast<unsigned long long>(writer.released()));
}

}  // namespace
}  // namespace brink::snapshot
