#include "app/cluster_options.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

namespace pinflow::app {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

Result<std::string> read_password(const config::Config& config, disk::Disk& disk) {
  const auto& cluster = config.kafka_cluster;
  if (cluster.password_file.empty()) return cluster.password.value;
  auto text = disk.read_file(cluster.password_file);
  if (!text) return fail(std::move(text).error().with_context("kafka_cluster.password_file"));
  std::string password(text->substr(0, text->find_first_of("\r\n")));
  if (password.empty()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("kafka_cluster.password_file: the first line of {} is empty; write the "
                            "password there",
                            cluster.password_file.string()));
  }
  return password;
}

// librdkafka tells of a missing file late and without the setting's name.
Result<void> check_file(const char* setting, const std::filesystem::path& path, disk::Disk& disk) {
  if (path.empty()) return {};
  if (auto found = disk.describe(path); !found) return fail(std::move(found).error().with_context(setting));
  return {};
}

}  // namespace

Result<Properties> parse_properties(std::string_view text) {
  Properties properties;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || name.empty()) {
      return fail(ErrorCode::kInvalid, fmt::format("line {}: expected name=value, such as client.rack=a", number));
    }
    properties.emplace_back(name, trimmed(line.substr(equals + 1)));
  }
  return properties;
}

Result<Properties> cluster_properties(const config::Config& config, disk::Disk& disk) {
  const auto& cluster = config.kafka_cluster;
  TRY(check_file("kafka_cluster.ca_file", cluster.ca_file, disk));
  TRY(check_file("kafka_cluster.certificate_file", cluster.certificate_file, disk));
  TRY(check_file("kafka_cluster.key_file", cluster.key_file, disk));
  Properties properties;
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) properties.emplace_back(name, value);
  };
  set("bootstrap.servers", cluster.bootstrap_servers);
  set("security.protocol", cluster.security_protocol);
  // A token that AWS signed is a bearer token to the brokers.
  set("sasl.mechanisms", cluster.sasl_mechanism == "AWS_MSK_IAM" ? "OAUTHBEARER" : cluster.sasl_mechanism);
  set("sasl.username", cluster.username);
  TRY_ASSIGN(const std::string password, read_password(config, disk));
  set("sasl.password", password);
  set("ssl.ca.location", cluster.ca_file.string());
  set("ssl.certificate.location", cluster.certificate_file.string());
  set("ssl.key.location", cluster.key_file.string());
  if (cluster.properties_file.empty()) return properties;
  auto text = disk.read_file(cluster.properties_file);
  if (!text) return fail(std::move(text).error().with_context("kafka_cluster.properties_file"));
  auto more = parse_properties(*text);
  if (!more) {
    return fail(std::move(more).error().with_context(
        fmt::format("kafka_cluster.properties_file {}", cluster.properties_file.string())));
  }
  std::set<std::string> known;
  for (const auto& [name, value] : properties) known.insert(name);
  for (auto& property : *more) {
    if (known.insert(property.first).second) properties.push_back(std::move(property));
  }
  return properties;
}

Result<std::string> cluster_region(const config::Config& config, std::string_view environment) {
  if (!config.kafka_cluster.region.empty()) return config.kafka_cluster.region;
  if (!environment.empty()) return std::string(environment);
  // b-1.name.abc123.c2.kafka.eu-west-1.amazonaws.com:9098
  constexpr std::string_view kKafka = ".kafka.";
  std::string_view broker = config.kafka_cluster.bootstrap_servers;
  broker = broker.substr(0, broker.find(','));
  const std::size_t at = broker.find(kKafka);
  const std::size_t end = broker.find(".amazonaws.com");
  if (at != std::string_view::npos && end != std::string_view::npos && at + kKafka.size() < end) {
    return std::string(broker.substr(at + kKafka.size(), end - at - kKafka.size()));
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("kafka_cluster.region: AWS_MSK_IAM signs for a region, and '{}' names none; "
                          "set it, such as eu-west-1",
                          broker));
}

}  // namespace pinflow::app
