#include "emulator/source.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "emulator/internal/table_store.h"
#include "records/raw_batch.h"

namespace pinflow::emulator {

namespace internal {

namespace {

class StoredSource final : public Source {
 public:
  explicit StoredSource(std::unique_ptr<TableStore> store) : store_(std::move(store)) {}

  Result<void> measure() {
    std::string indices;
    for (const records::Kind kind : records::kKinds) {
      fmt::format_to(std::back_inserter(indices), "{}SELECT {} AS i FROM {}", indices.empty() ? "" : " UNION ",
                     id_of(kind), store_->quote(table_of(kind)));
    }
    ColumnBatch answer(
        {Column("posts", ColumnType::kInt64), Column("first", ColumnType::kInt64), Column("last", ColumnType::kInt64)});
    TRY(store_->select(fmt::format("SELECT COUNT(i), MIN(i), MAX(i) FROM ({}) AS indices", indices), answer));
    extent_.posts = answer.columns()[0].integer_at(0);
    if (extent_.posts > 0) {
      extent_.first_index = answer.columns()[1].integer_at(0);
      extent_.end_index = answer.columns()[2].integer_at(0) + 1;
    }
    return {};
  }

  const SourceExtent& extent() const override { return extent_; }

  Result<std::vector<Post>> read(std::int64_t first, std::int64_t end) override {
    TRY_ASSIGN(auto posts, select("{0} >= {1} AND {0} < {2}", first, end));
    std::vector<Post> in_order;
    for (auto& [index, post] : posts) in_order.push_back(std::move(post));
    return in_order;
  }

  Result<std::vector<Post>> pick(std::span<const std::int64_t> indices) override {
    if (indices.empty()) return std::vector<Post>();
    std::vector<std::int64_t> distinct(indices.begin(), indices.end());
    std::ranges::sort(distinct);
    distinct.erase(std::ranges::unique(distinct).begin(), distinct.end());
    TRY_ASSIGN(auto posts, select("{0} IN ({1})", fmt::format("{}", fmt::join(distinct, ","))));
    std::vector<Post> picked;
    for (const std::int64_t index : indices) {
      if (const auto found = posts.find(index); found != posts.end()) picked.push_back(found->second);
    }
    return picked;
  }

 private:
  std::string id_of(records::Kind kind) const { return store_->quote(records::raw_columns(kind).front().name()); }

  template <class... Values>
  Result<std::map<std::int64_t, Post>> select(std::string_view condition, const Values&... values) {
    std::map<std::int64_t, Post> posts;
    for (std::size_t k = 0; k < records::kKinds.size(); ++k) {
      const records::Kind kind = records::kKinds[k];
      ColumnBatch rows(records::raw_columns(kind));
      std::string expressions;
      for (const Column& column : rows.columns()) {
        fmt::format_to(std::back_inserter(expressions), "{}{}", expressions.empty() ? "" : ", ",
                       store_->select_expression(column, is_time_column(column.name())));
      }
      const std::string where = fmt::format(fmt::runtime(condition), id_of(kind), values...);
      TRY(store_->select(fmt::format("SELECT {} FROM {} WHERE {}", expressions, store_->quote(table_of(kind)), where),
                         rows));
      for (std::size_t row = 0; row < rows.rows(); ++row) {
        const std::int64_t index = rows.columns().front().integer_at(row);
        Post& post = posts[index];
        post.index = index;
        post.records[k].clear();  // A row that is there twice is posted once.
        records::append_json_record(post.records[k], rows, row);
      }
    }
    return posts;
  }

  std::unique_ptr<TableStore> store_;
  SourceExtent extent_;
};

}  // namespace

}  // namespace internal

bool is_database_url(std::string_view location) {
  return location.starts_with("mysql://") || location.starts_with("mariadb://");
}

Result<std::unique_ptr<Source>> open_source(const std::string& location) {
  TRY_ASSIGN(auto store, internal::open_store(location, false));
  for (const records::Kind kind : records::kKinds) {
    TRY_ASSIGN(const bool there, store->has_table(kind));
    if (!there) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("the source {} has no table {}; make its tables with `pinflow source "
                              "create`",
                              internal::shown(location), internal::table_of(kind)));
    }
  }
  auto source = std::make_unique<internal::StoredSource>(std::move(store));
  TRY(source->measure());
  return source;
}

Result<SourceExtent> create_source(const std::string& location, const records::SyntheticOptions& synthetic,
                                   const FillOptions& options) {
  constexpr std::size_t kSlice = 16'384;
  constexpr std::int64_t kMostPosts = 1'000'000'000;
  if (synthetic.posts < 0 || synthetic.posts > kMostPosts) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} posts cannot be made; choose between 0 and {}", synthetic.posts, kMostPosts));
  }
  TRY_ASSIGN(auto store, internal::open_empty_store(location, options.replace));
  records::SyntheticPosts posts(synthetic);
  std::int64_t made = 0;
  for (auto slice = posts.next(kSlice); slice.at(records::Kind::kPin).rows() > 0; slice = posts.next(kSlice)) {
    if (options.stop.stop_requested()) return fail(ErrorCode::kCancelled, "making the source was stopped");
    for (const auto& [kind, rows] : slice) TRY(store->insert(kind, rows));
    made += static_cast<std::int64_t>(slice.at(records::Kind::kPin).rows());
    if (options.progress) options.progress(made);
  }
  TRY(store->commit());
  return SourceExtent{.posts = made, .first_index = 0, .end_index = made};
}

}  // namespace pinflow::emulator
