// Response: a DNS response growing in place behind the question of its query. Hot.
#pragma once

#include <cstdint>
#include "dataplane/snapshot/view.h"
#include "dns/answer/edns_options.h"
#include "dns/wire/message.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

enum class Section : std::uint8_t { kAnswer, kAuthority };

// Where a name stands in the message, for compression pointers (RFC 1035 4.1.4): a name of
// `name_size` wire octets starts at `owner`; the apex of its zone starts at `apex`.
struct NamePlace {
  std::uint16_t owner;
  std::uint16_t apex;
  std::uint16_t name_size;

  // Where the suffix of `size` wire octets starts, if it is longer than the zone's apex.
  [[nodiscard]] std::uint16_t suffix(std::size_t size) const noexcept {
    return static_cast<std::uint16_t>(owner + name_size - size);
  }
};

class Response {
 public:
  // Starts behind the question. `limit`: the most octets the response may have. The room of the OPT
  // record with `options` is set aside at once (RFC 6891 7: it belongs into truncated answers too).
  Response(std::uint8_t* message, const wire::Query& query, std::size_t limit,
           std::uint16_t udp_size, const EdnsOptions& options) noexcept
      : message_(message),
        query_(query),
        options_(options),
        size_(query.question_parsed ? query.question_end : wire::kHeaderSize),
        whole_limit_(limit),
        limit_(limit - (query.edns ? wire::kOptSize + options.size() : 0)),
        udp_size_(udp_size) {}

  // Appends the blob's RRset whole, its owner being what stands at `owner`; false, and nothing is
  // appended, if there is no room or a pointer would not reach its target. Returns in `body_at`
  // where it starts.
  bool put_body(const snapshot::BlobHeader& blob, Section section, std::uint16_t owner,
                std::uint16_t apex, std::size_t& body_at) noexcept;
  // Appends a free-standing blob whole; false, and nothing is appended, if there is no room.
  bool put_free(const snapshot::BlobHeader& blob, Section section, std::uint16_t apex) noexcept;
  // Appends of a blob its signatures alone (RFC 4034 3.1), or, of a free-standing one, all but these.
  bool put_signatures(const snapshot::BlobHeader& blob, Section section, std::uint16_t owner) noexcept;
  bool put_unsigned_free(const snapshot::BlobHeader& blob, Section section,
                         std::uint16_t apex) noexcept;
  // Appends a record that was made for this answer, without names to compress. False if there is no
  // room. Returns where its data starts.
  struct Made {
    std::uint16_t owner;  // where its name stands
    std::uint16_t type;
    std::uint16_t klass;
    std::uint32_t ttl;
    std::span<const std::uint8_t> data;
  };
  bool put_made(const Made& record, std::size_t& data_at) noexcept;
  // Appends the additional records of a blob whose body was put at `body_at`. False if the
  // required ones do not fit (RFC 9471); optional ones are left out silently (RFC 2181 9).
  bool put_additional(const snapshot::BlobHeader& blob, std::size_t body_at,
                      std::uint16_t apex) noexcept {
    if (blob.required_count == 0 && blob.optional_count == 0) return true;
    return append_additional(blob, body_at, apex);
  }

  // The response will be filled up to a multiple of so many octets (RFC 7830), as far as there is
  // room.
  void set_padding(std::uint16_t block) noexcept { padding_block_ = block; }
  void set_truncated() noexcept { truncated_ = true; }
  void set_authoritative(bool value) noexcept { authoritative_ = value; }
  void set_rcode(wire::Rcode rcode) noexcept { rcode_ = rcode; }
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

  // Writes header and OPT record; returns the response's size.
  std::uint16_t finish() noexcept;

 private:
  void append(const std::uint8_t* source, std::size_t size) noexcept;
  void put_opt(std::uint16_t rcode) noexcept;
  void pad(std::uint8_t* opt) noexcept;
  bool append_additional(const snapshot::BlobHeader& blob, std::size_t body_at,
                         std::uint16_t apex) noexcept;
  void patch(const snapshot::BlobHeader& blob, std::size_t body_at, std::size_t part_at,
             std::size_t from, std::size_t to, std::uint16_t apex) noexcept;
  void count(Section section, std::size_t records) noexcept {
    std::uint16_t& counted = section == Section::kAnswer ? answers_ : authorities_;
    counted = static_cast<std::uint16_t>(counted + records);
  }

  std::uint8_t* message_;
  const wire::Query& query_;
  const EdnsOptions& options_;
  std::size_t size_;
  std::size_t whole_limit_;
  std::size_t limit_;  // without what was set aside
  std::uint16_t udp_size_;
  std::uint16_t padding_block_ = 0;  // 0: none
  std::uint16_t answers_ = 0;
  std::uint16_t authorities_ = 0;
  std::uint16_t additionals_ = 0;
  wire::Rcode rcode_ = wire::Rcode::kNoError;
  bool truncated_ = false;
  bool authoritative_ = false;
};

}  // namespace brink::dns::answer
