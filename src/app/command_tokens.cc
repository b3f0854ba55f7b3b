#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "access/grants.h"
#include "access/token_store.h"
#include "app/access_parts.h"
#include "app/commands.h"
#include "app/kafka_report.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "config/value_text.h"

namespace pinflow::app {

namespace {

struct TokensOptions {
  std::string name;
  std::vector<std::string> names;
  std::vector<std::string> grants;
  std::string expires;
  std::uint64_t requests = 0;
  std::string bytes;
  std::uint64_t records = 0;
  std::string format = "table";
};

Result<std::unique_ptr<access::TokenStore>> open_tokens(Environment& environment) {
  return access::TokenStore::open(access_folder(environment), *environment.disk, environment.clock,
                                  *environment.logger);
}

// "30d", "12h": from now; "2027-01-01", "2027-01-01T12:00:00Z": then.
Result<WallTime> parse_expiry(std::string_view text, WallTime now) {
  std::chrono::milliseconds after{};
  if (config::parse_value(text, after)) return now + after;
  const auto then = parse_reset_target(text);
  if (!then || then->kind != ResetTarget::Kind::kTime)
    return fail(ErrorCode::kInvalid,
                fmt::format("--expires {}: expected how long it holds, such as 30d or 12h, or a time in UTC, such as "
                            "2027-01-01",
                            text));
  if (then->time <= now) return fail(ErrorCode::kInvalid, fmt::format("--expires {}: that time has passed", text));
  return then->time;
}

Result<access::NewToken> understand(const Environment& environment, const TokensOptions& options) {
  access::NewToken wanted;
  wanted.name = options.name;
  for (const std::string& text : options.grants) {
    TRY_ASSIGN(auto grants, access::parse_grants(text));
    wanted.grants.insert(wanted.grants.end(), grants.begin(), grants.end());
  }
  if (!options.expires.empty()) {
    TRY_ASSIGN(wanted.expires, parse_expiry(options.expires, environment.clock.now()));
  }
  if (options.requests > 0) wanted.limits.requests = options.requests;
  if (options.records > 0) wanted.limits.records = options.records;
  if (!options.bytes.empty()) {
    ByteCount bytes;
    const auto parsed = config::parse_value(options.bytes, bytes);
    if (!parsed) return fail(ErrorCode::kInvalid, fmt::format("--rate-bytes: {}", parsed.error().message));
    wanted.limits.bytes = bytes.count();
  }
  return wanted;
}

Result<ExitCode> create(Environment& environment, const TokensOptions& options) {
  TRY_ASSIGN(const auto wanted, understand(environment, options));
  TRY_ASSIGN(const auto tokens, open_tokens(environment));
  TRY_ASSIGN(const auto issued, tokens->create(wanted));
  fmt::print("{}\n", issued.text);
  if (!environment.quiet) {
    fmt::print(stderr, "token '{}' ({}) is good for {}{}. It is shown this once: only its hash is kept.\n",
               issued.token.name, issued.token.id, access::to_string(issued.token.grants),
               issued.token.expires ? fmt::format(" until {}", format_iso8601(*issued.token.expires)) : "");
    if (environment.config().http.authentication == "off")
      fmt::print(stderr, "By these settings the doors do not ask for it: http.authentication is off.\n");
  }
  return kOk;
}

std::string limits_text(const access::RateLimits& limits) {
  std::string text;
  const auto add = [&](std::string_view what, const std::optional<std::uint64_t>& limit) {
    if (limit) text += fmt::format("{}{} {}/s", text.empty() ? "" : ", ", *limit, what);
  };
  add("requests", limits.requests);
  add("bytes", limits.bytes);
  add("records", limits.records);
  return text;
}

void print_json(const std::vector<access::Token>& tokens) {
  JsonWriter json;
  json.begin_array();
  for (const access::Token& token : tokens) {
    json.begin_object().key("id").string(token.id).key("name").string(token.name).key("grants").begin_array();
    for (const access::Grant& grant : token.grants) json.string(access::to_string(grant));
    json.end_array().key("created").string(format_iso8601(token.created)).key("expires");
    token.expires ? json.string(format_iso8601(*token.expires)) : json.null();
    const auto add = [&](std::string_view key, const std::optional<std::uint64_t>& limit) {
      json.key(key);
      limit ? json.integer(static_cast<std::int64_t>(*limit)) : json.null();
    };
    add("requests_per_second", token.limits.requests);
    add("bytes_per_second", token.limits.bytes);
    add("records_per_second", token.limits.records);
    json.end_object();
  }
  json.end_array();
  fmt::print("{}\n", std::move(json).take());
}

Result<ExitCode> list(Environment& environment, const TokensOptions& options) {
  TRY_ASSIGN(const auto store, open_tokens(environment));
  TRY_ASSIGN(const auto tokens, store->list());
  if (options.format == "json") {
    print_json(tokens);
    return kOk;
  }
  TextTable table({"NAME", "ID", "CREATED", "EXPIRES", "LIMITS", "GRANTS"});
  for (const access::Token& token : tokens) {
    std::string expires = "never";
    if (token.expires) expires = format_seconds(*token.expires);
    if (token.expires && *token.expires <= environment.clock.now()) expires += " (over)";
    const std::string limits = limits_text(token.limits);
    table.add({token.name, token.id, format_seconds(token.created), expires, limits.empty() ? "none" : limits,
               access::to_string(token.grants)});
  }
  fmt::print("{}", table.text());
  return kOk;
}

Result<ExitCode> revoke(Environment& environment, const TokensOptions& options) {
  TRY_ASSIGN(const auto tokens, open_tokens(environment));
  for (const std::string& name : options.names) {
    TRY_ASSIGN(const auto revoked, tokens->revoke(name));
    if (!environment.quiet)
      fmt::print("token '{}' ({}) is worth nothing from now on; a running pinflow knows within a second\n",
                 revoked.name, revoked.id);
  }
  return kOk;
}

using Work = Result<ExitCode> (*)(Environment&, const TokensOptions&);

CLI::App* add_part(CLI::App& tokens, const char* name, const char* what, const char* example,
                   const std::shared_ptr<TokensOptions>& options, Action& selected, Work work) {
  CLI::App* command = tokens.add_subcommand(name, what);
  command->footer(std::string("Example:\n  ") + example);
  command->callback([&selected, options, work] {
    selected = [options, work](Environment& environment) { return work(environment, *options); };
  });
  return command;
}

}  // namespace

void add_tokens(CLI::App& root, Action& selected) {
  auto options = std::make_shared<TokensOptions>();  // Shared with the callbacks that outlive this call.
  CLI::App* tokens = root.add_subcommand("tokens", "Makes, lists and revokes the bearer tokens of the HTTP doors");
  tokens->require_subcommand(1);

  CLI::App* made =
      add_part(*tokens, "create", "Makes a token and prints it, this once",
               "pinflow tokens create shop --grant 'produce:pinterest.*' --expires 90d --rate-requests 500", options,
               selected, create);
  made->add_option("name", options->name, "Of whoever will hold it; one token a name")->required();
  made->add_option("--grant", options->grants,
                   "What it may: produce:TOPICS, consume:TOPICS (with * for any characters), query, admin; may be "
                   "repeated")
      ->type_name("GRANT")
      ->required()
      ->allow_extra_args(false);
  made->add_option("--expires", options->expires, "How long it holds (30d, 12h), or until when in UTC (2027-01-01)")
      ->type_name("TIME");
  made->add_option("--rate-requests", options->requests, "Requests a second at most")->check(CLI::PositiveNumber);
  made->add_option("--rate-bytes", options->bytes, "Bytes of request bodies a second at most, such as 1MiB")
      ->type_name("SIZE");
  made->add_option("--rate-records", options->records, "Records a second at most")->check(CLI::PositiveNumber);

  CLI::App* listed = add_part(*tokens, "list", "Lists the tokens, without their secrets, which nobody has",
                              "pinflow tokens list --format json", options, selected, list);
  listed->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();

  CLI::App* revoked =
      add_part(*tokens, "revoke", "Makes tokens worthless", "pinflow tokens revoke shop", options, selected, revoke);
  revoked->add_option("names", options->names, "Names or ids")->required();

  tokens->footer(
      "Examples:\n"
      "  pinflow tokens create shop --grant 'produce:pinterest.*' --expires 90d\n"
      "  pinflow tokens create dashboard --grant query --grant 'consume:*'\n"
      "  pinflow tokens list\n"
      "  pinflow tokens revoke shop\n"
      "They are those of the data folder (--data). A running pinflow takes changes without a restart.");
}

}  // namespace pinflow::app
