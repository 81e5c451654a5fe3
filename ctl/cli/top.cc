// brinkctl top: the edge's rates, live.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "ctl/cli/output.h"
#include "ctl/cli/rates.h"

namespace brink::ctl::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Sample {
  Json stats;
  Clock::time_point at;
};

Sample take_sample(Session& session) {
  Json stats = session.call("GET", "/brink/v1/stats");
  return {std::move(stats), Clock::now()};
}

double interval_of(const Arguments& arguments) {
  const std::string text = arguments.get("interval", "1");
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0 || !(seconds >= 0.1 && seconds <= 3600)) {
    throw Stop(Exit::kUsage,
               "--interval=" + text + " is wrong: write a number of seconds from 0.1 to 3600");
  }
  return seconds;
}

// Signals are waited for, not handled: the terminal is put right where the loop ends, whatever
// ends it.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The signal that came, or 0 when the time was over.
  [[nodiscard]] int wait_until(Clock::time_point when) const {
    const auto left = std::max(when - Clock::now(), Clock::duration::zero());
    const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec timeout{nanos / 1'000'000'000, nanos % 1'000'000'000};
    const int signal = ::sigtimedwait(&set_, nullptr, &timeout);
    return signal < 0 ? 0 : signal;
  }

 private:
  sigset_t set_, before_;
};

// The terminal's other screen, without a cursor; the first one is back at the end.
class Screen {
 public:
  Screen() { print("\x1b[?1049h\x1b[?25l"); }
  ~Screen() {
    print("\x1b[?25h\x1b[?1049l");
    std::fflush(stdout);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static void show(const std::string& text) {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
    print(screen_text(text, known ? size.ws_col : 80, known ? size.ws_row : 24));
    std::fflush(stdout);
  }
};

Clock::time_point after(Clock::time_point start, double seconds) {
  return start + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
}

// One reading after the other, `use` each; until a signal, or once.
class Readings {
 public:
  Readings(Session& session, double interval)
      : session_(session), interval_(interval), last_(take_sample(session)) {}

  [[nodiscard]] Clock::time_point due() const { return after(last_.at, interval_); }

  Json next() {
    Sample now = take_sample(session_);
    Json rates = rates_of(last_.stats, now.stats, Seconds(now.at - last_.at).count());
    last_ = std::move(now);
    return rates;
  }

  // While the server does not answer.
  void put_off() { last_.at = Clock::now(); }

 private:
  Session& session_;
  const double interval_;
  Sample last_;
};

void show_once(Session& session, double interval) {
  Readings readings(session, interval);
  const Signals signals;
  while (const int signal = signals.wait_until(readings.due())) {
    if (signal != SIGWINCH) return;
  }
  const Json rates = readings.next();
  session.json() ? print_json(rates) : print(rates_text(rates));
}

void print_on(Session& session, double interval) {
  Readings readings(session, interval);
  const Signals signals;
  while (true) {
    const int signal = signals.wait_until(readings.due());
    if (signal != 0 && signal != SIGWINCH) return;
    if (signal != 0) continue;
    print(readings.next().dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    if (std::fflush(stdout) != 0) return;
  }
}

void show_live(Session& session, double interval) {
  Readings readings(session, interval);
  const Signals signals;
  const Screen screen;
  std::string text = "reading ...\n";
  while (true) {
    Screen::show(text);
    const int signal = signals.wait_until(readings.due());
    if (signal == SIGWINCH) continue;
    if (signal != 0) return;
    try {
      text = rates_text(readings.next());
    } catch (const Stop& stop) {
      readings.put_off();
      text = std::string("brinkctl: ") + stop.what() + "\n";
    }
  }
}

void top(Session& session, const Arguments& arguments) {
  const double interval = interval_of(arguments);
  if (arguments.has("once")) return show_once(session, interval);
  if (session.json()) return print_on(session, interval);
  if (::isatty(STDOUT_FILENO) != 1) {
    throw Stop(Exit::kUsage,
               "standard output is no terminal; add --once, or --json for a line a "
               "reading");
  }
  show_live(session, interval);
}

}  // namespace

const std::vector<Command>& top_commands() {
  static const std::vector<Command> kCommands = {
      {"",
       "top",
       "",
       0,
       0,
       "What brink-edge does a second, live, until ^C.\n"
       "Packets, queries, answers, requests, drops by reason; of each worker how busy it is and "
       "the "
       "cycles\n"
       "it takes for a packet; latencies of the time in between; version and age of the snapshot.\n"
       "With --json a line of JSON a reading.",
       {{"interval,i", "SECONDS", "between readings; else 1"},
        {"once", "", "one reading, then end"}},
       top},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
