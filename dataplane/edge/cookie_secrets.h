// The secrets of DNS cookies: an operator's file, the same on every node, or drawn for this run;
// and how they are replaced while workers make and check cookies with them. Cold.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/edge/published.h"
#include "dns/guard/cookie.h"

namespace brink::edge {

// One to three lines of 32 hexadecimal digits; empty lines and those that start with # do not
// count. An Error names the file and the line, never what stands there.
base::Result<dns::guard::CookieSecrets> read_cookie_secrets(const std::string& path);

// Writes such a file in the place of the one that is there, whole or not at all; it keeps its owner
// and its mode, its comments go.
base::Result<void> write_cookie_secrets(const std::string& path,
                                        const dns::guard::CookieSecrets& secrets);

base::Result<dns::guard::CookieSecrets> draw_cookie_secret();

// The steps of a rollover (RFC 9018 5). Across a fleet each is done on every node before the next.
enum class CookieStep : std::uint8_t {
  kShow,
  kReload,    // what the file says now
  kAdd,       // one more that is taken, behind the others
  kActivate,  // the last one makes cookies from now on, the others are still taken
  kDrop,      // the last one is not taken any more
};

// What workers read: replaced as a whole. Main thread, but for published().
class CookieSecretsStore {
 public:
  // `path`: of the file; empty: a secret is drawn. Workers are threads of `rcu`, which outlives the
  // store; null: nobody reads yet that is not there at the end.
  static base::Result<std::unique_ptr<CookieSecretsStore>> open(std::string path,
                                                                rte_rcu_qsbr* rcu);
  CookieSecretsStore(const CookieSecretsStore&) = delete;
  CookieSecretsStore& operator=(const CookieSecretsStore&) = delete;

  // Any worker: what is pointed at stays as it is until that worker's next quiescent report. The
  // load is an acquire, for the release in publish().
  [[nodiscard]] const std::atomic<const dns::guard::CookieSecrets*>& published() const {
    return published_.pointer();
  }

  // Does it, in the file first, and says what stands then: which secrets, by their marks, make and
  // are taken. An Error: nothing has changed. `secret`: of kAdd.
  base::Result<std::string> apply(CookieStep step, const dns::guard::SipKey& secret = {});

  // One line without any secret: eight digits tell two of them apart.
  [[nodiscard]] std::string text() const;

 private:
  CookieSecretsStore(std::string path, rte_rcu_qsbr* rcu)
      : path_(std::move(path)), published_(rcu) {}
  void publish(const dns::guard::CookieSecrets& secrets) {
    published_.publish(std::make_unique<const dns::guard::CookieSecrets>(secrets));
  }

  const std::string path_;
  Published<dns::guard::CookieSecrets> published_;
};

}  // namespace brink::edge
