#include <benchmark/benchmark.h>

#include "http/internal/session.h"

// What one small post costs the protocol: 500 bytes in, a short answer out, without sockets.
namespace pinflow::http::internal {
namespace {

class Answerer final : public SessionOwner {
 public:
  Admission admit(Request&) override { return {}; }
  void hand_over(StreamId id, Request request) override {
    benchmark::DoNotOptimize(request.body.data());
    session->answer(
        id, Response::json(200, R"({"offsets":[{"partition":0,"offset":123456,"error_code":null,"error":null}]})",
                           "application/vnd.kafka.v2+json"));
  }
  void pull(StreamId, BodyStream&) override {}
  void wake() override {}
  std::string_view date() override { return "Sun, 06 Nov 1994 08:49:37 GMT"; }

  std::unique_ptr<Session> session = make_http1_session({}, *this);
};

void small_posts(benchmark::State& state) {
  const std::string body(500, 'x');
  const std::string request =
      "POST /topics/pinterest.pin HTTP/1.1\r\nHost: 127.0.0.1:8082\r\nUser-Agent: python-requests/2.31.0\r\n"
      "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
      "Content-Type: application/vnd.kafka.json.v2+json\r\nContent-Length: 500\r\n\r\n" +
      body;
  Answerer owner;
  for (auto _ : state) {
    owner.session->receive(request);
    owner.session->advance();
    benchmark::DoNotOptimize(owner.session->output().front().data());
    owner.session->output().clear();
    owner.session->advance();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(small_posts);

}  // namespace
}  // namespace pinflow::http::internal

BENCHMARK_MAIN();
