// What the core of the live metrics costs: taking up records, answering, saving and loading, with 100,000 profiles.
#include <cmath>
#include <memory>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/check.h"
#include "base/random.h"
#include "live/answering.h"

namespace pinflow::live {
namespace {

using std::chrono::milliseconds;

constexpr int kProfiles = 100'000;
constexpr std::array<std::string_view, 13> kCategories = {
    "art",        "beauty",       "christmas", "diy-and-crafts", "education", "event-planning", "finance",
    "home-decor", "mens-fashion", "quotes",    "tattoos",        "travel",    "vehicles"};

// Endless posts, some twenty a second, of heavy-tailed profiles that each have two categories and one country.
class Feed {
 public:
  Feed() {
    for (int i = 0; i < kProfiles; ++i) names_.push_back(fmt::format("profile number {}", i));
    for (int i = 0; i < 243; ++i) countries_.push_back(fmt::format("country {}", i));
  }
  Pin next() {
    now += milliseconds(random_.below(100));
    who_ = ind_ < kProfiles ? static_cast<std::size_t>(ind_)
                            : static_cast<std::size_t>(kProfiles * std::pow(random_.unit(), 3));
    return {.ind = ind_++,
            .profile = names_[who_],
            .followers = static_cast<std::int64_t>(random_.below(1'000'000)),
            .category = kCategories[(who_ + random_.below(2)) % kCategories.size()],
            .time = now,
            .offset = ind_};
  }
  void post(LiveState& state) {
    const Pin pin = next();
    state.apply(source(state, "pin"), pin);
    state.apply(source(state, "geo"), Geo{.ind = pin.ind, .country = countries_[who_ % 243], .time = now});
    state.apply(source(state, "user"), User{.ind = pin.ind, .age = 20 + who_ % 40, .time = now});
  }
  static SourceState& source(LiveState& state, std::string_view kind) {
    return state.follow({fmt::format("streaming-pinterest-{}", kind), log::PartitionId(0)}, Uuid());
  }

  WallTime now{milliseconds(1'700'000'000'000)};

 private:
  Random random_{1};
  std::vector<std::string> names_;
  std::vector<std::string> countries_;
  std::int64_t ind_ = 0;
  std::size_t who_ = 0;
};

// A state of 100,000 profiles and a million posts, made once.
struct Filled {
  Filled() {
    for (int i = 0; i < 1'000'000; ++i) feed.post(state);
  }
  Feed feed;
  LiveState state{{}};
};
Filled& filled() {
  static Filled made;
  return made;
}

void TakePins(benchmark::State& bench) {
  LiveState state({});
  Feed feed;
  SourceState& source = Feed::source(state, "pin");
  for (auto _ : bench) state.apply(source, feed.next());
  bench.SetItemsProcessed(bench.iterations());
}
BENCHMARK(TakePins)->Iterations(2'000'000);

void TakePostsOfThreeRecords(benchmark::State& bench) {
  LiveState state({});
  Feed feed;
  for (auto _ : bench) feed.post(state);
  bench.SetItemsProcessed(3 * bench.iterations());
}
BENCHMARK(TakePostsOfThreeRecords)->Iterations(1'000'000);

// Each at a new moment, as questions come.
void ask(benchmark::State& bench, const Query& query) {
  Filled& all = filled();
  WallTime now = all.feed.now;
  for (auto _ : bench) {
    now += milliseconds(1);
    benchmark::DoNotOptimize(Answering(all.state.parts(), now).answer(query));
  }
}
BENCHMARK_CAPTURE(ask, the_100_most_popular, ProfilesQuery{.k = 100})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask, the_100_with_most_posts, ProfilesQuery{.order = ProfileOrder::kPosts, .k = 100})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask, the_100_of_a_category,
                  ProfilesQuery{.order = ProfileOrder::kPosts, .k = 100, .category = "travel"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask, one_profile, ProfileQuery{"profile number 5"})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask, categories, CategoriesQuery{.k = 100})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask, countries, CountriesQuery{.k = 300})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask, recommendations, RecommendationsQuery{.category = "travel", .country = "country 7", .k = 20})
    ->Unit(benchmark::kMillisecond);

void Save(benchmark::State& bench) {
  Filled& all = filled();
  std::size_t bytes = 0;
  for (auto _ : bench) bytes = all.state.save().size();
  bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(Save)->Unit(benchmark::kMillisecond);

void Load(benchmark::State& bench) {
  const std::string saved = filled().state.save();
  for (auto _ : bench) {
    LiveState state({});
    CHECK(state.load(saved).has_value(), "a saved state can be loaded");
  }
}
BENCHMARK(Load)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pinflow::live

BENCHMARK_MAIN();
