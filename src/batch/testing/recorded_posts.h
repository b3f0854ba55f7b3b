#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/internal/object_reader.h"
#include "records/raw_batch.h"

namespace pinflow::batch::testing {

// A post as three records that a test writes by hand. What is absent is missing in the record; a kind can be
// missing as a whole.
struct Post {
  std::int64_t ind = 0;
  std::optional<std::string> category = "art";
  std::optional<std::string> poster = {};
  std::optional<std::string> followers = {};
  std::optional<std::string> country = {};
  std::optional<std::string> timestamp = "2020-05-05 10:00:00";
  std::optional<std::string> first = {};
  std::optional<std::string> last = {};
  std::optional<int> age = {};
  std::optional<std::string> joined = {};
  bool has_pin = true;
  bool has_geo = true;
  bool has_user = true;
};

std::string pin_json(const Post& post);
std::string geo_json(const Post& post);
std::string user_json(const Post& post);
std::string json_of(records::Kind kind, const Post& post);

// The posts as slices, offsets counted from `first_offset` in their order.
std::vector<internal::Slice> slices_of(const std::vector<Post>& posts, std::int64_t first_offset = 0);

}  // namespace pinflow::batch::testing
