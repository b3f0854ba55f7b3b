#include "stream/internal/micro_batch.h"

#include <fmt/format.h>

namespace pinflow::stream::internal {

namespace {
// The temporary table of a batch's dead letters.
constexpr std::string_view kDeadLettersLoaded = "dead_letters";
// The temporary table of members that no column takes.
constexpr std::string_view kUnknownLoaded = "raw_unknown_members";
// Batches that hold more are not kept in memory once they are committed.
constexpr std::size_t kSmallBatch = std::size_t{4} << 20;
// A commit to a table by date has a file for each: records whose producers name any time must not make thousands.
constexpr std::size_t kMostDates = 32;
}  // namespace

MicroBatch::MicroBatch(records::Kind kind, const StreamOptions& options, const StreamContext& context, Random random)
    : kind_(kind),
      stream_(options.names.stream(kind)),
      by_date_(options.partition_by_date),
      keeps_unknown_(options.keep_unknown_members),
      raw_name_(fmt::format("raw_{}", to_string(kind))),
      context_(context),
      random_(random),
      rows_(kind, keeps_unknown_ ? records::RawBatch::Unknown::kKeep : records::RawBatch::Unknown::kLeaveOut) {}

std::string MicroBatch::select_dead_letters() {
  return fmt::format("SELECT * FROM {}", kDeadLettersLoaded);
}

std::string MicroBatch::with_unknown_members(const std::string& select) {
  return fmt::format(
      "SELECT cleaned.*, unknown.{} FROM (\n{}\n) AS cleaned LEFT JOIN {} AS unknown ON cleaned.source_partition = "
      "unknown.source_partition AND cleaned.source_offset = unknown.source_offset",
      records::RawBatch::kUnknownMembers, select, kUnknownLoaded);
}

Result<sql::Session*> MicroBatch::open() {
  if (session_) return session_.get();
  TRY_ASSIGN(auto session, context_.engine.connect());
  TRY(session->run(context_.statements.prelude()));
  rows_.clear();
  dead_letters_.batch().clear();
  session_ = std::move(session);
  auto loaded = load_rows();
  if (loaded) loaded = session_->load(kDeadLettersLoaded, dead_letters_.batch());
  if (!loaded) {
    session_.reset();
    return fail(std::move(loaded.error()));
  }
  return session_.get();
}

Result<void> MicroBatch::load_rows() {
  TRY(session_->load(raw_name_, rows_.batch()));
  if (!keeps_unknown_) return {};
  return session_->load(kUnknownLoaded, rows_.kept_members());
}

void MicroBatch::close() {
  writer_.reset();
  session_.reset();
}

Result<void> MicroBatch::make(std::vector<Slice> slices, const std::string& select, const delta::TableSpec& spec) {
  marks_.clear();
  files_.clear();
  dates_.clear();
  TRY(open());
  rows_.clear();
  dead_letters_.batch().clear();
  for (Slice& slice : slices) {
    parse(slice);
    slice.fetched.records = {};  // Its bytes are in the columns now.
  }
  context_.done(Step::kParsed);
  if (rows() == 0) return {};
  if (dates_.size() > kMostDates && rows() > 1) {
    return fail(ErrorCode::kOverloaded,
                fmt::format("a batch of {} records came from {} dates, at most {} go into one commit", rows(),
                            dates_.size(), kMostDates));
  }
  TRY(write_rows(select, spec));
  context_.done(Step::kRowsWritten);
  return {};
}

void MicroBatch::parse(const Slice& slice) {
  const log::FetchedPartition& fetched = slice.fetched;
  const log::Offset end = slice.until ? std::min(*slice.until, fetched.next) : fetched.next;
  // Offsets without records count as done too, or the lane would stand before them for ever.
  if (end <= slice.from) return;
  Mark mark{slice.topic_id, end + -1};
  for (const log::StoredRecord& record : fetched.records) {
    if (record.offset < slice.from || record.offset >= end) continue;
    const records::Source source{stream_, fetched.partition.partition.value(), record.offset.value(), record.timestamp};
    const auto added = record.value ? rows_.add(*record.value, source)
                                    : Result<void>(fail(ErrorCode::kInvalid, "the record has no value"));
    if (added && by_date_) dates_.insert(std::chrono::floor<std::chrono::days>(record.timestamp));
    // Dead letters are committed before the rows: after a crash in between they are there already.
    if (added || record.offset < slice.dead_next) continue;
    dead_letters_.add(source, kind_, added.error().message, record.value);
    mark.has_dead_letters = true;
  }
  marks_.emplace(fetched.partition, mark);
}

Result<void> MicroBatch::write_rows(const std::string& select, const delta::TableSpec& spec) {
  if (writer_ == nullptr) {
    delta::TableSpec for_files = spec;
    for_files.checkpoint_interval = 0;
    const delta::TableContext context{context_.tables, context_.engine, context_.clock, random_, context_.logger};
    TRY_ASSIGN(writer_, delta::open_table(context, for_files));
  }
  TRY(load_rows());
  TRY_ASSIGN(files_, writer_->write_files(*session_, select));
  std::int64_t cleaned = 0;
  for (const delta::DataFile& file : files_) cleaned += file.rows;
  if (cleaned != static_cast<std::int64_t>(rows())) {
    context_.logger.warning("The cleaning SQL does not give one row a record",
                            {{"table", spec.name}, {"records", rows()}, {"rows", cleaned}});
  }
  return {};
}

Result<std::vector<delta::DataFile>> MicroBatch::write_dead_letters(delta::Table& table) {
  TRY(session_->load(kDeadLettersLoaded, dead_letters_.batch()));
  TRY_ASSIGN(auto files, table.write_files(*session_, select_dead_letters()));
  context_.done(Step::kDeadLettersWritten);
  return files;
}

void MicroBatch::release() {
  if (rows_.batch().memory() + rows_.kept_members().memory() + dead_letters_.batch().memory() <= kSmallBatch) return;
  rows_.release();
  dead_letters_ = {};
  if (session_ == nullptr) return;
  // Without it the engine's copies would go with the next batch; an error comes again there.
  (void)load_rows();
  (void)session_->load(kDeadLettersLoaded, dead_letters_.batch());
}

void MicroBatch::discard() {
  for (const delta::DataFile& file : files_) writer_->discard(file);
  files_.clear();
}

}  // namespace pinflow::stream::internal
