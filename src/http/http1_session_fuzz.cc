#include "base/check.h"
#include "http/internal/session_fixture.h"

namespace {

using namespace pinflow;
using namespace pinflow::http;
using namespace pinflow::http::internal;

struct Outcome {
  std::vector<std::string> requests;
  std::string output;
};

// Reads a streamed body to its end, then answers with it.
struct Reader {
  FakeOwner& owner;
  StreamId id;
  std::unique_ptr<BodyStream> stream;
  std::string head;
  std::string body;
  void read_on() {
    stream->next([this](BodyStream::Piece piece) {
      if (piece && *piece) {
        body += **piece;
        return read_on();
      }
      if (piece) owner.requests.push_back(head + body);
      owner.reply(id, piece ? Response::json(200, std::move(body)) : Response::failure(400, 400, "broken"));
    });
  }
};

Outcome talk(std::string_view bytes, std::size_t step, bool streams) {
  std::vector<std::unique_ptr<Reader>> readers;
  FakeOwner owner(make_http1_session, {.max_header = 2048, .max_target = 512, .max_body = 4096});
  owner.admission = [&](Request&) { return Admission{.refusal = {}, .stream_body = streams}; };
  if (streams) {
    owner.handler = [&](StreamId id, Request request) {
      readers.push_back(std::make_unique<Reader>(owner, id, std::move(request.body_stream),
                                                 request.method + " " + request.target + " ", ""));
      readers.back()->read_on();
    };
  }
  Outcome outcome;
  outcome.output = owner.send(bytes, step);
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (std::size_t at = 0; (at = outcome.output.find(kContinue, at)) != std::string::npos;) {
    outcome.output.erase(at, kContinue.size());  // Whether it is said depends on what came already.
  }
  outcome.requests = owner.requests;
  owner.end_connection();
  return outcome;
}

bool begins_with(const std::vector<std::string>& all, const std::vector<std::string>& first) {
  return first.size() <= all.size() && std::equal(first.begin(), first.end(), all.begin());
}

}  // namespace

// However the network cuts the bytes, the requests and the answers are the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool streams = (data[0] & 1) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = talk(bytes, SIZE_MAX, streams);
  for (const std::size_t step : {1UZ, 7UZ}) {
    const auto cut = talk(bytes, step, streams);
    // An answer before the end of the body may close the connection, so fewer requests may follow it.
    const auto is_early = [&](const Outcome& outcome) {
      return outcome.output.contains("HTTP/1.1 415") || (streams && outcome.output.contains("HTTP/1.1 400"));
    };
    const bool refused = is_early(whole) || is_early(cut);
    CHECK(refused ? begins_with(whole.requests, cut.requests) || begins_with(cut.requests, whole.requests)
                  : whole.requests == cut.requests && whole.output == cut.output,
          "the same bytes in other pieces are read as other requests");
  }
  return 0;
}
