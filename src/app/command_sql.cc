#include <cstdio>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/query_options.h"
#include "app/stores.h"
#include "records/kind.h"

namespace pinflow::app {

namespace {

struct SqlCommand {
  std::string statement;
  std::string file;
  std::string format = "table";
  std::string output;
  std::string as_of;
};

Result<std::string> statement_of(Environment& environment, const SqlCommand& command) {
  if (!command.file.empty() && !command.statement.empty())
    return fail(ErrorCode::kInvalid, "give a statement or --file, not both");
  if (!command.file.empty()) return environment.disk->read_file(command.file);
  if (!command.statement.empty() && command.statement != "-") return command.statement;
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

query::AnswerFormat format_of(const SqlCommand& command) {
  if (command.format == "csv") return query::AnswerFormat::kCsv;
  if (command.format == "json") return query::AnswerFormat::kJson;
  if (command.format == "parquet") return query::AnswerFormat::kParquet;
  return query::AnswerFormat::kTable;
}

Result<ExitCode> sql(Environment& environment, const SqlCommand& command) {
  query::Query query{.sql = {}, .format = format_of(command), .read_at = {}, .caller = "command line"};
  if (query.format == query::AnswerFormat::kParquet && command.output.empty())
    return fail(ErrorCode::kInvalid, "Parquet goes to a file: add --output answer.parquet");
  if (!command.as_of.empty()) {
    TRY_ASSIGN(query.read_at, query::parse_read_at(command.as_of));
  }
  TRY_ASSIGN(query.sql, statement_of(environment, command));
  TRY_ASSIGN(const auto stores, open_stores(environment));
  const records::Names names{environment.config().topics.prefix};
  query::QueryRunner runner(query_options(environment), {*stores->tables, *stores->engine, stores->statements, names,
                                                         environment.clock, *environment.logger});
  TRY_ASSIGN(const auto answer, runner.run(query, environment.stop));
  if (command.output.empty()) {
    std::fwrite(answer.body.data(), 1, answer.body.size(), stdout);
  } else {
    TRY(environment.disk->write_file(command.output, answer.body));
    if (!environment.quiet) fmt::print(stderr, "{} rows in {}\n", answer.rows, command.output);
  }
  return kOk;
}

}  // namespace

void add_sql(CLI::App& root, Action& selected) {
  auto options = std::make_shared<SqlCommand>();  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand("sql", "Runs one SQL query over the tables, read-only");
  command->add_option("statement", options->statement,
                      "One SELECT; without it or with -, it is read from standard input");
  command->add_option("-f,--file", options->file, "Reads the statement from a file")->type_name("FILE");
  command->add_option("--format", options->format, "table, csv, json or parquet")
      ->check(CLI::IsMember({"table", "csv", "json", "parquet"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Writes the answer to a file")->type_name("FILE");
  command
      ->add_option("--as-of", options->as_of,
                   "Reads the tables as they were then: 2026-11-22T10:15:00Z, 7, or shop=7,other=9")
      ->type_name("TIME|VERSION|TABLE=VERSION");
  command->footer(
      "Examples:\n"
      "  pinflow sql 'SHOW TABLES'\n"
      "  pinflow sql 'SELECT category, count(*) AS posts FROM pinterest_pin_latest GROUP BY ALL ORDER BY posts DESC'\n"
      "  pinflow sql -f report.sql --format csv > report.csv\n"
      "  pinflow sql 'FROM batch_posts' --format parquet --output posts.parquet --set sql.query_rows=1000000\n"
      "Limits: sql.query_time, sql.query_rows, sql.query_answer and sql.query_memory. See docs/sql.md.");
  command->callback(
      [&selected, options] { selected = [options](Environment& environment) { return sql(environment, *options); }; });
}

}  // namespace pinflow::app
