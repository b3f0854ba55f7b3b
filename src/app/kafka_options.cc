#include "app/kafka_options.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/base64.h"

namespace pinflow::app {

namespace {

// host, host:port or [v6]:port; a bare v6 address has more than one colon.
Result<void> read_advertised(std::string_view text, kafka_door::KafkaServerOptions& options) {
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (colon != std::string_view::npos && (bracketed ? text[colon - 1] == ']' : text.find(':') == colon)) {
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.advertised_port);
    if (error != std::errc() || end != port.data() + port.size() || options.advertised_port == 0)
      return fail(ErrorCode::kInvalid,
                  fmt::format("kafka.advertised: expected host or host:port, not '{}'; the port is not one", text));
    host = text.substr(0, colon);
  }
  if (bracketed && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() && !text.empty())
    return fail(ErrorCode::kInvalid, fmt::format("kafka.advertised: '{}' names no host", text));
  options.advertised_host = host;
  return {};
}

}  // namespace

std::vector<std::string> split_addresses(std::string_view list) {
  std::vector<std::string> addresses;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    addresses.emplace_back(list.substr(0, comma));
    if (comma == list.size()) return addresses;
    list.remove_prefix(comma + 1);
  }
}

std::string cluster_id(const Uuid& id) {
  std::string text = base64_encode({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  text.resize(22);  // Without padding.
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

log::TopicDefaults topic_defaults(const config::Config& config) {
  log::TopicDefaults defaults;
  const auto& log = config.log;
  defaults.segment_bytes = static_cast<std::int64_t>(log.segment_size.count());
  defaults.segment_ms = log.segment_age.count();
  defaults.retention_bytes = log.retention_size ? static_cast<std::int64_t>(log.retention_size->count()) : -1;
  defaults.retention_ms = log.retention_time ? log.retention_time->count() : -1;
  defaults.max_message_bytes = static_cast<std::int64_t>(log.max_batch_size.count());
  return defaults;
}

Result<std::vector<kafka_door::User>> parse_users(std::string_view text) {
  std::vector<kafka_door::User> users;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == line.size())
      return fail(ErrorCode::kInvalid, fmt::format("line {}: expected name:password", number));
    const std::string_view name = line.substr(0, colon);
    if (std::ranges::find(users, name, &kafka_door::User::name) != users.end())
      return fail(ErrorCode::kInvalid, fmt::format("line {}: the user '{}' is there twice", number, name));
    users.push_back({std::string(name), std::string(line.substr(colon + 1))});
  }
  if (users.empty()) return fail(ErrorCode::kInvalid, "there is no user; write lines of the form name:password");
  return users;
}

Result<kafka_door::KafkaServerOptions> kafka_options(const config::Config& config, disk::Disk& disk,
                                                     const Uuid& pipeline_id) {
  const auto& kafka = config.kafka;
  kafka_door::KafkaServerOptions options;
  options.addresses = split_addresses(kafka.addresses);
  options.port = kafka.port;
  TRY(read_advertised(kafka.advertised, options));
  options.cluster_id = app::cluster_id(pipeline_id);
  options.auto_create_topics = kafka.auto_create_topics;
  options.default_partitions = kafka.default_partitions;
  options.topic_defaults = topic_defaults(config);
  options.tls = {kafka.tls_certificate, kafka.tls_key, kafka.tls_client_ca, false};
  options.insecure_remote = kafka.insecure_remote;
  options.loops = static_cast<std::size_t>(kafka.threads);
  options.limits.max_connections = static_cast<std::size_t>(kafka.max_connections);
  options.limits.max_request = kafka.max_request;
  options.limits.max_memory = kafka.max_memory;
  options.limits.idle_timeout = kafka.idle_timeout;
  if (kafka.users.empty()) return options;
  const auto text = disk.read_file(kafka.users);
  if (!text) return fail(Error(text.error()).with_context("kafka.users"));
  auto users = parse_users(*text);
  if (!users)
    return fail(users.error().code, fmt::format("kafka.users: {}: {}", kafka.users.string(), users.error().message));
  options.users = std::move(*users);
  return options;
}

}  // namespace pinflow::app
