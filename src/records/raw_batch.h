#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/columns.h"
#include "base/result.h"
#include "records/kind.h"
#include "records/unknown_members.h"

namespace pinflow::records {

// Where a record was read. `topic` is borrowed for the call.
struct Source {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<WallTime> arrived = std::nullopt;
};

// Records that cannot be rows, with all that is needed to look at them and to try again. Columns:
// source_columns(), then kind (text, null where the topic is of no kind), reason (text), raw (bytes, null for
// a record without value).
class DeadLetters {
 public:
  DeadLetters();
  void add(const Source& source, std::optional<Kind> kind, std::string_view reason,
           std::optional<std::string_view> raw);
  const ColumnBatch& batch() const { return batch_; }
  ColumnBatch& batch() { return batch_; }

 private:
  ColumnBatch batch_;
};

// Parses records of one kind into typed raw columns (raw_columns + source_columns). Not thread-safe; reuse it
// for many batches, it keeps its buffers until release(). Limits: a record of 1 MiB, 64 levels deep, wrapped 3 times.
class RawBatch {
 public:
  // What to do with members that no column takes; they are counted in any case.
  enum class Unknown { kLeaveOut, kKeep };
  explicit RawBatch(Kind kind, Unknown unknown = Unknown::kLeaveOut);
  ~RawBatch();
  RawBatch(const RawBatch&) = delete;
  RawBatch& operator=(const RawBatch&) = delete;

  // Adds one record given as JSON text, or says why it cannot be a row (kInvalid; the batch is unchanged).
  // The message is a short sentence without values, so that dead letters can be counted by it: "member 'ind'
  // is not a whole number". Understood: the record once more as a JSON string, and a REST envelope of one
  // record, `{"records":[{"value":...}]}`, also in one another; `ind` for `index` and the other way round.
  // Unknown members are counted, but must be JSON; missing ones are null; a member given twice counts once,
  // the first. Whole-number columns take 28, 28.0, 2.8e1 and all of these as strings; double columns any
  // number, also as a string; blank strings are null there. Text columns take strings as they are, and
  // numbers by their spelling. Nothing is guessed: booleans, arrays and objects have no column that takes
  // them, and half of a surrogate pair is no text.
  Result<void> add(std::string_view json, const Source& source);

  Kind kind() const { return kind_; }
  const ColumnBatch& batch() const { return batch_; }
  // The members of its rows that no column takes.
  const UnknownMembers& unknown_members() const { return unknown_members_; }
  // With Unknown::kKeep, a row for each row that has such members: source_partition, source_offset, and unknown_members, an object
  // of them as they were sent. Else without rows.
  const ColumnBatch& kept_members() const { return kept_members_; }
  static constexpr std::string_view kUnknownMembers = "unknown_members";
  // Empties the batch; its buffers stay for the next.
  void clear();
  // The same, and gives the memory of its buffers back.
  void release();

 private:
  struct Parser;
  void note_unknown(const Source& source);
  Kind kind_;
  Unknown unknown_;
  ColumnBatch batch_;
  UnknownMembers unknown_members_;
  ColumnBatch kept_members_;
  std::unique_ptr<Parser> parser_;
};

// Writes row `row` of a batch that begins with raw_columns(kind) as the JSON object that a posting script
// would send: members in the order of the columns, no blanks, text as UTF-8, doubles by the fewest digits
// that read back the same, null for null. Source columns, where the batch has them, are left out.
void append_json_record(std::string& out, const ColumnBatch& batch, std::size_t row);

}  // namespace pinflow::records
