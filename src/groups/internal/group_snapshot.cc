#include "groups/internal/group_snapshot.h"

#include <algorithm>
#include <set>

#include "groups/internal/wire_bytes.h"

namespace pinflow::groups {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kLeastMember = 29;
constexpr std::size_t kLeastProtocol = 8;

void append_member(std::string& out, const GroupSnapshot::Member& member) {
  append_text(out, member.id);
  out += static_cast<char>(member.instance_id.has_value());
  if (member.instance_id) append_text(out, *member.instance_id);
  append_text(out, member.client_id);
  append_text(out, member.client_host);
  append_integer<std::int32_t>(out, static_cast<std::int32_t>(member.session_timeout.count()));
  append_integer<std::int32_t>(out, static_cast<std::int32_t>(member.rebalance_timeout.count()));
  append_integer<std::uint32_t>(out, static_cast<std::uint32_t>(member.protocols.size()));
  for (const JoinProtocol& protocol : member.protocols) {
    append_text(out, protocol.name);
    append_text(out, protocol.metadata);
  }
  append_text(out, member.assignment);
}

GroupSnapshot::Member read_member(ByteReader& reader) {
  GroupSnapshot::Member member;
  member.id = reader.text();
  if (reader.integer<std::uint8_t>() != 0) member.instance_id = reader.text();
  member.client_id = reader.text();
  member.client_host = reader.text();
  member.session_timeout = std::chrono::milliseconds(reader.integer<std::int32_t>());
  member.rebalance_timeout = std::chrono::milliseconds(reader.integer<std::int32_t>());
  member.protocols.resize(reader.count(kLeastProtocol));
  for (JoinProtocol& protocol : member.protocols) {
    protocol.name = reader.text();
    protocol.metadata = reader.text();
  }
  member.assignment = reader.text();
  return member;
}

// Whether a coordinator could have written it.
bool can_be(const GroupSnapshot& snapshot) {
  if (snapshot.generation < 0) return false;
  if (snapshot.members.empty()) return snapshot.leader.empty();
  std::set<std::string_view> ids;
  std::set<std::string_view> instances;
  for (const GroupSnapshot::Member& member : snapshot.members) {
    if (member.id.empty() || !ids.insert(member.id).second) return false;
    if (member.instance_id && !instances.insert(*member.instance_id).second) return false;
    if (member.session_timeout.count() <= 0 || member.rebalance_timeout.count() <= 0) return false;
    if (std::ranges::find(member.protocols, snapshot.protocol, &JoinProtocol::name) == member.protocols.end())
      return false;
  }
  return ids.contains(snapshot.leader);
}

}  // namespace

std::string encode_snapshot(const GroupSnapshot& snapshot) {
  std::string out(1, static_cast<char>(kVersion));
  append_integer<std::int32_t>(out, snapshot.generation);
  append_integer<std::int64_t>(out, snapshot.since.time_since_epoch().count());
  append_text(out, snapshot.protocol_type);
  append_text(out, snapshot.protocol);
  append_text(out, snapshot.leader);
  append_integer<std::uint32_t>(out, static_cast<std::uint32_t>(snapshot.members.size()));
  for (const GroupSnapshot::Member& member : snapshot.members) append_member(out, member);
  return out;
}

Result<GroupSnapshot> decode_snapshot(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.integer<std::uint8_t>();
  if (reader.ok() && version > kVersion)
    return fail(ErrorCode::kInvalid,
                fmt::format("the state of a group has version {}, this program knows {}; use a newer program", version,
                            kVersion));
  GroupSnapshot snapshot;
  snapshot.generation = reader.integer<std::int32_t>();
  snapshot.since = WallTime(std::chrono::milliseconds(reader.integer<std::int64_t>()));
  snapshot.protocol_type = reader.text();
  snapshot.protocol = reader.text();
  snapshot.leader = reader.text();
  snapshot.members.resize(reader.count(kLeastMember));
  for (GroupSnapshot::Member& member : snapshot.members) member = read_member(reader);
  if (!reader.at_end() || version != kVersion || !can_be(snapshot))
    return fail(ErrorCode::kCorrupt, "the state of a group cannot be read");
  return snapshot;
}

}  // namespace pinflow::groups
