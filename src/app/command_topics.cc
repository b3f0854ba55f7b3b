#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/kafka_admin.h"
#include "kafka_wire/messages/configs.h"
#include "kafka_wire/messages/topics.h"

namespace pinflow::app {

namespace {

using kafka_wire::Client;
using kafka_wire::error_of;
using kafka_wire::KafkaError;

struct TopicsOptions {
  std::string bootstrap;
  std::string format = "table";
  std::vector<std::string> names;
  std::int32_t partitions = -1;
  std::int16_t replicas = -1;
  std::vector<std::string> settings;
  std::vector<std::string> defaults;
  bool internal = false;
  bool tolerant = false;  // --if-not-exists, --if-exists
};

// Tells each topic's outcome; the exit code says whether all went well. A code equal to `tolerated` is as good as success.
class Outcomes {
 public:
  Outcomes(const Environment& environment, std::string done, KafkaError tolerated)
      : environment_(environment), done_(std::move(done)), tolerated_(tolerated) {}

  void add(const std::string& topic, KafkaError code, const std::optional<std::string>& message) {
    if (code == KafkaError::kNone || (code == tolerated_ && tolerated_ != KafkaError::kNone)) {
      if (!environment_.quiet)
        fmt::print("topic '{}' {}\n", topic, code == KafkaError::kNone ? done_ : "left as it is");
      return;
    }
    const Error error = error_of(code, fmt::format("topic '{}'", topic), message.value_or(""));
    fmt::print(stderr, "pinflow: {}\n", error.message);
    if (worst_ == kOk) worst_ = exit_code_of(error);
  }
  ExitCode exit_code() const { return worst_; }

 private:
  const Environment& environment_;
  std::string done_;
  KafkaError tolerated_;
  ExitCode worst_ = kOk;
};

Result<ExitCode> create(Environment& environment, const TopicsOptions& options) {
  kafka_wire::CreateTopicsRequest request;
  for (const std::string& name : options.names) {
    request.topics.push_back(
        {.name = name, .num_partitions = options.partitions, .replication_factor = options.replicas});
    for (const std::string& setting : options.settings) {
      TRY_ASSIGN(auto pair, parse_setting(setting));
      request.topics.back().configs.push_back({.name = std::move(pair.first), .value = std::move(pair.second)});
    }
  }
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(Client* const controller, cluster->controller());
  TRY_ASSIGN(const auto response, controller->call(request));
  Outcomes outcomes(environment, "created", options.tolerant ? KafkaError::kTopicAlreadyExists : KafkaError::kNone);
  for (const auto& topic : response.topics) outcomes.add(topic.name, topic.error_code, topic.error_message);
  return outcomes.exit_code();
}

Result<ExitCode> list(Environment& environment, const TopicsOptions& options) {
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(const auto topics, list_topics(*cluster, options.internal));
  if (topics.empty() && options.format == "table") {
    fmt::print("No topics yet: `pinflow topics create NAME` makes one.\n");
    return kOk;
  }
  fmt::print("{}", format_topics(topics, options.format == "json"));
  return kOk;
}

Result<ExitCode> describe(Environment& environment, const TopicsOptions& options) {
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(const auto topics, describe_topics(*cluster, options.names));
  fmt::print("{}", format_topic_descriptions(topics, options.format == "json"));
  return kOk;
}

Result<ExitCode> remove(Environment& environment, const TopicsOptions& options) {
  constexpr std::int16_t kByName = 5;  // The last version that names topics without their ids.
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(Client* const controller, cluster->controller());
  TRY_ASSIGN(const auto response,
             controller->call(kafka_wire::DeleteTopicsRequest{.topic_names = options.names}, kByName));
  Outcomes outcomes(environment, "deleted",
                    options.tolerant ? KafkaError::kUnknownTopicOrPartition : KafkaError::kNone);
  for (const auto& topic : response.topics)
    outcomes.add(topic.name.value_or(""), topic.error_code, topic.error_message);
  return outcomes.exit_code();
}

Result<ExitCode> add_partitions(Environment& environment, const TopicsOptions& options) {
  kafka_wire::CreatePartitionsRequest request;
  for (const std::string& name : options.names) request.topics.push_back({.name = name, .count = options.partitions});
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(Client* const controller, cluster->controller());
  TRY_ASSIGN(const auto response, controller->call(request));
  Outcomes outcomes(environment, fmt::format("has {} partitions now", options.partitions), KafkaError::kNone);
  for (const auto& topic : response.topics) outcomes.add(topic.name, topic.error_code, topic.error_message);
  return outcomes.exit_code();
}

Result<ExitCode> configure(Environment& environment, const TopicsOptions& options) {
  using namespace kafka_wire;
  if (options.settings.empty() && options.defaults.empty())
    return fail(ErrorCode::kInvalid, "nothing to change: give --setting KEY=VALUE or --default KEY");
  IncrementalAlterConfigsRequest request;
  for (const std::string& name : options.names) {
    request.resources.push_back({.resource_type = ConfigResourceType::kTopic, .resource_name = name});
    auto& configs = request.resources.back().configs;
    for (const std::string& setting : options.settings) {
      TRY_ASSIGN(auto pair, parse_setting(setting));
      configs.push_back(
          {.name = std::move(pair.first), .operation = ConfigOperation::kSet, .value = std::move(pair.second)});
    }
    for (const std::string& key : options.defaults)
      configs.push_back({.name = key, .operation = ConfigOperation::kDelete});
  }
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(Client* const controller, cluster->controller());
  TRY_ASSIGN(const auto response, controller->call(request));
  Outcomes outcomes(environment, "configured", KafkaError::kNone);
  for (const auto& topic : response.resources) outcomes.add(topic.resource_name, topic.error_code, topic.error_message);
  return outcomes.exit_code();
}

using Work = Result<ExitCode> (*)(Environment&, const TopicsOptions&);

CLI::App* add_part(CLI::App& topics, const char* name, const char* help, const char* example,
                   const std::shared_ptr<TopicsOptions>& options, Action& selected, Work work) {
  CLI::App* command = topics.add_subcommand(name, help);
  command
      ->add_option("--bootstrap", options->bootstrap,
                   "Kafka brokers, HOST:PORT[,HOST:PORT]; default: pinflow's own on this machine")
      ->type_name("HOST:PORT");
  command->footer(std::string("Example:\n  ") + example);
  command->callback([&selected, options, work] {
    selected = [options, work](Environment& environment) { return work(environment, *options); };
  });
  return command;
}

void add_format(CLI::App* command, TopicsOptions& options) {
  command->add_option("--format", options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

void add_settings(CLI::App* command, TopicsOptions& options) {
  command
      ->add_option("--setting", options.settings,
                   "A setting of the topic, such as retention.ms=86400000; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace

void add_topics(CLI::App& root, Action& selected) {
  auto options = std::make_shared<TopicsOptions>();  // Shared with the callbacks that outlive this call.
  CLI::App* topics =
      root.add_subcommand("topics", "Makes, shows, changes and deletes topics, of pinflow or of any Kafka");
  topics->require_subcommand(1);

  CLI::App* made = add_part(*topics, "create", "Makes topics",
                            "pinflow topics create orders --partitions 6 --setting cleanup.policy=compact", options,
                            selected, create);
  made->add_option("names", options->names, "Names of the new topics")->required();
  made->add_option("--partitions", options->partitions, "Number of partitions; default: the broker's")
      ->check(CLI::PositiveNumber);
  made->add_option("--replicas", options->replicas, "Copies of each partition; default: the broker's")
      ->check(CLI::PositiveNumber);
  add_settings(made, *options);
  made->add_flag("--if-not-exists", options->tolerant, "No error when a topic is there already");

  CLI::App* listed =
      add_part(*topics, "list", "Lists the topics", "pinflow topics list --format json", options, selected, list);
  listed->add_flag("--internal", options->internal, "Also those that the broker keeps for itself");
  add_format(listed, *options);

  CLI::App* described = add_part(*topics, "describe",
                                 "Shows partitions with their offsets, and the settings that differ from the default",
                                 "pinflow topics describe orders", options, selected, describe);
  described->add_option("names", options->names, "Topics; default: all");
  add_format(described, *options);

  CLI::App* deleted =
      add_part(*topics, "delete", "Deletes topics with all their records",
               "pinflow topics delete orders --bootstrap kafka-1:9092,kafka-2:9092", options, selected, remove);
  deleted->add_option("names", options->names, "Topics")->required();
  deleted->add_flag("--if-exists", options->tolerant, "No error when a topic is not there");

  CLI::App* grown = add_part(*topics, "add-partitions", "Gives topics more partitions; keys may then go to others",
                             "pinflow topics add-partitions orders --partitions 12", options, selected, add_partitions);
  grown->add_option("names", options->names, "Topics")->required();
  grown->add_option("--partitions", options->partitions, "Number of partitions afterwards")
      ->required()
      ->check(CLI::PositiveNumber);

  CLI::App* configured =
      add_part(*topics, "configure", "Changes settings of topics",
               "pinflow topics configure orders --setting retention.ms=86400000 --default cleanup.policy", options,
               selected, configure);
  configured->add_option("names", options->names, "Topics")->required();
  add_settings(configured, *options);
  configured->add_option("--default", options->defaults, "A setting that goes back to its default; may be repeated")
      ->type_name("KEY")
      ->allow_extra_args(false);

  topics->footer(
      "Examples:\n"
      "  pinflow topics create orders --partitions 6 --setting cleanup.policy=compact\n"
      "  pinflow topics list --format json\n"
      "  pinflow topics describe orders\n"
      "  pinflow topics configure orders --setting retention.ms=86400000 --default cleanup.policy\n"
      "  pinflow topics add-partitions orders --partitions 12\n"
      "  pinflow topics delete orders --bootstrap kafka-1:9092,kafka-2:9092");
}

}  // namespace pinflow::app
