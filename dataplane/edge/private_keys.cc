#include "dataplane/edge/private_keys.h"

#include <unistd.h>

#include "dataplane/secret/key_file.h"
#include "dataplane/secret/pem.h"
#include "dataplane/secret/wipe.h"

namespace brink::edge {
namespace {

base::Result<secret::Key> read_key(const std::string& path) {
  auto key = secret::load_key(path, false, {});
  if (key) return key;
  base::Error error = key.error();
  error.where = "tls.key-file = " + error.where;
  return error;
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

PrivateKey::~PrivateKey() {
  secret::wipe(std::span(reinterpret_cast<char*>(der_.data()), der_.size()));
}

base::Result<bool> PrivateKeys::load() {
  if (is_loaded()) return true;
  if (path_.empty() || !is_there(path_)) return false;
  const auto key = read_key(path_);
  if (!key) return key.error();
  owned_ = std::make_unique<const secret::SealedBox>(key.value(), secret::Entropy());
  box_.store(owned_.get(), std::memory_order_release);  // pairs with the load of open()
  return true;
}

std::optional<PrivateKey> PrivateKeys::open(
    const l7::route::CertificateView& certificate) noexcept {
  const secret::SealedBox* box = box_.load(std::memory_order_acquire);
  if (box != nullptr) {
    auto pem = box->open(certificate.sealed_key, certificate.key_context);
    if (pem) {
      const secret::WipedAtEnd wiped(pem.value());
      auto blocks = secret::decode_pem(pem.value());
      if (blocks) {
        PrivateKey key(std::move(blocks->octets));
        if (blocks->count == 1) return key;
      }
    }
  }
  note_failure(certificate.id);
  return std::nullopt;
}

void PrivateKeys::note_failure(const l7::route::EntryId& id) noexcept {
  failures_.fetch_add(1, std::memory_order_relaxed);
  for (Slot& slot : noted_) {
    std::uint8_t free = 0;
    if (!slot.state.compare_exchange_strong(free, 1, std::memory_order_acquire)) continue;
    slot.id = id;
    slot.state.store(2, std::memory_order_release);  // pairs with the load of take_failed()
    return;
  }
}

std::vector<l7::route::EntryId> PrivateKeys::take_failed() {
  std::vector<l7::route::EntryId> failed;
  for (Slot& slot : noted_) {
    if (slot.state.load(std::memory_order_acquire) != 2) continue;
    if (named_.insert(slot.id).second) failed.push_back(slot.id);
    slot.state.store(0, std::memory_order_release);  // pairs with the exchange of note_failure()
  }
  return failed;
}

base::Result<void> check_key_file(const std::string& path) {
  if (path.empty() || !is_there(path)) return {};
  const auto key = read_key(path);
  return key ? base::Result<void>() : base::Result<void>(key.error());
}

}  // namespace brink::edge
