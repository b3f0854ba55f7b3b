#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong.h"

namespace pinflow::config {

// A text that is never printed.
struct Secret {
  std::string value;
};

// Every setting of the program with its default. The keys of file, environment and flags are the field names
// joined by a dot: `http.port`. What each one means stands in settings.cc, which is also what `pinflow config
// print` shows.
struct Config {
  struct {
    std::filesystem::path folder = "pinflow-data";
    std::string objects;  // s3://bucket/prefix; empty: objects/ in the folder.
    std::string tables;   // The same: tables/.
  } data;
  struct {
    std::string endpoint;  // Empty: AWS's own of the region.
    std::string region;    // Empty: AWS_REGION, AWS_DEFAULT_REGION, or us-east-1.
    std::string path_style = "auto";
    std::string credentials = "auto";
    std::filesystem::path credentials_file;
    std::string profile;
    ByteCount cache_size{std::uint64_t{4} << 30};
  } s3;
  struct {
    std::string prefix = "pinterest";
    std::int32_t partitions = 1;
  } topics;
  struct {
    std::string addresses = "127.0.0.1,::1";
    std::uint16_t port = 8082;
    bool insecure_remote = false;
    std::filesystem::path tls_certificate;  // Empty: no TLS.
    std::filesystem::path tls_key;
    std::filesystem::path tls_client_ca;  // Empty: clients are asked for no certificate.
    bool tls_require_client_certificate = false;
    ByteCount max_header{std::uint64_t{16} << 10};
    ByteCount max_body{std::uint64_t{10} << 20};
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{60'000};
    std::chrono::milliseconds idle_timeout{60'000};
    std::int32_t max_connections = 10'240;
    std::int32_t max_connections_per_address = 1'024;
    bool auto_create_topics = false;
    std::string authentication = "off";
    std::string anonymous = "auto";             // What callers without credentials may do: auto, none, or grants.
    std::filesystem::path client_certificates;  // Empty: each of the authority may do everything.
    std::string cors_origins;                   // With commas between them. Empty: none.
    bool open_metrics = false;
  } http;
  struct {
    std::string profile = "confluent";
    std::string base_uri;  // Empty: the address that the client dialled.
    std::chrono::milliseconds consumer_idle_timeout{300'000};
    std::int32_t max_consumers = 1'000;
    std::int32_t max_consumers_per_caller = 250;
    std::chrono::milliseconds idempotency_window{std::chrono::hours(24)};
    std::int64_t idempotency_keys = 500'000;
    std::int32_t max_batch_entries = 10;
  } kafka_rest;
  struct {
    std::string addresses = "127.0.0.1,::1";
    std::uint16_t port = 9092;
    std::string advertised;  // Empty: the address that the client dialled.
    bool insecure_remote = false;
    std::filesystem::path tls_certificate;  // Empty: no TLS.
    std::filesystem::path tls_key;
    std::filesystem::path tls_client_ca;  // Empty: clients need no certificate.
    std::filesystem::path users;          // Empty: no authentication.
    bool auto_create_topics = true;
    std::int32_t default_partitions = 1;
    ByteCount max_request{std::uint64_t{100} << 20};
    ByteCount max_memory{std::uint64_t{256} << 20};
    std::int32_t max_connections = 10'240;
    std::chrono::milliseconds idle_timeout{600'000};
    std::int32_t threads = 2;
    std::chrono::milliseconds group_rebalance_delay{200};
    std::optional<std::chrono::milliseconds> offsets_retention{std::chrono::hours(7 * 24)};
  } kafka;
  struct {
    std::uint16_t port = 0;  // 0: on the port of the HTTP door alone.
    std::string account = "000000000000";
    std::string region = "us-east-1";
    std::int32_t shard_limit = 500;
    std::chrono::milliseconds change_delay{500};
    bool enforce_limits = false;
    std::int32_t read_threads = 4;
    bool verify_signatures = false;
    std::filesystem::path access_keys;
    bool accept_session_tokens = false;
    bool cors = false;
    std::string forward_to;  // Empty: streams are topics of the log.
    std::string read_from;   // Empty: no streams of another Kinesis come in.
  } kinesis;
  struct {
    bool apigw_status = false;
  } streams;
  struct {
    std::string engine = "embedded";
    std::string durability = "power";
    std::chrono::milliseconds sync_interval{200};
    ByteCount segment_size{std::uint64_t{256} << 20};
    std::chrono::milliseconds segment_age{std::chrono::hours(7 * 24)};
    std::optional<ByteCount> retention_size;  // None: unlimited.
    std::optional<std::chrono::milliseconds> retention_time;
    ByteCount max_batch_size{(std::uint64_t{1} << 20) + 12};
    ByteCount max_record_size{std::uint64_t{1} << 20};
    ByteCount max_pending{std::uint64_t{64} << 20};
    ByteCount reserved_space{std::uint64_t{256} << 20};
  } log;
  struct {
    std::string bootstrap_servers;  // host:port with commas between them.
    std::string security_protocol = "plaintext";
    std::string sasl_mechanism;  // Empty: none.
    std::string username;
    Secret password;
    std::filesystem::path password_file;  // Instead of `password`.
    std::string region;                   // Of AWS_MSK_IAM. Empty: AWS_REGION, or what the brokers' names say.
    std::filesystem::path ca_file;        // Empty: the authorities that the system trusts.
    std::filesystem::path certificate_file;
    std::filesystem::path key_file;
    std::filesystem::path properties_file;
  } kafka_cluster;
  struct {
    std::int64_t flush_size = 1'000;
    std::chrono::milliseconds rotate_interval{5'000};
    std::optional<std::chrono::milliseconds> rotate_record_interval;
    std::optional<std::chrono::milliseconds> rotate_schedule_interval;
    std::string topics = "";
    std::string topics_regex = "";
    std::string topics_dir = "topics";
    std::string file_delimiter = "+";
    std::int32_t offset_pad = 10;
    std::string format = "json";
    std::string compression = "none";
    std::string partitioner = "default";
    std::string path_format = "";
    std::chrono::milliseconds partition_duration{std::chrono::hours(1)};
    std::string timezone = "UTC";
    std::string timestamp_extractor = "record";
    std::string timestamp_field = "timestamp";
    std::string partition_fields = "";
    std::int32_t parallel_puts = 8;
    std::filesystem::path connector_properties;
  } sink;
  struct {
    std::string start = "earliest";
    std::string partition_by = "none";
    std::chrono::milliseconds commit_interval{200};
    std::chrono::milliseconds max_commit_interval{600};
    std::chrono::milliseconds freshness{1'000};
    std::int64_t max_batch_records = 50'000;
    ByteCount max_batch_size{std::uint64_t{16} << 20};
    ByteCount batch_memory{std::uint64_t{64} << 20};
    bool keep_unknown_members = false;
    std::int64_t checkpoint_interval = 100;
    std::chrono::milliseconds optimize_interval{60'000};
  } stream;
  struct {
    std::int64_t max_profiles = 1'000'000;
    std::int64_t max_categories = 1'000;
    std::int64_t max_countries = 1'000;
    std::int64_t max_pairs = 1'000'000;
    std::int64_t max_pending = 500'000;
    std::int64_t max_seen_pages = 1'000'000;
    std::chrono::milliseconds allowed_lateness{60'000};
    std::chrono::milliseconds idle_after{60'000};
    std::chrono::milliseconds checkpoint_interval{10'000};
    std::string topic = "pinflow-live";
    std::int32_t topic_partitions = 4;
  } live;
  struct {
    std::string engine = "duckdb";
    std::string spark_submit = "spark-submit";
    std::string spark_master = "local[*]";
    std::string spark_packages;  // With commas between them. Empty: none.
    std::string spark_jars;      // The same.
    std::string spark_conf;      // key=value, with semicolons between them.
    std::string databricks_host;
    std::string databricks_cluster;                // One of this and the next.
    std::filesystem::path databricks_new_cluster;  // A JSON file.
    std::filesystem::path databricks_token_file;   // Empty: DATABRICKS_TOKEN.
  } batch;
  struct {
    bool enabled = true;
    std::string cron = "@daily";
    std::string timezone = "UTC";
    std::string catch_up = "latest";
    std::string start;  // Empty: from the first start of the schedule on.
    std::uint16_t retries = 2;
    std::chrono::milliseconds retry_delay{300'000};
    std::chrono::milliseconds max_retry_delay{3'600'000};
    std::optional<std::chrono::milliseconds> timeout;
  } schedule;
  struct {
    std::filesystem::path statements;  // Empty: only the files carried in the program.
    ByteCount memory_limit{std::uint64_t{1} << 30};
    std::int32_t threads = 2;
    std::chrono::milliseconds query_time{30'000};
    std::int64_t query_rows = 10'000;
    ByteCount query_answer{std::uint64_t{16} << 20};
    ByteCount query_memory{std::uint64_t{512} << 20};
  } sql;
  struct {
    std::string level = "info";
    std::string format = "text";
  } logging;
};

// Where the values come from, weakest first. Later ones win; each names itself in errors.
struct Sources {
  std::optional<std::filesystem::path> file;                     // TOML. Absent: no file.
  std::vector<std::pair<std::string, std::string>> environment;  // All variables; ours are PINFLOW_SECTION__KEY.
  std::vector<std::pair<std::string, std::string>> flags;        // Key and text: {"http.port", "8083"}.
};

struct Loaded {
  Config config;
  std::map<std::string, std::string>
      origins;  // By key: "default", "pinflow.toml:12", "environment PINFLOW_HTTP__PORT", "flag".
};

// Reads and checks everything. kInvalid (or kNotFound for a missing file): the message has one line a
// problem, each with place, cause and mend; unknown keys are problems.
Result<Loaded> load(const Sources& sources);

// One line of `pinflow config print`.
struct Printed {
  std::string key;
  std::string value;
  std::string origin;
  std::string description;
};
std::vector<Printed> print(const Loaded& loaded);

}  // namespace pinflow::config
