#include "http/internal/body_intake.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pinflow::http::internal {

// One body on its way from the session to its reader. Used on the network loop alone.
struct BodyPipe {
  std::string bytes;  // As sent, from `from` on.
  std::size_t from = 0;
  bool ended = false;
  std::optional<Error> error;
  std::unique_ptr<Unpacker> unpacker;
  BodyStream::Take take;  // Set while the reader waits.
  bool reader_gone = false;
  bool delivering = false;
  std::move_only_function<void(std::size_t)> read;  // Empty once the session is gone.

  std::size_t buffered() const { return bytes.size() - from; }
  void tell(std::size_t count) {
    if (read) read(count);
  }
};

namespace {
constexpr std::size_t kFirstReserve = 256 << 10;  // What a peer only announces is not paid for in advance beyond this.
constexpr std::size_t kPiece = 64 << 10;          // Of unpacked bytes.

// The next piece of a body that is not packed.
std::optional<BodyStream::Piece> plain_piece(BodyPipe& pipe) {
  if (pipe.buffered() == 0) return std::nullopt;
  CHECK(pipe.from == 0, "a body that is not packed is taken in parts");
  std::string piece = std::exchange(pipe.bytes, {});
  pipe.tell(piece.size());
  return BodyStream::Piece(std::move(piece));
}

std::optional<BodyStream::Piece> unpacked_piece(BodyPipe& pipe) {
  std::string out;
  std::string_view packed = std::string_view(pipe.bytes).substr(pipe.from);
  const std::size_t before = packed.size();
  auto failure = pipe.unpacker->unpack(packed, out, kPiece);
  pipe.from += before - packed.size();
  if (pipe.buffered() == 0) {
    pipe.bytes.clear();
    pipe.from = 0;
  }
  if (before > packed.size()) pipe.tell(before - packed.size());
  if (!failure && out.empty() && pipe.ended) failure = pipe.unpacker->end();
  if (failure) return BodyStream::Piece(fail(ErrorCode::kInvalid, std::move(failure->message)));
  if (out.empty()) return std::nullopt;
  return BodyStream::Piece(std::move(out));
}

std::optional<BodyStream::Piece> next_piece(BodyPipe& pipe) {
  auto piece = pipe.unpacker ? unpacked_piece(pipe) : plain_piece(pipe);
  if (piece) return piece;
  if (pipe.error) return BodyStream::Piece(fail(*pipe.error));
  if (pipe.ended) return BodyStream::Piece(std::nullopt);
  return std::nullopt;
}

// Serves the reader as long as it asks. A reader that asks again from within its take is served by the loop that called it, so the
// stack does not grow with the body.
void serve(const std::shared_ptr<BodyPipe>& shared) {
  const std::shared_ptr<BodyPipe> pipe = shared;  // The reader may destroy its end meanwhile.
  if (std::exchange(pipe->delivering, true)) return;
  while (pipe->take) {
    auto piece = next_piece(*pipe);
    if (!piece) break;
    std::exchange(pipe->take, nullptr)(std::move(*piece));
  }
  pipe->delivering = false;
}

class PipeReader final : public BodyStream {
 public:
  explicit PipeReader(std::shared_ptr<BodyPipe> pipe) : pipe_(std::move(pipe)) {}
  PipeReader(const PipeReader&) = delete;
  PipeReader& operator=(const PipeReader&) = delete;
  ~PipeReader() override {
    pipe_->reader_gone = true;
    pipe_->take = nullptr;
    const std::size_t unread = pipe_->buffered();
    pipe_->bytes.clear();
    pipe_->from = 0;
    pipe_->tell(unread);
  }
  void next(Take take) override {
    CHECK(!pipe_->take, "a body is asked for its next piece twice at once");
    pipe_->take = std::move(take);
    const auto pipe = pipe_;  // This reader may be gone after serve().
    serve(pipe);
    if (pipe->take && !pipe->delivering) pipe->tell(0);
  }

 private:
  const std::shared_ptr<BodyPipe> pipe_;
};
}  // namespace

BodyIntake::~BodyIntake() {
  close();
}

void BodyIntake::collect(Packing packing, const UnpackLimits& limits, std::uint64_t expected) {
  unpacker_ = make_unpacker(packing, limits);
  std::string& into = inbox();
  into.reserve(std::min<std::uint64_t>(expected, kFirstReserve));
}

std::unique_ptr<BodyStream> BodyIntake::stream(Packing packing, const UnpackLimits& limits,
                                               std::move_only_function<void(std::size_t)> read) {
  pipe_ = std::make_shared<BodyPipe>();
  pipe_->unpacker = make_unpacker(packing, {.max_bytes = UINT64_MAX, .max_ratio = limits.max_ratio});
  pipe_->read = std::move(read);
  return std::make_unique<PipeReader>(pipe_);
}

std::string& BodyIntake::inbox() {
  if (pipe_) return pipe_->bytes;
  return unpacker_ ? packed_ : body_;
}

std::optional<Failure> BodyIntake::settle() {
  if (pipe_ && pipe_->reader_gone) {
    pipe_->bytes.clear();
  } else if (!pipe_ && unpacker_) {
    std::string_view packed = packed_;
    std::size_t came = kPiece;
    while (came >= kPiece) {
      const std::size_t before = body_.size();
      if (auto failure = unpacker_->unpack(packed, body_, kPiece)) return failure;
      came = body_.size() - before;
    }
    packed_.clear();
  }
  return std::nullopt;
}

std::optional<Failure> BodyIntake::end() {
  if (pipe_) {
    pipe_->ended = true;
    return std::nullopt;
  }
  return unpacker_ ? unpacker_->end() : std::nullopt;
}

void BodyIntake::fail(Error error) {
  if (pipe_ && !pipe_->ended && !pipe_->error) pipe_->error = std::move(error);
}

void BodyIntake::deliver() {
  if (pipe_ && pipe_->take) serve(pipe_);
}

void BodyIntake::close() {
  body_ = {};
  packed_ = {};
  unpacker_.reset();
  const auto pipe = std::exchange(pipe_, nullptr);
  if (!pipe) return;
  pipe->read = nullptr;
  if (!pipe->ended && !pipe->error) pipe->error = Error{ErrorCode::kCancelled, "the sender of the body is gone"};
  serve(pipe);
}

bool BodyIntake::reader_waits() const {
  return pipe_ && pipe_->take;
}

bool BodyIntake::reader_gone() const {
  return pipe_ && pipe_->reader_gone;
}

std::size_t BodyIntake::buffered() const {
  return pipe_ ? pipe_->buffered() : 0;
}

std::size_t BodyIntake::held_bytes() const {
  std::size_t sum = body_.size();
  if (unpacker_) sum += packed_.size() + unpacker_->memory();
  if (pipe_) sum += pipe_->buffered() + (pipe_->unpacker ? pipe_->unpacker->memory() : 0);
  return sum;
}

}  // namespace pinflow::http::internal
