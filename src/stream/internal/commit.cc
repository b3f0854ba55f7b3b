// From fetched records to the tables: the part of KindLane that decides what is stored exactly once.
#include <algorithm>

#include <fmt/format.h>

#include "stream/internal/kind_lane.h"

namespace pinflow::stream::internal {

namespace {
std::optional<std::int64_t> stored_position(const delta::Table& table, const std::string& app) {
  const auto& transactions = table.snapshot().transactions;
  const auto stored = transactions.find(app);
  return stored == transactions.end() ? std::nullopt : std::optional(stored->second);
}
}  // namespace

void KindLane::commit() {
  if (!fetched_.empty()) begin_batch();
  while (!flights_.empty() && (!busy_ || flights_.size() == batches_.size())) commit_oldest();
  if (busy_ || !flights_.empty()) return;
  // No more is waiting: what large batches took is not kept for the small ones to come.
  for (const auto& batch : batches_) batch->release();
}

// Hands the fetched records to a free batch. While more is waiting it is made beside the batches before and after it.
void KindLane::begin_batch() {
  std::vector<Slice> slices;
  for (log::FetchedPartition& fetched : fetched_) {
    const auto found = partitions_.find(fetched.partition);
    if (found == partitions_.end() || !found->second.next) continue;
    Partition& partition = found->second;
    const log::Offset from = partition.ahead;
    partition.ahead = std::max(partition.ahead, fetched.next);
    slices.push_back({std::move(fetched), partition.topic_id, from, partition.until, partition.dead_next});
  }
  fetched_.clear();
  if (slices.empty()) {
    grant_ = {};
    return;
  }
  const auto is_free = [&](const auto& batch) {
    return std::ranges::find(flights_, batch.get(), &Flight::batch) == flights_.end();
  };
  MicroBatch& batch = **std::ranges::find_if(batches_, is_free);
  const auto how = busy_ && batches_.size() > 1 ? std::launch::async : std::launch::deferred;
  flights_.push_back({&batch, std::move(grant_), context_.clock.steady_now(),
                      std::async(how, [this, &batch, slices = std::move(slices)]() mutable {
                        return batch.make(std::move(slices), select_, spec_);
                      })});
}

void KindLane::commit_oldest() {
  Flight& flight = flights_.front();
  const auto made = flight.made.get();
  const SteadyTime begun = flight.begun;
  MicroBatch& batch = *flight.batch;
  const auto stored = made ? store(batch) : made;
  flights_.pop_front();
  if (!stored) return retreat(stored.error());
  advance(batch);
  pace_.committed(batch.rows() + batch.dead_letters(), context_.clock.steady_now() - begun);
}

// Their records are fetched again from the last commit on.
void KindLane::drop_flights() {
  for (Flight& flight : flights_) {
    // A deferred one was not begun.
    if (flight.made.wait_for(std::chrono::seconds(0)) == std::future_status::deferred) continue;
    (void)flight.made.get();
    flight.batch->discard();
  }
  flights_.clear();
  fetched_.clear();
  grant_ = {};
}

Result<void> KindLane::store(MicroBatch& batch) {
  if (batch.marks().empty()) return {};
  if (const auto dead = store_dead_letters(batch); !dead) {
    batch.discard();
    return dead;
  }
  std::vector<delta::Transaction> transactions;
  for (const auto& [name, mark] : batch.marks()) {
    transactions.push_back({app_id(name, mark.topic_id, table_), mark.last.value()});
  }
  TRY(append(*clean_, seen_clean_, batch.files(), transactions));
  context_.done(Step::kRowsCommitted);
  for (const delta::DataFile& file : batch.files()) totals_.rows += file.rows;
  return {};
}

Result<void> KindLane::store_dead_letters(MicroBatch& batch) {
  std::vector<delta::Transaction> transactions;
  for (const auto& [name, mark] : batch.marks()) {
    if (!mark.has_dead_letters) continue;
    transactions.push_back({app_id(name, mark.topic_id, options_.dead_letters), mark.last.value()});
  }
  if (transactions.empty()) return {};
  TRY_ASSIGN(const auto files, batch.write_dead_letters(*dead_));
  TRY(append(*dead_, seen_dead_, files, transactions));
  context_.done(Step::kDeadLettersCommitted);
  return {};
}

// The table refuses positions that another lane moved since its snapshot. But the snapshot grows with each commit of ours, also with one
// of other partitions that came behind such a move: so the positions must be those that this lane knows.
Result<void> KindLane::append(delta::Table& table, Seen& seen, const std::vector<delta::DataFile>& files,
                              const std::vector<delta::Transaction>& transactions) {
  Result<void> appended;
  for (const delta::Transaction& transaction : transactions) {
    const auto known = seen.find(transaction.app_id);
    if (known != seen.end() && known->second == stored_position(table, transaction.app_id)) continue;
    appended = fail(ErrorCode::kConflict, fmt::format("another lane moved {} meanwhile", transaction.app_id));
  }
  if (appended) {
    if (const auto version = table.append(files, transactions); !version) appended = fail(version.error());
  }
  if (appended) {
    for (const delta::Transaction& transaction : transactions) seen[transaction.app_id] = transaction.version;
    return {};
  }
  // After any other failure the commit may stand or yet come to stand: its files stay, if in vain for a vacuum to find.
  if (appended.error().code == ErrorCode::kConflict) {
    for (const delta::DataFile& file : files) table.discard(file);
  }
  return appended;
}

std::optional<std::int64_t> KindLane::note_seen(const delta::Table& table, Seen& seen, const std::string& app) {
  return seen[app] = stored_position(table, app);
}

// What others committed since.
Result<void> KindLane::read_tables() {
  TRY(dead_->refresh());
  TRY(clean_->refresh());
  totals_.rows = clean_->snapshot().rows();
  return {};
}

void KindLane::advance(const MicroBatch& batch) {
  for (const auto& [name, mark] : batch.marks()) {
    const auto found = partitions_.find(name);
    // The topic may have been deleted meanwhile, or the place be unknown after an error.
    if (found == partitions_.end() || found->second.topic_id != mark.topic_id || !found->second.next) continue;
    Partition& partition = found->second;
    partition.next = mark.last + 1;
    partition.error.clear();
    partition.backoff.succeeded();
  }
  totals_.records += batch.rows() + batch.dead_letters();
  totals_.dead_letters += batch.dead_letters();
  if (!batch.unknown_members().empty()) note_unknown_members(batch.unknown_members());
  ++totals_.commits;
  totals_.last_commit = context_.clock.now();
  totals_.error.clear();
  backoff_.succeeded();
  batch_records_ = std::min(batch_records_ * 2, options_.max_batch_records);
}

// A change of what is posted shows first in members that no column takes. One line a name, for as long as the lane lives.
void KindLane::note_unknown_members(const records::UnknownMembers& members) {
  for (const records::UnknownMember& member : unknown_members_.add(members)) {
    context_.logger.warning(
        options_.keep_unknown_members
            ? "Records have a member that no column takes; it goes into the column unknown_members"
            : "Records have a member that no column takes; it is left out of their rows and stays in the log",
        {{"table", table_},
         {"member", member.name},
         {"topic", member.topic},
         {"partition", member.partition},
         {"offset", member.offset}});
  }
}

// Goes back to the last commit. A conflict means that another lane was faster with these records: its positions count.
void KindLane::retreat(const Error& error) {
  busy_ = false;
  drop_flights();
  if (error.code == ErrorCode::kConflict) {
    forget_places();
    if (const auto read = read_tables(); !read) failed(read.error());
    return;
  }
  if (error.code == ErrorCode::kOverloaded) batch_records_ = std::max(std::int64_t{1}, batch_records_ / 2);
  failed(error);
}

}  // namespace pinflow::stream::internal
