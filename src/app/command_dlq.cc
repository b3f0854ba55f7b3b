#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/http_options.h"
#include "app/stores.h"
#include "base/base64.h"
#include "base/json.h"
#include "delta/table.h"
#include "http/client.h"

namespace pinflow::app {

namespace {

constexpr std::string_view kTable = "dead_letters";

struct DlqOptions {
  std::string topic;
  std::string reason;
  std::string place;  // topic+partition+offset
  std::int64_t limit = 20;
  std::string format = "text";
  std::string url;
  std::string token_file;
  std::string ca;
  bool yes = false;
};

struct DeadLetter {
  std::string topic;
  std::int64_t partition = 0, offset = 0;
  std::string arrived, reason;
  std::optional<std::string> raw;  // None: the record had no value.
  std::string place() const { return fmt::format("{}+{}+{}", topic, partition, offset); }
};

// The stream lane's table of dead letters, ready to be asked.
class Letters {
 public:
  static Result<Letters> open(Environment& environment) {
    Letters letters;
    TRY_ASSIGN(letters.stores_, open_stores(environment));
    auto snapshot = delta::read_snapshot(*letters.stores_->tables, *letters.stores_->engine, std::string(kTable));
    if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) return letters;
    if (!snapshot) return fail(snapshot.error());
    TRY_ASSIGN(letters.select_, delta::select_all(*letters.stores_->tables, std::string(kTable), *snapshot));
    TRY_ASSIGN(letters.session_, letters.stores_->engine->connect());
    return letters;
  }

  Result<sql::ResultTable> ask(const DlqOptions& options, std::string_view columns, std::string_view rest) {
    if (select_.empty()) return sql::ResultTable{};  // The lane has not begun: there is none.
    std::string where = "true";
    if (!options.topic.empty()) where += " AND source_topic = " + sql::quote_text(options.topic);
    if (!options.reason.empty()) where += " AND contains(reason, " + sql::quote_text(options.reason) + ")";
    if (!options.place.empty()) {
      where +=
          " AND source_topic || '+' || source_partition || '+' || source_offset = " + sql::quote_text(options.place);
    }
    return session_->query(fmt::format("SELECT {} FROM ({}) WHERE {} {}", columns, select_, where, rest));
  }

  // In order of their places. `limit` below zero: all.
  Result<std::vector<DeadLetter>> find(const DlqOptions& options, std::int64_t limit) {
    const std::string rest = "ORDER BY source_topic, source_partition, source_offset" +
                             (limit < 0 ? std::string() : fmt::format(" LIMIT {}", limit));
    TRY_ASSIGN(const auto table,
               ask(options, "source_topic, source_partition, source_offset, arrived_at, reason, raw", rest));
    std::vector<DeadLetter> found;
    for (const auto& row : table.rows) {
      DeadLetter letter;
      letter.topic = row[0].to_text();
      letter.partition = std::get<std::int64_t>(row[1].data);
      letter.offset = std::get<std::int64_t>(row[2].data);
      letter.arrived = row[3].to_text();
      letter.reason = row[4].to_text();
      if (const auto* bytes = std::get_if<sql::Bytes>(&row[5].data)) letter.raw = bytes->data;
      found.push_back(std::move(letter));
    }
    return found;
  }

 private:
  std::unique_ptr<Stores> stores_;
  std::string select_;
  std::unique_ptr<sql::Session> session_;
};

bool is_printable(std::string_view bytes) {
  return std::ranges::all_of(bytes,
                             [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'; });
}

void print_json_line(const DeadLetter& letter) {
  JsonWriter json;
  json.begin_object().key("topic").string(letter.topic).key("partition").integer(letter.partition);
  json.key("offset").integer(letter.offset).key("arrived").string(letter.arrived).key("reason").string(letter.reason);
  json.key("raw_base64");
  letter.raw ? json.string(base64_encode(*letter.raw)) : json.null();
  json.end_object();
  fmt::print("{}\n", std::move(json).take());
}

Result<ExitCode> list(Environment& environment, const DlqOptions& options) {
  TRY_ASSIGN(auto letters, Letters::open(environment));
  TRY_ASSIGN(const auto reasons,
             letters.ask(options, "count(*), source_topic, reason", "GROUP BY ALL ORDER BY 1 DESC, 2, 3"));
  if (reasons.rows.empty()) {
    fmt::print("No dead letters.\n");
    return kOk;
  }
  fmt::print("{:>8}  {:<32}  reason\n", "records", "topic");
  for (const auto& row : reasons.rows) {
    fmt::print("{:>8}  {:<32}  {}\n", row[0].to_text(), row[1].to_text(), row[2].to_text());
  }
  TRY_ASSIGN(const auto found, letters.find(options, options.limit));
  fmt::print("\nThe first {}:\n", found.size());
  for (const DeadLetter& letter : found) fmt::print("  {}  {}  {}\n", letter.place(), letter.arrived, letter.reason);
  fmt::print("\n`{0} dlq show {1}` shows one with its bytes.\n", environment.program, found.front().place());
  return kOk;
}

Result<std::vector<DeadLetter>> find_place(Environment& environment, const DlqOptions& options) {
  TRY_ASSIGN(auto letters, Letters::open(environment));
  TRY_ASSIGN(auto found, letters.find(options, 1));
  if (found.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("no dead letter lies at {}; `{} dlq list` tells the places",
                                                  options.place, environment.program));
  }
  return found;
}

Result<ExitCode> show(Environment& environment, const DlqOptions& options) {
  TRY_ASSIGN(const auto found, find_place(environment, options));
  const DeadLetter& letter = found.front();
  if (options.format == "json") {
    print_json_line(letter);
    return kOk;
  }
  fmt::print("topic      {}\npartition  {}\noffset     {}\narrived    {}\nreason     {}\n", letter.topic,
             letter.partition, letter.offset, letter.arrived, letter.reason);
  if (!letter.raw) {
    fmt::print("value      none\n");
  } else if (is_printable(*letter.raw)) {
    fmt::print("value      {} bytes\n{}\n", letter.raw->size(), *letter.raw);
  } else {
    fmt::print("value      {} bytes, in base64\n{}\n", letter.raw->size(), base64_encode(*letter.raw));
  }
  return kOk;
}

Result<ExitCode> export_all(Environment& environment, const DlqOptions& options) {
  TRY_ASSIGN(auto letters, Letters::open(environment));
  TRY_ASSIGN(const auto found, letters.find(options, -1));
  for (const DeadLetter& letter : found) print_json_line(letter);
  return kOk;
}

// A post of one record, its bytes unchanged. A key in Idempotency-Key makes the same retry, run twice, store it once.
http::Request post_of(const DeadLetter& letter, const std::string& token) {
  http::Request request;
  request.method = "POST";
  request.target = fmt::format("/topics/{}/partitions/{}", letter.topic, letter.partition);
  request.headers.add("Content-Type", "application/vnd.kafka.binary.v2+json");
  request.headers.add("Idempotency-Key", "dead-letter " + letter.place());
  if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
  JsonWriter json;
  json.begin_object().key("records").begin_array().begin_object().key("value");
  letter.raw ? json.string(base64_encode(*letter.raw)) : json.null();
  json.end_object().end_array().end_object();
  request.body = std::move(json).take();
  return request;
}

Result<std::string> read_token(Environment& environment, const std::string& file) {
  if (file.empty()) return std::string();
  TRY_ASSIGN(std::string token, environment.disk->read_file(file));
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
  return token;
}

Result<ExitCode> retry(Environment& environment, const DlqOptions& options) {
  TRY_ASSIGN(auto letters, Letters::open(environment));
  TRY_ASSIGN(const auto found, letters.find(options, -1));
  if (!options.yes) {
    fmt::print(
        "{} dead letters would be posted to their topics again, as new records with the same bytes.\n"
        "Nothing was posted. `--yes` does it; mend what refused them first (sql/clean), or they come back.\n",
        found.size());
    return kOk;
  }
  const config::Config& config = environment.config();
  TRY_ASSIGN(const auto url, http::Url::parse(options.url.empty() ? http_url(config, config.http.port) : options.url));
  TRY_ASSIGN(const std::string token, read_token(environment, options.token_file));
  const auto client = http::make_client(url, std::chrono::seconds(30), options.ca);
  std::size_t posted = 0;
  for (const DeadLetter& letter : found) {
    if (environment.stop.stop_requested()) break;
    const auto answer = client->send(post_of(letter, token));
    if (!answer) return fail(Error{answer.error()}.with_context(fmt::format("after {} of {}", posted, found.size())));
    if (answer->status != 200) {
      return fail(ErrorCode::kUnavailable, fmt::format("after {} of {}: {} was answered with {}: {}", posted,
                                                       found.size(), letter.place(), answer->status, answer->body));
    }
    ++posted;
  }
  fmt::print("{} of {} posted again. They stay in the table {}: it tells what once could not be a row.\n", posted,
             found.size(), kTable);
  return posted == found.size() ? kOk : kInterrupted;
}

}  // namespace

void add_dlq(CLI::App& root, Action& selected) {
  auto options = std::make_shared<DlqOptions>();  // Shared with the callbacks that outlive this call.
  CLI::App* command = root.add_subcommand("dlq", "Dead letters: records of the streams that could not be rows");
  command->require_subcommand(1);
  command->fallthrough();
  using Run = Result<ExitCode> (*)(Environment&, const DlqOptions&);
  const auto add = [&](const std::string& name, const std::string& help, Run run) {
    CLI::App* below = command->add_subcommand(name, help);
    below->callback([&selected, options, run] {
      selected = [options, run](Environment& environment) { return run(environment, *options); };
    });
    return below;
  };
  const auto add_filters = [&](CLI::App* below) {
    below->add_option("--topic", options->topic, "Of this topic alone");
    below->add_option("--reason", options->reason, "Whose reason holds these words");
  };

  CLI::App* listing = add("list", "How many, of which topics, for which reasons", list);
  add_filters(listing);
  listing->add_option("-n,--limit", options->limit, "Places shown")->capture_default_str()->check(CLI::PositiveNumber);

  CLI::App* showing = add("show", "One, with its bytes", show);
  showing->add_option("PLACE", options->place, "topic+partition+offset, as `list` prints it")->required();
  showing->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();

  add_filters(add("export", "All, one JSON object a line, bytes in base64", export_all));

  CLI::App* again = add("retry", "Posts them to their topics again, to a pipeline that runs", retry);
  add_filters(again);
  again->add_option("--place", options->place, "One alone: topic+partition+offset");
  again->add_option("--url", options->url, "Of the HTTP door; the one of this configuration otherwise");
  again->add_option("--token-file", options->token_file, "Holds the bearer token, where the door wants one");
  again->add_option("--ca", options->ca, "PEM file that vouches for an https door");
  again->add_flag("--yes", options->yes, "Do it");
  again->footer("Example:\n  pinflow dlq retry --reason 'not a whole number' --yes");
}

}  // namespace pinflow::app
