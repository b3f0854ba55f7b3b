#include "spark/databricks_engine.h"

#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"

namespace pinflow::spark {

namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kTask = "pinflow_batch";
constexpr int kFailuresInARow = 5;

std::string text_of(simdjson::simdjson_result<dom::element> found) {
  std::string_view text;
  return found.get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// What jobs/runs/get says of a run.
struct RunState {
  std::string life_cycle, result, message, page;
  std::int64_t task_run = 0;
  bool over() const { return life_cycle == "TERMINATED" || life_cycle == "SKIPPED" || life_cycle == "INTERNAL_ERROR"; }
  bool good() const { return life_cycle == "TERMINATED" && result == "SUCCESS"; }
};

class DatabricksEngine final : public batch::RemoteEngine {
 public:
  DatabricksEngine(aws::HttpTransport& http, DatabricksOptions options) : http_(http), options_(std::move(options)) {}

  std::string objects_address() const override { return options_.objects; }
  std::string tables_address() const override { return options_.tables; }

  Result<void> run(const batch::RemoteCall& call, batch::Progress* progress, std::stop_token stop) override {
    TRY_ASSIGN(const std::int64_t id, submit(call, stop));
    const auto state = wait(id, progress, stop);
    if (!state) {
      // Also of a run that nobody can ask for any more: it must not write behind the next one.
      const auto cancelled = post("/api/2.1/jobs/runs/cancel", fmt::format(R"({{"run_id":{}}})", id));
      Error error = state.error();
      if (!cancelled)
        error.message +=
            fmt::format("; run {} of Databricks could not be cancelled: {}", id, cancelled.error().message);
      return fail(std::move(error));
    }
    if (state->good()) return {};
    std::string words =
        fmt::format("run {} of Databricks ended as {} {}: {}", id, state->life_cycle, state->result, state->message);
    if (!state->page.empty()) words += fmt::format(" ({})", state->page);
    if (const std::string said = output_of(state->task_run); !said.empty()) words += "\n" + said;
    return fail(ErrorCode::kInvalid, std::move(words));
  }

 private:
  std::string submission(const batch::RemoteCall& call) const {
    JsonWriter json;
    json.begin_object().key("run_name").string("pinflow batch").key("idempotency_token").string(call.run_id);
    json.key("tasks").begin_array().begin_object().key("task_key").string(kTask);
    if (!options_.cluster.empty()) {
      json.key("existing_cluster_id").string(options_.cluster);
    } else {
      json.key("new_cluster").raw(options_.new_cluster);
    }
    json.key("spark_python_task").begin_object().key("python_file").string(call.program);
    json.key("parameters").begin_array().string(call.job).string(call.result).end_array().end_object();
    json.end_object().end_array().end_object();
    return std::move(json).take();
  }

  // One call. kUnavailable: no answer, or 429, or of the 500s; another try may help.
  Result<std::string> call(const std::string& method, const std::string& path, std::string_view body) {
    TRY_ASSIGN(const std::string token, options_.token());
    aws::HttpRequest request{.method = method, .url = options_.host + path, .headers = {}, .body = body};
    const std::size_t begin = options_.host.find("://");
    request.headers = {{"Host", options_.host.substr(begin == std::string::npos ? 0 : begin + 3)},
                       {"Authorization", "Bearer " + token}};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    auto response = http_.send(request);
    if (!response) return fail(std::move(response).error().with_context("calling Databricks"));
    if (response->status == 200) return std::move(response->body);
    const bool passing = response->status == 429 || response->status >= 500;
    const bool refused = response->status == 401 || response->status == 403;
    return fail(passing ? ErrorCode::kUnavailable : ErrorCode::kInvalid,
                fmt::format("Databricks answered {} to {}: {}{}", response->status, path, response->body.substr(0, 500),
                            refused ? "; look at DATABRICKS_TOKEN or batch.databricks_token_file" : ""));
  }
  Result<std::string> get(const std::string& path) { return call("GET", path, {}); }
  Result<std::string> post(const std::string& path, const std::string& body) { return call("POST", path, body); }

  // Tries again what may pass.
  template <class Work>
  Result<std::string> tried(Work work, const std::stop_token& stop) {
    for (int failures = 1;; ++failures) {
      auto answer = work();
      if (answer || answer.error().code != ErrorCode::kUnavailable || failures == kFailuresInARow) return answer;
      options_.pause(options_.poll * failures, stop);
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the run on Databricks was stopped");
    }
  }

  Result<std::int64_t> submit(const batch::RemoteCall& call, const std::stop_token& stop) {
    const std::string body = submission(call);
    TRY_ASSIGN(const std::string answer, tried([&] { return post("/api/2.1/jobs/runs/submit", body); }, stop));
    dom::parser parser;
    dom::element root;
    std::int64_t id = 0;
    if (parser.parse(answer).get(root) != simdjson::SUCCESS || root["run_id"].get(id) != simdjson::SUCCESS)
      return fail(ErrorCode::kInvalid, "Databricks answered to a submission without a run_id");
    return id;
  }

  Result<RunState> wait(std::int64_t id, batch::Progress* progress, const std::stop_token& stop) {
    std::string shown;
    while (true) {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the run on Databricks was stopped");
      TRY_ASSIGN(const std::string answer,
                 tried([&] { return get(fmt::format("/api/2.1/jobs/runs/get?run_id={}", id)); }, stop));
      TRY_ASSIGN(RunState state, parse_state(answer));
      if (state.over()) return state;
      if (progress != nullptr && state.life_cycle != shown) {
        progress->step(fmt::format("run {} of Databricks is {}", id, state.life_cycle));
        shown = state.life_cycle;
      }
      options_.pause(options_.poll, stop);
    }
  }

  static Result<RunState> parse_state(const std::string& answer) {
    dom::parser parser;
    dom::element root;
    RunState state;
    if (parser.parse(answer).get(root) == simdjson::SUCCESS)
      state.life_cycle = text_of(root["state"]["life_cycle_state"]);
    if (state.life_cycle.empty())
      return fail(ErrorCode::kInvalid, "Databricks answered to a question for a run without its life_cycle_state");
    state.result = text_of(root["state"]["result_state"]);
    state.message = text_of(root["state"]["state_message"]);
    state.page = text_of(root["run_page_url"]);
    if (root["tasks"].at(0)["run_id"].get(state.task_run) != simdjson::SUCCESS) state.task_run = 0;
    return state;
  }

  // The error of a task, or what it said last. A help only: nothing where it cannot be had.
  std::string output_of(std::int64_t task_run) {
    if (task_run == 0) return {};
    const auto answer = get(fmt::format("/api/2.1/jobs/runs/get-output?run_id={}", task_run));
    dom::parser parser;
    dom::element root;
    if (!answer || parser.parse(*answer).get(root) != simdjson::SUCCESS) return {};
    const std::string error = text_of(root["error"]);
    const std::string logs = text_of(root["logs"]);
    constexpr std::size_t kMost = 2'000;
    return error.empty() ? logs.substr(logs.size() - std::min(logs.size(), kMost)) : error.substr(0, kMost);
  }

  aws::HttpTransport& http_;
  DatabricksOptions options_;
};

}  // namespace

std::unique_ptr<batch::RemoteEngine> make_databricks_engine(aws::HttpTransport& http, DatabricksOptions options) {
  return std::make_unique<DatabricksEngine>(http, std::move(options));
}

}  // namespace pinflow::spark
