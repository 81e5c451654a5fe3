// PrivateKeys: opens the private keys that lie sealed in the image, when a worker makes a context of
// a certificate for the first time. Cold.
//
// The key file is control's (`tls.key-file`); it may come to be after the edge has started, so it is
// looked for until it is there. Whoever opens with the wrong one gets nothing: that is counted, and
// the main thread names each certificate once.
//
// Threads: open() any; the rest the main thread's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/secret/sealed_box.h"
#include "l7/route/zone_table.h"

namespace brink::edge {

// PKCS #8, DER; wiped when it goes.
class PrivateKey {
 public:
  explicit PrivateKey(std::vector<std::uint8_t> der) : der_(std::move(der)) {}
  ~PrivateKey();
  PrivateKey(PrivateKey&&) noexcept = default;
  PrivateKey& operator=(PrivateKey&&) = delete;
  [[nodiscard]] std::span<const std::uint8_t> der() const { return der_; }

 private:
  std::vector<std::uint8_t> der_;
};

class PrivateKeys {
 public:
  // `path` empty: there is no key file, and no key opens.
  explicit PrivateKeys(std::string path) : path_(std::move(path)) {}
  PrivateKeys(const PrivateKeys&) = delete;
  PrivateKeys& operator=(const PrivateKeys&) = delete;

  // Reads the key file, unless it has been read. True: it is there. An Error: it is, and is none.
  base::Result<bool> load();
  [[nodiscard]] bool is_loaded() const { return box_.load(std::memory_order_acquire) != nullptr; }

  // The key of a certificate; empty: it does not open with the key file, or there is none.
  std::optional<PrivateKey> open(const l7::route::CertificateView& certificate) noexcept;

  // How many were not opened since the start.
  [[nodiscard]] std::uint64_t failures() const {
    return failures_.load(std::memory_order_relaxed);
  }
  // Certificates whose keys did not open and that were not named before; of many at once some.
  std::vector<l7::route::EntryId> take_failed();

 private:
  void note_failure(const l7::route::EntryId& id) noexcept;

  static constexpr std::size_t kNotedMax = 64;
  // Written by one worker after another: whoever takes a slot fills it and marks it full.
  struct Slot {
    std::atomic<std::uint8_t> state{0};  // 0 free, 1 being filled, 2 full
    l7::route::EntryId id{};
  };

  const std::string path_;
  std::unique_ptr<const secret::SealedBox> owned_;       // main thread
  std::atomic<const secret::SealedBox*> box_{nullptr};   // main thread: wo, workers: ro
  std::atomic<std::uint64_t> failures_{0};
  std::array<Slot, kNotedMax> noted_;
  std::set<l7::route::EntryId> named_;  // main thread
};

// Whether the file named by tls.key-file will do: it is a key file, or not there yet.
base::Result<void> check_key_file(const std::string& path);

}  // namespace brink::edge
