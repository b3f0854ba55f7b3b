#include "records/kind.h"

#include <span>

#include <fmt/format.h>

#include "base/check.h"

namespace pinflow::records {

namespace {

struct Spec {
  std::string_view name;
  ColumnType type;
};

constexpr Spec kPinColumns[] = {
    {"index", ColumnType::kInt64},      {"unique_id", ColumnType::kText},         {"title", ColumnType::kText},
    {"description", ColumnType::kText}, {"poster_name", ColumnType::kText},       {"follower_count", ColumnType::kText},
    {"tag_list", ColumnType::kText},    {"is_image_or_video", ColumnType::kText}, {"image_src", ColumnType::kText},
    {"downloaded", ColumnType::kInt32}, {"save_location", ColumnType::kText},     {"category", ColumnType::kText},
};
constexpr Spec kGeoColumns[] = {
    {"ind", ColumnType::kInt64},        {"timestamp", ColumnType::kText}, {"latitude", ColumnType::kDouble},
    {"longitude", ColumnType::kDouble}, {"country", ColumnType::kText},
};
constexpr Spec kUserColumns[] = {
    {"ind", ColumnType::kInt64}, {"first_name", ColumnType::kText},  {"last_name", ColumnType::kText},
    {"age", ColumnType::kInt32}, {"date_joined", ColumnType::kText},
};
constexpr Spec kSourceColumns[] = {
    {"source_topic", ColumnType::kText},
    {"source_partition", ColumnType::kInt32},
    {"source_offset", ColumnType::kInt64},
    {"arrived_at", ColumnType::kTimestamp},
};

std::vector<Column> columns(std::span<const Spec> specs) {
  std::vector<Column> made;
  made.reserve(specs.size());
  for (const Spec& spec : specs) made.emplace_back(std::string(spec.name), spec.type);
  return made;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kPin:
      return "pin";
    case Kind::kGeo:
      return "geo";
    case Kind::kUser:
      return "user";
  }
  CHECK(false, "a record kind outside its enum");
}

std::optional<Kind> kind_of(std::string_view topic) {
  const std::size_t mark = topic.find_last_of(".-");
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view last = topic.substr(mark + 1);
  for (const Kind kind : kKinds) {
    if (last == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::string Names::topic(Kind kind) const {
  return fmt::format("{}.{}", prefix, to_string(kind));
}
std::string Names::stream(Kind kind) const {
  return fmt::format("streaming-{}-{}", prefix, to_string(kind));
}
std::string Names::table(Kind kind) const {
  return fmt::format("{}_{}_table", prefix, to_string(kind));
}

std::string Names::latest_view(Kind kind) const {
  return fmt::format("{}_{}_latest", prefix, to_string(kind));
}

std::vector<Column> raw_columns(Kind kind) {
  switch (kind) {
    case Kind::kPin:
      return columns(kPinColumns);
    case Kind::kGeo:
      return columns(kGeoColumns);
    case Kind::kUser:
      return columns(kUserColumns);
  }
  CHECK(false, "a record kind outside its enum");
}

std::vector<Column> source_columns() {
  return columns(kSourceColumns);
}

}  // namespace pinflow::records
