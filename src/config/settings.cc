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
    setting("topics.prefix", FIELD(topics.prefix),
            "First part of the default names: topic <prefix>.pin, stream streaming-<prefix>-pin, table "
            "<prefix>_pin_table."),
    setting("topics.partitions", FIELD(topics.partitions),
            "Partitions of each default topic and stream when it is made."),
    setting("http.address", FIELD(http.address), "Address that the HTTP door listens on."),
    setting("http.port", FIELD(http.port), "Port of the HTTP door; 0 takes any free one."),
    setting("http.insecure_remote", FIELD(http.insecure_remote),
            "Allows an address other than loopback although the door has neither TLS nor credentials."),
    setting("http.max_body", FIELD(http.max_body), "Largest request body; a larger one is answered 413."),
    setting("http.header_timeout", FIELD(http.header_timeout), "Time for the head of a request to arrive."),
    setting("http.body_timeout", FIELD(http.body_timeout), "Time for the body of a request to arrive."),
    setting("http.idle_timeout", FIELD(http.idle_timeout), "Time after which an idle connection is closed."),
    setting("http.max_connections", FIELD(http.max_connections),
            "Connections at a time; a further one is answered 503."),
    setting("http.auto_create_topics", FIELD(http.auto_create_topics), "Makes a topic when it is first posted to."),
    setting("log.durability", FIELD(log.durability),
            "When a post is acknowledged: 'power' after fsync, 'os' after write (lost when the machine stops)."),
    setting("log.segment_size", FIELD(log.segment_size), "Size at which a segment file is closed and a new one begun."),
    setting("log.max_record_size", FIELD(log.max_record_size), "Largest record: key, value and headers."),
    setting("log.max_pending", FIELD(log.max_pending), "Posts waiting for the disk; past it the doors answer 429."),
    setting("log.reserved_space", FIELD(log.reserved_space), "Free disk space below which posts are refused with 503."),
    setting("sink.flush_size", FIELD(sink.flush_size), "Records after which a sunk object is closed."),
    setting("sink.rotate_interval", FIELD(sink.rotate_interval),
            "Time after which a sunk object is closed in any case."),
    setting("stream.commit_interval", FIELD(stream.commit_interval),
            "Least time between two commits to a streamed table."),
    setting("stream.max_batch_records", FIELD(stream.max_batch_records), "Most records in one micro-batch."),
    setting("stream.checkpoint_interval", FIELD(stream.checkpoint_interval), "Commits between checkpoints of a table."),
    setting("live.max_profiles", FIELD(live.max_profiles), "Profiles held for live popularity."),
    setting("sql.statements", FIELD(sql.statements),
            "Folder of SQL files that add to or replace those in the program."),
    setting("sql.memory_limit", FIELD(sql.memory_limit), "Memory of the SQL engine."),
    setting("sql.threads", FIELD(sql.threads), "Threads of the SQL engine."),
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
