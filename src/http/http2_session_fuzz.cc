#include <array>

#include "base/check.h"
#include "http/internal/http2_frames.h"
#include "http/internal/session_fixture.h"

namespace {

using namespace pinflow;
using namespace pinflow::http;
using namespace pinflow::http::internal;

// The fuzzer's bytes, taken from the front.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto out = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return out;
  }
  std::string_view take(std::size_t size) {
    const auto out = left_.substr(0, size);
    left_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view left_;
};

std::string header_block_of(Bytes& bytes) {
  static const std::array<Fields, 6> kHeads = {get("/a"),
                                               post("/b"),
                                               post("/c", {{"content-length", "3"}}),
                                               post("/d", {{"content-encoding", "gzip"}}),
                                               get("/e?x=%41", {{"cookie", "a"}, {"cookie", "b"}}),
                                               post("/f", {{"expect", "100-continue"}})};
  const auto kind = bytes.byte();
  if (kind < 160) return header_block(kHeads[kind % kHeads.size()]);
  return std::string(bytes.take(kind - 160));
}

// One frame: mostly of a shape that gets behind the first checks.
std::string next_frame(Bytes& bytes) {
  const auto kind = bytes.byte();
  const std::uint32_t id = bytes.byte() % 16;
  const auto flags = bytes.byte();
  switch (kind % 10) {
    case 0:
    case 1:
      return frame(1, flags, id, header_block_of(bytes));
    case 2:
    case 3:
      return frame(0, flags, id, bytes.take(bytes.byte()));
    case 4:
      return reset(id, flags);
    case 5:
      return window_update(id, static_cast<std::uint32_t>(flags) << (kind % 24));
    case 6:
      return settings(big_endian(flags % 10, 2) + big_endian(bytes.byte() << (kind % 16), 4));
    case 7:
      return frame(9, flags, id, header_block_of(bytes));
    case 8:
      return frame(4, kAck, 0, "");
    default:
      return frame(bytes.byte(), flags, id, bytes.take(bytes.byte() % 32));
  }
}

// Handlers of each kind: at once, later, reading, answering in pieces, never.
class Handlers {
 public:
  explicit Handlers(FakeOwner& owner) : owner_(owner) {
    owner.admission = [](Request& head) {
      Admission admission{.refusal = {}, .stream_body = head.target == "/b" || head.target == "/f"};
      if (head.target == "/c") admission.refusal = Response::failure(401, 401, "who?");
      return admission;
    };
    owner.handler = [this](StreamId id, Request request) {
      if (request.body_stream) {
        bodies_.emplace_back(id, std::move(request.body_stream));
        read_on(bodies_.size() - 1);
      } else if (request.target == "/a") {
        owed_.push_back(id);
      } else {
        owner_.reply(id, Response::json(200, std::string(request.target.size() * 1000, 'x')));
      }
    };
  }
  void act(std::uint8_t what) {
    if (what % 4 == 0 && !owed_.empty()) {
      owner_.reply(owed_.back(), Response::json(200, "late"));
      owed_.pop_back();
    } else if (what % 4 == 1 && !owed_.empty()) {
      scripts_.push_back(std::make_shared<ScriptedBody::Script>());
      Response response;
      response.body_stream = std::make_unique<ScriptedBody>(scripts_.back());
      owner_.reply(owed_.back(), std::move(response));
      owed_.pop_back();
    } else if (what % 4 == 2 && !scripts_.empty()) {
      if (what < 60) scripts_.back()->give("piece");
      if (what >= 60 && what < 120) scripts_.back()->end();
      if (what >= 120) scripts_.back()->give(fail(ErrorCode::kUnavailable, "gone"));
      if (what >= 60) scripts_.pop_back();
    } else if (what % 4 == 3 && !bodies_.empty() && what > 128) {
      bodies_.pop_back();
    }
  }

 private:
  void read_on(std::size_t at) {
    bodies_[at].second->next([this, at, id = bodies_[at].first](BodyStream::Piece piece) {
      if (piece && *piece) {
        CHECK(!(*piece)->empty(), "a piece of a body is empty");
        if (at < bodies_.size() && bodies_[at].first == id) read_on(at);
        return;
      }
      owner_.reply(id, Response::json(piece ? 200 : 400, "read"));
    });
  }
  FakeOwner& owner_;
  std::vector<StreamId> owed_;
  std::vector<std::pair<StreamId, std::unique_ptr<BodyStream>>> bodies_;
  std::vector<std::shared_ptr<ScriptedBody::Script>> scripts_;
};

}  // namespace

// No frames break a session, what it sends can be read, and it lets go of all that it holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  FakeOwner owner(make_http2_session,
                  {.max_header = 2048, .max_target = 512, .max_body = 4096, .max_unpack_ratio = 100, .max_streams = 4});
  {
    Handlers handlers(owner);
    FramePeer peer;
    const std::size_t step = bytes.byte() + 1UZ;
    peer.take(owner.send(std::string(kPreface) + settings()));
    while (!bytes.empty() && owner.session().phase() != Session::Phase::kEnding) {
      peer.take(owner.send(next_frame(bytes), step));
      const auto what = bytes.byte();
      handlers.act(what);
      peer.take(owner.drain());
      if (what == 251) owner.session().finish();
      if (what == 252) owner.session().refuse(408, "slow");
      owner.time += std::chrono::milliseconds(what);
    }
    peer.take(owner.drain());
    if (owner.session().phase() == Session::Phase::kIdle) {
      CHECK(owner.session().held_bytes() == 0, "an idle session holds bytes of bodies");
    }
    owner.end_connection();  // Handlers that still read may answer now: it goes nowhere.
  }
  return 0;
}
