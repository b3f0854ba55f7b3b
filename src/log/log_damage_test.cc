#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

// A log with everything in it, of which a bit is flipped anywhere.
class LogDamage : public LogFixture {
 protected:
  static constexpr std::int64_t kRecords = 60;
  static constexpr std::int64_t kStart = 10;
  static constexpr std::int64_t kInSegment = 24;  // Records at most.

  static std::string value(std::int64_t offset) { return fmt::format("value {}", offset); }

  void write_everything() {
    options_.topic_defaults.segment_bytes = 900;
    reopen();
    create("a");
    for (std::int64_t i = 0; i < kRecords; i += 3) {
      if (i % 2 == 0) {
        ASSERT_TRUE(
            append("a", batch_of({value(i), value(i + 1), value(i + 2)}, {5, 0, static_cast<std::int32_t>(i / 2)})));
      } else {
        ASSERT_TRUE(produce("a", {text(value(i)), text(value(i + 1)), text(value(i + 2))})[0]);
      }
      clock_.advance(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(log_->delete_records({"a", PartitionId(0)}, Offset(kStart)));
    ASSERT_TRUE(log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(7)}}));
    ASSERT_TRUE(log_->new_producer_id());
    log_.reset();
  }

  void list_files(const disk::Path& folder, std::vector<disk::Path>& files) {
    for (const disk::Entry& entry : *disk_.list(folder))
      if (entry.is_directory) {
        list_files(folder / entry.name, files);
      } else if (entry.size > 0) {
        files.push_back(folder / entry.name);
      }
  }

  // Whatever is shown is right. Gives how many records can be read.
  std::int64_t check_what_is_shown() {
    const TopicPartition a0{"a", PartitionId(0)};
    std::int64_t shown = 0;
    const OffsetRange range = *log_->offsets(a0);
    for (Offset next = range.begin; next < range.end;) {
      const FetchedPartition fetched = fetch_at("a", next);
      for (const StoredRecord& record : fetched.records) {
        EXPECT_EQ(record.value, value(record.offset.value()));
        ++shown;
      }
      EXPECT_TRUE(fetched.error || !fetched.records.empty());
      next = fetched.records.empty() ? next + 1 : fetched.records.back().offset + 1;
      if (const auto raw = log_->read_batches(a0, next, 1 << 20, true)) {
        for (std::string_view rest = raw->bytes; !rest.empty();) {
          const auto header = check_batch(rest);
          EXPECT_TRUE(header);
          if (!header) break;
          rest.remove_prefix(header->size);
        }
      }
    }
    if (const auto found = log_->find_time(a0, clock_.now() - std::chrono::milliseconds(10)); found && *found)
      EXPECT_TRUE((*found)->offset == Offset(kRecords - 30) || !log_->recovery().damage.empty());
    (void)log_->find_latest_time(a0);
    (void)log_->new_producer_id();
    return shown;
  }
};

std::uint64_t bit_flips() {
  const char* text = std::getenv("PINFLOW_BIT_FLIPS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 400;
}

TEST_F(LogDamage, ShowsNothingWrongWhicheverBitIsFlipped) {
  write_everything();
  std::vector<disk::Path> files;
  list_files("/log", files);
  std::uint64_t total = 0;
  std::vector<std::string> contents;
  for (const disk::Path& file : files) {
    contents.push_back(disk_.read_file(file).value());
    total += contents.back().size();
  }
  Random random(11);
  std::uint64_t named = 0;
  for (std::uint64_t flip = 0; flip < bit_flips(); ++flip) {
    std::uint64_t place = random.below(total);
    std::size_t which = 0;
    while (place >= contents[which].size()) place -= contents[which++].size();
    SCOPED_TRACE(fmt::format("flip {}: {} at {}", flip, files[which].string(), place));
    for (std::size_t i = 0; i < files.size(); ++i)
      if (const auto now = disk_.read_file(files[i]); !now || *now != contents[i])
        ASSERT_TRUE(disk_.write_file(files[i], contents[i]));
    std::string broken = contents[which];
    broken[place] = static_cast<char>(broken[place] ^ (1 << random.below(8)));
    ASSERT_TRUE(disk_.write_file(files[which], broken));
    auto opened = open_embedded_log(options_, disk_, clock_, logger_);
    if (!opened) {
      EXPECT_FALSE(opened.error().message.empty());
      EXPECT_EQ(files[which], "/log/format");
      continue;
    }
    log_ = std::move(*opened);
    named += log_->recovery().damage.empty() ? 0 : 1;
    if (log_->topic("a")) {
      const std::int64_t shown = check_what_is_shown();
      EXPECT_GE(shown, kRecords - kStart - kInSegment) << "lost more than a segment";
      const std::int64_t offset = write("a", "more");
      if (offset >= 0) EXPECT_GE(offset, kRecords - 3);
    } else {
      EXPECT_EQ(files[which].filename(), "topic.json");
      EXPECT_FALSE(log_->recovery().damage.empty());
    }
    log_.reset();
    if (HasFailure()) return;
  }
  EXPECT_GT(named, 0u);
}

TEST_F(LogDamage, CutsTheLastBatchWhereverItEnds) {
  write_everything();
  const disk::Path last = segments("a").back();
  const std::string whole = disk_.read_file(last).value();
  std::size_t begin = 0;
  while (begin + check_batch(std::string_view(whole).substr(begin))->size < whole.size())
    begin += check_batch(std::string_view(whole).substr(begin))->size;
  for (std::size_t length = begin; length < whole.size(); ++length) {
    ASSERT_TRUE(disk_.write_file(last, whole.substr(0, length)));
    reopen();
    EXPECT_TRUE(log_->recovery().damage.empty());
    EXPECT_EQ(log_->offsets({"a", PartitionId(0)})->end, Offset(kRecords - 3));
    EXPECT_EQ(values("a").back(), value(kRecords - 4));
    log_.reset();
  }
}

}  // namespace
}  // namespace pinflow::log
