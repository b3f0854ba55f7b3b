#include "sink/plan.h"

#include <charconv>

#include <fmt/format.h>

namespace pinflow::sink {

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
    : store_(store), folder_(fmt::format("{}{}/{}/", kPlansFolder, partition.topic, partition.partition)) {}

// A thousand plans to a folder: what lies behind a plan is then found without looking at all those before it.
std::string PlanBook::name(std::int64_t number) const {
  return fmt::format("{}{:017}/{:020}.plan", folder_, number / 1'000, number);
}

Result<std::int64_t> PlanBook::number_of(std::string_view name) const {
  std::int64_t number = 0;
  const std::string_view file = name.substr(name.rfind('/') + 1);
  if (parse_number(file.substr(0, file.find('.')), number) && this->name(number) == name) return number;
  return fail(ErrorCode::kCorrupt, fmt::format("{} is no plan of the sink's; move it away", name));
}

Result<bool> PlanBook::holds(std::int64_t number) {
  const auto found = store_.describe(name(number));
  if (!found && found.error().code != ErrorCode::kNotFound) return fail(found.error());
  return found.has_value();
}

// Plans have no holes between them where only the oldest were removed: strides that double, then halve.
Result<std::int64_t> PlanBook::last_number(std::int64_t first) {
  std::int64_t last = first, stride = 1;
  for (;; stride *= 2) {
    TRY_ASSIGN(const bool there, holds(last + stride));
    if (!there) break;
    last += stride;
  }
  for (stride /= 2; stride > 0; stride /= 2) {
    TRY_ASSIGN(const bool there, holds(last + stride));
    if (there) last += stride;
  }
  return last;
}

Result<std::optional<Plan>> PlanBook::last() {
  TRY_ASSIGN(const auto oldest, store_.list(folder_, {}, 1));
  if (oldest.empty()) return std::optional<Plan>();
  TRY_ASSIGN(const std::int64_t first, number_of(oldest.front().name));
  TRY_ASSIGN(std::int64_t number, last_number(first));
  TRY_ASSIGN(const auto behind_a_hole, numbers_behind(number));
  if (!behind_a_hole.empty()) number = behind_a_hole.back();
  TRY_ASSIGN(auto plan, read(number));
  return std::optional<Plan>(std::move(plan));
}

// A name that is free may have been taken and removed again, as old plans may be: so it counts only if nothing lies behind it. The last
// plan is never removed; what lay behind a removed one lies there still.
Result<void> PlanBook::add(const Plan& plan) {
  const std::string own = name(plan.number);
  TRY(store_.put_new(own, write_plan(plan)));
  TRY_ASSIGN(const auto later, store_.list(folder_, own, 1));
  if (!later.empty()) return fail(ErrorCode::kConflict, fmt::format("{} lies behind {}", later.front().name, own));
  return {};
}

Result<std::vector<std::int64_t>> PlanBook::numbers_behind(std::int64_t number) {
  TRY_ASSIGN(const auto listed, store_.list(folder_, number > 0 ? name(number) : std::string()));
  std::vector<std::int64_t> numbers;
  for (const objects::ObjectInfo& object : listed) {
    TRY_ASSIGN(const std::int64_t found, number_of(object.name));
    numbers.push_back(found);
  }
  return numbers;
}

Result<Plan> PlanBook::read(std::int64_t number) {
  const std::string own = name(number);
  TRY_ASSIGN(const auto text, store_.get(own));
  TRY_ASSIGN(auto plan, read_plan(text, own));
  if (plan.number != number)
    return fail(ErrorCode::kCorrupt, fmt::format("{} holds plan {}; remove it", own, plan.number));
  return plan;
}

}  // namespace pinflow::sink
