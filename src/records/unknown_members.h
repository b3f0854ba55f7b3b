#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::records {

// A member that no column takes: how often it came, and the record that had it first.
struct UnknownMember {
  std::string name;  // Its first bytes, where it is longer than kMostNameBytes.
  std::uint64_t times = 0;
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  friend bool operator==(const UnknownMember&, const UnknownMember&) = default;
};

struct Source;

// Counts the members of records that no column takes, by name: what shows first when the posting side changes its schema. Names
// come from outside, so their number and length are bounded; what comes under further names is counted together. A value, not thread-safe.
class UnknownMembers final {
 public:
  static constexpr std::size_t kMostNames = 64;
  static constexpr std::size_t kMostNameBytes = 128;

  // Counts one member of the record at `source`; `name` is UTF-8.
  void count(std::string_view name, const Source& source);
  // Adds what `other` counted later. Returns the names that are new here.
  std::vector<UnknownMember> add(const UnknownMembers& other);
  void clear();

  bool empty() const { return by_name_.empty() && others_ == 0; }
  std::vector<UnknownMember> by_name() const;       // Sorted by name.
  std::uint64_t others() const { return others_; }  // Under names past kMostNames.

 private:
  std::map<std::string, UnknownMember, std::less<>> by_name_;
  std::uint64_t others_ = 0;
};

}  // namespace pinflow::records
