#include "posting_load.h"

#include <fmt/core.h>

namespace pinflow::testing {

std::string post_json(records::Kind kind, std::int64_t ind) {
  switch (kind) {
    case records::Kind::kPin:
      return fmt::format(
          R"({{"index":{0},"unique_id":"00000000-0000-4000-8000-{0:012}","title":"Post {0}","description":"Words about {0}",)"
          R"("poster_name":"poster {1}","follower_count":"{1}k","tag_list":"a,b","is_image_or_video":"image",)"
          R"("image_src":"https://images.example/{0}.jpg","downloaded":1,"save_location":"Local save in /data/art","category":"art"}})",
          ind, ind % 97);
    case records::Kind::kGeo:
      return fmt::format(
          R"({{"ind":{},"timestamp":"2020-08-28 03:52:47","latitude":1.5,"longitude":-2.25,"country":"Albania"}})",
          ind);
    case records::Kind::kUser:
      return fmt::format(
          R"({{"ind":{},"first_name":"Ann","last_name":"P{}","age":30,"date_joined":"2016-03-08 13:38:37"}})", ind,
          ind % 97);
  }
  std::abort();
}

PostingLoad::PostingLoad(std::string url, std::int64_t first_ind, std::size_t threads)
    : url_(*http::Url::parse(url)), next_ind_(first_ind), running_(threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

PostingLoad::~PostingLoad() {
  stop();
}

void PostingLoad::stop() {
  stopped_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void PostingLoad::wait_for_acknowledged(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return acknowledged_count_ >= count || running_ == 0; });
}

// A thread ends with its server: the first request that finds nobody.
void PostingLoad::run() {
  const auto client = http::make_client(url_, std::chrono::seconds(30));
  bool alive = true;
  while (alive && !stopped_) {
    const std::int64_t ind = next_ind_++;
    for (const records::Kind kind : records::kKinds) {
      alive = alive && post(*client, kind, false, ind) && post(*client, kind, true, ind);
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    --running_;
  }
  changed_.notify_all();
}

bool PostingLoad::post(http::Client& client, records::Kind kind, bool to_stream, std::int64_t ind) {
  const records::Names names;
  const std::string topic = to_stream ? names.stream(kind) : names.topic(kind);
  http::Request request;
  if (to_stream) {
    request.method = "PUT";
    request.target = "/streams/" + topic + "/record";
    request.headers.add("Content-Type", "application/json");
    request.body = fmt::format(R"({{"StreamName":"{}","Data":{},"PartitionKey":"{}"}})", topic, post_json(kind, ind),
                               records::to_string(kind));
  } else {
    request.method = "POST";
    request.target = "/topics/" + topic;
    request.headers.add("Content-Type", "application/vnd.kafka.json.v2+json");
    request.body = fmt::format(R"({{"records":[{{"value":{}}}]}})", post_json(kind, ind));
  }
  const auto response = client.send(request);
  if (!response) return false;
  if (response->status == 200) {
    const std::scoped_lock lock(mutex_);
    acknowledged_[topic].insert(ind);
    ++acknowledged_count_;
    changed_.notify_all();
  }
  return true;
}

}  // namespace pinflow::testing
