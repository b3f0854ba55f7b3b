#include "doors/kafka_rest/profile.h"

namespace pinflow::doors::kafka_rest {

namespace {

constexpr Rules kConfluent{
    .answer_type = "application/vnd.kafka.v2+json",
    .takes_plain_json = false,
    .records_need_named_accept = false,
    .missing_body_status = 422,
    .missing_body = "Null input provided. Data is required.",
    .malformed_body = "Bad Request: the body is not valid",
    .wrong_type_status = 400,
    .failed_records_status = 200,
    .partitions_of_missing_topic = 40403,
    .refuses_topics_with_pattern = false,
    .illegal_choice = "Illegal state: Subscription to topics, partitions and pattern are mutually exclusive",
    .commit_status = 200,
    .commit_step = 1,
    .uncommitted = std::nullopt,
    .committed_without_body_status = 404,
    .committed_without_body_code = 40402,
    .bad_record_status = 408,
    .bad_record_code = 40801,
    .bad_record_names_part = false,
    .default_wait = std::chrono::milliseconds(1'000),
    .bad_number_status = 404,
    .bad_number_code = 404,
};

constexpr Rules kKarapace{
    .answer_type = "application/vnd.kafka.json.v2+json",
    .takes_plain_json = true,
    .records_need_named_accept = true,
    .missing_body_status = 400,
    .missing_body = "Missing request JSON body",
    .malformed_body = "Invalid request JSON body",
    .wrong_type_status = 422,
    .failed_records_status = 422,
    .partitions_of_missing_topic = 40401,
    .refuses_topics_with_pattern = true,
    .illegal_choice =
        "IllegalStateError: You must choose only one way to configure your consumer: (1) subscribe to specific "
        "topics by name, (2) subscribe to topics matching a regex pattern, (3) assign itself specific "
        "topic-partitions.",
    .commit_status = 204,
    .commit_step = 1,
    .uncommitted = -1001,
    .committed_without_body_status = 400,
    .committed_without_body_code = 400,
    .bad_record_status = 422,
    .bad_record_code = 422,
    .bad_record_names_part = true,
    .default_wait = std::chrono::milliseconds(11'000),
    .bad_number_status = 500,
    .bad_number_code = 50001,
};

}  // namespace

std::optional<Profile> profile_of(std::string_view name) {
  if (name == "confluent") return Profile::kConfluent;
  if (name == "karapace") return Profile::kKarapace;
  return std::nullopt;
}

const Rules& rules_of(Profile profile) {
  switch (profile) {
    case Profile::kConfluent:
      return kConfluent;
    case Profile::kKarapace:
      return kKarapace;
  }
  return kConfluent;
}

}  // namespace pinflow::doors::kafka_rest
