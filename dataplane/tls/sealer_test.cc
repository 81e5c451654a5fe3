// Records that are made without the library: opened by its ciphers one by one, and by its own
// connections, across everything that changes keys or is no plaintext of ours.
#include "dataplane/tls/sealer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/tls/pair_fixture.h"

namespace brink::tls::test {
namespace {

Bytes counted(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 11 + (i >> 7));
  return bytes;
}

// What lies in a sealed part, by OpenSSL's AES-GCM; nothing if its tag is wrong.
std::optional<Bytes> open_with(std::span<const std::uint8_t> key, const GcmNonce& nonce,
                               std::span<const std::uint8_t> authenticated,
                               std::span<const std::uint8_t> sealed) {
  const std::unique_ptr<EVP_CIPHER_CTX, ReleasedBy<EVP_CIPHER_CTX_free>> context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* const cipher = key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
  const std::size_t size = sealed.size() - kGcmTagSize;
  Bytes plain(size + 1), tag(sealed.end() - kGcmTagSize, sealed.end());
  int some = 0;
  CHECK(EVP_DecryptInit_ex(context.get(), cipher, nullptr, key.data(), nonce.data()) == 1);
  CHECK(EVP_DecryptUpdate(context.get(), nullptr, &some, authenticated.data(),
                          static_cast<int>(authenticated.size())) == 1);
  CHECK(EVP_DecryptUpdate(context.get(), plain.data(), &some, sealed.data(),
                          static_cast<int>(size)) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context.get(), plain.data() + size, &some) != 1) return std::nullopt;
  plain.resize(size);
  return plain;
}

class SealerTest : public testing::TestWithParam<std::size_t> {
 protected:
  Bytes seal(Sealer& sealer, ContentType type, const Bytes& plain) {
    Bytes record(sealer.record_size(plain.size()));
    sealer.seal(type, plain, record);
    return record;
  }
  // The nonce of TLS 1.3 with `last` as the last octet of its sequence number.
  GcmNonce nonce13(std::uint8_t before_last, std::uint8_t last) const {
    GcmNonce nonce;
    std::copy(keys_.salt.begin(), keys_.salt.end(), nonce.begin());
    std::copy(keys_.vector.begin(), keys_.vector.end(), nonce.begin() + 4);
    nonce[10] ^= before_last;
    nonce[11] ^= last;
    return nonce;
  }

  std::unique_ptr<Gcm> gcm_ = Gcm::create();
  Bytes key_ = counted(GetParam());
  RecordKeys keys_{.version = Version::kTls13,
                   .key = key_,
                   .salt = {1, 2, 3, 4},
                   .vector = {5, 6, 7, 8, 9, 10, 0xff, 0xff},
                   .sequence = {0, 0, 0, 0, 0, 0, 0, 0xff}};
};
INSTANTIATE_TEST_SUITE_P(Keys, SealerTest, testing::Values(16, 32));

TEST_P(SealerTest, ARecordOfTls13HidesItsTypeAndCountsUp) {
  ASSERT_NE(gcm_, nullptr);
  Sealer sealer(*gcm_, keys_);
  unsigned number = 0xff;  // the second record carries into the next octet
  for (const std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 1000UL, kRecordPlaintextMax}) {
    const Bytes plain = counted(size);
    const Bytes record = seal(sealer, ContentType::kHandshake, plain);
    ASSERT_EQ(record.size(), 5 + size + 1 + kGcmTagSize);
    const std::size_t rest = record.size() - 5;
    const Bytes header = {23, 3, 3, static_cast<std::uint8_t>(rest >> 8),
                          static_cast<std::uint8_t>(rest)};
    EXPECT_EQ(Bytes(record.begin(), record.begin() + 5), header);
    Bytes inner = plain;
    inner.push_back(22);
    const auto nonce =
        nonce13(static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
    EXPECT_EQ(open_with(key_, nonce, header, std::span(record).subspan(5)), inner) << size;
    if (size == 16) sealer.rest();
    ++number;
  }
}

TEST_P(SealerTest, ARecordOfTls12ShowsItsTypeAndItsNonce) {
  ASSERT_NE(gcm_, nullptr);
  keys_.version = Version::kTls12;
  Sealer sealer(*gcm_, keys_);
  for (unsigned turn = 0; turn < 3; ++turn) {
    const Bytes plain = counted(300 * turn);
    const Bytes record = seal(sealer, ContentType::kAlert, plain);
    ASSERT_EQ(record.size(), 5 + 8 + plain.size() + kGcmTagSize);
    EXPECT_EQ(record[0], 21);
    GcmNonce nonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff, 0xff};
    if (turn > 0) {
      nonce[9] = 11;
      nonce[10] = 0;
      nonce[11] = static_cast<std::uint8_t>(turn - 1);
    }
    EXPECT_TRUE(std::equal(nonce.begin() + 4, nonce.end(), record.begin() + 5));
    Bytes authenticated = {0,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0xff,
                           21,
                           3,
                           3,
                           static_cast<std::uint8_t>(plain.size() >> 8),
                           static_cast<std::uint8_t>(plain.size())};
    if (turn > 0) {
      authenticated[6] = 1;
      authenticated[7] = static_cast<std::uint8_t>(turn - 1);
    }
    EXPECT_EQ(open_with(key_, nonce, authenticated, std::span(record).subspan(13)), plain) << turn;
  }
}

// ---- through connections ----

struct Agreed {
  const char* cipher;
  bool sealed_here;
};
constexpr Agreed kCiphers[] = {
    {"TLS_AES_128_GCM_SHA256", true},        {"TLS_AES_256_GCM_SHA384", true},
    {"TLS_CHACHA20_POLY1305_SHA256", false}, {"ECDHE-ECDSA-AES128-GCM-SHA256", true},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", true}, {"ECDHE-ECDSA-CHACHA20-POLY1305", false},
    {"ECDHE-ECDSA-AES128-SHA256", false}};

class SealedStreamTest : public testing::TestWithParam<Agreed> {
 protected:
  SealedStreamTest() {
    certificate_bytes_ = certificate_.bytes();
    hosts_.fallback = {.key = {1, 1},
                       .certificates = {&certificate_bytes_, 1},
                       .ciphers = CipherPolicy::kCompatible};
    if (is_tls13()) {
      SSL_set_ciphersuites(client_.ssl.get(), GetParam().cipher);
    } else {
      SSL_set_max_proto_version(client_.ssl.get(), TLS1_2_VERSION);
      SSL_set_cipher_list(client_.ssl.get(), GetParam().cipher);
    }
    SSL_set_msg_callback(client_.ssl.get(), count_updates);
    SSL_set_msg_callback_arg(client_.ssl.get(), this);
    CHECK(engine_->accept(server_.stream, hosts_, 0) == Failure::kNone);
    client_.talk(server_);
    server_.peer_in = &to_client_;
  }
  [[nodiscard]] bool is_tls13() const { return GetParam().cipher[3] == '_'; }

  // What the library's client makes of all that was sent to it.
  std::string opened() {
    if (!to_client_.empty()) {
      BIO_write(SSL_get_rbio(client_.ssl.get()), to_client_.data(),
                static_cast<int>(to_client_.size()));
    }
    to_client_.clear();
    std::string text;
    char part[5000];
    for (int size; (size = SSL_read(client_.ssl.get(), part, sizeof part)) > 0;) {
      text.append(part, static_cast<std::size_t>(size));
    }
    if (SSL_get_error(client_.ssl.get(), -1) == SSL_ERROR_SSL) text += " and an error";
    ERR_clear_error();
    return text;
  }
  // What the library's client has written goes to the server.
  void send() {
    std::uint8_t bytes[16384];
    for (int size; (size = BIO_read(SSL_get_wbio(client_.ssl.get()), bytes, sizeof bytes)) > 0;) {
      server_.in.insert(server_.in.end(), bytes, bytes + size);
    }
  }
  void say(std::string_view text) {
    ASSERT_EQ(SSL_write(client_.ssl.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }
  void update(int type) {
    ASSERT_EQ(SSL_key_update(client_.ssl.get(), type), 1);
    ASSERT_EQ(SSL_do_handshake(client_.ssl.get()), 1);
  }

  static void count_updates(int sent, int, int type, const void* message, std::size_t size, SSL*,
                            void* self) {
    constexpr std::uint8_t kKeyUpdate = 24;
    const bool is_one = type == SSL3_RT_HANDSHAKE && size > 0 &&
                        static_cast<const std::uint8_t*>(message)[0] == kKeyUpdate;
    if (sent == 0 && is_one) ++static_cast<SealedStreamTest*>(self)->updates_seen_;
  }

  unsigned updates_seen_ = 0;  // by the client
  Certificate authority_ = authority();
  Certificate certificate_ = leaf(authority_, {"www.example.com"});
  CertificateBytes certificate_bytes_;
  Hosts hosts_;
  std::unique_ptr<Engine> engine_ = make_engine();
  RawClient client_;
  End server_;
  Bytes to_client_;
};

INSTANTIATE_TEST_SUITE_P(Ciphers, SealedStreamTest, testing::ValuesIn(kCiphers),
                         [](const testing::TestParamInfo<Agreed>& tested) {
                           std::string name = tested.param.cipher;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(SealedStreamTest, TheLibraryReadsWhatIsSent) {
  ASSERT_TRUE(server_.stream.established());
  EXPECT_EQ(engine_->stats().streams_sealed, GetParam().sealed_here ? 1U : 0U);
  EXPECT_TRUE(client_.session != nullptr || !is_tls13()) << "a ticket was read";
  for (const std::size_t size : {1UL, 2UL, 100UL, 16383UL, 16384UL, 16385UL, 40'000UL}) {
    const Bytes sent = counted(size);
    ASSERT_EQ(server_.write(sent).size, size);
    if (size == 100) server_.stream.rest();
    EXPECT_EQ(opened(), std::string(sent.begin(), sent.end())) << size;
  }
  for (int i = 0; i < 600; ++i) {
    server_.write("one of many");
    ASSERT_EQ(opened(), "one of many") << i;
  }
  say("and back");
  send();
  EXPECT_EQ(server_.read_all(), "and back");
}

TEST_P(SealedStreamTest, CloseNotifyFollowsTheLastRecord) {
  server_.write("the last");
  EXPECT_EQ(server_.close(), Status::kDone);
  EXPECT_EQ(opened(), "the last");
  EXPECT_EQ(SSL_get_shutdown(client_.ssl.get()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_P(SealedStreamTest, ANewKeyIsTakenWithBytesBeforeAndBehindIt) {
  if (!is_tls13()) GTEST_SKIP() << "TLS 1.3 has key updates";
  for (unsigned round = 0; round < 3; ++round) {
    say("before");
    update(SSL_KEY_UPDATE_REQUESTED);
    say(", behind");
    send();
    server_.write("under the old key");
    EXPECT_EQ(server_.read_all(), "before, behind") << round;
    EXPECT_EQ(server_.stream.failure(), Failure::kNone);
    server_.write(", under the new one");
    EXPECT_EQ(opened(), "under the old key, under the new one") << round;
    EXPECT_EQ(updates_seen_, round + 1);
    server_.stream.rest();
  }
  EXPECT_EQ(server_.close(), Status::kDone);
  opened();
  EXPECT_EQ(SSL_get_shutdown(client_.ssl.get()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_P(SealedStreamTest, TwoNewKeysAtOnceAreTaken) {
  if (!is_tls13()) GTEST_SKIP() << "TLS 1.3 has key updates";
  update(SSL_KEY_UPDATE_REQUESTED);
  update(SSL_KEY_UPDATE_REQUESTED);
  say("behind both");
  send();
  EXPECT_EQ(server_.read_all(), "behind both");
  server_.write("answered");
  EXPECT_EQ(opened(), "answered");
  EXPECT_GE(updates_seen_, 1U);
}

// What of a record was opened and not taken, or has come without the rest, stays where it is.
TEST_P(SealedStreamTest, ANewKeyIsTakenInTheMiddleOfARecord) {
  if (!is_tls13()) GTEST_SKIP() << "TLS 1.3 has key updates";
  update(SSL_KEY_UPDATE_REQUESTED);
  const Bytes sent = counted(5000);
  say({reinterpret_cast<const char*>(sent.data()), sent.size()});
  send();
  Bytes taken(10);
  ASSERT_EQ(server_.read(taken).size, taken.size());
  server_.write("answered");
  EXPECT_EQ(opened(), "answered");
  std::string text(taken.begin(), taken.end());
  EXPECT_EQ(text + server_.read_all(), std::string(sent.begin(), sent.end()));

  update(SSL_KEY_UPDATE_REQUESTED);
  say("in two parts");
  send();
  Bytes rest;
  rest.push_back(server_.in.back());
  server_.in.pop_back();
  EXPECT_EQ(server_.read_all(), "");
  server_.write("again");
  EXPECT_EQ(opened(), "again");
  server_.in.push_back(rest.front());
  EXPECT_EQ(server_.read_all(), "in two parts");
  EXPECT_EQ(updates_seen_, 2U);
}

TEST_P(SealedStreamTest, ANewKeyOfThePeerAloneChangesNothingHere) {
  if (!is_tls13()) GTEST_SKIP() << "TLS 1.3 has key updates";
  update(SSL_KEY_UPDATE_NOT_REQUESTED);
  say("behind");
  send();
  EXPECT_EQ(server_.read_all(), "behind");
  server_.write("answered");
  EXPECT_EQ(opened(), "answered");
  EXPECT_EQ(updates_seen_, 0U);
}

TEST_P(SealedStreamTest, AnAnswerToANewKeyWaitsForRoomAndGoesFirst) {
  if (!is_tls13()) GTEST_SKIP() << "TLS 1.3 has key updates";
  update(SSL_KEY_UPDATE_REQUESTED);
  say("behind");
  send();
  server_.out_room = 0;
  std::string text = server_.read_all();
  EXPECT_EQ(server_.stream.queued() > 0, GetParam().sealed_here) << "the library answers later";
  server_.out_room = 10;
  const Moved refused = server_.write("answered");
  EXPECT_EQ(refused.status, Status::kNeedsRoom);
  EXPECT_EQ(refused.size, 0U);
  server_.out_room = 64 * 1024;
  EXPECT_EQ(server_.write("answered").status, Status::kDone);
  text += server_.read_all();
  EXPECT_EQ(text, "behind");
  EXPECT_EQ(opened(), "answered");
  EXPECT_EQ(updates_seen_, 1U);
}

TEST_P(SealedStreamTest, AForgedRecordIsAnsweredWithAnAlertThatCanBeRead) {
  say("payload");
  send();
  server_.in.back() ^= 1;
  Status status;
  EXPECT_EQ(server_.read_all(&status), "");
  EXPECT_EQ(status, Status::kFailed);
  EXPECT_EQ(server_.stream.alert(), 20);
  opened();
  EXPECT_EQ(SSL_get_shutdown(client_.ssl.get()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

}  // namespace
}  // namespace brink::tls::test
