#include "live/record_parser.h"

#include <algorithm>

#include "base/check.h"
#include "live/profile_text.h"

namespace pinflow::live {

using records::Kind;

RecordParser::RecordParser(Kind kind)
    : batch_(kind),
      kind_(kind),
      ind_(column(kind == Kind::kPin ? "index" : "ind")),
      name_(column(kind == Kind::kPin   ? "poster_name"
                   : kind == Kind::kGeo ? "country"
                                        : "age")),
      second_(kind == Kind::kPin ? column("follower_count") : 0),
      third_(kind == Kind::kPin ? column("category") : 0) {}

std::size_t RecordParser::column(std::string_view name) const {
  const auto& columns = batch_.batch().columns();
  const auto found = std::ranges::find(columns, name, &Column::name);
  CHECK(found != columns.end(), "records of this kind have this column");
  return static_cast<std::size_t>(found - columns.begin());
}

void RecordParser::read(const log::FetchedPartition& fetched, WallTime now) {
  batch_.clear();
  times_.clear();
  offsets_.clear();
  unreadable_ = 0;
  for (const auto& record : fetched.records) {
    const records::Source source{.topic = fetched.partition.topic,
                                 .partition = fetched.partition.partition.value(),
                                 .offset = record.offset.value(),
                                 .arrived = record.timestamp};
    if (!record.value || !batch_.add(*record.value, source)) {
      ++unreadable_;
      continue;
    }
    times_.push_back(std::min(record.timestamp, now));
    offsets_.push_back(record.offset.value());
  }
}

Pin RecordParser::pin(std::size_t row) const {
  const auto& columns = batch_.batch().columns();
  const auto text = [&](std::size_t column) {
    return columns[column].is_null(row) ? std::string_view() : columns[column].text_at(row);
  };
  return {.ind = columns[ind_].integer_at(row),
          .profile = text(name_),
          .followers = parse_follower_count(text(second_)),
          .category = text(third_),
          .time = times_[row],
          .offset = offsets_[row]};
}

Geo RecordParser::geo(std::size_t row) const {
  const auto& columns = batch_.batch().columns();
  return {.ind = columns[ind_].integer_at(row),
          .country = columns[name_].is_null(row) ? std::string_view() : columns[name_].text_at(row),
          .time = times_[row]};
}

User RecordParser::user(std::size_t row) const {
  const auto& columns = batch_.batch().columns();
  User user{.ind = columns[ind_].integer_at(row), .age = {}, .time = times_[row]};
  if (!columns[name_].is_null(row)) user.age = columns[name_].integer_at(row);
  return user;
}

void RecordParser::apply(LiveState& state, SourceState& source) const {
  for_each([&](const auto& record, log::Offset) { state.apply(source, record); });
  state.note_unreadable(unreadable_);
}

}  // namespace pinflow::live
