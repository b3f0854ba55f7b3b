// The load generator of http_bench.py: sends prepared HTTP/1.1 requests to a port of this machine and prints what came of it as one
// line of JSON. README.md of this folder tells how it is used.

#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "load.h"

namespace pinflow::bench {
namespace {

constexpr std::string_view kUsage =
    R"(Usage: http_load --port N --requests FILE [--connections N] [--milliseconds N] [--count N] [--rate N]

  --requests FILE   whole requests, each behind a line with its length in bytes; sent in turn, over and over
  --count N         send so many and stop
  --rate N          begin N requests a second at even times instead of asking again after each answer
)";

struct Options {
  std::uint16_t port = 0;
  std::string requests;
  LoadLimits limits;
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  std::int64_t milliseconds = 3'000;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    bool good = true;
    if (name == "--port") {
      good = read_number(value, options.port);
    } else if (name == "--requests") {
      options.requests = value;
    } else if (name == "--connections") {
      good = read_number(value, options.limits.connections) && options.limits.connections > 0;
    } else if (name == "--milliseconds") {
      good = read_number(value, milliseconds) && milliseconds > 0;
    } else if (name == "--count") {
      good = read_number(value, options.limits.requests);
    } else if (name == "--rate") {
      good = read_number(value, options.limits.rate) && options.limits.rate > 0;
    } else {
      good = false;
    }
    if (!good) return std::nullopt;
  }
  options.limits.duration = std::chrono::milliseconds(milliseconds);
  if (argc % 2 == 0 || options.port == 0 || options.requests.empty()) return std::nullopt;
  return options;
}

// The requests of a file, in turn.
class FileRequests final : public Requests {
 public:
  static Result<FileRequests> open(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    FileRequests requests(std::move(content));
    std::string_view rest = requests.content_;
    while (!rest.empty()) {
      const std::size_t line = rest.find('\n');
      std::size_t length = 0;
      if (line == std::string_view::npos || !read_number(rest.substr(0, line), length) ||
          rest.size() - line - 1 < length) {
        return fail(ErrorCode::kInvalid, fmt::format("{} is no file of requests", path));
      }
      requests.spans_.push_back({static_cast<std::size_t>(rest.data() - requests.content_.data()) + line + 1, length});
      rest.remove_prefix(line + 1 + length);
    }
    if (requests.spans_.empty()) return fail(ErrorCode::kInvalid, fmt::format("{} holds no request", path));
    return requests;
  }

  bool next(std::string& out) override {
    const Span span = spans_[next_++ % spans_.size()];
    out.append(content_, span.begin, span.length);
    return true;
  }

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t length = 0;
  };
  explicit FileRequests(std::string content) : content_(std::move(content)) {}
  std::string content_;
  std::vector<Span> spans_;
  std::size_t next_ = 0;
};

Result<void> run(const Options& options) {
  TRY_ASSIGN(FileRequests requests, FileRequests::open(options.requests));
  TRY_ASSIGN(const LoadResult result, run_load(options.port, options.limits, requests));
  fmt::print(
      R"({{"accepted":{},"refused":{},"seconds":{:.4f},"cpu_seconds":{:.3f},"p50":{:.4f},"p99":{:.4f},"p999":{:.4f}}})"
      "\n",
      result.accepted, result.refused, result.seconds, result.cpu_seconds, percentile(result.latencies, 0.5),
      percentile(result.latencies, 0.99), percentile(result.latencies, 0.999));
  if (result.refused > 0) fmt::print(stderr, "{}\n", result.first_refusal);
  return {};
}

}  // namespace
}  // namespace pinflow::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = pinflow::bench::read_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "{}", pinflow::bench::kUsage);
    return 2;
  }
  if (const auto done = pinflow::bench::run(*options); !done) {
    fmt::print(stderr, "http_load: {}\n", done.error().message);
    return 1;
  }
  return 0;
}
