#include "ctl/daemon/stapling_keeper.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <utility>

#include "ctl/certificate/ocsp.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/zone_certificates.h"

namespace brink::ctl::daemon {

using model::Stapling;

StaplingKeeper::StaplingKeeper(const Options& options, store::Store& store, api::WorkQueue& queue,
                               Ask ask, Publish publish, model::WallClock clock)
    : options_(options),
      store_(store),
      queue_(queue),
      ask_(std::move(ask)),
      publish_(std::move(publish)),
      clock_(std::move(clock)),
      entropy_(model::system_entropy()),
      thread_([this] { run(); }) {}

void StaplingKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void StaplingKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.interval, [this] { return stopping_; })) {
    queue_.post([this] { work(); });
  }
}

std::int64_t StaplingKeeper::now_s() const {
  return clock_().micros / 1'000'000;
}

std::uint32_t StaplingKeeper::random() {
  std::uint8_t octets[sizeof(std::uint32_t)];
  entropy_(octets);
  std::uint32_t number = 0;
  std::memcpy(&number, octets, sizeof number);
  return number;
}

// Those under way are still due.
void StaplingKeeper::work() {
  try {
    for (const Stapling& each :
         store::OcspResponses(store_).due(now_s(), options_.in_flight_max * 2)) {
      if (in_flight_.size() >= options_.in_flight_max) return;
      if (!in_flight_.contains(each.certificate)) look(each);
    }
  } catch (const store::Failure& failure) {
    spdlog::error("OCSP responses cannot be kept up: {}", failure.what());
  }
}

void StaplingKeeper::look(const Stapling& due) {
  const auto certificate = store::ZoneCertificates(store_).find(
      due.zone, model::CertificatePurpose::kEdge, due.certificate);
  if (!certificate) return;
  Stapling stapling = due;
  const std::string& pem = certificate->certificate.pem;
  stapling.responder = certificate::ocsp_subject(pem).responder;
  const bool is_over = certificate->certificate.expires_on <= clock_();
  if (stapling.responder.empty() || is_over) {
    stapling.look_on_s = model::kNoLook;
    return keep(stapling);
  }
  auto question = certificate::ocsp_question(pem);
  if (!question) {
    stapling.look_on_s = model::kNoLook;  // until another chain is uploaded
    stapling.fault = question.error().what + "; " + question.error().remedy;
    return keep(stapling);
  }
  in_flight_.insert(stapling.certificate);
  ask_(stapling.responder, std::move(question).value(),
       [this, stapling, pem](const Response& response) {
         queue_.post([this, stapling, pem, response] { conclude(stapling, pem, response); });
       });
}

void StaplingKeeper::conclude(Stapling stapling, const std::string& chain_pem,
                              const Response& response) {
  in_flight_.erase(stapling.certificate);
  if (!response.problem.empty()) return give_up(std::move(stapling), response.problem);
  const auto answer = certificate::read_ocsp_answer(chain_pem, response.der, now_s());
  if (!answer) {
    return give_up(std::move(stapling), answer.error().what + "; " + answer.error().remedy);
  }
  if (answer.value().this_update_s < stapling.this_update_s) {
    return give_up(std::move(stapling), "it is older than the one before");
  }
  if (answer.value().status == model::OcspStatus::kRevoked &&
      (stapling.response.empty() || stapling.status == model::OcspStatus::kGood)) {
    spdlog::error("certificate {} is revoked, says {}: replace it", stapling.certificate.hex(),
                  stapling.responder);
  }
  stapling.response = response.der;
  stapling.status = answer.value().status;
  stapling.this_update_s = answer.value().this_update_s;
  stapling.next_update_s = answer.value().next_update_s;
  stapling.fetched_on_s = now_s();
  stapling.look_on_s = model::next_look(now_s(), stapling.next_update_s, random());
  stapling.failures = 0;
  stapling.fault.clear();
  keep(stapling);
}

void StaplingKeeper::give_up(Stapling stapling, std::string fault) {
  ++stapling.failures;
  stapling.look_on_s = model::retry_look(now_s(), stapling.failures, random());
  if (stapling.fault != fault) {
    spdlog::warn("no new OCSP response for certificate {} from {}: {}", stapling.certificate.hex(),
                 stapling.responder, fault);
  }
  stapling.fault = std::move(fault);
  keep(stapling);
}

void StaplingKeeper::keep(const Stapling& stapling) {
  try {
    store::Transaction transaction(store_, store::Transaction::Kind::kWrite);
    store::OcspResponses(store_).put(stapling);
    const auto version = store_.taken_version();
    transaction.commit();
    if (version) publish_(*version);
  } catch (const store::Failure& failure) {
    spdlog::error("an OCSP response cannot be kept: {}", failure.what());
  }
}

}  // namespace brink::ctl::daemon
