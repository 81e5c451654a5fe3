#include "dataplane/tls/gcm.h"

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <new>

#include "dataplane/base/check.h"

namespace brink::tls {
namespace {

constexpr std::size_t kKey128 = 16, kKey256 = 32;

}  // namespace

// What is used of the library's manager, which has queues for much else and is gone after this.
struct Gcm::Functions {
  struct Size {
    aes_gcm_pre_t expand;
    aes_gcm_init_t init;
    aes_gcm_enc_dec_update_t update;
    aes_gcm_enc_dec_finalize_t finish;
  };
  Size key_128, key_256;
};

struct GcmKey::Expanded {
  gcm_key_data data;
};

Gcm::Gcm(std::unique_ptr<Functions> functions) noexcept : functions_(std::move(functions)) {}
Gcm::~Gcm() = default;

std::unique_ptr<Gcm> Gcm::create() noexcept {
  IMB_MGR* const manager = alloc_mb_mgr(0);
  if (manager == nullptr) return nullptr;
  init_mb_mgr_auto(manager, nullptr);
  std::unique_ptr<Gcm> made;
  if (imb_get_errno(manager) == 0 && (manager->features & IMB_FEATURE_AESNI) != 0) {
    made.reset(new Gcm(std::make_unique<Functions>(
        Functions{{manager->gcm128_pre, manager->gcm128_init, manager->gcm128_enc_update,
                   manager->gcm128_enc_finalize},
                  {manager->gcm256_pre, manager->gcm256_init, manager->gcm256_enc_update,
                   manager->gcm256_enc_finalize}})));
  }
  free_mb_mgr(manager);
  return made;
}

GcmKey::GcmKey(const Gcm& gcm, std::span<const std::uint8_t> key) noexcept
    : gcm_(gcm), size_(key.size()) {
  CHECK(size_ == kKey128 || size_ == kKey256);
  std::copy(key.begin(), key.end(), key_.begin());
}

GcmKey::~GcmKey() {
  rest();
  OPENSSL_cleanse(key_.data(), key_.size());
}

void GcmKey::rest() noexcept {
  if (!expanded_) return;
  OPENSSL_cleanse(expanded_.get(), sizeof *expanded_);
  expanded_.reset();
}

void GcmKey::expand() noexcept {
  expanded_ = std::make_unique<Expanded>();
  const Gcm::Functions& all = *gcm_.functions_;
  (size_ == kKey128 ? all.key_128 : all.key_256).expand(key_.data(), &expanded_->data);
}

void GcmKey::seal(const GcmNonce& nonce, std::span<const std::uint8_t> authenticated,
                  std::span<const std::uint8_t> head, std::span<const std::uint8_t> tail,
                  std::span<std::uint8_t> out) noexcept {
  DCHECK(out.size() == head.size() + tail.size() + kGcmTagSize);
  if (!expanded_) expand();
  const auto& use = size_ == kKey128 ? gcm_.functions_->key_128 : gcm_.functions_->key_256;
  const gcm_key_data* const key = &expanded_->data;
  gcm_context_data state;
  use.init(key, &state, nonce.data(), authenticated.data(), authenticated.size());
  std::uint8_t* at = out.data();
  for (const std::span<const std::uint8_t> part : {head, tail}) {
    if (part.empty()) continue;
    use.update(key, &state, at, part.data(), part.size());
    at += part.size();
  }
  use.finish(key, &state, at, kGcmTagSize);
}

}  // namespace brink::tls
