#pragma once

#include <cmath>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "live/live_state.h"

namespace pinflow::live {

// A record on its way to the state, with the texts that it borrows.
struct Sent {
  std::size_t kind = 0;  // 0 pin, 1 geo, 2 user: one topic each.
  std::int32_t partition = 0;
  std::int64_t ind = 0;
  std::string name{};  // poster_name; country.
  std::string category{};
  std::optional<std::int64_t> number{};  // followers; age.
  WallTime time{};
  std::int64_t offset = 0;
};

// Posts over some days as three topics of three partitions each: heavy-tailed profiles, dirty names, some records late by minutes or days,
// repeats in the partition of the first, kinds that come in any order, some that never come. By partition, in order.
class SentPosts {
 public:
  static constexpr std::int32_t kPartitions = 3;
  static constexpr std::array<std::string_view, 3> kTopics = {"streaming-pinterest-pin", "streaming-pinterest-geo",
                                                              "streaming-pinterest-user"};

  SentPosts(std::uint64_t seed, int posts, std::chrono::milliseconds between) : random_(seed) {
    WallTime time{std::chrono::milliseconds(1'700'000'123'456)};
    for (int i = 0; i < posts; ++i) {
      time += std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(2 * between.count())));
      add_post(i, time);
      if (random_.chance(0.05) && i > 0) repeat(time);
      newest = std::max(newest, time);
    }
  }

  // All records in an order that keeps that of each partition.
  std::vector<Sent> shuffled(std::uint64_t seed) const {
    Random random(seed);
    std::vector<const std::vector<Sent>*> lists;
    std::vector<std::size_t> next;
    for (const auto& [key, list] : partitions) {
      lists.push_back(&list);
      next.push_back(0);
    }
    std::vector<Sent> all;
    while (!lists.empty()) {
      const auto which = random.below(lists.size());
      // Runs of some length, as fetches bring them.
      for (auto run = random.below(40); run > 0 && next[which] < lists[which]->size(); --run) {
        all.push_back((*lists[which])[next[which]++]);
      }
      if (next[which] < lists[which]->size()) continue;
      lists.erase(lists.begin() + static_cast<std::ptrdiff_t>(which));
      next.erase(next.begin() + static_cast<std::ptrdiff_t>(which));
    }
    return all;
  }

  static void apply(LiveState& state, const Sent& sent) {
    const log::TopicPartition partition{std::string(kTopics[sent.kind]), log::PartitionId(sent.partition)};
    SourceState& source = state.follow(partition, Uuid());
    switch (sent.kind) {
      case 0:
        state.apply(source, Pin{.ind = sent.ind,
                                .profile = sent.name,
                                .followers = sent.number,
                                .category = sent.category,
                                .time = sent.time,
                                .offset = sent.offset});
        break;
      case 1:
        state.apply(source, Geo{.ind = sent.ind, .country = sent.name, .time = sent.time});
        break;
      default:
        state.apply(source, User{.ind = sent.ind, .age = sent.number, .time = sent.time});
    }
    source.next = log::Offset(sent.offset + 1);
  }

  std::map<std::pair<std::size_t, std::int32_t>, std::vector<Sent>> partitions;  // By kind and partition.
  WallTime newest{};

 private:
  void send(Sent sent) {
    auto& list = partitions[{sent.kind, sent.partition}];
    sent.offset = static_cast<std::int64_t>(list.size());
    list.push_back(std::move(sent));
  }
  WallTime late(WallTime time) {
    if (random_.chance(0.02)) time -= std::chrono::minutes(random_.below(4'000));
    return time - std::chrono::seconds(random_.below(20));
  }
  void add_post(std::int64_t ind, WallTime time) {
    constexpr std::array<std::string_view, 6> kCategories = {"art", "travel", "quotes", "tattoos", "", "mens-fashion"};
    constexpr std::array<std::string_view, 5> kCountries = {"Albania", "Aruba", "Cote d'Ivoire", "Korea", " "};
    const auto who = static_cast<std::int64_t>(60 * std::pow(random_.unit(), 3));
    const auto partition = [&](std::uint64_t salt) {
      return static_cast<std::int32_t>((static_cast<std::uint64_t>(ind) * 7 + salt) % kPartitions);
    };
    const auto category =
        kCategories[static_cast<std::size_t>((who + static_cast<std::int64_t>(random_.below(2))) % 6)];
    Sent pin{.kind = 0, .partition = partition(0), .ind = ind, .name = fmt::format("profile {}", who)};
    if (random_.chance(0.03)) pin.name = random_.chance(0.5) ? "User Info Error" : "  ";
    pin.category = category;
    if (random_.chance(0.9)) pin.number = static_cast<std::int64_t>(random_.below(5'000'000));
    pin.time = late(time);
    send(pin);
    if (random_.chance(0.95)) {
      send({.kind = 1,
            .partition = partition(1),
            .ind = ind,
            .name = std::string(kCountries[static_cast<std::size_t>(who) % 5]),
            .time = late(time)});
    }
    if (random_.chance(0.95)) {
      Sent user{.kind = 2, .partition = partition(2), .ind = ind, .time = late(time)};
      if (random_.chance(0.9)) user.number = static_cast<std::int64_t>(random_.below(70));
      send(user);
    }
  }
  void repeat(WallTime time) {
    auto place = partitions.begin();
    std::advance(place, random_.below(partitions.size()));
    Sent again = place->second[random_.below(place->second.size())];
    again.time = late(time);
    if (again.number) ++*again.number;
    send(again);
  }

  Random random_;
};

}  // namespace pinflow::live
