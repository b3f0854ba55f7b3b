#include "sink/internal/plan.h"

#include <charconv>

#include <fmt/format.h>

namespace pinflow::sink::internal {

namespace {

constexpr std::string_view kFirstLine = "pinflow.sink.plan 1";
constexpr std::string_view kLastLine = "end";

// Takes the next line that begins with `word`, and gives what is behind that.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view word) {
  const std::size_t end = text.find('\n');
  if (end == text.npos || !text.substr(0, end).starts_with(word)) return std::nullopt;
  const std::string_view rest = text.substr(word.size(), end - word.size());
  text.remove_prefix(end + 1);
  return rest;
}

template <class Number>
bool parse_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size() && into >= 0;
}

bool read_body(std::string_view text, Plan& plan) {
  const auto begin = take_line(text, kFirstLine);
  const auto number = begin && begin->empty() ? take_line(text, "number ") : std::nullopt;
  const auto high = number ? take_line(text, "high ") : std::nullopt;
  const auto open = high ? take_line(text, "open ") : std::nullopt;
  std::int64_t offset = 0;
  if (!open || !parse_number(*number, plan.number) || !parse_number(*high, offset)) return false;
  plan.high = log::Offset(offset);
  auto runs = OffsetRuns::parse(*open);
  if (!runs) return false;
  plan.open = *std::move(runs);
  while (const auto object = take_line(text, "object ")) {
    const std::size_t blank = object->find(' ');
    if (blank == object->npos || blank + 1 == object->size()) return false;
    auto offsets = OffsetRuns::parse(object->substr(0, blank));
    if (!offsets || offsets->empty()) return false;
    plan.objects.push_back({std::string(object->substr(blank + 1)), *std::move(offsets)});
  }
  const auto end = take_line(text, kLastLine);
  return end && end->empty() && text.empty();
}

}  // namespace

std::string write_plan(const Plan& plan) {
  std::string text = fmt::format("{}\nnumber {}\nhigh {}\nopen ", kFirstLine, plan.number, plan.high);
  plan.open.append_text(text);
  text += '\n';
  for (const Plan::Object& object : plan.objects) {
    text += "object ";
    object.offsets.append_text(text);
    text += ' ';
    text += object.name;
    text += '\n';
  }
  text += kLastLine;
  text += '\n';
  return text;
}

Result<Plan> read_plan(std::string_view text, std::string_view name) {
  Plan plan;
  if (!read_body(text, plan)) {
    return fail(
        ErrorCode::kCorrupt,
        fmt::format("{} is no plan of the sink's; restore it, or remove it together with the objects behind the "
                    "plan before it",
                    name));
  }
  return plan;
}

PlanBook::PlanBook(objects::ObjectStore& store, const log::TopicPartition& partition)
    : store_(store), folder_(fmt::format("pinflow/sink/plans/{}/{}/", partition.topic, partition.partition)) {}

std::string PlanBook::name(std::int64_t number) const {
  return fmt::format("{}{:020}.plan", folder_, number);
}

Result<std::optional<Plan>> PlanBook::last() {
  TRY_ASSIGN(const auto listed, store_.list(folder_));
  if (listed.empty()) return std::optional<Plan>();
  TRY_ASSIGN(const auto text, store_.get(listed.back().name));
  TRY_ASSIGN(auto plan, read_plan(text, listed.back().name));
  if (name(plan.number) != listed.back().name) {
    return fail(ErrorCode::kCorrupt, fmt::format("{} holds plan {}; remove it", listed.back().name, plan.number));
  }
  for (std::size_t i = 0; i + 1 < listed.size(); ++i) (void)store_.remove(listed[i].name);
  return std::optional<Plan>(std::move(plan));
}

// A name that is free may have been taken and removed again, as plans before the last are: so it counts only if nothing lies behind
// it. The last plan is never removed; what lay behind a removed one lies there still.
Result<void> PlanBook::add(const Plan& plan) {
  const std::string own = name(plan.number);
  TRY(store_.put_new(own, write_plan(plan)));
  TRY_ASSIGN(const auto later, store_.list(folder_, own, 1));
  if (!later.empty()) return fail(ErrorCode::kConflict, fmt::format("{} lies behind {}", later.front().name, own));
  return {};
}

void PlanBook::remove(std::int64_t number) {
  if (number > 0) (void)store_.remove(name(number));
}

}  // namespace pinflow::sink::internal
