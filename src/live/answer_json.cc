#include "live/answer_json.h"

#include <cmath>

#include "base/json.h"
#include "base/timestamp.h"
#include "live/query_string.h"

namespace pinflow::live {

namespace {

constexpr double kDecimals = 1e6;

void write_measure(JsonWriter& json, std::string_view key, double value) {
  json.key(key).number(std::round(value * kDecimals) / kDecimals + 0.0);  // No "-0".
}

void write_count(JsonWriter& json, std::string_view key, std::uint64_t count) {
  json.key(key).integer(static_cast<std::int64_t>(count));
}

void write_time(JsonWriter& json, std::string_view key, const std::optional<WallTime>& time) {
  json.key(key);
  if (time) {
    json.string(format_iso8601(*time));
  } else {
    json.null();
  }
}

// Null: nothing is known, or nothing was asked.
void write_name(JsonWriter& json, std::string_view key, const std::optional<std::string>& name) {
  json.key(key);
  if (name && !name->empty()) {
    json.string(*name);
  } else {
    json.null();
  }
}

void write_windows(JsonWriter& json, std::string_view key, const std::array<std::uint64_t, kWindows.size()>& posts) {
  json.key(key).begin_object();
  for (std::size_t i = 0; i < kWindows.size(); ++i) write_count(json, to_string(kWindows[i]), posts[i]);
  json.end_object();
}

void write_position(JsonWriter& json, const PartitionProgress& position) {
  json.begin_object().key("topic").string(position.partition.topic);
  json.key("partition").integer(position.partition.partition.value());
  json.key("next_offset").integer(position.next.value());
  json.key("lag").integer(position.lag());
  write_time(json, "watermark", position.watermark);
  write_count(json, "late", position.late);
  write_count(json, "too_late", position.too_late);
  json.key("idle").boolean(position.idle);
  if (position.error) json.key("error").string(position.error->message);
  json.end_object();
}

void write_moment(JsonWriter& json, const Head& head) {
  json.key("formula_version").integer(kFormulaVersion);
  write_time(json, "as_of", head.as_of);
}

void write_head(JsonWriter& json, const Head& head) {
  write_moment(json, head);
  write_time(json, "watermark", head.watermark);
  json.key("positions").begin_array();
  for (const PartitionProgress& position : head.positions) write_position(json, position);
  json.end_array();
  write_count(json, "late", head.late);
  write_count(json, "too_late", head.too_late);
  write_count(json, "posts", head.posts);
  write_count(json, "profiles", head.profiles);
  write_count(json, "active_profiles", head.active_profiles);
}

// What popularities are made with.
void write_formula(JsonWriter& json, const Head& head, const Weights& weights) {
  json.key("weights").begin_object();
  write_measure(json, "followers", weights.followers);
  write_measure(json, "activity", weights.activity);
  write_measure(json, "velocity", weights.velocity);
  json.end_object().key("medians").begin_object();
  write_measure(json, "activity", head.activity_median);
  write_measure(json, "velocity", head.velocity_median);
  json.end_object();
}

void write_profile_members(JsonWriter& json, const ProfileView& item) {
  write_count(json, "rank", item.rank);
  json.key("profile").string(item.name);
  write_measure(json, "popularity", item.popularity);
  json.key("followers");
  if (item.followers) {
    json.integer(*item.followers);
  } else {
    json.null();
  }
  write_count(json, "posts", item.posts);
  write_windows(json, "window_posts", item.window_posts);
  write_measure(json, "activity", item.activity);
  write_measure(json, "velocity", item.velocity);
  write_time(json, "first_post", item.first_post);
  write_time(json, "last_post", item.last_post);
  write_name(json, "country", item.country);
  write_name(json, "age_group", item.age_group);
  json.key("parts").begin_object();
  write_measure(json, "followers", item.followers_part);
  write_measure(json, "activity", item.activity_part);
  write_measure(json, "velocity", item.velocity_part);
  json.end_object();
}

std::string_view to_string(ReasonKind kind) {
  switch (kind) {
    case ReasonKind::kCategory:
      return "category";
    case ReasonKind::kCountry:
      return "country";
    case ReasonKind::kAgeGroup:
      return "age_group";
    case ReasonKind::kFollowers:
      return "followers";
    case ReasonKind::kRising:
      return "rising";
    case ReasonKind::kActive:
      return "active";
    case ReasonKind::kNew:
      return "new";
  }
  return "";
}

void write_reasons(JsonWriter& json, const std::vector<Reason>& reasons) {
  json.key("reasons").begin_array();
  for (const Reason& reason : reasons) {
    json.begin_object().key("kind").string(to_string(reason.kind)).key("text").string(reason.text);
    write_measure(json, "number", reason.number);
    json.end_object();
  }
  json.end_array();
}

void write_shares(JsonWriter& json, std::string_view key, std::string_view what, const std::vector<Share>& shares) {
  json.key(key).begin_array();
  for (const Share& share : shares) {
    json.begin_object().key(what).string(share.name);
    write_windows(json, "window_posts", share.posts);
    json.end_object();
  }
  json.end_array();
}

// Of a category, country or age group.
template <class View>
void write_group_members(JsonWriter& json, std::string_view what, const View& view) {
  write_count(json, "rank", view.rank);
  json.key(what).string(view.name);
  write_count(json, "posts", view.posts_in_all);
  write_windows(json, "window_posts", view.posts);
  write_measure(json, "share", view.share);
  write_measure(json, "per_minute", view.per_minute);
  json.key("trend").begin_object();
  write_count(json, "posts", view.trend.posts);
  write_measure(json, "expected", view.trend.expected);
  write_measure(json, "z", view.trend.z);
  write_measure(json, "lift", view.trend.lift);
  json.key("trending").boolean(view.trend.trending).end_object();
}

// Echoes what was asked, and writes what came of it.
class BodyWriter {
 public:
  BodyWriter(JsonWriter& json, const Body& body) : json_(json), body_(body) {}

  void operator()(const ProfilesQuery& query) {
    json_.key("by").string(to_string(query.order));
    write_name(json_, "category", query.category);
    write_name(json_, "country", query.country);
    json_.key("window").string(to_string(query.window));
    write_items(std::get<ProfilesAnswer>(body_).items,
                [&](const ProfileView& item) { write_profile_members(json_, item); });
  }
  void operator()(const ProfileQuery&) {
    const auto& answer = std::get<ProfileAnswer>(body_);
    json_.key("item").begin_object();
    write_profile_members(json_, *answer.profile);
    write_shares(json_, "categories", "category", answer.categories);
    write_shares(json_, "countries", "country", answer.countries);
    write_reasons(json_, answer.reasons);
    json_.end_object();
  }
  void operator()(const CategoriesQuery& query) {
    json_.key("by").string(to_string(query.order)).key("window").string(to_string(query.window));
    write_items(std::get<CategoriesAnswer>(body_).items,
                [&](const CategoryView& item) { write_group_members(json_, "category", item); });
  }
  void operator()(const CountriesQuery& query) {
    json_.key("window").string(to_string(query.window));
    write_items(std::get<CountriesAnswer>(body_).items, [&](const CountryView& item) {
      write_group_members(json_, "country", item);
      write_name(json_, "top_category", item.top_category);
      write_count(json_, "top_category_posts", item.top_category_posts);
    });
  }
  void operator()(const AgeGroupsQuery& query) {
    json_.key("window").string(to_string(query.window));
    write_items(std::get<AgeGroupsAnswer>(body_).items,
                [&](const CountryView& item) { write_group_members(json_, "age_group", item); });
  }
  void operator()(const MinutesQuery& query) {
    write_name(json_, "category", query.category);
    write_name(json_, "country", query.country);
    const auto& answer = std::get<MinutesAnswer>(body_);
    WallTime minute = answer.begin;
    write_items(answer.posts, [&](std::uint64_t posts) {
      write_time(json_, "minute", minute);
      write_count(json_, "posts", posts);
      minute += std::chrono::minutes(1);
    });
  }
  void operator()(const RecommendationsQuery& query) {
    write_name(json_, "category", query.category);
    write_name(json_, "country", query.country);
    write_name(json_, "age_group", query.age_group);
    write_items(std::get<RecommendationsAnswer>(body_).items, [&](const Recommendation& item) {
      write_profile_members(json_, item.profile);
      write_measure(json_, "score", item.score);
      json_.key("score_parts").begin_object();
      write_measure(json_, "popularity", item.profile.popularity);
      write_measure(json_, "category", item.category_part);
      write_measure(json_, "country", item.country_part);
      write_measure(json_, "age_group", item.age_group_part);
      json_.end_object();
      write_reasons(json_, item.reasons);
    });
  }

 private:
  template <class Items, class Write>
  void write_items(const Items& items, Write write) {
    json_.key("items").begin_array();
    for (const auto& item : items) {
      json_.begin_object();
      write(item);
      json_.end_object();
    }
    json_.end_array();
  }

  JsonWriter& json_;
  const Body& body_;
};

bool tells_popularities(const Query& query) {
  return std::holds_alternative<ProfilesQuery>(query) || std::holds_alternative<ProfileQuery>(query) ||
         std::holds_alternative<RecommendationsQuery>(query);
}

}  // namespace

std::string answer_json(const Query& query, const Answer& answer, const Weights& weights) {
  JsonWriter json;
  json.begin_object();
  write_head(json, answer.head);
  if (tells_popularities(query)) write_formula(json, answer.head, weights);
  std::visit(BodyWriter(json, answer.body), query);
  json.end_object();
  return std::move(json).take();
}

std::string item_json(const Query& query, const Answer& answer) {
  JsonWriter json;
  json.begin_object();
  write_moment(json, answer.head);
  std::visit(BodyWriter(json, answer.body), query);
  json.end_object();
  return std::move(json).take();
}

std::string head_json(const Head& head, const Weights& weights) {
  JsonWriter json;
  json.begin_object();
  write_head(json, head);
  write_formula(json, head, weights);
  json.end_object();
  return std::move(json).take();
}

}  // namespace pinflow::live
