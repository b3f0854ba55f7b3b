#include "stream/commit_watch.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <poll.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace pinflow::bench {

namespace {

std::string commit_name(std::int64_t version) {
  return fmt::format("{:020}.json", version);
}

std::optional<std::int64_t> number_at(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> number_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  return at == std::string_view::npos ? std::nullopt : number_at(text.substr(at + mark.size()));
}

// The app id of a position ends with its partition: <pipeline>:<table>:<topic id>:<partition>.
void take_position(std::string_view line, SeenCommit& commit) {
  constexpr std::string_view kAppId = R"("appId":")";
  const std::size_t begin = line.find(kAppId);
  if (begin == std::string_view::npos) return;
  std::string_view app = line.substr(begin + kAppId.size());
  app = app.substr(0, app.find('"'));
  const std::size_t colon = app.rfind(':');
  if (colon == std::string_view::npos) return;
  const auto partition = number_at(app.substr(colon + 1));
  const auto last = number_behind(line, R"("version":)");
  if (partition && last) commit.through[static_cast<std::int32_t>(*partition)] = *last;
}

SeenCommit parse(std::int64_t version, std::istream& lines) {
  SeenCommit commit{.version = version, .seen = std::chrono::steady_clock::now(), .through = {}};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(R"({"txn":)")) take_position(line, commit);
    commit.added_files += line.starts_with(R"({"add":)");
    commit.removed_files += line.starts_with(R"({"remove":)");
  }
  return commit;
}

}  // namespace

Result<std::unique_ptr<CommitWatch>> CommitWatch::start(const std::filesystem::path& log_folder) {
  const int events = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  // A commit gets its name by link(2) from us, by rename(2) from others.
  if (::inotify_add_watch(events, log_folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0) {
    const int error = errno;
    ::close(events);
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} cannot be watched: {}", log_folder.string(), std::generic_category().message(error)));
  }
  return std::unique_ptr<CommitWatch>(new CommitWatch(log_folder, events, ::eventfd(0, EFD_CLOEXEC)));
}

CommitWatch::CommitWatch(std::filesystem::path folder, int events, int wake)
    : folder_(std::move(folder)), events_(events), wake_(wake) {
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, missing)) {
    const std::string name = entry.path().filename().string();
    const auto version = number_at(name);
    if (version && name == commit_name(*version)) next_version_ = std::max(next_version_, *version + 1);
  }
  thread_ = std::jthread([this] { run(); });
}

CommitWatch::~CommitWatch() {
  stop();
  ::close(events_);
  ::close(wake_);
}

void CommitWatch::run() {
  for (;;) {
    take_new();
    pollfd waiting[2] = {{.fd = events_, .events = POLLIN, .revents = 0},
                         {.fd = wake_, .events = POLLIN, .revents = 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) return;
    char drained[4096];
    while (::read(events_, drained, sizeof(drained)) > 0) {
    }
  }
}

void CommitWatch::take_new() {
  for (;; ++next_version_) {
    std::ifstream file(folder_ / commit_name(next_version_), std::ios::binary);
    if (!file) return;
    std::stringstream bytes;
    bytes << file.rdbuf();
    SeenCommit commit = parse(next_version_, bytes);
    const std::scoped_lock lock(mutex_);
    for (const auto& [partition, offset] : commit.through) through_[partition] = offset;
    commits_.push_back(std::move(commit));
    grown_.notify_all();
  }
}

bool CommitWatch::wait_for(std::int32_t partition, std::int64_t offset, std::chrono::seconds longest) {
  std::unique_lock lock(mutex_);
  return grown_.wait_for(lock, longest, [&] {
    const auto found = through_.find(partition);
    return found != through_.end() && found->second >= offset;
  });
}

std::vector<SeenCommit> CommitWatch::stop() {
  if (thread_.joinable()) {
    ::eventfd_write(wake_, 1);
    thread_.join();
  }
  const std::scoped_lock lock(mutex_);
  return std::exchange(commits_, {});
}

}  // namespace pinflow::bench
