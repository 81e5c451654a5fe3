// Writer: the one who changes an image, while any number of readers use it. Cold; one thread.
//
//   begin, then puts and drops as ChangeSink orders them: new versions are written beside the old.
//   No reader sees them, since none has reached their generation. Any of them may fail; then
//   abort() takes back what was written so far.
//   commit: the transaction is complete. The caller now publishes the image's root together with
//   the new generation, in one release store. After abort and flush, too, where the table has a new
//   epoch, the root is published before the grace period of what they return begins.
//   release: what no reader can see any more, since all have passed a quiescent point after the
//   generation (or after abort) was published, is freed. It goes in the order of commits.
//
// Why it is safe: a reader finds a name's newest record and walks `previous` back to the first that
// it may see. Links are single words; a link that changes leads to something whose `previous`
// leads to what the link was before. Nothing that a link led to is reused before a grace period.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/snapshot/change_sink.h"
#include "dataplane/snapshot/denial_tree.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/zone_state.h"

namespace brink::snapshot {

// What a transaction left behind that some reader may still use.
struct Garbage {
  struct Replaced {
    std::uint32_t newer;
    std::uint32_t old;
  };
  struct ReplacedState {
    HeapRef newer;
    HeapRef old;
  };
  std::vector<Replaced> replaced;
  std::vector<ReplacedState> states;
  std::vector<std::uint32_t> gone;     // names that ceased to exist, to be taken from the table
  std::vector<std::uint32_t> records;  // reached by no link any more
  std::vector<HeapRef> dropped_states;
  std::vector<DenialTree::Block> blocks;  // nodes and entries of trees that go on without them
  std::vector<HeapRef> dropped_trees;     // their roots
  std::vector<std::uint32_t> zones;
  std::vector<BucketArray> buckets;

  [[nodiscard]] bool empty() const;
};

class Writer : public ChangeSink {
 public:
  // Generations that may pass before births get too old to compare: renew the image (compact.h)
  // long before.
  static constexpr std::uint32_t kGenerationsMax = std::uint32_t{1} << 30;

  // `image` outlives the writer.
  explicit Writer(Image& image) : image_(image), base_generation_(image.generation()) {}

  // `generation` follows the one published last.
  void begin(std::uint32_t generation);
  [[nodiscard]] bool open() const { return open_; }
  // The last failure was want of memory.
  [[nodiscard]] bool is_out_of_memory() const { return out_of_memory_; }

  base::Result<void> put_zone(Name apex, const ZoneContents& contents) override;
  base::Result<void> use_zone(Name apex) override;
  base::Result<void> drop_zone(Name apex) override;
  base::Result<void> put_name(Name name, const NameContents& contents) override;
  base::Result<void> drop_name(Name name) override;
  base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) override;
  base::Result<void> drop_denial(Name owner) override;
  base::Result<void> put_value(Key key, std::span<const std::uint8_t> value) override;
  base::Result<void> drop_value(Key key) override;
  base::Result<void> clear_values(Key prefix) override;
  void expect(std::span<const Name> names) override;

  // Says why the transaction cannot be committed, if so (a new zone without apex).
  base::Result<void> check() const;
  // What was put so far stays, whatever comes: for those who have no readers and build an image
  // that is dropped when something fails. The transaction goes on, in its zone. Only after check().
  Garbage pause();
  // Only after check().
  Garbage commit(std::uint64_t version, std::uint64_t created_unix_ns, std::uint64_t token = 0);
  Garbage abort();

  // Frees `garbage`. What it returns comes with another grace period.
  Garbage release(Garbage garbage);

  // Goes on growing or shrinking the name table, `buckets_max` buckets at most. Between
  // transactions or within one. What it leaves behind joins the next garbage: flush() gives it at
  // once.
  bool maintain(std::uint32_t buckets_max);
  // Between transactions.
  Garbage flush();

  [[nodiscard]] const Image& image() const { return image_; }
  // Generations since the image was made.
  [[nodiscard]] std::uint32_t age() const { return image_.generation() - base_generation_; }

 private:
  // How to take back one step. `index` and `old` mean what the kind says.
  struct Undo {
    enum class Kind : std::uint8_t {
      kInserted,   // record `index` under a new name
      kReplaced,   // record `index` in the place of record `old`
      kWildcard,   // link of record `index`, was `old`
      kChildren,   // of record `index`, were `old`
      kNameCount,  // of zone `index`, was `old`
      kState,      // link of zone `index`, was `old`
      kZone,       // zone `index` was made
    };
    Kind kind;
    std::uint32_t index;
    std::uint32_t old;
  };

  [[nodiscard]] Record& record(std::uint32_t index) const { return image_.records_[index]; }
  [[nodiscard]] std::uint32_t newest(const NameKey& key) const;
  [[nodiscard]] std::uint32_t parent_of(const NameKey& key, NameKey& parent) const;
  [[nodiscard]] bool is_gone(std::uint32_t index) const;

  std::uint32_t make_record(const NameKey& key, std::uint16_t flags);
  bool fill(Record& record, const NameContents& contents);
  bool fill_rrsets(Record& record, std::span<const Rrset> rrsets);
  bool link(std::uint32_t index, std::uint32_t old, const NameKey& key);
  bool appear(const NameKey& key, std::uint32_t index);
  bool vanish(const NameKey& key);
  bool replace_by(std::uint16_t flags, std::uint32_t old, const NameKey& key);
  bool remove_contents(std::uint32_t old, const NameKey& key);
  bool set_state(std::uint32_t zone, const StateContents& contents);
  base::Result<DenialChain*> open_chain(Name owner, DenialKey& key);
  base::Result<void> tree_done(DenialTree::Outcome outcome, Name name);
  [[nodiscard]] const ApexPlaces& apex_places(const DenialChain& chain);
  bool renew_apex_denial();
  base::Result<Tree*> open_table();
  base::Result<void> drop_from(Tree& table, Key key);
  base::Result<ZoneState*> open_state();
  DenialTree trees() { return {image_.heap_, generation_, made_blocks_, garbage_.blocks}; }
  [[nodiscard]] ZoneState& state_at(HeapRef ref) const {
    return *reinterpret_cast<ZoneState*>(image_.heap_.at(ref));
  }
  void set_wildcard(std::uint32_t index, std::uint32_t wildcard);
  void set_children(std::uint32_t index, std::uint32_t children);
  void count_name(std::uint32_t zone, int change);
  void add_gone(Garbage& garbage, std::uint32_t index);
  void take_back(const Undo& step, Garbage& garbage);
  void unlink(std::uint32_t index, Garbage& later);
  void free_contents(const Record& record);
  void free_record(std::uint32_t index);
  void free_state(HeapRef ref);
  void end();
  base::Error no_memory(Name name);
  View all() const { return {image_.root(), generation_}; }

  Image& image_;
  std::uint32_t base_generation_;
  bool open_ = false;
  bool out_of_memory_ = false;
  std::uint32_t generation_ = 0;  // of the transaction
  std::uint32_t zone_ = 0;        // the current one
  NameKey apex_{};                // its name
  bool apex_missing_ = false;     // the current zone is new and has no apex yet
  bool has_places_ = false;       // the next are those of its chain
  ApexPlaces places_;
  std::uint64_t names_ = 0;       // in all zones, with the transaction
  std::uint32_t zones_ = 0;
  std::vector<Undo> undo_;
  std::vector<DenialTree::Block> made_blocks_;  // by the transaction: freed if it is aborted
  Garbage garbage_;                              // if it commits
};

}  // namespace brink::snapshot
