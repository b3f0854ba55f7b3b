#include "schedule/run_store.h"

#include <utility>

#include <fmt/core.h>

#include "base/uuid.h"

namespace pinflow::schedule {

namespace {

bool is_missing(const Error& error) {
  return error.code == ErrorCode::kNotFound;
}

}  // namespace

RunStore::RunStore(disk::Path folder, disk::Disk& disk, const Clock& clock)
    : folder_(std::move(folder)), disk_(disk), clock_(clock) {}

RunStore::~RunStore() {
  lock_.reset();
  (void)disk_.remove_tree(folder_ / "owners" / owner_);  // Only tidies: nobody else has this name.
}

Result<std::unique_ptr<RunStore>> RunStore::open(const disk::Path& folder, disk::Disk& disk, const Clock& clock,
                                                 Random& random) {
  std::unique_ptr<RunStore> store(new RunStore(folder, disk, clock));
  store->owner_ = Uuid::random(random).to_string();
  const disk::Path own = folder / "owners" / store->owner_;
  TRY(disk.create_folders(folder / "events"));
  TRY(disk.create_folders(folder / "packs"));
  TRY(disk.create_folders(own));
  TRY_ASSIGN(store->lock_, disk.lock_folder(own));
  TRY(store->catch_up());
  return store;
}

disk::Path RunStore::event_file(std::uint64_t number) const {
  return folder_ / "events" / fmt::format("{:020}.event", number);
}

disk::Path RunStore::pack_file(std::uint64_t number) const {
  return folder_ / "packs" / fmt::format("{:020}.events", (number - 1) / kPack * kPack + 1);
}

Result<History> RunStore::read() {
  History copy;
  TRY(look([&copy](const History& history) { copy = history; }));
  return copy;
}

Result<void> RunStore::look(const std::function<void(const History&)>& with) {
  const std::scoped_lock lock(mutex_);
  TRY(catch_up());
  with(history_);
  return {};
}

RunStatus RunStore::status() const {
  const std::scoped_lock lock(status_mutex_);
  return status_;
}

void RunStore::tell_status() {
  RunStatus status;
  for (const RunState state : kStates) status.runs[static_cast<std::size_t>(state)] = history_.count(state);
  if (const Run* const run = history_.last_success()) status.last_success = run->ended;
  if (const Run* const run = history_.last_ended(); run != nullptr && run->ended && run->started)
    status.last_duration = *run->ended - *run->started;
  status.paused = history_.paused();
  const std::scoped_lock lock(status_mutex_);
  status_ = status;
}

// Reads what is new. A pack counts before single files of the same numbers: those may be of one who was too late.
Result<void> RunStore::catch_up() {
  while (true) {
    const std::uint64_t next = history_.next_number();
    auto packed = take(pack_file(next), kPack);
    if (packed) continue;
    if (!is_missing(packed.error())) return packed;
    auto single = take(event_file(next), 1);
    if (single) continue;
    if (!is_missing(single.error())) return single;
    // It may have been packed between the two looks.
    if (disk_.describe(pack_file(next))) continue;
    tell_status();
    return {};
  }
}

Result<void> RunStore::take(const disk::Path& file, std::uint64_t events) {
  TRY_ASSIGN(const std::string text, disk_.read_file(file));
  std::string_view rest = text;
  std::uint64_t expected = events == 1 ? history_.next_number() : (history_.next_number() - 1) / kPack * kPack + 1;
  for (std::uint64_t i = 0; i < events; ++i, ++expected) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos)
      return fail(ErrorCode::kCorrupt, fmt::format("{} ends early: restore it from a backup", file.string()));
    auto event = parse_event(rest.substr(0, end));
    if (!event) return fail(std::move(event).error().with_context(file.string()));
    rest.remove_prefix(end + 1);
    if (event->number != expected) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("{} has event {} where {} belongs", file.string(), event->number, expected));
    }
    if (expected < history_.next_number()) continue;
    if (const auto fits = history_.check(*event); !fits)
      return fail(ErrorCode::kCorrupt, fmt::format("{}: {}", file.string(), fits.error().message));
    history_.apply(*event);
  }
  return {};
}

Result<Event> RunStore::add(const std::function<Result<Event>(const History&)>& decide) {
  const std::scoped_lock lock(mutex_);
  while (true) {
    TRY(catch_up());
    TRY_ASSIGN(Event event, decide(history_));
    event.number = history_.next_number();
    event.at = clock_.now();
    const bool starts = event.type == Event::Type::kStarted;
    if (starts || event.type == Event::Type::kQueued || event.type == Event::Type::kSkipped) event.run = event.number;
    if (starts || event.type == Event::Type::kClaimed) event.owner = owner_;
    TRY(history_.check(event));
    TRY_ASSIGN(const bool put_it, put(event));
    if (!put_it) continue;
    history_.apply(event);
    tell_status();
    if (event.number % kPack == 0) (void)pack();  // Only saves reading: single files are as good.
    return event;
  }
}

// False: somebody else was first.
Result<bool> RunStore::put(const Event& event) {
  const auto written = disk_.write_new_file(event_file(event.number), event_line(event));
  if (!written && written.error().code == ErrorCode::kConflict) return false;
  if (!written) return fail(written.error());
  // The name may have been free only because the event of that number is in a pack already. Then ours is not part of the history, and
  // nobody reads it.
  const auto packed = disk_.describe(pack_file(event.number));
  if (packed) {
    (void)disk_.remove(event_file(event.number));
    return false;
  }
  if (!is_missing(packed.error())) return fail(packed.error());
  return true;
}

// Puts the events of the last full pack into one file, then removes theirs.
Result<void> RunStore::pack() {
  const std::uint64_t last = (history_.next_number() - 1) / kPack * kPack;
  std::string all;
  for (std::uint64_t number = last - kPack + 1; number <= last; ++number) {
    TRY_ASSIGN(const std::string one, disk_.read_file(event_file(number)));
    all += one;
  }
  const auto written = disk_.write_new_file(pack_file(last), all);
  if (!written && written.error().code != ErrorCode::kConflict) return written;
  for (std::uint64_t number = last - kPack + 1; number <= last; ++number) TRY(disk_.remove(event_file(number)));
  return {};
}

Result<bool> RunStore::is_dead(const std::string& owner) {
  if (owner == owner_)
    return true;  // The caller runs nothing, so it is a claim or an end of which the disk said no clear word.
  const auto lock = disk_.lock_folder(folder_ / "owners" / owner);
  if (lock || is_missing(lock.error())) return true;
  if (lock.error().code == ErrorCode::kConflict) return false;
  return fail(lock.error());
}

Result<bool> RunStore::end_dead_run() {
  std::optional<Run> running;
  TRY(look([&running](const History& history) {
    if (const Run* const run = history.running()) running = *run;
  }));
  if (!running) return false;
  TRY_ASSIGN(const bool dead, is_dead(running->owner));
  if (!dead) return false;
  const auto added = add([&](const History& now) -> Result<Event> {
    const Run* const run = now.running();
    if (run == nullptr || run->claim != running->claim) return fail(ErrorCode::kConflict, "somebody else saw it too");
    Event event;
    event.type = Event::Type::kEnded;
    event.run = run->id;
    event.claim = run->claim;
    event.state = RunState::kInterrupted;
    if (run->retry_in) event.retry_at = clock_.now() + *run->retry_in;
    event.outcome.success = false;
    event.outcome.exit_code = 1;
    event.outcome.message = "the process that ran it ended in the middle of it";
    return event;
  });
  if (!added && added.error().code == ErrorCode::kConflict) return false;
  if (!added) return fail(added.error());
  (void)disk_.remove_tree(folder_ / "owners" / running->owner);
  return true;
}

}  // namespace pinflow::schedule
