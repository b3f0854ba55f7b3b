#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

// What `pinflow topics` and `pinflow groups` know and say: values in, text out. Pure; kafka_admin.h fills them from a broker.
namespace pinflow::app {

// A table for people: columns as wide as their widest cell, two blanks between, numbers to the right.
class TextTable {
 public:
  // A heading that begins with '>' is of a column of numbers.
  explicit TextTable(std::vector<std::string> headings);
  void add(std::vector<std::string> cells);
  // Lines with newlines; the last column is not filled up with blanks.
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

struct TopicPartitionName {
  std::string topic;
  std::int32_t partition = 0;
  // "topic:partition".
  std::string to_string() const;
  friend auto operator<=>(const TopicPartitionName&, const TopicPartitionName&) = default;
};

struct TopicListing {
  std::string name{};
  std::size_t partitions = 0;
  bool internal = false;
};

struct TopicDescription {
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t leader = -1;
    std::optional<std::int64_t> begin{};  // None where the leader does not tell.
    std::optional<std::int64_t> end{};
  };
  std::string name{};
  std::string id{};  // Empty: the broker has no topic ids.
  std::int32_t replicas = 1;
  std::vector<Partition> partitions{};
  std::vector<std::pair<std::string, std::string>> settings{};  // Those set for this topic.
};

struct GroupListing {
  std::string id{};
  std::string state{};  // Empty: the broker is too old to tell.
  std::string protocol_type{};
};

struct GroupDescription {
  struct Member {
    std::string id{};
    std::string instance_id{};
    std::string client_id{};
    std::string host{};
    std::vector<TopicPartitionName> partitions{};
  };
  struct Position {
    TopicPartitionName partition{};
    std::optional<std::int64_t> committed{};  // None: assigned, but nothing committed yet.
    std::optional<std::int64_t> end{};
    std::string member{};  // Its id; empty: nobody reads it now.
    std::optional<std::int64_t> lag() const;
  };
  std::string id{};
  std::string state{};
  std::string protocol{};  // The assignor.
  std::string coordinator{};
  std::vector<Member> members{};
  std::vector<Position> positions{};
};

// One line of what reset-offsets does.
struct ResetLine {
  TopicPartitionName partition{};
  std::optional<std::int64_t> from{};
  std::int64_t to = 0;
  bool clipped = false;  // The offset asked for is not there; the nearest is.
};

std::string format_topics(const std::vector<TopicListing>& topics, bool json);
std::string format_topic_descriptions(const std::vector<TopicDescription>& topics, bool json);
std::string format_groups(const std::vector<GroupListing>& groups, bool json);
std::string format_group_descriptions(const std::vector<GroupDescription>& groups, bool json);
std::string format_reset(const std::string& group, const std::vector<ResetLine>& lines, bool executed, bool json);

// Where a group shall go on.
struct ResetTarget {
  enum class Kind { kEarliest, kLatest, kOffset, kTime };
  Kind kind = Kind::kEarliest;
  std::int64_t offset = 0;  // kOffset.
  WallTime time{};          // kTime: the first record not older.
};
// Reads "earliest", "latest", an offset, or a time in UTC: 2026-11-22, 2026-11-22T10:15, 2026-11-22T10:15:00.250Z.
Result<ResetTarget> parse_reset_target(std::string_view text);

// Reads "topic" (all partitions, an empty list) or "topic:0,3".
Result<std::pair<std::string, std::vector<std::int32_t>>> parse_topic_choice(std::string_view text);

// Reads "key=value".
Result<std::pair<std::string, std::string>> parse_setting(std::string_view text);

}  // namespace pinflow::app
