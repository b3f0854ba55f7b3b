#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/batch_run.h"
#include "app/commands.h"
#include "app/pipeline.h"
#include "app/posting.h"
#include "app/questions.h"
#include "app/schedule_parts.h"
#include "app/table_list.h"
#include "app/terminal.h"
#include "emulator/source.h"

namespace pinflow::app {

namespace {

constexpr std::chrono::seconds kCatchUp{120};
constexpr int kUsualPort = 8082;  // Of `pinflow up`; the demo itself takes any free one.
constexpr std::string_view kMark =
    "pinflow-demo";  // A file that says: this folder was made by the demo, the next one may replace it.

struct DemoOptions {
  std::int64_t posts = 11'154;
  std::uint64_t seed = 1;
};

// Totals of one lane over the three kinds.
struct LaneCounts {
  std::int64_t posted = 0, acknowledged = 0, in_log = 0, sunk = 0, rows = 0, repeats = 0, dead_letters = 0;

  // What was acknowledged is in the log, and each record of the log is at the end of its lane, once.
  bool adds_up() const {
    return posted == acknowledged && acknowledged <= in_log && rows + repeats + dead_letters == in_log;
  }
};

// Makes the demo's folder, or empties that of an earlier demo; any other folder is left alone.
Result<void> prepare_folder(Environment& environment) {
  const disk::Path folder = environment.config().data.folder;
  disk::Disk& disk = *environment.disk;
  if (disk.describe(folder)) {
    TRY_ASSIGN(const auto entries, disk.list(folder));
    if (!entries.empty() && !disk.describe(folder / kMark)) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} has data that is not a demo's. Name another folder with --data.", folder.string()));
    }
    {
      // Held by a pipeline that runs on it.
      TRY(disk.create_folders(folder / "log"));
      TRY_ASSIGN(const auto lock, disk.lock_folder(folder / "log"));
    }
    TRY(disk.remove_tree(folder));
  }
  TRY(disk.create_folders(folder));
  return disk.write_file(folder / kMark, "Made by `pinflow demo`, which may replace this folder.\n");
}

Result<std::int64_t> records_in_log(log::Log& log, const std::string& topic) {
  TRY_ASSIGN(const log::Topic found, log.topic(topic));
  std::int64_t sum = 0;
  for (std::int32_t partition = 0; partition < found.partitions; ++partition) {
    TRY_ASSIGN(const auto range, log.offsets({topic, log::PartitionId(partition)}));
    sum += range.end - range.begin;
  }
  return sum;
}

Result<LaneCounts> count_batch_lane(Pipeline& pipeline, const records::Names& names,
                                    const emulator::EmulatorReport& posted, const batch::BatchReport& batch) {
  LaneCounts counts;
  counts.posted = posted.of(emulator::Target::kTopics).posted;
  counts.acknowledged = posted.of(emulator::Target::kTopics).acknowledged;
  for (const records::Kind kind : records::kKinds) {
    TRY_ASSIGN(const std::int64_t in_log, records_in_log(pipeline.log(), names.topic(kind)));
    counts.in_log += in_log;
  }
  for (const auto& partition : pipeline.sink().status().partitions) counts.sunk += partition.next.value();
  for (const auto& [kind, of_kind] : batch.kinds) {
    counts.rows += static_cast<std::int64_t>(of_kind.rows);
    counts.repeats += static_cast<std::int64_t>(of_kind.repeats);
    counts.dead_letters += static_cast<std::int64_t>(of_kind.dead_letters);
  }
  return counts;
}

Result<LaneCounts> count_stream_lane(Pipeline& pipeline, const records::Names& names,
                                     const emulator::EmulatorReport& posted) {
  LaneCounts counts;
  counts.posted = posted.of(emulator::Target::kStreams).posted;
  counts.acknowledged = posted.of(emulator::Target::kStreams).acknowledged;
  for (const records::Kind kind : records::kKinds) {
    TRY_ASSIGN(const std::int64_t in_log, records_in_log(pipeline.log(), names.stream(kind)));
    counts.in_log += in_log;
  }
  for (const auto& table : pipeline.stream().status()) {
    counts.rows += table.rows;
    counts.dead_letters += static_cast<std::int64_t>(table.dead_letters);
  }
  return counts;
}

void print_counts(const LaneCounts& batch, const LaneCounts& stream) {
  const auto line = [](std::string_view stage, std::string batch_count, std::string stream_count) {
    fmt::print("{:<24}{:>14}{:>16}\n", stage, batch_count, stream_count);
  };
  line("Records at each stage", "batch lane", "stream lane");
  line("", "(topics)", "(streams)");
  line("posted", human_count(batch.posted), human_count(stream.posted));
  line("acknowledged", human_count(batch.acknowledged), human_count(stream.acknowledged));
  line("in the log", human_count(batch.in_log), human_count(stream.in_log));
  line("sunk to objects", human_count(batch.sunk), "-");
  line("rows in cleaned tables", human_count(batch.rows), human_count(stream.rows));
  line("repeats dropped", human_count(batch.repeats), "-");
  line("dead letters", human_count(batch.dead_letters), human_count(stream.dead_letters));
}

void print_popular(live::LiveMetrics& live) {
  const live::Answer answer = live.answer(live::ProfilesQuery{});
  fmt::print("\nThe ten most popular profiles right now (GET /live/profiles):\n\n");
  fmt::print("{:>4}  {:>10}  {:>10}  {:>5}  {}\n", "rank", "popularity", "followers", "posts", "profile");
  for (const live::ProfileView& profile : std::get<live::ProfilesAnswer>(answer.body).items) {
    fmt::print("{:>4}  {:>10.4f}  {:>10}  {:>5}  {}\n", profile.rank, profile.popularity,
               profile.followers ? human_count(*profile.followers) : "unknown", profile.posts, profile.name);
  }
}

void print_where(const Environment& environment) {
  const std::string folder = environment.config().data.folder.string();
  fmt::print(
      "\nWhere everything lies:\n"
      "  {0}/source.duckdb   the source tables\n"
      "  {0}/log             topics and streams, as Kafka record batches\n"
      "  {0}/objects         what was sunk, JSON lines\n"
      "  {0}/tables          Delta tables; any Delta reader opens them\n"
      "\nTry next:\n"
      "  {1} up --data {0}                     and open http://127.0.0.1:{2}/live/profiles?k=10\n"
      "  {1} question category_by_country --data {0} --format csv\n"
      "  {1} sql --data {0} \"SELECT category, count(*) AS posts FROM batch_posts GROUP BY ALL ORDER BY 2 DESC\"\n"
      "  {1} schedule show --data {0}          when `up` runs the batch by itself; runs list: the run of this demo\n"
      "  {1} tap streaming-{3}-pin --data {0} --last -n 3\n",
      folder, environment.program, kUsualPort, environment.config().topics.prefix);
}

Result<emulator::EmulatorReport> post_everything(Environment& environment, const Pipeline& pipeline) {
  emulator::EmulatorOptions options;
  options.targets = {emulator::Target::kTopics, emulator::Target::kStreams};
  TRY_ASSIGN(options.url, http::Url::parse(pipeline.url()));
  options.token = posting_token();
  options.burst = true;
  return post(environment, default_source(environment), options);
}

Result<ExitCode> demo(Environment& environment, const DemoOptions& options) {
  TRY(prepare_folder(environment));
  const std::string folder = environment.config().data.folder.string();
  ProgressLine line(environment.clock, environment.quiet);
  emulator::FillOptions fill;
  fill.stop = environment.stop;
  fill.progress = [&](std::int64_t rows) { line.show("posts made", rows, options.posts); };
  TRY(emulator::create_source(default_source(environment), {options.seed, options.posts}, fill));
  line.clear();

  TRY_ASSIGN(const auto stores, open_stores(environment, true));
  TRY_ASSIGN(const auto pipeline, start_pipeline(environment, *stores));
  fmt::print("pinflow runs in {} with its doors at {}\n\n", folder, pipeline->url());
  std::fflush(stdout);
  TRY_ASSIGN(const auto posted, post_everything(environment, *pipeline));
  print_report(posted, {emulator::Target::kTopics, emulator::Target::kStreams}, stdout);
  if (posted.stopped) return kInterrupted;
  line.show("waiting for the lanes", 0, 0);
  TRY(pipeline->catch_up(kCatchUp, environment.stop));
  line.clear();
  TRY_ASSIGN(const auto batch, run_batch_by_hand(environment, *stores));

  const records::Names names{environment.config().topics.prefix};
  TRY_ASSIGN(const LaneCounts batch_lane, count_batch_lane(*pipeline, names, posted, batch));
  TRY_ASSIGN(const LaneCounts stream_lane, count_stream_lane(*pipeline, names, posted));
  fmt::print("\n");
  print_report(batch);
  fmt::print("\n");
  print_counts(batch_lane, stream_lane);
  fmt::print("\n");
  TRY(print_tables(*stores));
  fmt::print("\nThe questions, answered by the batch:\n\n");
  TRY(print_answers(*stores, "all", "table", kDemoRows));
  print_popular(pipeline->live());
  print_where(environment);
  if (batch_lane.adds_up() && batch_lane.sunk == batch_lane.in_log && stream_lane.adds_up()) return kOk;
  fmt::print("\nThe counts do NOT add up: see above.\n");
  return kFailed;
}

}  // namespace

void add_demo(CLI::App& root, Action& selected) {
  auto options = std::make_shared<DemoOptions>();  // Shared with the callback that outlives this call.
  CLI::App* command =
      root.add_subcommand("demo", "Runs the whole pipeline once, on synthetic posts, and shows what came out");
  command->add_option("--posts", options->posts, "Posts to make")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--seed", options->seed, "Another seed gives other posts")->capture_default_str();
  command->footer(
      "Examples:\n"
      "  pinflow demo\n"
      "  pinflow demo --posts 100000 --data big-demo\n"
      "It writes to the folder pinflow-demo unless --data names another, and takes any free port of loopback. Run "
      "again, it starts\n"
      "anew. Nothing leaves the machine.");
  command->callback([&selected, options] {
    selected = [options](Environment& environment) {
      auto& settings = environment.settings;
      if (settings.origins.at("data.folder") == "default") settings.config.data.folder = "pinflow-demo";
      if (settings.origins.at("http.port") == "default") settings.config.http.port = 0;
      if (settings.origins.at("kafka.port") == "default") settings.config.kafka.port = 0;
      return demo(environment, *options);
    };
  });
}

}  // namespace pinflow::app
