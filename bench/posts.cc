#include "posts.h"

#include <fmt/format.h>

#include "records/raw_batch.h"

namespace pinflow::bench {

namespace {

constexpr std::string_view kRestJson = "application/vnd.kafka.json.v2+json";
constexpr std::size_t kPerRequest = 500;

void append_pin(std::string& out, std::int64_t ind, std::string_view profile) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"index":{0},"unique_id":"00000000-0000-4000-8000-{0:012}","title":"Ten quiet corners for reading, number {0}",)"
      R"("description":"Small rooms, deep chairs and a lamp: what a reading corner needs and what it does not. With plans to print and a )"
      R"(list of what to look for at the next market, so that the afternoon is not spent on searching alone.","poster_name":"{1}",)"
      R"("follower_count":"{2}k","tag_list":"Reading Corner,Small Rooms,Lamps,Chairs,Books,Home Ideas,Plans,Quiet,Afternoon",)"
      R"("is_image_or_video":"image","image_src":"https://images.example/originals/{0:012}.jpg","downloaded":1,)"
      R"("save_location":"Local save in /data/home-decor","category":"home-decor"}})",
      ind, profile, ind % 900 + 1);
}

}  // namespace

bool NumberedPins::next(std::string& out) {
  std::string body = R"({"records":[)";
  for (int i = 0; i < records_; ++i) {
    if (i > 0) body += ',';
    body += R"({"value":)";
    append_pin(body, next_, fmt::format("Reader {}", next_ % 5'000));
    body += '}';
    ++next_;
  }
  body += "]}";
  out += http_request("POST", "/topics/" + topic_, kRestJson, body);
  return true;
}

bool SyntheticLoad::next(std::string& out) {
  if (ready_.empty()) {
    const records::Names names;
    for (const auto& [kind, batch] : source_.next(kPerRequest)) {
      if (batch.rows() == 0) continue;
      std::string body = R"({"records":[)";
      for (std::size_t row = 0; row < batch.rows(); ++row) {
        if (row > 0) body += ',';
        body += to_ == To::kTopics ? R"({"value":)" : R"({"data":)";
        records::append_json_record(body, batch, row);
        body += to_ == To::kTopics ? "}" : R"(,"partition-key":"bench"})";
      }
      body += "]}";
      ready_.push_back(to_ == To::kTopics ? http_request("POST", "/topics/" + names.topic(kind), kRestJson, body)
                                          : http_request("PUT", "/streams/" + names.stream(kind) + "/records",
                                                         "application/json", body));
    }
    if (ready_.empty()) return false;
  }
  out += ready_.front();
  ready_.pop_front();
  return true;
}

std::string pin_for_stream(std::int64_t ind, std::string_view profile) {
  std::string body = R"({"StreamName":"streaming-pinterest-pin","Data":)";
  append_pin(body, ind, profile);
  body += R"(,"PartitionKey":"bench"})";
  return body;
}

}  // namespace pinflow::bench
