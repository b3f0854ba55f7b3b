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

void RecordParser::apply(LiveState& state, SourceState& source) const {
  const auto& columns = batch_.batch().columns();
  const auto text = [&](std::size_t column, std::size_t row) {
    return columns[column].is_null(row) ? std::string_view() : columns[column].text_at(row);
  };
  for (std::size_t row = 0; row < times_.size(); ++row) {
    const std::int64_t ind = columns[ind_].integer_at(row);
    switch (kind_) {
      case Kind::kPin:
        state.apply(source, Pin{.ind = ind,
                                .profile = text(name_, row),
                                .followers = parse_follower_count(text(second_, row)),
                                .category = text(third_, row),
                                .time = times_[row],
                                .offset = offsets_[row]});
        break;
      case Kind::kGeo:
        state.apply(source, Geo{.ind = ind, .country = text(name_, row), .time = times_[row]});
        break;
      case Kind::kUser: {
        std::optional<std::int64_t> age;
        if (!columns[name_].is_null(row)) age = columns[name_].integer_at(row);
        state.apply(source, User{.ind = ind, .age = age, .time = times_[row]});
        break;
      }
    }
  }
  state.note_unreadable(unreadable_);
}

}  // namespace pinflow::live
