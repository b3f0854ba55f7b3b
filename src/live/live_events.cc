#include "live/live_events.h"

#include <charconv>

#include "base/timestamp.h"
#include "live/event_frames.h"
#include "live/event_variant.h"

namespace pinflow::live {

using http::Request;
using http::Responder;
using http::Response;

namespace {

// The answer to HEAD: as long as the other, but for its head alone.
class NoEvents final : public http::BodyStream {
 public:
  void next(Take take) override { take(std::nullopt); }
};

// A client sends back the id that it saw last. What is none of ours means nothing.
std::uint64_t last_event_id(const Request& request) {
  const auto text = request.headers.get("Last-Event-ID").value_or("");
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? id : 0;
}

Response event_stream(std::unique_ptr<http::BodyStream> body) {
  Response response;
  response.headers.reserve(4);
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-cache");
  response.headers.add("X-Accel-Buffering", "no");  // nginx would hold frames back to fill its buffer.
  response.body_stream = std::move(body);
  return response;
}

}  // namespace

LiveEvents::LiveEvents(LiveAnswers& metrics, const Clock& clock, const LiveEventsOptions& options)
    : metrics_(metrics),
      clock_(clock),
      options_(options),
      hub_(std::make_shared<EventHub>(
          EventHubOptions{.variants = EventVariant::kCount, .max_subscribers = options.max_subscribers})),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

LiveEvents::~LiveEvents() {
  close();
}

void LiveEvents::add_to(http::Router& router) {
  router.add("GET", "/live/events", *this, &LiveEvents::events);
}

void LiveEvents::close() {
  hub_->close();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LiveEvents::events(Request request, Responder respond) {
  const auto variant = parse_event_variant(request.query);
  if (!variant) return respond(Response::refusal(400, variant.error().message));
  if (request.method == "HEAD") return respond(event_stream(std::make_unique<NoEvents>()));
  auto body = hub_->subscribe(variant->number(), last_event_id(request), clock_.steady_now(), request.abandoned);
  if (!body) return respond(Response::refusal(503, body.error().message));
  {
    const std::scoped_lock lock(mutex_);
    somebody_came_ = true;
  }
  asked_.notify_one();
  respond(event_stream(std::move(*body)));
}

void LiveEvents::run(const std::stop_token& stop) {
  Progress progress;
  while (wait(stop, progress)) {
    if (clock_.steady_now() >= progress.next_tick) {
      tick(progress);
    } else {
      make(hub_->followed(true), progress);
    }
  }
}

// Waits for somebody who may lack a frame, or for the next tick while somebody follows. False: the end.
bool LiveEvents::wait(const std::stop_token& stop, const Progress& progress) {
  std::unique_lock lock(mutex_);
  if (hub_->counts().subscribers == 0) {
    asked_.wait(lock, stop, [&] { return somebody_came_; });
  } else {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(progress.next_tick - clock_.steady_now());
    asked_.wait_for(lock, stop, left, [&] { return somebody_came_; });
  }
  somebody_came_ = false;
  return !stop.stop_requested();
}

void LiveEvents::make(std::vector<std::size_t> variants, Progress& progress) {
  const auto frames = make_event_frames(metrics_, variants, progress.id);
  if (frames.empty()) return;
  progress.id = frames.front().second->id;
  hub_->publish(frames);
}

void LiveEvents::tick(Progress& progress) {
  const SteadyTime now = clock_.steady_now();
  // Those who come between ticks are given frames of their own; the beat stays.
  progress.next_tick =
      progress.next_tick + options_.interval > now ? progress.next_tick + options_.interval : now + options_.interval;
  hub_->end_before(now - options_.longest_life);
  const std::uint64_t version = metrics_.version();
  if (version != progress.version || now - progress.framed >= options_.quiet_interval) {
    progress.version = version;
    progress.framed = now;
    return make(hub_->followed(false), progress);
  }
  make(hub_->followed(true), progress);
  hub_->send_comment(format_iso8601(clock_.now()));
}

}  // namespace pinflow::live
