#pragma once

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "objects/object_store.h"
#include "sink/object_line.h"
#include "sink/object_name.h"

namespace pinflow::sink::testing {

using Values = std::map<std::int64_t, std::optional<std::string>>;

// Reads all objects of a partition back: value by offset. Fails the test where an offset is in two objects.
inline Values sunk_values(objects::ObjectStore& store, const log::TopicPartition& partition) {
  Values values;
  const auto objects = store.list(object_folder(partition));
  EXPECT_TRUE(objects);
  for (const auto& object : *objects) {
    const auto name = parse_object_name(object.name);
    EXPECT_TRUE(name) << object.name;
    const std::string text = store.get(object.name).value();
    std::int64_t offset = name->first.value();
    for (std::size_t begin = 0; begin < text.size(); ++offset) {
      const std::size_t end = text.find('\n', begin);
      const std::string line = text.substr(begin, end - begin);
      begin = end + 1;
      const auto value = is_escaped(line) ? unescape(line) : Result<std::optional<std::string>>(line);
      EXPECT_TRUE(value) << line;
      EXPECT_TRUE(values.emplace(offset, *value).second) << "offset " << offset << " is in two objects";
    }
  }
  return values;
}

}  // namespace pinflow::sink::testing
