#include <algorithm>

#include <fmt/format.h>

#include "doors/kinesis/consumer_name.h"
#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::size_t kMostTags = 50;
constexpr std::int64_t kListed = 50;

// The code point that begins at `at`, which moves behind it. The text is UTF-8, as the protocol layer has made sure of; a broken
// end gives what is there.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  auto point = static_cast<char32_t>(more == 0 ? lead : lead & (0x3f >> more));
  for (int i = 0; i < more && at < text.size(); ++i)
    point = point << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
  return point;
}

bool is_allowed(char32_t c) {
  const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  const bool letter = (c >= 0xc0 && c <= 0x1fff) || (c >= 0x2c00 && c <= 0xd7ff);
  return word || letter || (c < 0x80 && std::string_view("_./-=+ @%").contains(static_cast<char>(c)));
}

bool is_allowed_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();)
    if (!is_allowed(next_code_point(text, at))) return false;
  return true;
}

// `action` is "add tags to" or "remove tags from".
std::optional<Fault> check_texts(const std::vector<std::string_view>& texts, std::string_view action,
                                 std::string_view stream, std::string_view account) {
  if (!std::ranges::all_of(texts, is_allowed_text))
    return invalid_argument(
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white "
        "space, _ . / = + - % @.");
  if (std::ranges::any_of(texts, [](std::string_view text) { return text.contains('%'); }))
    return invalid_argument(fmt::format(
        "Failed to {} stream {} under account {} because some tags contained illegal characters. The allowed "
        "characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.",
        action, stream, account));
  return std::nullopt;
}

std::vector<std::string_view> texts_of(const Value& tags) {
  std::vector<std::string_view> texts;
  for (const auto& [key, value] : tags.map()) {
    texts.emplace_back(key);
    texts.emplace_back(value.text());
  }
  return texts;
}

std::vector<std::string_view> keys_of(const Value& keys) {
  std::vector<std::string_view> texts;
  for (const Value& key : keys.list()) texts.emplace_back(key.text());
  return texts;
}

void write_tags(Writer& out, const Tags& tags) {
  out.member("Tags").begin_list();
  for (const auto& [key, value] : tags)
    out.begin_structure().member("Key").text(key).member("Value").text(value).end_structure();
  out.end_list();
}

Consumer& consumer_in(StreamState& state, std::string_view name) {
  return *std::ranges::find(state.consumers, name, &Consumer::name);
}

Fault consumer_missing(const Call& call) {
  return {"ResourceNotFoundException",
          fmt::format("Consumer {} under account {} not found.",
                      call.input.text_of("ResourceARN").value_or(std::string_view()), call.account),
          400};
}

// The consumer that ResourceARN names; empty where it names the stream itself.
std::expected<const Consumer*, Fault> consumer_of(const Call& call, const Stream& stream) {
  const auto arn = call.input.text_of("ResourceARN").value_or(std::string_view());
  if (!arn.contains("/consumer/")) return nullptr;
  const auto name = parse_consumer_arn(arn);
  const Consumer* const consumer = name ? find_consumer(stream.state(), *name) : nullptr;
  if (consumer == nullptr) return std::unexpected(consumer_missing(call));
  return consumer;
}

}  // namespace

KinesisOperations::Outcome KinesisOperations::add_tags(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  const auto& added = call.input["Tags"];
  if (auto refused = check_texts(texts_of(added), "add tags to", stream.name(), call.account))
    return std::unexpected(std::move(*refused));
  Tags tags = stream.state().tags;
  for (const auto& [key, value] : added.map()) tags[key] = value.text();
  if (tags.size() > kMostTags)
    return std::unexpected(invalid_argument(
        fmt::format("Failed to add tags to stream {} under account {} because a given stream cannot have more than 10 "
                    "tags associated with it.",
                    stream.name(), call.account)));
  return changed(call, *found, [&](StreamState& state) { state.tags = tags; });
}

KinesisOperations::Outcome KinesisOperations::remove_tags(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto keys = keys_of(call.input["TagKeys"]);
  if (auto refused = check_texts(keys, "remove tags from", (*found)->name(), call.account))
    return std::unexpected(std::move(*refused));
  return changed(call, *found, [&](StreamState& state) {
    for (const auto key : keys) state.tags.erase(std::string(key));
  });
}

KinesisOperations::Outcome KinesisOperations::list_tags(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const Tags& tags = (*found)->state().tags;
  const auto after = call.input.text_of("ExclusiveStartTagKey");
  const auto limit = static_cast<std::size_t>(call.input.integer_of("Limit").value_or(kListed));
  auto at = after ? tags.upper_bound(std::string(*after)) : tags.begin();
  Tags listed;
  for (; at != tags.end() && listed.size() < limit; ++at) listed.insert(*at);
  Writer out(call.encoding);
  out.begin_structure();
  write_tags(out, listed);
  out.member("HasMoreTags").boolean(at != tags.end()).end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::tag_resource(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_of(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  const auto& added = call.input["Tags"];
  if (auto refused = check_texts(texts_of(added), "add tags to", (*found)->name(), call.account))
    return std::unexpected(std::move(*refused));
  Tags tags = *consumer == nullptr ? (*found)->state().tags : (*consumer)->tags;
  for (const auto& [key, value] : added.map()) tags[key] = value.text();
  if (tags.size() > kMostTags)
    return std::unexpected(limit_exceeded(fmt::format("A resource may have at most {} tags.", kMostTags)));
  return changed(call, *found, [&](StreamState& state) {
    (*consumer == nullptr ? state.tags : consumer_in(state, (*consumer)->name).tags) = tags;
  });
}

KinesisOperations::Outcome KinesisOperations::untag_resource(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_of(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  const auto keys = keys_of(call.input["TagKeys"]);
  return changed(call, *found, [&](StreamState& state) {
    Tags& tags = *consumer == nullptr ? state.tags : consumer_in(state, (*consumer)->name).tags;
    for (const auto key : keys) tags.erase(std::string(key));
  });
}

KinesisOperations::Outcome KinesisOperations::list_tags_of_resource(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_of(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  Writer out(call.encoding);
  out.begin_structure();
  write_tags(out, *consumer == nullptr ? (*found)->state().tags : (*consumer)->tags);
  out.end_structure();
  return Answer{std::move(out).take(), nullptr};
}

// Policies are kept and told; who may do what is decided by the callers' own grants.
KinesisOperations::Outcome KinesisOperations::put_policy(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_of(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  const std::string policy(call.input.text_of("Policy").value_or(std::string_view()));
  return changed(call, *found, [&](StreamState& state) {
    (*consumer == nullptr ? state.policy : consumer_in(state, (*consumer)->name).policy) = policy;
  });
}

KinesisOperations::Outcome KinesisOperations::get_policy(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_of(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  const std::string& policy = *consumer == nullptr ? (*found)->state().policy : (*consumer)->policy;
  Writer out(call.encoding);
  out.begin_structure().member("Policy").text(policy.empty() ? "{}" : policy).end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::delete_policy(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_of(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  return changed(call, *found, [&](StreamState& state) {
    (*consumer == nullptr ? state.policy : consumer_in(state, (*consumer)->name).policy).clear();
  });
}

}  // namespace pinflow::doors::kinesis
