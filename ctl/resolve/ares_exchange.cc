#include "ctl/resolve/ares_exchange.h"

#include <ares.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <string>

#include "dataplane/base/check.h"

namespace brink::ctl::resolve {
namespace {

namespace asio = boost::asio;

constexpr int kClassInternet = 1;
constexpr int kPayloadSizeMax = 1232;  // passes every path without fragments

std::string server_list(const std::vector<base::Endpoint>& servers) {
  std::string list;
  for (const base::Endpoint& server : servers) {
    const std::string address(server.address.text().view());
    list += list.empty() ? "" : ",";
    list += server.address.is_v4() ? address : "[" + address + "]";
    list += ":" + std::to_string(server.port);
  }
  return list;
}

}  // namespace

// One c-ares channel, whose sockets and time-outs the context waits for.
class AresExchange::Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(asio::io_context& context, const ExchangeOptions& options,
          const std::vector<base::Endpoint>& servers, bool recursive);
  ~Channel() { ::ares_destroy(channel_); }

  void ask(const Question& question, Done done);

 private:
  struct Watch {
    explicit Watch(asio::posix::stream_descriptor descriptor_)
        : descriptor(std::move(descriptor_)) {}
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;
    bool waits_read = false, waits_write = false;
  };
  // A question on its way.
  struct Asked {
    asio::io_context& context;
    Done done;
  };

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
  static void on_answer(void* asked, int status, int timeouts, unsigned char* octets, int size);
  void watch(ares_socket_t fd, bool readable, bool writable);
  void wait(ares_socket_t fd, const std::shared_ptr<Watch>& watch, bool for_read);
  void process(ares_socket_t readable, ares_socket_t writable);
  void set_timer();

  asio::io_context& context_;
  asio::steady_timer timer_;
  std::map<ares_socket_t, std::shared_ptr<Watch>> watches_;
  ares_channel channel_ = nullptr;
};

AresExchange::Channel::Channel(asio::io_context& context, const ExchangeOptions& options,
                               const std::vector<base::Endpoint>& servers, bool recursive)
    : context_(context), timer_(context) {
  ares_options settings{};
  settings.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  if (!recursive) settings.flags |= ARES_FLAG_NORECURSE;
  settings.ednspsz = kPayloadSizeMax;
  settings.timeout = static_cast<int>(options.timeout.count());
  settings.tries = static_cast<int>(options.attempts);
  settings.sock_state_cb = on_socket;
  settings.sock_state_cb_data = this;
  const int wanted = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                     ARES_OPT_SOCK_STATE_CB;
  CHECK(::ares_init_options(&channel_, &settings, wanted) == ARES_SUCCESS);
  if (servers.empty()) return;
  CHECK(::ares_set_servers_ports_csv(channel_, server_list(servers).c_str()) == ARES_SUCCESS);
}

void AresExchange::Channel::ask(const Question& question, Done done) {
  auto* asked = new Asked{context_, std::move(done)};  // on_answer deletes it
  const std::string name = question.name.is_root() ? "." : question.name.text() + ".";
  ::ares_query(channel_, name.c_str(), kClassInternet, question.type, on_answer, asked);
  set_timer();
}

// An answer is handed on whatever it says; c-ares has tried the other servers by then. It may come
// from within ares_query, and must not destroy the channel that calls.
void AresExchange::Channel::on_answer(void* argument, int status, int, unsigned char* octets,
                                      int size) {
  std::unique_ptr<Asked> asked(static_cast<Asked*>(argument));
  if (status == ARES_EDESTRUCTION) return;
  Reply reply;
  if (octets != nullptr) reply.message.assign(octets, octets + size);
  if (octets == nullptr) reply.failure = ::ares_strerror(status);
  asio::io_context& loop = asked->context;
  asio::post(loop, [asked = std::shared_ptr<Asked>(std::move(asked)),
                    reply = std::move(reply)]() mutable { asked->done(std::move(reply)); });
}

void AresExchange::Channel::on_socket(void* self, ares_socket_t fd, int readable, int writable) {
  static_cast<Channel*>(self)->watch(fd, readable != 0, writable != 0);
}

// The descriptor stays c-ares's, which closes it after it says that it wants nothing of it.
void AresExchange::Channel::watch(ares_socket_t fd, bool readable, bool writable) {
  auto known = watches_.find(fd);
  if (!readable && !writable) {
    if (known == watches_.end()) return;
    known->second->wants_read = known->second->wants_write = false;
    known->second->descriptor.release();
    watches_.erase(known);
    return;
  }
  if (known == watches_.end()) {
    known =
        watches_.emplace(fd, std::make_shared<Watch>(asio::posix::stream_descriptor(context_, fd)))
            .first;
  }
  const std::shared_ptr<Watch> watch = known->second;
  watch->wants_read = readable;
  watch->wants_write = writable;
  if (readable && !watch->waits_read) wait(fd, watch, true);
  if (writable && !watch->waits_write) wait(fd, watch, false);
}

void AresExchange::Channel::wait(ares_socket_t fd, const std::shared_ptr<Watch>& watch,
                                 bool for_read) {
  using Descriptor = asio::posix::stream_descriptor;
  bool& waits = for_read ? watch->waits_read : watch->waits_write;
  waits = true;
  watch->descriptor.async_wait(
      for_read ? Descriptor::wait_read : Descriptor::wait_write,
      [self = weak_from_this(), fd, watch, for_read](const boost::system::error_code& error) {
        (for_read ? watch->waits_read : watch->waits_write) = false;
        const auto channel = self.lock();
        if (error || !channel) return;
        const bool& wanted = for_read ? watch->wants_read : watch->wants_write;
        if (!wanted) return;
        channel->process(for_read ? fd : ARES_SOCKET_BAD, for_read ? ARES_SOCKET_BAD : fd);
        bool& waits_again = for_read ? watch->waits_read : watch->waits_write;
        if (wanted && !waits_again) channel->wait(fd, watch, for_read);
      });
}

void AresExchange::Channel::process(ares_socket_t readable, ares_socket_t writable) {
  ::ares_process_fd(channel_, readable, writable);
  set_timer();
}

void AresExchange::Channel::set_timer() {
  timeval buffer{};
  const timeval* left = ::ares_timeout(channel_, nullptr, &buffer);
  timer_.cancel();
  if (left == nullptr) return;
  timer_.expires_after(std::chrono::seconds(left->tv_sec) +
                       std::chrono::microseconds(left->tv_usec));
  timer_.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
    const auto channel = self.lock();
    if (!error && channel) channel->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

AresExchange::AresExchange(asio::io_context& context, ExchangeOptions options)
    : context_(context), options_(std::move(options)) {
  static const int kLoaded = ::ares_library_init(ARES_LIB_INIT_ALL);
  CHECK(kLoaded == ARES_SUCCESS);
  resolving_ = std::make_shared<Channel>(context_, options_, options_.servers, true);
}

AresExchange::~AresExchange() = default;

void AresExchange::ask(const Question& question, Done done) {
  resolving_->ask(question, std::move(done));
}

void AresExchange::ask_at(const std::vector<base::Endpoint>& servers, const Question& question,
                          Done done) {
  const auto channel = std::make_shared<Channel>(context_, options_, servers, false);
  single_.insert(channel);
  channel->ask(question,
               [this, channel = std::weak_ptr(channel), done = std::move(done)](Reply reply) {
                 single_.erase(channel.lock());
                 done(std::move(reply));
               });
}

}  // namespace brink::ctl::resolve
