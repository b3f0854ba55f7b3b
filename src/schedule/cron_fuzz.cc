#include <chrono>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "schedule/cron.h"

// Whatever the text: no crash; an expression that is taken has a next run, which it matches, and none between.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::schedule;
  const auto cron = Cron::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!cron) return 0;
  const std::chrono::local_seconds from{std::chrono::local_days{std::chrono::year{2026} / 2 / 27} +
                                        std::chrono::hours(23)};
  const auto next = cron->next_from(from);
  CHECK(next.has_value(), "an expression that is taken runs some day");
  CHECK(cron->matches(*next), "the next run fits the expression");
  int looked = 0;
  for (auto at = from; at < *next && looked < 5'000; at += std::chrono::minutes(1), ++looked)
    CHECK(!cron->matches(at), "no run is passed over");
  const auto again = Cron::parse(cron->text());
  CHECK(again && again->next_from(from) == next, "its text says the same");
  return 0;
}
