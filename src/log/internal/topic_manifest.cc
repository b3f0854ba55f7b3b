#include "log/internal/topic_manifest.h"

#include <charconv>

#include "base/json.h"
#include "log/crc32c.h"

namespace pinflow::log {
namespace {

constexpr int kFormat = 2;  // 1 has no time of creation.
constexpr std::string_view kSeal = ",\"crc32c\":\"";

// Reads the JSON that encode_manifest writes: known members in a fixed order, no white space. The checksum
// has passed before, so this meets only what some version of this program wrote, and need not be a JSON
// parser at large.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  bool integer(std::int64_t& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }
  bool string(std::string& value) {
    value.clear();
    if (!skip("\"")) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        value.push_back(c);
      } else if (!escape(value)) {
        return false;
      }
    }
    return false;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  bool escape(std::string& value) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (const auto at = kNames.find(c); at != std::string_view::npos) {
      value.push_back(kMeanings[at]);
      return true;
    }
    // The writer uses \u for control bytes alone.
    unsigned code = 0;
    if (c != 'u' || rest_.size() < 4) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (error != std::errc() || end != rest_.data() + 4 || code >= 0x80) return false;
    rest_.remove_prefix(4);
    value.push_back(static_cast<char>(code));
    return true;
  }

  std::string_view rest_;
};

Result<Topic> malformed(std::string_view what) {
  return fail(ErrorCode::kCorrupt, fmt::format("topic manifest: {}", what));
}

}  // namespace

std::string encode_manifest(const Topic& topic) {
  JsonWriter json;
  json.begin_object();
  json.key("format").integer(kFormat);
  json.key("name").string(topic.name);
  json.key("id").string(topic.id.to_string());
  json.key("partitions").integer(topic.partitions);
  json.key("created").integer(topic.created.time_since_epoch().count());
  json.key("configs").begin_array();
  for (const auto& [key, value] : topic.configs) json.begin_array().string(key).string(value).end_array();
  json.end_array().end_object();
  std::string text = std::move(json).take();
  text.pop_back();
  const std::uint32_t crc = crc32c(text);
  return fmt::format("{}{}{:08x}\"}}\n", text, kSeal, crc);
}

Result<Topic> decode_manifest(std::string_view bytes) {
  const auto seal = bytes.rfind(kSeal);
  if (seal == std::string_view::npos) return malformed("it has no checksum");
  const std::string_view body = bytes.substr(0, seal);
  if (bytes.substr(seal) != fmt::format("{}{:08x}\"}}\n", kSeal, crc32c(body)))
    return malformed("its checksum is wrong");
  Reader reader(body);
  std::int64_t format = 0;
  std::int64_t partitions = 0;
  std::int64_t created = 0;
  std::string id;
  Topic topic;
  if (!reader.skip("{\"format\":") || !reader.integer(format)) return malformed("it names no format");
  if (format < 1 || format > kFormat)
    return fail(ErrorCode::kInvalid,
                fmt::format("topic manifest: format {} is newer than this program, which knows {}; "
                            "use the newer program",
                            format, kFormat));
  if (!reader.skip(",\"name\":") || !reader.string(topic.name) || !reader.skip(",\"id\":") || !reader.string(id) ||
      !reader.skip(",\"partitions\":") || !reader.integer(partitions) || partitions < 1 || partitions > INT32_MAX ||
      (format > 1 && (!reader.skip(",\"created\":") || !reader.integer(created))) || !reader.skip(",\"configs\":["))
    return malformed("a member is missing or wrong");
  for (bool first = true; !reader.skip("]"); first = false) {
    auto& [key, value] = topic.configs.emplace_back();
    if ((!first && !reader.skip(",")) || !reader.skip("[") || !reader.string(key) || !reader.skip(",") ||
        !reader.string(value) || !reader.skip("]"))
      return malformed("its settings are wrong");
  }
  if (!reader.at_end()) return malformed("it goes on behind its end");
  TRY_ASSIGN(topic.id, Uuid::parse(id));
  topic.partitions = static_cast<std::int32_t>(partitions);
  topic.created = WallTime(std::chrono::milliseconds(created));
  return topic;
}

}  // namespace pinflow::log
