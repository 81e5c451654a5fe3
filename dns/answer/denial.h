// Proofs: the records of a zone's chain that prove what an answer says is not there (RFC 4035
// 3.1.3, RFC 5155 7.2), gathered while the answer is made and put behind it. Hot.
#pragma once

#include <cstdint>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/view.h"
#include "dns/answer/denial_name.h"
#include "dns/answer/response.h"
#include "dns/answer/slot.h"

namespace brink::dns::answer {

// What a proof is about: a name in the zone of `in_zone`, whose apex is at `apex` in the message.
// Without a chain nothing is proven.
struct Denied {
  const snapshot::DenialChain* chain;
  std::uint8_t apex_size;  // wire size
  std::uint16_t apex;      // as in NamePlace
};

class Proofs {
 public:
  explicit Proofs(const snapshot::View& view) noexcept : view_(view) {}

  // The name owns nothing of the type asked for. It may be an empty non-terminal, or a delegation
  // that is not signed; of that something may have been looked up before.
  void add_no_data(const Denied& denied, WireName name, const Foreseen& foreseen = {}) noexcept;
  // The name is not there, nor a wildcard that would cover it. `closest_size`: wire size of its
  // closest encloser; `foreseen`: what was looked up of it before.
  void add_no_name(const Denied& denied, WireName name, std::size_t closest_size,
                   const Foreseen& foreseen) noexcept;
  // The same for a name right below the apex of which `said` says all but what covers the name, or,
  // where that is the same record, all.
  void add_below_apex(const Denied& denied, WireName name, const snapshot::BlobHeader& said,
                      const Foreseen& foreseen) noexcept;
  // The name is not there, so the wildcard of its closest encloser stands for it. `has_data`: and owns
  // what was asked for.
  void add_wildcard(const Denied& denied, WireName name, std::size_t closest_size,
                    bool has_data) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] const snapshot::BlobHeader& blob(std::size_t i) const noexcept {
    return *items_[i].blob;
  }

  // Puts them into the authority section, each once; false if there is no room for all.
  bool put(Response& response) const noexcept;

 private:
  void add(const Denied& denied, const snapshot::DenialHit& hit) noexcept;
  void add_nsec(const Denied& denied, WireName name) noexcept;
  [[nodiscard]] snapshot::DenialHit find_nsec3(const Denied& denied, WireName name) const noexcept;
  void add_nsec3(const Denied& denied, WireName name) noexcept;
  std::size_t add_closest(const Denied& denied, WireName name, std::size_t closest_size,
                          const snapshot::DenialHit& own = {}) noexcept;

  // An answer needs four at most, and one more for every wildcard that its aliases passed.
  static constexpr std::size_t kMax = 24;
  struct Item {
    const snapshot::BlobHeader* blob;
    std::uint16_t apex;
  };
  const snapshot::View& view_;
  std::size_t count_ = 0;
  Item items_[kMax];
};

}  // namespace brink::dns::answer
