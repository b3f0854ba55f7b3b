#include "config/settings.h"

#include <algorithm>
#include <cctype>

#include "config/value_text.h"

namespace pinflow::config {

namespace {
// Makes a setting of one field; `Field` is a stateless lambda from a Config to the field.
template <class Field>
constexpr Setting setting(std::string_view key, Field, std::string_view description) {
  return {key, description, [](Config& config, std::string_view text) { return parse_value(text, Field{}(config)); },
          [](const Config& config) { return print_value(Field{}(config)); }};
}
#define FIELD(name) [](auto& config) -> auto& { return config.name; }

constexpr Setting kSettings[] = {
    setting("data.folder", FIELD(data.folder),
            "Where log, objects, tables and state lie; one running pinflow a folder."),
    setting("data.objects", FIELD(data.objects),
            "Where the sink puts objects: s3://bucket/prefix, or empty for objects/ in data.folder."),
    setting("data.tables", FIELD(data.tables),
            "Where Delta tables lie: s3://bucket/prefix, or empty for tables/ in data.folder."),
    setting("s3.endpoint", FIELD(s3.endpoint),
            "Address of a store that speaks like S3, such as https://store.example:9000; empty for AWS's own."),
    setting("s3.region", FIELD(s3.region), "Region of the buckets; empty for AWS_REGION, else us-east-1."),
    setting("s3.path_style", FIELD(s3.path_style),
            "Whether buckets stand in the path of URLs: true, false, or auto (true with s3.endpoint)."),
    setting(
        "s3.credentials", FIELD(s3.credentials),
        "Where credentials come from: environment, file, container, instance, or auto for the first that has some."),
    setting("s3.credentials_file", FIELD(s3.credentials_file),
            "File of profiles with keys; empty for AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials."),
    setting("s3.profile", FIELD(s3.profile), "Profile in that file; empty for AWS_PROFILE, else default."),
    setting("s3.cache_size", FIELD(s3.cache_size),
            "Most that local copies of objects may take, in data.folder/state/s3."),
    setting("topics.prefix", FIELD(topics.prefix),
            "First part of the default names: topic <prefix>.pin, stream streaming-<prefix>-pin, table "
            "<prefix>_pin_table."),
    setting("topics.partitions", FIELD(topics.partitions),
            "Partitions of each default topic and stream when it is made."),
    setting("http.addresses", FIELD(http.addresses),
            "Addresses that the HTTP door listens on, with commas between them; those that this machine lacks are left "
            "out."),
    setting("http.port", FIELD(http.port), "Port of the HTTP door; 0 takes any free one."),
    setting("http.insecure_remote", FIELD(http.insecure_remote),
            "Allows an address other than loopback although the door has neither TLS nor credentials."),
    setting("http.tls_certificate", FIELD(http.tls_certificate),
            "PEM file of the door's certificate chain; set, every HTTP connection speaks TLS. SIGHUP reads it anew."),
    setting("http.tls_key", FIELD(http.tls_key), "PEM file of the certificate's private key, without passphrase."),
    setting("http.tls_client_ca", FIELD(http.tls_client_ca),
            "PEM file of the authority of clients' certificates; set, clients are asked for one and may do without."),
    setting("http.tls_require_client_certificate", FIELD(http.tls_require_client_certificate),
            "Refuses clients that show no certificate of http.tls_client_ca."),
    setting("http.max_header", FIELD(http.max_header),
            "Largest head of a request, its target included; a larger one is answered 431."),
    setting("http.max_body", FIELD(http.max_body), "Largest request body; a larger one is answered 413."),
    setting("http.header_timeout", FIELD(http.header_timeout), "Time for the head of a request to arrive."),
    setting("http.body_timeout", FIELD(http.body_timeout), "Time for the body of a request to arrive."),
    setting("http.idle_timeout", FIELD(http.idle_timeout), "Time after which an idle connection is closed."),
    setting("http.max_connections", FIELD(http.max_connections),
            "Connections at a time; a further one is answered 503."),
    setting("http.max_connections_per_address", FIELD(http.max_connections_per_address),
            "Connections at a time from one address (of IPv6: one /64); a further one is answered 503."),
    setting("http.auto_create_topics", FIELD(http.auto_create_topics), "Makes a topic when it is first posted to."),
    setting("http.authentication", FIELD(http.authentication),
            "How callers say who they are: 'off', or 'token' (bearer tokens, see `pinflow tokens`)."),
    setting(
        "http.anonymous", FIELD(http.anonymous),
        "What callers without credentials may do: grants such as produce:clicks,query, 'none', or 'auto': everything "
        "where there are no credentials to show, nothing where there are."),
    setting(
        "http.client_certificates", FIELD(http.client_certificates),
        "File of lines GRANTS SUBJECT: what certificates of http.tls_client_ca are good for; unset, for everything."),
    setting("http.cors_origins", FIELD(http.cors_origins),
            "Origins whose pages browsers let talk to the doors, with commas between them: https://shop.example."),
    setting("http.open_metrics", FIELD(http.open_metrics), "Serves /metrics also to those who may not query."),
    setting("kinesis.verify_signatures", FIELD(kinesis.verify_signatures),
            "Checks the signatures of AWS clients against kinesis.access_keys; otherwise they must only be there."),
    setting("kinesis.access_keys", FIELD(kinesis.access_keys),
            "File of lines ID SECRET NAME GRANTS: the keys that AWS clients sign with. Holds secrets: chmod 600."),
    setting("kinesis.accept_session_tokens", FIELD(kinesis.accept_session_tokens),
            "Takes any session token with a key that has none of its own; otherwise such requests are refused."),
    setting("kinesis.cors", FIELD(kinesis.cors), "Lets pages of any origin call the Kinesis door, as AWS does."),
    setting("kafka_rest.profile", FIELD(kafka_rest.profile),
            "Whose behaviour the Kafka REST API shows where its implementations differ: confluent or karapace."),
    setting(
        "kafka_rest.base_uri", FIELD(kafka_rest.base_uri),
        "Address under which clients reach this server, told to those that make a consumer; unset, the one that they "
        "dialled."),
    setting("kafka_rest.consumer_idle_timeout", FIELD(kafka_rest.consumer_idle_timeout),
            "Time after which an unused consumer of the Kafka REST API is ended."),
    setting("kafka_rest.max_consumers", FIELD(kafka_rest.max_consumers),
            "Consumers of the Kafka REST API at a time; a further one is answered 429."),
    setting("kafka_rest.max_consumers_per_caller", FIELD(kafka_rest.max_consumers_per_caller),
            "The same, of one token."),
    setting(
        "kafka.addresses", FIELD(kafka.addresses),
        "Addresses that the Kafka door listens on, with commas between them; those that this machine lacks are left "
        "out."),
    setting("kafka_rest.idempotency_window", FIELD(kafka_rest.idempotency_window),
            "How long a produce request with an Idempotency-Key is known when it comes again."),
    setting("kafka_rest.idempotency_keys", FIELD(kafka_rest.idempotency_keys),
            "How many such requests are known; past it the oldest is forgotten. About 120 bytes of memory each."),
    setting("kafka_rest.max_batch_entries", FIELD(kafka_rest.max_batch_entries),
            "Most entries of a produce batch of API v3."),
    setting("kafka.port", FIELD(kafka.port), "Port of the Kafka door; 0 takes any free one."),
    setting("kafka.advertised", FIELD(kafka.advertised),
            "host or host:port that clients are told to connect to; unset, the address that they dialled."),
    setting("kafka.insecure_remote", FIELD(kafka.insecure_remote),
            "Allows addresses other than loopback without kafka.users, and passwords without TLS."),
    setting("kafka.tls_certificate", FIELD(kafka.tls_certificate),
            "PEM file of the door's certificate chain; set, every Kafka connection speaks TLS."),
    setting("kafka.tls_key", FIELD(kafka.tls_key), "PEM file of the certificate's private key."),
    setting("kafka.tls_client_ca", FIELD(kafka.tls_client_ca),
            "PEM file of the authority whose certificates clients must show; unset, they need none."),
    setting("kafka.users", FIELD(kafka.users),
            "File of lines name:password; set, clients log in by SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512)."),
    setting("kafka.auto_create_topics", FIELD(kafka.auto_create_topics),
            "Makes a topic when a Kafka client first asks for it."),
    setting("kafka.default_partitions", FIELD(kafka.default_partitions),
            "Partitions of topics made without a number of them."),
    setting("kafka.max_request", FIELD(kafka.max_request), "Largest request; a larger one ends its connection."),
    setting("kafka.max_memory", FIELD(kafka.max_memory),
            "Requests and answers in memory, of all Kafka connections; past it reading pauses."),
    setting("kafka.max_connections", FIELD(kafka.max_connections), "Kafka connections at a time."),
    setting("kafka.idle_timeout", FIELD(kafka.idle_timeout), "Time after which an idle Kafka connection is closed."),
    setting("kafka.threads", FIELD(kafka.threads), "Network loops of the Kafka door."),
    setting("kafka.group_rebalance_delay", FIELD(kafka.group_rebalance_delay),
            "How long an empty consumer group waits for more members before its first rebalance."),
    setting("kinesis.port", FIELD(kinesis.port),
            "A port for Kinesis alone, beside the one it shares with the other HTTP doors; 0 opens none."),
    setting("kinesis.account", FIELD(kinesis.account), "Account that names of streams show, twelve digits."),
    setting("kinesis.region", FIELD(kinesis.region), "Region of calls whose signature names none."),
    setting("kinesis.shard_limit", FIELD(kinesis.shard_limit),
            "Open shards that all streams made through Kinesis may have together."),
    setting("kinesis.change_delay", FIELD(kinesis.change_delay),
            "How long a stream is CREATING, UPDATING or DELETING, as clients of Kinesis expect to see."),
    setting("kinesis.enforce_limits", FIELD(kinesis.enforce_limits),
            "Holds shards to AWS's throughput and callers of Kinesis to its rates."),
    setting("kinesis.read_threads", FIELD(kinesis.read_threads),
            "Reads of shards that may wait for the disk at the same time."),
    setting("streams.apigw_status", FIELD(streams.apigw_status),
            "The REST resources answer errors of Kinesis with 200, as API gateways set up by AWS's tutorial do."),
    setting("kafka.offsets_retention", FIELD(kafka.offsets_retention),
            "How long positions of a consumer group without members are kept."),
    setting("log.durability", FIELD(log.durability),
            "When a post is acknowledged: 'power' after fsync, 'interval' after write with an fsync every "
            "log.sync_interval, 'os' after write (both lose posts when the machine stops)."),
    setting("log.sync_interval", FIELD(log.sync_interval), "Longest time without fsync at durability 'interval'."),
    setting("log.segment_size", FIELD(log.segment_size), "Size at which a segment file is closed and a new one begun."),
    setting("log.segment_age", FIELD(log.segment_age), "Age at which a segment file is closed in any case."),
    setting("log.retention_size", FIELD(log.retention_size),
            "Size of a partition above which its oldest segments are deleted; topics may set their own."),
    setting("log.retention_time", FIELD(log.retention_time),
            "Age above which segments are deleted; topics may set their own."),
    setting("log.max_batch_size", FIELD(log.max_batch_size),
            "Largest record batch of a Kafka producer (max.message.bytes); topics may set their own."),
    setting("log.max_record_size", FIELD(log.max_record_size), "Largest record: key, value and headers."),
    setting("log.max_pending", FIELD(log.max_pending), "Posts waiting for the disk; past it the doors answer 429."),
    setting("log.reserved_space", FIELD(log.reserved_space), "Free disk space below which posts are refused with 503."),
    setting("sink.flush_size", FIELD(sink.flush_size), "Records after which a sunk object is closed."),
    setting("sink.rotate_interval", FIELD(sink.rotate_interval),
            "Time after which a sunk object is closed in any case."),
    setting("sink.rotate_record_interval", FIELD(sink.rotate_record_interval),
            "Longest time that the records of one sunk object span (rotate.interval.ms)."),
    setting("sink.rotate_schedule_interval", FIELD(sink.rotate_schedule_interval),
            "Sunk objects are closed at each multiple of it since midnight of sink.timezone "
            "(rotate.schedule.interval.ms)."),
    setting("sink.topics", FIELD(sink.topics),
            "Topics to sink, names or patterns with '*', with commas between them. Without these and a regular "
            "expression: the three topics of posts."),
    setting("sink.topics_regex", FIELD(sink.topics_regex),
            "Regular expression of the whole names of topics to sink (topics.regex)."),
    setting("sink.topics_dir", FIELD(sink.topics_dir), "Folder of all sunk objects (topics.dir)."),
    setting("sink.file_delimiter", FIELD(sink.file_delimiter),
            "What stands between topic, partition and offset in the name of an object (file.delim)."),
    setting("sink.offset_pad", FIELD(sink.offset_pad),
            "Digits of the offset in the name of an object (filename.offset.zero.pad.width)."),
    setting("sink.format", FIELD(sink.format), "What sunk objects hold: 'json' lines, or 'parquet'."),
    setting("sink.compression", FIELD(sink.compression),
            "How sunk objects are packed: 'none', 'gzip' or 'zstd', and 'snappy' within Parquet."),
    setting("sink.partitioner", FIELD(sink.partitioner),
            "Folders of sunk objects: 'default' (the topic's partition), 'time', 'daily', 'hourly' or 'field'."),
    setting("sink.path_format", FIELD(sink.path_format),
            "Folders of the partitioner 'time', such as 'year'=YYYY/'month'=MM (path.format)."),
    setting("sink.partition_duration", FIELD(sink.partition_duration),
            "What times of the partitioner 'time' are rounded down to (partition.duration.ms)."),
    setting("sink.timezone", FIELD(sink.timezone),
            "Time zone of the folders and of the schedule, such as Europe/Berlin."),
    setting("sink.timestamp_extractor", FIELD(sink.timestamp_extractor),
            "Which time the folders are of: 'record', 'field' or 'wallclock' (timestamp.extractor)."),
    setting("sink.timestamp_field", FIELD(sink.timestamp_field),
            "The field that holds the time where sink.timestamp_extractor is 'field'."),
    setting("sink.partition_fields", FIELD(sink.partition_fields),
            "Fields of the partitioner 'field', with commas between them (partition.field.name)."),
    setting("sink.parallel_puts", FIELD(sink.parallel_puts),
            "Objects of field and time folders that the sink puts at the same time."),
    setting("sink.connector_properties", FIELD(sink.connector_properties),
            "A properties file of Confluent's S3 sink connector, whose settings count in place of these."),
    setting("stream.start", FIELD(stream.start),
            "Where a streamed table begins that has no position in its stream yet: earliest, latest, an offset, or a "
            "time such as 2026-11-22T10:15:00Z."),
    setting("stream.partition_by", FIELD(stream.partition_by),
            "'date' gives streamed tables that are made from now on a column arrival_date and files by it; or 'none'."),
    setting("stream.commit_interval", FIELD(stream.commit_interval),
            "Time between two commits to a streamed table while its stream is quiet."),
    setting("stream.max_commit_interval", FIELD(stream.max_commit_interval),
            "What that time grows to while the stream is busy, so that files are fewer and larger."),
    setting(
        "stream.freshness", FIELD(stream.freshness),
        "Time within which a post shall be in its table; it keeps the time between commits short where they are slow."),
    setting("stream.max_batch_records", FIELD(stream.max_batch_records), "Most records in one micro-batch."),
    setting("stream.max_batch_size", FIELD(stream.max_batch_size),
            "Most bytes of records in one micro-batch; each kind has two at a time at most."),
    setting("stream.batch_memory", FIELD(stream.batch_memory),
            "Bytes of records in the micro-batches of all kinds together; as columns they take some four times that."),
    setting("stream.keep_unknown_members", FIELD(stream.keep_unknown_members),
            "Keeps members of records that no column takes as JSON text in a column unknown_members, which streamed "
            "tables get then. They are counted and told in either case."),
    setting("stream.optimize_interval", FIELD(stream.optimize_interval),
            "Between two rounds that put small files of the streamed tables together; 0s: never."),
    setting("stream.checkpoint_interval", FIELD(stream.checkpoint_interval), "Commits between checkpoints of a table."),
    setting("live.max_profiles", FIELD(live.max_profiles),
            "Profiles held for live popularity; past it the least active go. About 600 bytes each."),
    setting("live.max_categories", FIELD(live.max_categories),
            "Categories held for live metrics; past it the least active go. About 6.3 kB each."),
    setting("live.max_countries", FIELD(live.max_countries), "The same of countries."),
    setting("live.max_pairs", FIELD(live.max_pairs),
            "Pairs of a profile and a category held for live metrics, and as many of a profile and a country; past it "
            "those with the fewest posts in 24 hours go. About 230 bytes each."),
    setting("live.max_pending", FIELD(live.max_pending),
            "Posts held until their pin, geo and user records have all come; past it the earliest go. About 110 bytes "
            "each."),
    setting("live.max_seen_pages", FIELD(live.max_seen_pages),
            "Pages of 512 neighbouring post ids that live metrics remember to tell repeats. About 250 bytes each."),
    setting("live.allowed_lateness", FIELD(live.allowed_lateness),
            "How far a record's time may lie behind the newest of its partition before it counts as late."),
    setting("live.idle_after", FIELD(live.idle_after),
            "Silence after which a partition no longer holds back the watermark of live metrics."),
    setting("live.checkpoint_interval", FIELD(live.checkpoint_interval),
            "Time between two checkpoints of live metrics while there is news."),
    setting("schedule.enabled", FIELD(schedule.enabled), "`pinflow up` runs the batch by the schedule."),
    setting(
        "schedule.cron", FIELD(schedule.cron),
        "When: five fields (minute, hour, day of month, month, day of week), or @hourly, @daily, @weekly, @monthly, "
        "@yearly."),
    setting("schedule.timezone", FIELD(schedule.timezone), "Zone of these times, such as Europe/Berlin."),
    setting("schedule.catch_up", FIELD(schedule.catch_up),
            "What of the runs that were missed is made up for: 'none', the 'latest', or 'all'."),
    setting("schedule.start", FIELD(schedule.start),
            "No interval before this time is run, such as 2026-11-01T00:00:00Z; empty: from the first start on."),
    setting("schedule.retries", FIELD(schedule.retries), "How often a failed or interrupted run is tried again."),
    setting("schedule.retry_delay", FIELD(schedule.retry_delay), "Time before the first retry; doubles with each."),
    setting("schedule.max_retry_delay", FIELD(schedule.max_retry_delay), "What that time grows to."),
    setting("schedule.timeout", FIELD(schedule.timeout), "How long an attempt may take; it is stopped after that."),
    setting("sql.statements", FIELD(sql.statements),
            "Folder of SQL files that add to or replace those in the program."),
    setting("sql.memory_limit", FIELD(sql.memory_limit), "Memory of the SQL engine."),
    setting("sql.threads", FIELD(sql.threads), "Threads of the SQL engine."),
    setting("sql.query_time", FIELD(sql.query_time), "How long a statement of a user may run."),
    setting("sql.query_rows", FIELD(sql.query_rows), "How many rows a statement of a user may answer."),
    setting("sql.query_answer", FIELD(sql.query_answer), "How many bytes a statement of a user may answer."),
    setting("sql.query_memory", FIELD(sql.query_memory), "Memory of a statement of a user, in a process of its own."),
    setting("logging.level", FIELD(logging.level),
            "Least severity written: debug, info, warning or error; unless set, only `up` writes info."),
    setting("logging.format", FIELD(logging.format), "Form of log lines: text or json."),
};
#undef FIELD
}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

std::string environment_name(std::string_view key) {
  std::string name = "PINFLOW_";
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

}  // namespace pinflow::config
