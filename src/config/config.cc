#include "config/config.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/core.h>
#include <toml++/toml.h>

#include "base/names.h"
#include "config/settings.h"

namespace pinflow::config {

namespace {

// One value as found, before it is understood.
struct Found {
  std::string key;
  std::string text;
  std::string origin;
};

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const Setting& setting : settings()) keys.emplace_back(setting.key);
  return keys;
}

std::string unknown(std::string_view origin, std::string_view what, const std::string& key,
                    std::span<const std::string> candidates) {
  const auto near = nearest(key, candidates);
  return fmt::format("{}: unknown {} '{}'.{} `pinflow config print` lists all settings.", origin, what, key,
                     near ? fmt::format(" Did you mean '{}'?", *near) : "");
}

std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

void collect(const toml::table& table, const std::string& prefix, const std::string& file, std::vector<Found>& found,
             std::vector<std::string>& problems) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const std::string origin = fmt::format("{}:{}", file, name.source().begin.line);
    if (const auto* inner = node.as_table()) {
      collect(*inner, key + ".", file, found, problems);
    } else if (auto text = text_of(node)) {
      found.push_back({key, std::move(*text), origin});
    } else {
      problems.push_back(fmt::format("{}: '{}' must be a text, a whole number, true or false", origin, key));
    }
  }
}

Result<void> read_file(const std::filesystem::path& path, std::vector<Found>& found,
                       std::vector<std::string>& problems) {
  std::ifstream stream(path);
  if (!stream) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("cannot read the configuration file {}. Check the path given with --config.", path.string()));
  }
  std::ostringstream text;
  text << stream.rdbuf();
  try {
    collect(toml::parse(text.str()), "", path.string(), found, problems);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    problems.push_back(
        fmt::format("{}:{}:{}: not valid TOML: {}", path.string(), at.line, at.column, error.description()));
  }
  return {};
}

// Variables with our prefix and a section are settings; others (PINFLOW_CONFIG) are not ours to judge.
void read_environment(const Sources& sources, std::vector<Found>& found, std::vector<std::string>& problems) {
  std::vector<std::string> names;
  for (const Setting& setting : settings()) names.push_back(environment_name(setting.key));
  for (const auto& [name, value] : sources.environment) {
    if (!name.starts_with("PINFLOW_") || name.find("__") == std::string::npos) continue;
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) {
      problems.push_back(unknown("environment", "variable", name, names));
    } else {
      const Setting& setting = settings()[static_cast<std::size_t>(at - names.begin())];
      found.push_back({std::string(setting.key), value, "environment " + name});
    }
  }
}

void apply(const Found& found, Loaded& loaded, std::vector<std::string>& problems) {
  const auto at = std::ranges::find(settings(), found.key, &Setting::key);
  if (at == settings().end()) {
    problems.push_back(unknown(found.origin, "key", found.key, known_keys()));
    return;
  }
  if (const auto parsed = at->parse(loaded.config, found.text); !parsed) {
    problems.push_back(fmt::format("{}: {}: {}", found.origin, found.key, parsed.error().message));
    return;
  }
  loaded.origins[found.key] = found.origin;
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

// Hands `remote` each address of the list that is not loopback. `complain` takes a key and what is wrong with it.
template <class Complain, class Remote>
void for_each_address(std::string_view key, std::string_view list, const Complain& complain, const Remote& remote) {
  while (true) {
    const std::string_view address = list.substr(0, list.find(','));
    if (address.empty()) {
      complain(std::string(key), "expected addresses with commas between them, such as '127.0.0.1,::1'");
    } else if (!is_loopback(address)) {
      remote(address);
    }
    if (address.size() == list.size()) return;
    list.remove_prefix(address.size() + 1);
  }
}

template <class Complain>
void check_kafka(const Config& config, const Complain& complain) {
  const auto& kafka = config.kafka;
  if (kafka.default_partitions > 10'000) complain("kafka.default_partitions", "at most 10000 partitions");
  if (kafka.tls_certificate.empty() != kafka.tls_key.empty())
    complain("kafka.tls_certificate", "a certificate and its key (kafka.tls_key) belong together; set both");
  if (!kafka.tls_client_ca.empty() && kafka.tls_certificate.empty())
    complain("kafka.tls_client_ca", "certificates of clients need TLS; set kafka.tls_certificate and kafka.tls_key");
  if (kafka.max_request > kafka.max_memory)
    complain("kafka.max_request", "must not exceed kafka.max_memory, or such a request can never be taken");
  for_each_address("kafka.addresses", kafka.addresses, complain, [&](std::string_view address) {
    if (kafka.insecure_remote) return;
    if (kafka.users.empty() && kafka.tls_client_ca.empty())
      complain("kafka.addresses",
               fmt::format("'{}' can be reached from other machines, and the door asks for no credentials. Use "
                           "127.0.0.1, or set kafka.users (or kafka.tls_client_ca), or set kafka.insecure_remote = "
                           "true if the network itself keeps strangers out.",
                           address));
    else if (kafka.tls_certificate.empty())
      complain("kafka.addresses",
               fmt::format("'{}' can be reached from other machines, and passwords and posts would cross the network "
                           "readable. Set kafka.tls_certificate and kafka.tls_key, or kafka.insecure_remote = true.",
                           address));
  });
}

// Settings of a cluster that cannot be together. `origin` gives where a key was set.
template <class Complain, class Origin>
void check_kafka_cluster(const Config& config, const Complain& complain, const Origin& origin) {
  const auto& cluster = config.kafka_cluster;
  if (config.log.engine == "kafka" && cluster.bootstrap_servers.empty())
    complain("kafka_cluster.bootstrap_servers",
             "log.engine = 'kafka' needs the brokers of a cluster, such as \"kafka1:9092,kafka2:9092\"; or set "
             "log.engine = 'embedded'");
  const bool sasl = cluster.security_protocol.starts_with("sasl_");
  const bool tls = cluster.security_protocol.ends_with("ssl");
  const bool named = cluster.sasl_mechanism == "PLAIN" || cluster.sasl_mechanism.starts_with("SCRAM-");
  if (sasl && cluster.sasl_mechanism.empty())
    complain("kafka_cluster.security_protocol",
             fmt::format("'{}' logs in; set kafka_cluster.sasl_mechanism", cluster.security_protocol));
  if (!sasl && !cluster.sasl_mechanism.empty())
    complain("kafka_cluster.sasl_mechanism",
             fmt::format("nobody logs in by kafka_cluster.security_protocol = '{}'; set 'sasl_ssl' (or "
                         "'sasl_plaintext' where the network itself keeps strangers out)",
                         cluster.security_protocol));
  if (cluster.sasl_mechanism == "AWS_MSK_IAM" && !tls)
    complain("kafka_cluster.sasl_mechanism",
             "AWS_MSK_IAM goes over TLS alone; set kafka_cluster.security_protocol = 'sasl_ssl'");
  const bool password = !cluster.password.value.empty() || !cluster.password_file.empty();
  if (named && (cluster.username.empty() || !password))
    complain("kafka_cluster.sasl_mechanism",
             fmt::format("{} needs kafka_cluster.username and kafka_cluster.password_file (or the variable "
                         "PINFLOW_KAFKA_CLUSTER__PASSWORD)",
                         cluster.sasl_mechanism));
  if (!cluster.password.value.empty() && !cluster.password_file.empty())
    complain("kafka_cluster.password_file", "kafka_cluster.password is set too; leave one of them out");
  if (!cluster.password.value.empty() && origin("kafka_cluster.password") == "flag")
    complain("kafka_cluster.password",
             "everybody on this machine could read it in the list of processes; set the variable "
             "PINFLOW_KAFKA_CLUSTER__PASSWORD or kafka_cluster.password_file");
  if (cluster.certificate_file.empty() != cluster.key_file.empty())
    complain("kafka_cluster.certificate_file",
             "a certificate and its key (kafka_cluster.key_file) belong together; set both");
  if (!tls && (!cluster.ca_file.empty() || !cluster.certificate_file.empty()))
    complain(cluster.ca_file.empty() ? "kafka_cluster.certificate_file" : "kafka_cluster.ca_file",
             fmt::format("means nothing with kafka_cluster.security_protocol = '{}'; set 'ssl' or 'sasl_ssl'",
                         cluster.security_protocol));
}

template <class Complain>
void check_http(const Config& config, const Complain& complain) {
  const auto& http = config.http;
  if (http.tls_certificate.empty() != http.tls_key.empty())
    complain("http.tls_certificate", "a certificate and its key (http.tls_key) belong together; set both");
  if (!http.tls_client_ca.empty() && http.tls_certificate.empty())
    complain("http.tls_client_ca", "certificates of clients need TLS; set http.tls_certificate and http.tls_key");
  if (http.tls_require_client_certificate && http.tls_client_ca.empty())
    complain("http.tls_require_client_certificate",
             "needs the authority of those certificates; set http.tls_client_ca");
  if (!http.client_certificates.empty() && http.tls_client_ca.empty())
    complain("http.client_certificates", "certificates of clients need an authority; set http.tls_client_ca");
  const bool credentials = http.authentication != "off" || !http.tls_client_ca.empty();
  for_each_address("http.addresses", http.addresses, complain, [&](std::string_view address) {
    if (http.insecure_remote) return;
    if (!credentials || http.tls_certificate.empty())
      complain(
          "http.addresses",
          fmt::format("'{}' can be reached from other machines, and {}. Three ways mend it: http.addresses = "
                      "\"127.0.0.1,::1\"; or http.tls_certificate and http.tls_key, with http.authentication = "
                      "\"token\" or http.tls_client_ca; or http.insecure_remote = true if the network itself keeps "
                      "strangers out.",
                      address,
                      credentials ? "credentials and posts would cross the network readable"
                                  : "the door asks for no credentials"));
    else if (("," + http.anonymous + ",").find(",admin,") != std::string::npos)
      complain("http.anonymous",
               fmt::format("whoever reaches '{}' could do everything without credentials. Grant less, or set "
                           "http.insecure_remote = true.",
                           address));
  });
}

template <class Complain>
void check_kinesis(const Config& config, const Complain& complain) {
  const auto& kinesis = config.kinesis;
  if (kinesis.verify_signatures && kinesis.access_keys.empty())
    complain("kinesis.verify_signatures", "needs the keys to check with; set kinesis.access_keys");
  if (kinesis.accept_session_tokens && !kinesis.verify_signatures)
    complain("kinesis.accept_session_tokens",
             "means nothing while signatures are not checked; set "
             "kinesis.verify_signatures = true");
  if (!kinesis.read_from.empty() && config.log.engine != "embedded")
    complain("kinesis.read_from",
             "needs log.engine = 'embedded': records are copied once because one process alone writes them");
}

// What no single value shows.
void check_whole(const Loaded& loaded, std::vector<std::string>& problems) {
  const Config& config = loaded.config;
  const auto complain = [&](const std::string& key, const std::string& text) {
    problems.push_back(fmt::format("{}: {}: {}", loaded.origins.at(key), key, text));
  };
  const auto one_of = [&](const std::string& key, const std::string& value, std::vector<std::string> allowed) {
    if (std::ranges::find(allowed, value) != allowed.end()) return;
    std::string list;
    for (const std::string& word : allowed) list += (list.empty() ? "'" : ", '") + word + "'";
    complain(key, fmt::format("expected one of {}, not '{}'", list, value));
  };
  one_of("log.engine", config.log.engine, {"embedded", "kafka"});
  one_of("kafka_cluster.security_protocol", config.kafka_cluster.security_protocol,
         {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"});
  if (!config.kafka_cluster.sasl_mechanism.empty())
    one_of("kafka_cluster.sasl_mechanism", config.kafka_cluster.sasl_mechanism,
           {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"});
  one_of("log.durability", config.log.durability, {"power", "interval", "os"});
  one_of("http.authentication", config.http.authentication, {"off", "token"});
  one_of("kafka_rest.profile", config.kafka_rest.profile, {"confluent", "karapace"});
  one_of("stream.partition_by", config.stream.partition_by, {"none", "date"});
  one_of("sink.format", config.sink.format, {"json", "parquet"});
  one_of("sink.compression", config.sink.compression, {"none", "gzip", "zstd", "snappy"});
  one_of("sink.partitioner", config.sink.partitioner, {"default", "time", "daily", "hourly", "field"});
  one_of("sink.timestamp_extractor", config.sink.timestamp_extractor, {"record", "field", "wallclock"});
  one_of("batch.engine", config.batch.engine, {"duckdb", "spark", "databricks"});
  one_of("s3.path_style", config.s3.path_style, {"auto", "true", "false"});
  one_of("s3.credentials", config.s3.credentials, {"auto", "environment", "file", "container", "instance"});
  one_of("logging.level", config.logging.level, {"debug", "info", "warning", "error"});
  one_of("logging.format", config.logging.format, {"text", "json"});
  if (config.live.topic_partitions < 1 || config.live.topic_partitions > 1'000)
    complain("live.topic_partitions", "1 to 1000 partitions for each kind");
  if (const auto good = check_name("topic", config.live.topic); !good) complain("live.topic", good.error().message);
  if (config.topics.partitions > 10'000) complain("topics.partitions", "at most 10000 partitions");
  if (const auto good = check_name("prefix", config.topics.prefix); !good) {
    complain("topics.prefix", good.error().message);
  } else if (config.topics.prefix.size() > 200) {
    complain("topics.prefix", "at most 200 characters, so that the names made from it fit");
  }
  check_http(config, complain);
  check_kinesis(config, complain);
  const std::string& base_uri = config.kafka_rest.base_uri;
  if (!base_uri.empty() && !base_uri.starts_with("http://") && !base_uri.starts_with("https://"))
    complain("kafka_rest.base_uri",
             fmt::format("expected an address such as https://pinflow.example, not '{}'", base_uri));
  check_kafka(config, complain);
  check_kafka_cluster(config, complain, [&](const std::string& key) { return loaded.origins.at(key); });
  if (config.log.max_record_size > config.http.max_body) {
    complain("log.max_record_size", "must not exceed http.max_body, or such a record can never be posted");
  }
}

}  // namespace

Result<Loaded> load(const Sources& sources) {
  Loaded loaded;
  for (const Setting& setting : settings()) loaded.origins[std::string(setting.key)] = "default";
  std::vector<Found> found;
  std::vector<std::string> problems;
  if (sources.file) TRY(read_file(*sources.file, found, problems));
  read_environment(sources, found, problems);
  for (const auto& [key, text] : sources.flags) found.push_back({key, text, "flag"});
  for (const Found& one : found) apply(one, loaded, problems);
  check_whole(loaded, problems);
  if (problems.empty()) return loaded;
  std::string message;
  for (const std::string& problem : problems) message += (message.empty() ? "" : "\n") + problem;
  return fail(ErrorCode::kInvalid, std::move(message));
}

std::vector<Printed> print(const Loaded& loaded) {
  std::vector<Printed> lines;
  for (const Setting& setting : settings()) {
    lines.push_back({std::string(setting.key), setting.print(loaded.config),
                     loaded.origins.at(std::string(setting.key)), std::string(setting.description)});
  }
  return lines;
}

}  // namespace pinflow::config
