#include "batch/testing/recorded_posts.h"

#include <memory>

#include "base/check.h"
#include "base/json.h"

namespace pinflow::batch::testing {

namespace {

void member(JsonWriter& json, std::string_view name, const std::optional<std::string>& value) {
  if (value) json.key(name).string(*value);
}

bool has(records::Kind kind, const Post& post) {
  switch (kind) {
    case records::Kind::kPin:
      return post.has_pin;
    case records::Kind::kGeo:
      return post.has_geo;
    case records::Kind::kUser:
      return post.has_user;
  }
  CHECK(false, "a record kind outside its enum");
}

}  // namespace

std::string pin_json(const Post& post) {
  JsonWriter json;
  json.begin_object().key("index").integer(post.ind);
  member(json, "category", post.category);
  member(json, "poster_name", post.poster);
  member(json, "follower_count", post.followers);
  return std::move(json.end_object()).take();
}

std::string geo_json(const Post& post) {
  JsonWriter json;
  json.begin_object().key("ind").integer(post.ind);
  member(json, "timestamp", post.timestamp);
  member(json, "country", post.country);
  return std::move(json.end_object()).take();
}

std::string user_json(const Post& post) {
  JsonWriter json;
  json.begin_object().key("ind").integer(post.ind);
  member(json, "first_name", post.first);
  member(json, "last_name", post.last);
  if (post.age) json.key("age").integer(*post.age);
  member(json, "date_joined", post.joined);
  return std::move(json.end_object()).take();
}

std::string json_of(records::Kind kind, const Post& post) {
  switch (kind) {
    case records::Kind::kPin:
      return pin_json(post);
    case records::Kind::kGeo:
      return geo_json(post);
    case records::Kind::kUser:
      return user_json(post);
  }
  CHECK(false, "a record kind outside its enum");
}

std::vector<internal::Slice> slices_of(const std::vector<Post>& posts, std::int64_t first_offset) {
  std::vector<internal::Slice> slices;
  for (const records::Kind kind : records::kKinds) {
    internal::Slice& slice = slices.emplace_back();
    slice.rows = std::make_unique<records::RawBatch>(kind);
    std::int64_t offset = first_offset;
    for (const Post& post : posts) {
      if (!has(kind, post)) continue;
      const auto added =
          slice.rows->add(json_of(kind, post), {.topic = "t", .partition = 0, .offset = offset++, .arrived = {}});
      CHECK(added.has_value(), "a test's own record is good");
    }
  }
  return slices;
}

}  // namespace pinflow::batch::testing
