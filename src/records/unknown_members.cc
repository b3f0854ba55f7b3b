#include "records/unknown_members.h"

#include "records/raw_batch.h"

namespace pinflow::records {

namespace {
// The first bytes of a text, without the beginning of a character that is cut.
std::string_view first_bytes(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}
}  // namespace

void UnknownMembers::count(std::string_view name, const Source& source) {
  name = first_bytes(name, kMostNameBytes);
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    ++found->second.times;
  } else if (by_name_.size() == kMostNames) {
    ++others_;
  } else {
    by_name_.emplace(name,
                     UnknownMember{std::string(name), 1, std::string(source.topic), source.partition, source.offset});
  }
}

std::vector<UnknownMember> UnknownMembers::add(const UnknownMembers& other) {
  std::vector<UnknownMember> added;
  others_ += other.others_;
  for (const auto& [name, member] : other.by_name_) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      found->second.times += member.times;
    } else if (by_name_.size() == kMostNames) {
      others_ += member.times;
    } else {
      by_name_.emplace(name, member);
      added.push_back(member);
    }
  }
  return added;
}

void UnknownMembers::clear() {
  by_name_.clear();
  others_ = 0;
}

std::vector<UnknownMember> UnknownMembers::by_name() const {
  std::vector<UnknownMember> members;
  members.reserve(by_name_.size());
  for (const auto& [name, member] : by_name_) members.push_back(member);
  return members;
}

}  // namespace pinflow::records
