#include "doors/kinesis/stream_state.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "doors/json_cursor.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::int32_t kMostShards = 100'000;
constexpr std::array<std::string_view, 6> kKinds{"none", "create", "delete", "split", "merge", "scale"};

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

void write_tags(JsonWriter& out, const Tags& tags) {
  out.begin_object();
  for (const auto& [key, value] : tags) out.key(key).string(value);
  out.end_object();
}

// What is not as it was in the beginning.
void write_shards(JsonWriter& out, const StreamState& state) {
  out.key("shards").begin_array();
  for (auto i = static_cast<std::size_t>(state.even); i < state.shards.size(); ++i) {
    const Shard& shard = state.shards[i];
    out.begin_array().raw(to_decimal(shard.range.first)).raw(to_decimal(shard.range.last));
    out.integer(shard.parent).integer(shard.adjacent_parent);
    out.integer(shard.created.time_since_epoch().count()).end_array();
  }
  out.end_array().key("closed").begin_array();
  for (std::size_t i = 0; i < state.shards.size(); ++i) {
    if (const auto closed = state.shards[i].closed)
      out.begin_array().integer(static_cast<std::int64_t>(i)).integer(milliseconds(*closed)).end_array();
  }
  out.end_array();
}

void write_consumers(JsonWriter& out, const std::vector<Consumer>& consumers) {
  out.key("consumers").begin_array();
  for (const Consumer& consumer : consumers) {
    out.begin_array().string(consumer.name).integer(milliseconds(consumer.created));
    write_tags(out, consumer.tags);
    out.string(consumer.policy).end_array();
  }
  out.end_array();
}

void write_pending(JsonWriter& out, const PendingChange& pending) {
  if (pending.kind == PendingChange::Kind::kNone) return;
  out.key("pending").begin_array().string(kKinds[static_cast<std::size_t>(pending.kind)]);
  out.integer(pending.shard).integer(pending.adjacent).raw(to_decimal(pending.at)).integer(pending.target).end_array();
}

// Reads what write_... wrote, with the cursor's own errors.
class Reader {
 public:
  Reader(std::string_view text, StreamState& state) : cursor_(text), state_(state) {}

  Result<void> read(std::chrono::sys_seconds created) {
    created_ = created;
    TRY(cursor_.begin_object());
    bool versioned = false;
    for (;;) {
      TRY_ASSIGN(const auto name, cursor_.next_member());
      if (!name) break;
      if (!versioned && *name != "version") return wrong("it does not begin with its version");
      versioned = true;
      TRY(member(*name));
    }
    TRY(cursor_.end());
    for (const Shard& shard : state_.shards) {
      const auto known = static_cast<std::int32_t>(state_.shards.size());
      if (shard.parent >= known || shard.adjacent_parent >= known) return wrong("a parent is missing");
    }
    return versioned && !state_.shards.empty() ? Result<void>() : wrong("members are missing");
  }

 private:
  static Result<void> wrong(std::string_view what) {
    return fail(ErrorCode::kCorrupt, fmt::format("the state of a stream: {}", what));
  }

  Result<void> member(std::string_view name) {
    if (name == "version") return version();
    if (name == "even") return even();
    if (name == "shards") return list([this] { return shard(); });
    if (name == "closed") return list([this] { return closed(); });
    if (name == "consumers") return list([this] { return consumer(); });
    if (name == "metrics") return list([this] { return put(text(), state_.metrics.emplace_back()); });
    if (name == "scaled") return list([this] { return put(time(), state_.scaled.emplace_back()); });
    if (name == "tags") return tags(state_.tags);
    if (name == "pending") return pending();
    if (name == "key_id") return put(text(), state_.key_id);
    if (name == "policy") return put(text(), state_.policy);
    if (name == "max_record_kib") return put(number<std::int32_t>(), state_.max_record_kib);
    if (name == "warm_mib") return put(number<std::int32_t>(), state_.warm_mib);
    if (name == "on_demand") {
      TRY_ASSIGN(const auto slice, cursor_.value());
      state_.on_demand = slice == "true";
      return {};
    }
    TRY(cursor_.value());
    return {};
  }

  Result<void> version() {
    TRY_ASSIGN(const auto version, number<std::int64_t>()());
    if (version <= kVersion) return {};
    return fail(ErrorCode::kInvalid, fmt::format("the state of a stream has version {}, this program knows {}; use a "
                                                 "newer program",
                                                 version, kVersion));
  }
  Result<void> even() {
    TRY_ASSIGN(const auto count, number<std::int32_t>()());
    if (count < 1 || count > kMostShards) return wrong("it begins with no possible number of shards");
    state_.even = count;
    state_.shards = fresh_state(count, created_).shards;
    return {};
  }
  Result<void> shard() {
    if (state_.shards.size() >= static_cast<std::size_t>(kMostShards)) return wrong("it has too many shards");
    Shard& shard = state_.shards.emplace_back();
    std::int64_t created = 0;
    TRY(cursor_.begin_array());
    TRY(put(element(key()), shard.range.first));
    TRY(put(element(key()), shard.range.last));
    TRY(put(element(number<std::int32_t>()), shard.parent));
    TRY(put(element(number<std::int32_t>()), shard.adjacent_parent));
    TRY(put(element(number<std::int64_t>()), created));
    shard.created = std::chrono::sys_seconds(std::chrono::seconds(created));
    return close();
  }
  Result<void> closed() {
    std::size_t index = 0;
    TRY(cursor_.begin_array());
    TRY(put(element(number<std::size_t>()), index));
    if (index >= state_.shards.size()) return wrong("a shard that is closed is missing");
    TRY(put(element(time()), state_.shards[index].closed.emplace()));
    return close();
  }
  Result<void> consumer() {
    Consumer& consumer = state_.consumers.emplace_back();
    TRY(cursor_.begin_array());
    TRY(put(element(text()), consumer.name));
    TRY(put(element(time()), consumer.created));
    TRY(next());
    TRY(tags(consumer.tags));
    TRY(put(element(text()), consumer.policy));
    return close();
  }
  Result<void> pending() {
    PendingChange& pending = state_.pending;
    std::string kind;
    TRY(cursor_.begin_array());
    TRY(put(element(text()), kind));
    for (std::size_t i = 0; i < kKinds.size(); ++i)
      if (kind == kKinds[i]) pending.kind = static_cast<PendingChange::Kind>(i);
    TRY(put(element(number<std::int32_t>()), pending.shard));
    TRY(put(element(number<std::int32_t>()), pending.adjacent));
    TRY(put(element(key()), pending.at));
    TRY(put(element(number<std::int32_t>()), pending.target));
    return close();
  }
  Result<void> tags(Tags& into) {
    TRY(cursor_.begin_object());
    for (;;) {
      TRY_ASSIGN(auto name, cursor_.next_member());
      if (!name) return {};
      TRY(put(text(), into[*std::move(name)]));
    }
  }

  // What is read stands behind a comma; the element's own reading is a second step.
  template <class Read>
  Result<void> list(Read read) {
    TRY(cursor_.begin_array());
    for (;;) {
      TRY_ASSIGN(const bool more, cursor_.next_element());
      if (!more) return {};
      TRY(read());
    }
  }
  Result<void> next() {
    TRY_ASSIGN(const bool more, cursor_.next_element());
    return more ? Result<void>() : wrong("a list is too short");
  }
  Result<void> close() {
    TRY_ASSIGN(const bool more, cursor_.next_element());
    return more ? wrong("a list is too long") : Result<void>();
  }

  // Readings are put off until the element is there.
  template <class Read>
  auto element(Read read) {
    return [this, read]() -> decltype(read()) {
      TRY(next());
      return read();
    };
  }
  template <class Read, class Into>
  Result<void> put(Read read, Into& into) {
    TRY_ASSIGN(into, read());
    return {};
  }
  auto text() {
    return [this]() -> Result<std::string> {
      TRY_ASSIGN(const auto slice, cursor_.value());
      if (!slice.starts_with('"')) return fail(ErrorCode::kCorrupt, "the state of a stream: a text is expected");
      return JsonCursor::decode_string(slice);
    };
  }
  auto time() {
    return [read = number<std::int64_t>()]() -> Result<WallTime> {
      TRY_ASSIGN(const auto count, read());
      return WallTime(std::chrono::milliseconds(count));
    };
  }
  auto key() {
    return [this]() -> Result<HashKey> {
      TRY_ASSIGN(const auto slice, cursor_.value());
      const auto key = parse_hash_key(slice);
      if (!key) return fail(ErrorCode::kCorrupt, "the state of a stream: a hash key is expected");
      return *key;
    };
  }
  template <class Number>
  auto number() {
    return [this]() -> Result<Number> {
      TRY_ASSIGN(const auto slice, cursor_.value());
      Number value{};
      const auto [end, error] = std::from_chars(slice.data(), slice.data() + slice.size(), value);
      if (error != std::errc{} || end != slice.data() + slice.size())
        return fail(ErrorCode::kCorrupt, "the state of a stream: a number is expected");
      return value;
    };
  }

  JsonCursor cursor_;
  StreamState& state_;
  std::chrono::sys_seconds created_;
};

}  // namespace

StreamState fresh_state(std::int32_t shards, std::chrono::sys_seconds created) {
  StreamState state;
  state.even = shards;
  state.shards.reserve(static_cast<std::size_t>(shards));
  for (std::int32_t i = 0; i < shards; ++i) state.shards.push_back({even_range(shards, i), -1, -1, created});
  return state;
}

std::string encode_state(const StreamState& state) {
  JsonWriter out;
  out.begin_object().key("version").integer(kVersion).key("even").integer(state.even);
  write_shards(out, state);
  out.key("on_demand").boolean(state.on_demand).key("max_record_kib").integer(state.max_record_kib);
  out.key("warm_mib").integer(state.warm_mib).key("tags");
  write_tags(out, state.tags);
  write_consumers(out, state.consumers);
  out.key("key_id").string(state.key_id).key("policy").string(state.policy).key("metrics").begin_array();
  for (const std::string& metric : state.metrics) out.string(metric);
  out.end_array().key("scaled").begin_array();
  for (const WallTime time : state.scaled) out.integer(milliseconds(time));
  out.end_array();
  write_pending(out, state.pending);
  out.end_object();
  return std::move(out).take();
}

Result<StreamState> decode_state(std::string_view text, std::chrono::sys_seconds created) {
  StreamState state;
  state.shards.clear();
  const auto read = Reader(text, state).read(created);
  if (read) return state;
  const bool newer = read.error().code == ErrorCode::kInvalid && read.error().message.contains("newer program");
  return fail(newer ? ErrorCode::kInvalid : ErrorCode::kCorrupt, read.error().message);
}

}  // namespace pinflow::doors::kinesis
