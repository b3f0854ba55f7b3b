#include <algorithm>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/kafka_admin.h"
#include "kafka_wire/messages/groups.h"

namespace pinflow::app {

namespace {

using kafka_wire::Client;
using kafka_wire::Cluster;
using kafka_wire::error_of;
using kafka_wire::KafkaError;

struct GroupsOptions {
  std::string bootstrap;
  std::string format = "table";
  std::vector<std::string> names;
  std::string name;
  std::vector<std::string> topics;
  std::string to;
  bool execute = false;
};

Result<ExitCode> list(Environment& environment, const GroupsOptions& options) {
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  TRY_ASSIGN(const auto groups, list_groups(*cluster));
  if (groups.empty() && options.format == "table") {
    fmt::print("No consumer groups yet: one appears when its first member joins or commits.\n");
    return kOk;
  }
  fmt::print("{}", format_groups(groups, options.format == "json"));
  return kOk;
}

Result<ExitCode> describe(Environment& environment, const GroupsOptions& options) {
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    TRY_ASSIGN(const auto all, list_groups(*cluster));
    for (const GroupListing& group : all) names.push_back(group.id);
  }
  std::vector<GroupDescription> groups;
  for (const std::string& name : names) {
    TRY_ASSIGN(auto group, describe_group(*cluster, name));
    groups.push_back(std::move(group));
  }
  fmt::print("{}", format_group_descriptions(groups, options.format == "json"));
  return kOk;
}

// The partitions to reset: those of --topic, or all that the group has a position in.
Result<Leaders> chosen_partitions(Cluster& cluster, const GroupsOptions& options, const Offsets& current) {
  std::map<std::string, std::vector<std::int32_t>> choices;
  for (const std::string& text : options.topics) {
    TRY_ASSIGN(auto choice, parse_topic_choice(text));
    choices.insert(std::move(choice));
  }
  if (options.topics.empty())
    for (const auto& [name, offset] : current) choices[name.topic].push_back(name.partition);
  if (choices.empty())
    return fail(ErrorCode::kInvalid,
                fmt::format("group '{}' has no positions yet: name the topics with --topic", options.name));
  std::vector<std::string> topics;
  for (const auto& [topic, partitions] : choices) topics.push_back(topic);
  TRY_ASSIGN(const Leaders all, find_leaders(cluster, topics));
  Leaders chosen;
  for (const auto& [topic, partitions] : choices) {
    for (const std::int32_t partition : partitions) {
      const auto found = all.find({topic, partition});
      if (found == all.end())
        return fail(ErrorCode::kNotFound, fmt::format("topic '{}' has no partition {}", topic, partition));
      chosen.insert(*found);
    }
    if (partitions.empty())
      std::ranges::copy_if(all, std::inserter(chosen, chosen.end()),
                           [&](const auto& entry) { return entry.first.topic == topic; });
  }
  return chosen;
}

Result<ExitCode> reset_offsets(Environment& environment, const GroupsOptions& options) {
  TRY_ASSIGN(const ResetTarget target, parse_reset_target(options.to));
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  Offsets current;
  // A group that nobody knows yet may get its first positions this way.
  if (auto group = describe_group(*cluster, options.name); group) {
    if (!group->members.empty() || (group->state != "Empty" && group->state != "Dead"))
      return fail(ErrorCode::kConflict, fmt::format("group '{}' is in use ({}, {} members): its consumers would go on "
                                                    "from their own positions. Stop them first; "
                                                    "`pinflow groups describe {}` shows who they are",
                                                    options.name, group->state, group->members.size(), options.name));
    for (const auto& position : group->positions)
      if (position.committed) current[position.partition] = *position.committed;
  } else if (group.error().code != ErrorCode::kNotFound) {
    return fail(std::move(group).error());
  }
  TRY_ASSIGN(const Leaders partitions, chosen_partitions(*cluster, options, current));
  TRY_ASSIGN(const auto lines, plan_reset(*cluster, partitions, current, target));
  if (options.execute) TRY(commit_reset(*cluster, options.name, lines));
  fmt::print("{}", format_reset(options.name, lines, options.execute, options.format == "json"));
  if (!options.execute && !environment.quiet) fmt::print(stderr, "Nothing is changed yet: add --execute to do it.\n");
  return kOk;
}

Result<ExitCode> remove(Environment& environment, const GroupsOptions& options) {
  TRY_ASSIGN(const auto cluster, connect_kafka(environment, options.bootstrap));
  ExitCode worst = kOk;
  for (const std::string& name : options.names) {
    TRY_ASSIGN(Client* const coordinator, cluster->coordinator(name));
    TRY_ASSIGN(const auto response, coordinator->call(kafka_wire::DeleteGroupsRequest{.groups_names = {name}}));
    for (const auto& group : response.results) {
      if (group.error_code == KafkaError::kNone) {
        if (!environment.quiet) fmt::print("group '{}' deleted\n", group.group_id);
        continue;
      }
      const Error error = error_of(
          group.error_code, fmt::format("group '{}'", group.group_id),
          group.error_code == KafkaError::kNonEmptyGroup ? "it still has members; stop its consumers first" : "");
      fmt::print(stderr, "pinflow: {}\n", error.message);
      if (worst == kOk) worst = exit_code_of(error);
    }
  }
  return worst;
}

using Work = Result<ExitCode> (*)(Environment&, const GroupsOptions&);

CLI::App* add_part(CLI::App& groups, const char* name, const char* help, const char* example,
                   const std::shared_ptr<GroupsOptions>& options, Action& selected, Work work) {
  CLI::App* command = groups.add_subcommand(name, help);
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

void add_format(CLI::App* command, GroupsOptions& options) {
  command->add_option("--format", options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

}  // namespace

void add_groups(CLI::App& root, Action& selected) {
  auto options = std::make_shared<GroupsOptions>();  // Shared with the callbacks that outlive this call.
  CLI::App* groups =
      root.add_subcommand("groups", "Shows, moves and deletes consumer groups, of pinflow or of any Kafka");
  groups->require_subcommand(1);

  add_format(add_part(*groups, "list", "Lists the consumer groups", "pinflow groups list", options, selected, list),
             *options);

  CLI::App* described = add_part(*groups, "describe", "Shows members, positions and lag",
                                 "pinflow groups describe billing --format json", options, selected, describe);
  described->add_option("names", options->names, "Groups; default: all");
  add_format(described, *options);

  CLI::App* reset =
      add_part(*groups, "reset-offsets",
               "Moves the positions of a group that is not in use; shows what it would do, and does it with --execute",
               "pinflow groups reset-offsets billing --to 2026-11-22T10:15:00Z --topic orders:0,3 --execute", options,
               selected, reset_offsets);
  reset->add_option("name", options->name, "The group")->required();
  reset->add_option("--to", options->to, "earliest, latest, an offset, or a time in UTC: the first record not older")
      ->required();
  reset
      ->add_option(
          "--topic", options->topics,
          "A topic, or some of its partitions (orders:0,3); may be repeated; default: where the group has a position")
      ->type_name("TOPIC[:PARTITIONS]")
      ->allow_extra_args(false);
  reset->add_flag("--execute", options->execute, "Do it");
  add_format(reset, *options);

  CLI::App* deleted = add_part(*groups, "delete", "Deletes groups that are not in use, with their positions",
                               "pinflow groups delete billing", options, selected, remove);
  deleted->add_option("names", options->names, "Groups")->required();

  groups->footer(
      "Examples:\n"
      "  pinflow groups list\n"
      "  pinflow groups describe billing --format json\n"
      "  pinflow groups reset-offsets billing --to earliest --topic orders\n"
      "  pinflow groups reset-offsets billing --to 2026-11-22T10:15:00Z --execute\n"
      "  pinflow groups delete billing");
}

}  // namespace pinflow::app
