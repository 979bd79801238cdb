#include "pulse.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

namespace lrcn {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Interval between two heartbeats; grows with the number of ranks, since each reads all lines.
constexpr milliseconds kBeat{500}, kBeatPerRank{8};
/// Heartbeats that a rank may miss before it counts as dead: its processor may be busy.
constexpr int64_t kSilentBeats = 6;
/// Heartbeats after which a rank with less progress than others counts as hanging.
constexpr int64_t kPatientBeats = 9;
/// Further heartbeats to wait for the others to find out as well.
constexpr int64_t kLingeringBeats = 4;

std::string key_of(int32_t rank) { return "pulse/" + std::to_string(rank); }

/// A rank's line in the store.
struct Line {
  int64_t count = 0;     // grows with every heartbeat
  int64_t arrivals = 0;  // progress: number of collectives started
  bool failed = false;   // whether it cannot continue
  bool knows = false;    // whether it knows why
  std::string reason;    // why it ends by itself

  std::vector<uint8_t> bytes() const {
    std::ostringstream text;
    text << count << ' ' << arrivals << ' ' << failed << ' ' << knows << ' ' << reason;
    const auto value = text.str();
    return {value.begin(), value.end()};
  }

  static Line parse(const std::vector<uint8_t>& bytes) {
    std::istringstream text(std::string(bytes.begin(), bytes.end()));
    Line line;
    text >> line.count >> line.arrivals >> line.failed >> line.knows;
    text.get();
    std::getline(text, line.reason);
    return line;
  }
};

struct Seen {
  Line line;
  Clock::time_point changed;
};

}  // namespace

struct Pulse::Shared {
  Place place;
  milliseconds interval;
  std::mutex mutex;
  std::condition_variable wake, news;
  c10::intrusive_ptr<c10d::Store> store;  // used by the thread alone
  Line own;
  int64_t written = 0;  // count of the last line in the store
  std::vector<Seen> seen;
  std::optional<Clock::time_point> trouble;  // since when a rank cannot continue
  std::optional<std::string> verdict;
  bool store_is_gone = false;
  bool stopping = false;

  bool is_silent(size_t rank, Clock::time_point now, int64_t beats) const {
    return rank != static_cast<size_t>(place.rank) && now - seen[rank].changed > beats * interval;
  }

  /// The missing ranks, as far as known; empty if it is too early to tell.
  std::optional<std::string> judge(Clock::time_point now) const;
  void take(const std::vector<std::vector<uint8_t>>& lines);
  bool others_know(Clock::time_point now) const;
  std::string keeper_is_silent() const { return place.keeper + " does not answer"; }
};

std::optional<std::string> Pulse::Shared::judge(Clock::time_point now) const {
  std::string missing;
  const auto add = [&](size_t rank, const std::string& what) {
    missing += (missing.empty() ? "" : "; ") + ("rank " + std::to_string(rank)) + what;
  };
  const auto each = [&](auto&& task) {
    for (size_t rank = 0; rank < seen.size(); ++rank) task(rank, seen[rank].line);
  };
  each([&](size_t rank, const Line& line) {
    if (!line.reason.empty() && rank != static_cast<size_t>(place.rank)) add(rank, " ended: " + line.reason);
  });
  if (!missing.empty()) return missing;
  if (store_is_gone) return keeper_is_silent();
  bool dead = false;
  each([&](size_t rank, const Line&) { dead = dead || is_silent(rank, now, kSilentBeats); });
  // Ranks that died with it have been silent for nearly as long.
  each([&](size_t rank, const Line&) {
    if (dead && is_silent(rank, now, kSilentBeats - 2)) add(rank, " does not answer");
  });
  if (dead) return missing;
  if (now - *trouble < kPatientBeats * interval) return std::nullopt;
  int64_t furthest = 0;
  each([&](size_t, const Line& line) { furthest = std::max(furthest, line.arrivals); });
  each([&](size_t rank, const Line& line) {
    if (line.arrivals < furthest) add(rank, " does not answer");
  });
  return missing;
}

void Pulse::Shared::take(const std::vector<std::vector<uint8_t>>& lines) {
  const auto now = Clock::now();
  for (size_t rank = 0; rank < lines.size(); ++rank) {
    auto line = Line::parse(lines[rank]);
    if (!trouble && (line.failed || !line.reason.empty())) trouble = now;
    if (line.count != seen[rank].line.count) seen[rank] = {std::move(line), now};
  }
}

bool Pulse::Shared::others_know(Clock::time_point now) const {
  for (size_t rank = 0; rank < seen.size(); ++rank) {
    const auto& line = seen[rank].line;
    const bool ended = line.knows || !line.reason.empty() || is_silent(rank, now, kSilentBeats - 2);
    if (rank != static_cast<size_t>(place.rank) && !ended) return false;
  }
  return true;
}

Pulse::Pulse(const Place& place, const Connect& connect) : shared_(std::make_shared<Shared>()) {
  shared_->place = place;
  shared_->interval = std::max(kBeat, place.size * kBeatPerRank);
  shared_->store = connect();
  shared_->store->set(key_of(place.rank), shared_->own.bytes());
  shared_->seen.assign(static_cast<size_t>(place.size), {});
  std::thread([shared = shared_] { beat(shared); }).detach();
}

Pulse::~Pulse() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->wake.notify_all();
  // The thread drops the store when it ends; one that is stuck in a call is detached.
  shared_->news.wait_for(lock, shared_->interval, [&] { return shared_->store == nullptr; });
}

void Pulse::beat(const std::shared_ptr<Shared>& shared) {
  auto& s = *shared;
  std::vector<std::string> keys;
  for (int32_t rank = 0; rank < s.place.size; ++rank) keys.push_back(key_of(rank));
  bool complete = false;
  std::unique_lock lock(s.mutex);
  while (!s.stopping && !s.store_is_gone) {
    ++s.own.count;
    const auto line = s.own;
    lock.unlock();
    std::optional<std::vector<std::vector<uint8_t>>> lines;
    bool gone = false;
    try {
      s.store->set(keys[static_cast<size_t>(s.place.rank)], line.bytes());
      // The store would wait for keys of ranks that have not arrived.
      complete = complete || s.store->check(keys);
      if (complete) lines = s.store->multiGet(keys);
    } catch (const std::exception&) {
      gone = true;
    }
    lock.lock();
    s.store_is_gone = gone;
    if (gone && !s.trouble) s.trouble = Clock::now();
    if (!gone) s.written = line.count;
    if (lines) {
      for (auto& seen : s.seen) {
        if (seen.changed == Clock::time_point{}) seen.changed = Clock::now();
      }
      s.take(*lines);
    }
    if (s.trouble && !s.verdict && (lines || gone)) {
      s.verdict = s.judge(Clock::now());
      s.own.knows = s.verdict.has_value();
      if (s.own.knows && !gone) {
        s.news.notify_all();
        continue;  // to report it at once
      }
    }
    s.news.notify_all();
    const auto written = s.own;
    s.wake.wait_for(lock, s.interval, [&] {
      return s.stopping || s.own.failed != written.failed || s.own.reason != written.reason;
    });
  }
  const auto store = std::move(s.store);
  s.store = nullptr;
  s.news.notify_all();
  lock.unlock();
}

void Pulse::arrive() {
  const std::lock_guard lock(shared_->mutex);
  ++shared_->own.arrivals;
}

void Pulse::leave(const std::string& reason) {
  auto& s = *shared_;
  std::unique_lock lock(s.mutex);
  // A rank that ends because another is missing is not the cause.
  if (s.own.failed || !s.own.reason.empty() || s.verdict) return;
  s.own.reason = reason.substr(0, reason.find('\n'));
  const auto before = s.own.count;
  s.wake.notify_all();
  s.news.wait_for(lock, kLingeringBeats * s.interval, [&] { return s.store_is_gone || s.written > before; });
  if (!s.place.keeps_store) return;
  s.news.wait_for(lock, kLingeringBeats * s.interval, [&] { return s.store_is_gone || s.others_know(Clock::now()); });
}

std::string Pulse::find_missing() {
  auto& s = *shared_;
  std::unique_lock lock(s.mutex);
  s.own.failed = true;
  if (!s.trouble) s.trouble = Clock::now();
  s.wake.notify_all();
  s.news.wait_for(lock, (kPatientBeats + kLingeringBeats) * s.interval, [&] { return s.verdict.has_value(); });
  if (!s.verdict) s.verdict = s.keeper_is_silent();
  if (s.place.keeps_store) {
    s.news.wait_for(lock, kLingeringBeats * s.interval, [&] { return s.store_is_gone || s.others_know(Clock::now()); });
  }
  return *s.verdict;
}

}  // namespace lrcn
