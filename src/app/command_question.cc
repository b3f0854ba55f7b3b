#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/questions.h"
#include "batch/questions.h"

namespace pinflow::app {

namespace {

constexpr std::string_view kFolder = "questions/";

std::string short_name(const sql::Statement& statement) {
  return statement.name.substr(kFolder.size());
}

Result<std::vector<sql::Statement>> chosen(const sql::Statements& statements, const std::string& name) {
  std::vector<sql::Statement> all = statements.in_folder("questions");
  if (name == "all") return all;
  for (const sql::Statement& statement : all) {
    if (short_name(statement) == name) return std::vector<sql::Statement>{statement};
  }
  std::string names;
  for (const sql::Statement& statement : all) names += "\n  " + short_name(statement) + ": " + statement.description;
  return fail(ErrorCode::kNotFound, fmt::format("there is no question '{}'. The questions are:{}", name, names));
}

}  // namespace

Result<void> print_answers(Stores& stores, const std::string& name, const std::string& format, std::size_t most) {
  TRY_ASSIGN(const auto questions, chosen(stores.statements, name));
  bool first = true;
  if (format == "json" && name == "all") fmt::print("{{");
  for (const sql::Statement& question : questions) {
    TRY_ASSIGN(auto answer, batch::read_answer(*stores.tables, *stores.engine, short_name(question)));
    const std::size_t rows = answer.rows.size();
    if (rows > most) answer.rows.resize(most);
    if (format == "csv") {
      if (name == "all") fmt::print("{}# {}\r\n", first ? "" : "\r\n", short_name(question));
      fmt::print("{}", batch::format_csv(answer));
    } else if (format == "json") {
      if (name == "all") fmt::print("{}\"{}\": ", first ? "" : ",\n", short_name(question));
      fmt::print("{}", batch::format_json(answer));
    } else {
      fmt::print("{}{}: {}\n\n{}", first ? "" : "\n", short_name(question), question.description,
                 batch::format_table(answer));
      if (rows > most) fmt::print("... and {} more rows: pinflow question {}\n", rows - most, short_name(question));
    }
    first = false;
  }
  if (format == "json" && name == "all") fmt::print("}}\n");
  return {};
}

namespace {

struct QuestionOptions {
  std::string name;
  std::string format = "table";
};

Result<ExitCode> question(Environment& environment, const QuestionOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY(print_answers(*stores, options.name, options.format));
  return kOk;
}

}  // namespace

void add_question(CLI::App& root, Action& selected) {
  auto options = std::make_shared<QuestionOptions>();  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand("question", "Shows the answer that the last batch run gave to a question");
  command->add_option("name", options->name, "A question, or all; an unknown name lists the questions")->required();
  command->add_option("--format", options->format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  pinflow question all\n"
      "  pinflow question category_by_country --format csv > countries.csv\n"
      "  pinflow question median_followers_by_age_group --format json | jq .");
  command->callback([&selected, options] {
    selected = [options](Environment& environment) { return question(environment, *options); };
  });
}

}  // namespace pinflow::app
