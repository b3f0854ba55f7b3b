// From the records at hand to the tables: the part of KindLane that decides what is stored exactly once.
#include <algorithm>

#include "stream/internal/kind_lane.h"

namespace pinflow::stream::internal {

void KindLane::commit() {
  if (fetched_.empty()) return;
  commit_at_ = context_.clock.steady_now() + options_.commit_interval;
  rows_.clear();
  dead_letters_.batch().clear();
  last_.clear();
  last_dead_.clear();
  for (const log::FetchedPartition& fetched : fetched_) {
    const auto partition = partitions_.find(fetched.partition);
    if (partition != partitions_.end() && partition->second.next) parse(fetched, partition->second);
  }
  fetched_.clear();
  if (last_.empty()) return;
  if (const auto stored = store(); !stored) return retreat(stored.error());
  advance();
}

void KindLane::parse(const log::FetchedPartition& fetched, const Partition& partition) {
  for (const log::StoredRecord& record : fetched.records) {
    if (record.offset < *partition.next) continue;
    const records::Source source{stream_, partition.name.partition.value(), record.offset.value(), record.timestamp};
    const auto added = record.value ? rows_.add(*record.value, source)
                                    : Result<void>(fail(ErrorCode::kInvalid, "the record has no value"));
    // Dead letters are committed before the rows: after a crash in between they are there already.
    if (added || record.offset < partition.dead_next) continue;
    dead_letters_.add(source, kind_, added.error().message, record.value);
    last_dead_[partition.name] = record.offset;
  }
  // Offsets without records count as done too, or the lane would stand before them for ever.
  if (fetched.next > *partition.next) last_[partition.name] = fetched.next + -1;
}

Result<void> KindLane::store() {
  TRY(store_dead_letters());
  return store_rows();
}

Result<void> KindLane::store_dead_letters() {
  if (last_dead_.empty()) return {};
  TRY(session_->load(kDeadLettersLoaded, dead_letters_.batch()));
  TRY_ASSIGN(const auto files, dead_->write_files(*session_, select_dead_letters()));
  return append(*dead_, files, transactions(options_.dead_letters, last_dead_));
}

Result<void> KindLane::store_rows() {
  std::vector<delta::DataFile> files;
  std::int64_t cleaned = 0;
  if (const std::size_t rows = rows_.batch().rows(); rows > 0) {
    TRY(session_->load(raw_name_, rows_.batch()));
    TRY_ASSIGN(files, clean_->write_files(*session_, select_));
    for (const delta::DataFile& file : files) cleaned += file.rows;
    if (cleaned != static_cast<std::int64_t>(rows)) {
      context_.logger.warning("The cleaning SQL does not give one row a record",
                              {{"table", table_}, {"records", rows}, {"rows", cleaned}});
    }
  }
  TRY(append(*clean_, files, transactions(table_, last_)));
  totals_.rows += cleaned;
  return {};
}

KindLane::Transactions KindLane::transactions(const std::string& table, const Offsets& marks) const {
  Transactions transactions;
  for (const auto& [name, ignored] : marks) {
    transactions.push_back({app_id(partitions_.at(name), table), last_.at(name).value()});
  }
  return transactions;
}

Result<void> KindLane::append(delta::Table& table, const std::vector<delta::DataFile>& files,
                              const Transactions& transactions) {
  const auto appended = table.append(files, transactions);
  if (appended) return {};
  // After any other failure the commit may stand or yet come to stand: its files stay, if in vain for a vacuum to find.
  if (appended.error().code == ErrorCode::kConflict) {
    for (const delta::DataFile& file : files) table.discard(file);
  }
  return fail(appended.error());
}

void KindLane::advance() {
  for (const auto& [name, last] : last_) {
    Partition& partition = partitions_.at(name);
    partition.next = last + 1;
    partition.error.clear();
    partition.backoff.succeeded();
  }
  totals_.records += rows_.batch().rows() + dead_letters_.batch().rows();
  totals_.dead_letters += dead_letters_.batch().rows();
  ++totals_.commits;
  totals_.last_commit = context_.clock.now();
  totals_.error.clear();
  backoff_.succeeded();
  batch_records_ = std::min(batch_records_ * 2, options_.max_batch_records);
}

// Goes back to the last commit. A conflict means that another lane was faster with these records: its positions count.
void KindLane::retreat(const Error& error) {
  if (error.code == ErrorCode::kConflict) {
    forget_places();
    const auto dead = dead_->refresh();
    const auto clean = dead ? clean_->refresh() : dead;
    if (!clean) return failed(clean.error());
    totals_.rows = clean_->snapshot().rows();
    return;
  }
  if (error.code == ErrorCode::kOverloaded) batch_records_ = std::max(std::int64_t{1}, batch_records_ / 2);
  failed(error);
}

}  // namespace pinflow::stream::internal
