#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinflow::doors::kafka_rest {

// Whose behaviour the door shows where the implementations of the REST Proxy API contradict each other.
enum class Profile { kConfluent, kKarapace };

// Reads the setting kafka_rest.profile: "confluent" or "karapace".
std::optional<Profile> profile_of(std::string_view name);

// Every point on which the profiles differ; docs/kafka-rest.md has the same table in words.
struct Rules {
  std::string_view answer_type;  // Content-Type of answers that carry no records.
  bool
      takes_plain_json;  // Accept: application/json, */json; Content-Type application/json, octet-stream, none: binary.
  bool records_need_named_accept;    // GET .../records without the format in Accept is 406, not binary.
  int missing_body_status;           // Of requests that need a body and have none.
  std::string_view missing_body;     // And the message.
  std::string_view malformed_body;   // Begins the message about a body that cannot be read.
  int wrong_type_status;             // `topics` is no list, `topic_pattern` no string, a format that does not exist ...
  int failed_records_status;         // Of a produce where some records failed and some are stored.
  int partitions_of_missing_topic;   // error_code of GET /topics/{unknown}/partitions..., status 404.
  bool refuses_topics_with_pattern;  // Otherwise the topics win.
  std::string_view illegal_choice;   // Message where topics, a pattern and an assignment would mix.
  int commit_status;                 // 200 has the body [], 204 none.
  std::int64_t commit_step;          // What is stored is the number in the request plus this.
  std::optional<std::int64_t> uncommitted;  // Offset told for a partition without a commit; none: it is left out.
  int committed_without_body_status;        // GET .../offsets that names no partitions.
  int committed_without_body_code;
  int bad_record_status;  // A record that does not fit the format of the instance.
  int bad_record_code;
  bool bad_record_names_part;              // Its message begins with "key" or "value".
  std::chrono::milliseconds default_wait;  // Of a read, where neither the request nor the instance says.
  int bad_number_status;                   // A query parameter that is no number, a timeout that is not positive.
  int bad_number_code;
};

const Rules& rules_of(Profile profile);

}  // namespace pinflow::doors::kafka_rest
