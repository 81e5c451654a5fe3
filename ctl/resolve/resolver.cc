#include "ctl/resolve/resolver.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <thread>
#include <utility>

namespace brink::ctl::resolve {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

}  // namespace

class Resolver::Impl {
 public:
  Impl(ResolverOptions options, Changed changed)
      : options_(std::move(options)),
        changed_(std::move(changed)),
        exchange_(context_, options_.exchange),
        table_(options_.limits, options_.filter),
        thread_([this] { context_.run(); }) {}
  ~Impl();

  template <typename Job>
  void post(Job job) {
    asio::post(context_, std::move(job));
  }
  void use(const std::vector<model::DomainName>& names, const std::vector<Resolved>& known);
  void settled(std::vector<model::DomainName> names, std::chrono::milliseconds wait,
               std::function<void()> done);
  void after(std::chrono::milliseconds wait, const std::function<void()>& done);
  void delegation(const model::DomainName& zone, std::function<void(Delegation)> done);
  void parent_ds(const model::DomainName& zone, std::function<void(ParentDs)> done);
  void addresses(const model::DomainName& name, std::function<void(Addresses)> done);
  ResolverStatus status() const {
    return {table_.status(now()), table_.counters(), table_.left_out()};
  }

 private:
  // Somebody who waits for names.
  struct Waiter {
    Waiter(asio::io_context& context, std::vector<model::DomainName> names_,
           std::function<void()> done_)
        : names(std::move(names_)), done(std::move(done_)), timer(context) {}
    std::vector<model::DomainName> names;
    std::function<void()> done;
    asio::steady_timer timer;
  };

  static Time now() { return std::chrono::steady_clock::now(); }
  void pump();
  void tell();
  void tell_soon();
  void answer_waiters();
  [[nodiscard]] bool is_done(const Waiter& waiter) const;

  template <typename Found>
  std::function<void(Found)> in_time(std::function<void(Found)> done, Found late);

  const ResolverOptions options_;
  const Changed changed_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ =
      asio::make_work_guard(context_);
  asio::steady_timer next_question_{context_}, next_telling_{context_};
  bool telling_ = false;
  AresExchange exchange_;
  NameTable table_;
  std::list<std::shared_ptr<Waiter>> waiters_;
  std::thread thread_;  // last: starts when all else is there
};

Resolver::Impl::~Impl() {
  context_.stop();
  thread_.join();
}

// `done` with what is found, or with `late` when that takes too long.
template <typename Found>
std::function<void(Found)> Resolver::Impl::in_time(std::function<void(Found)> done, Found late) {
  struct Once {
    Once(asio::io_context& context, std::function<void(Found)> done_)
        : timer(context), done(std::move(done_)) {}
    asio::steady_timer timer;
    std::function<void(Found)> done;
    void use(Found found) {
      if (done) std::exchange(done, nullptr)(std::move(found));
    }
  };
  const auto once = std::make_shared<Once>(context_, std::move(done));
  once->timer.expires_after(options_.delegation_timeout);
  once->timer.async_wait([once, late = std::move(late)](const Error& error) {
    if (!error) once->use(late);
  });
  return [once](Found found) {
    once->timer.cancel();
    once->use(std::move(found));
  };
}

constexpr char kTooLong[] = "the servers take too long";

void Resolver::Impl::delegation(const model::DomainName& zone,
                                std::function<void(Delegation)> done) {
  check_delegation(
      exchange_, options_.filter, options_.parent_port, zone,
      in_time<Delegation>(std::move(done), {Delegation::Kind::kUnknown, {}, kTooLong}));
}

void Resolver::Impl::parent_ds(const model::DomainName& zone, std::function<void(ParentDs)> done) {
  check_ds(exchange_, options_.filter, options_.parent_port, zone,
           in_time<ParentDs>(std::move(done), {false, {}, kTooLong}));
}

void Resolver::Impl::addresses(const model::DomainName& name, std::function<void(Addresses)> done) {
  find_addresses(exchange_, options_.filter, name,
                 in_time<Addresses>(std::move(done), {{}, kTooLong}));
}

void Resolver::Impl::after(std::chrono::milliseconds wait, const std::function<void()>& done) {
  const auto timer = std::make_shared<asio::steady_timer>(context_, wait);
  timer->async_wait([timer, done](const Error& error) {
    if (!error) done();
  });
}

void Resolver::Impl::use(const std::vector<model::DomainName>& names,
                         const std::vector<Resolved>& known) {
  table_.use(names, now());
  for (const Resolved& each : known) table_.seed(each, now());
  pump();
  tell_soon();
}

void Resolver::Impl::settled(std::vector<model::DomainName> names, std::chrono::milliseconds wait,
                             std::function<void()> done) {
  const auto waiter = std::make_shared<Waiter>(context_, std::move(names), std::move(done));
  if (is_done(*waiter)) {
    tell();
    return waiter->done();
  }
  waiters_.push_back(waiter);
  waiter->timer.expires_after(wait);
  waiter->timer.async_wait([this, waiter](const Error& error) {
    if (error || waiters_.remove(waiter) == 0) return;
    waiter->done();
  });
}

bool Resolver::Impl::is_done(const Waiter& waiter) const {
  return std::all_of(waiter.names.begin(), waiter.names.end(),
                     [this](const auto& name) { return table_.is_settled(name); });
}

// Asks what is due, and sleeps until something is again.
void Resolver::Impl::pump() {
  for (const Question& question : table_.due(now())) {
    exchange_.ask(question, [this, question](const Reply& reply) {
      const Answer answer = reply.message.empty() ? Answer::failed(reply.failure)
                                                  : read_answer(question, reply.message);
      table_.take(question, answer, now());
      pump();
      answer_waiters();
      tell_soon();
    });
  }
  const auto next = table_.next_due();
  next_question_.cancel();
  if (!next) return;
  next_question_.expires_at(*next);
  next_question_.async_wait([this](const Error& error) {
    if (!error) pump();
  });
}

void Resolver::Impl::tell_soon() {
  if (telling_) return;
  telling_ = true;
  next_telling_.expires_after(options_.batch);
  next_telling_.async_wait([this](const Error& error) {
    telling_ = false;
    if (!error) tell();
  });
}

void Resolver::Impl::tell() {
  const auto changes = table_.changes(now());
  if (!changes.empty()) changed_(changes);
}

// Who waits is told after `changed` has been: at once, not at the end of the batch.
void Resolver::Impl::answer_waiters() {
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    const std::shared_ptr<Waiter> waiter = *it;
    if (!is_done(*waiter)) {
      ++it;
      continue;
    }
    it = waiters_.erase(it);
    waiter->timer.cancel();
    tell();
    waiter->done();
  }
}

Resolver::Resolver(ResolverOptions options, Changed changed)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(changed))) {}

Resolver::~Resolver() = default;

void Resolver::use(std::vector<model::DomainName> names, std::vector<Resolved> known) {
  impl_->post([impl = impl_.get(), names = std::move(names), known = std::move(known)] {
    impl->use(names, known);
  });
}

void Resolver::settled(std::vector<model::DomainName> names, std::chrono::milliseconds wait,
                       std::function<void()> done) {
  impl_->post([impl = impl_.get(), names = std::move(names), wait, done = std::move(done)] {
    impl->settled(names, wait, done);
  });
}

void Resolver::after(std::chrono::milliseconds wait, std::function<void()> done) {
  impl_->post([impl = impl_.get(), wait, done = std::move(done)] { impl->after(wait, done); });
}

void Resolver::delegation(model::DomainName zone, std::function<void(Delegation)> done) {
  impl_->post([impl = impl_.get(), zone = std::move(zone), done = std::move(done)] {
    impl->delegation(zone, done);
  });
}

void Resolver::parent_ds(model::DomainName zone, std::function<void(ParentDs)> done) {
  impl_->post([impl = impl_.get(), zone = std::move(zone), done = std::move(done)] {
    impl->parent_ds(zone, done);
  });
}

void Resolver::addresses(model::DomainName name, std::function<void(Addresses)> done) {
  impl_->post([impl = impl_.get(), name = std::move(name), done = std::move(done)] {
    impl->addresses(name, done);
  });
}

void Resolver::status(std::function<void(ResolverStatus)> done) {
  impl_->post([impl = impl_.get(), done = std::move(done)] { done(impl->status()); });
}

}  // namespace brink::ctl::resolve
