#include "spark/submit_engine.h"

#include <deque>
#include <utility>

#include <fmt/format.h>

#include "spark/internal/child_lines.h"

namespace pinflow::spark {

namespace {

constexpr std::string_view kStep = "pinflow step ";
constexpr std::size_t kLastLines = 20;

// Spark's log lines below WARN say nothing of a failure.
bool is_chatter(std::string_view line) {
  return line.find(" INFO ") != line.npos || line.find(" DEBUG ") != line.npos;
}

class SubmitEngine final : public batch::RemoteEngine {
 public:
  explicit SubmitEngine(SubmitOptions options) : options_(std::move(options)) {}

  std::string objects_address() const override { return options_.objects; }
  std::string tables_address() const override { return options_.tables; }

  Result<void> run(const batch::RemoteCall& call, batch::Progress* progress, std::stop_token stop) override {
    std::deque<std::string> last;
    const auto heard = [&](std::string_view line) {
      if (line.starts_with(kStep)) {
        if (progress != nullptr) progress->step(fmt::format("{}, on Spark", line.substr(kStep.size())));
      } else if (!is_chatter(line)) {
        last.emplace_back(line);
        if (last.size() > kLastLines) last.pop_front();
      }
    };
    auto ended = internal::run_child(arguments(call), heard, std::move(stop));
    if (!ended && ended.error().code == ErrorCode::kUnavailable) {
      return fail(std::move(ended).error().with_context(
          "starting Spark (batch.spark_submit; `pip install pyspark` has a spark-submit, and it needs Java)"));
    }
    if (!ended) return fail(std::move(ended).error());
    if (ended->code == 0 && ended->signal == 0) return {};
    const std::string how = ended->signal != 0 ? fmt::format("was ended by signal {}", ended->signal)
                                               : fmt::format("ended with {}", ended->code);
    return fail(ErrorCode::kInvalid,
                fmt::format("{} {}; its last lines:\n{}", options_.program, how, fmt::join(last, "\n")));
  }

 private:
  std::vector<std::string> arguments(const batch::RemoteCall& call) const {
    std::vector<std::string> words = {options_.program, "--master", options_.master, "--name", "pinflow batch"};
    const auto add = [&](const char* flag, const std::string& value) {
      if (!value.empty()) words.insert(words.end(), {flag, value});
    };
    add("--packages", options_.packages);
    add("--jars", options_.jars);
    for (const std::string& property : options_.properties) add("--conf", property);
    // The copy on this machine: spark-submit opens the program before it has loaded the jars by which it would reach S3.
    words.insert(words.end(), {call.local_program.string(), call.job, call.result});
    return words;
  }

  SubmitOptions options_;
};

}  // namespace

std::unique_ptr<batch::RemoteEngine> make_submit_engine(SubmitOptions options) {
  return std::make_unique<SubmitEngine>(std::move(options));
}

}  // namespace pinflow::spark
