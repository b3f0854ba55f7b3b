#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <stop_token>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/environment.h"
#include "disk/real_disk.h"
#include "query/query_worker.h"

extern char** environ;

namespace pinflow::app {
namespace {

// What can be said before or behind any command.
struct CommonOptions {
  std::string config_file;
  std::string data_folder;
  std::vector<std::string> settings;  // key=value
  bool quiet = false;
};

void add_common(CLI::App& root, CommonOptions& common) {
  root.add_option("--config", common.config_file, "TOML file of settings (default: pinflow.toml, where it is there)")
      ->type_name("FILE")
      ->envname("PINFLOW_CONFIG");
  root.add_option("--data", common.data_folder, "Data folder; short for --set data.folder=DIR")->type_name("DIR");
  root.add_option("--set", common.settings, "Sets one setting over file and environment; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  root.add_flag("-q,--quiet", common.quiet, "No progress and no remarks on stderr");
}

Result<config::Loaded> load_settings(const CommonOptions& common) {
  config::Sources sources;
  if (!common.config_file.empty()) {
    sources.file = common.config_file;
  } else if (::access("pinflow.toml", F_OK) == 0) {
    sources.file = "pinflow.toml";
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      sources.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (!common.data_folder.empty()) sources.flags.emplace_back("data.folder", common.data_folder);
  for (const std::string& setting : common.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("--set {}: expected KEY=VALUE, such as --set http.port=8083", setting));
    }
    sources.flags.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return config::load(sources);
}

// What serves tells its operator what happens; commands that a person waits for speak for themselves, so unless the settings say
// otherwise only warnings and errors interrupt them.
std::unique_ptr<Logger> make_logger(const Clock& clock, const config::Loaded& settings, bool serves) {
  const auto& logging = settings.config.logging;
  Severity least = serves ? Severity::kInfo : Severity::kWarning;
  if (settings.origins.at("logging.level") != "default") {
    if (logging.level == "debug") least = Severity::kDebug;
    if (logging.level == "info") least = Severity::kInfo;
    if (logging.level == "warning") least = Severity::kWarning;
    if (logging.level == "error") least = Severity::kError;
  }
  const auto format = logging.format == "json" ? StreamLogger::Format::kJson : StreamLogger::Format::kText;
  return std::make_unique<StreamLogger>(clock, stderr, least, format);
}

// Turns SIGINT and SIGTERM into a request to stop, a second one ends the process at once; with `hangups` SIGHUP does what is set
// there. The signals are blocked in every other thread, so that no code of ours runs inside a handler.
void watch_signals(std::stop_source& source, std::shared_ptr<Hangups> hangups) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (hangups != nullptr) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread([signals, source, hangups = std::move(hangups)]() mutable {
    for (;;) {
      int signal = 0;
      sigwait(&signals, &signal);
      if (signal == SIGHUP) {
        hangups->fire();
      } else if (!source.request_stop()) {
        std::_Exit(128 + signal);
      }
    }
  }).detach();  // Lives as long as the process: there is nothing to join it for.
}

int complain(const Error& error, ExitCode code) {
  fmt::print(stderr, "pinflow: {}\n", error.message);
  return code;
}

// The end of a command whose output cannot be written. A reader that has seen enough (`| head`) is no failure to tell of.
int end_without_output(int error, const char* what) {
  if (error == EPIPE) return kOutputClosed;
  std::fprintf(stderr, "pinflow: the output is not complete: %s\n", what);
  return kFailed;
}

int run(int argc, char** argv) {
  CLI::App root{
      "Event analytics for sites where people post: doors, log, stream lane, batch lane and live metrics in one "
      "program.",
      "pinflow"};
  root.set_version_flag("--version", "pinflow " PINFLOW_VERSION);
  root.require_subcommand(1);
  root.fallthrough();
  root.footer(
      "Examples:\n"
      "  pinflow demo                       the whole pipeline once, on synthetic posts\n"
      "  pinflow up --data my-data          all roles until Ctrl-C\n"
      "  pinflow question all --data my-data\n\n"
      "`pinflow COMMAND --help` has examples of each. Exit codes: 0 done, 1 something failed, 2 usage, 3 "
      "configuration,\n"
      "4 data check failed, 5 unavailable, 6 damaged storage, 130 interrupted.");
  CommonOptions common;
  add_common(root, common);
  Action action;
  add_demo(root, action);
  add_up(root, action);
  add_roles(root, action);
  add_source(root, action);
  add_emulate(root, action);
  add_batch(root, action);
  add_schedule(root, action);
  add_runs(root, action);
  add_question(root, action);
  add_sql(root, action);
  add_tap(root, action);
  add_tables(root, action);
  add_dlq(root, action);
  add_tokens(root, action);
  add_topics(root, action);
  add_groups(root, action);
  add_log(root, action);
  add_migrate(root, action);
  add_config(root, action);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? kOk : kUsage;
  }

  auto settings = load_settings(common);
  if (!settings) return complain(settings.error(), kConfiguration);
  const bool serves = root.got_subcommand("up") || root.got_subcommand("serve") || root.got_subcommand("sink") ||
                      root.got_subcommand("stream") ||
                      (root.got_subcommand("schedule") && root.get_subcommand("schedule")->got_subcommand("run"));
  std::stop_source stop;
  Environment environment;
  watch_signals(stop, serves ? environment.hangups : nullptr);
  environment.disk = disk::make_real_disk();
  environment.settings = std::move(*settings);
  environment.logger = make_logger(environment.clock, environment.settings, serves);
  environment.stop = stop.get_token();
  environment.quiet = common.quiet;
  environment.program = argv[0];
  const auto code = action(environment);
  if (!code) return complain(code.error(), exit_code_of(code.error()));
  return *code;
}

}  // namespace
}  // namespace pinflow::app

int main(int argc, char** argv) {
  // Before any thread is made: this process is to run one statement of a user and nothing else.
  if (argc == 2 && argv[1] == pinflow::query::kWorkerCommand) pinflow::query::run_query_worker();
  using pinflow::app::end_without_output;
  try {
    const int code = pinflow::app::run(argc, argv);
    // What is said last may not be written yet.
    return std::fflush(stdout) == 0 ? code : end_without_output(errno, std::strerror(errno));
  } catch (const std::system_error& error) {  // {fmt} throws it where a stream takes no more.
    return end_without_output(error.code().value(), error.what());
  }
}
