#include "access/caller.h"

#include <algorithm>

#include "access/allowance.h"
#include "access/internal/pattern.h"

namespace pinflow::access {

// A star gives back only to the one before it, so the work is at most the product of the lengths.
bool internal::fits(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

const std::shared_ptr<const Caller>& Caller::anyone() {
  static const auto caller = std::make_shared<const Caller>("anyone", std::vector<Grant>{{Right::kAdmin, "*"}});
  return caller;
}

std::shared_ptr<const Caller> Caller::anonymous(std::vector<Grant> grants) {
  Caller caller("anonymous", std::move(grants));
  caller.anonymous_ = true;
  return std::make_shared<const Caller>(std::move(caller));
}

bool Caller::may(Right right, std::string_view topic) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    if (grant.right == Right::kAdmin) return true;
    return grant.right == right && (topic.empty() || internal::fits(grant.topics, topic));
  });
}

void spend_records(const std::shared_ptr<const Caller>& caller, std::uint64_t count) {
  if (caller != nullptr && caller->allowance() != nullptr) caller->allowance()->spend_records(count);
}

}  // namespace pinflow::access
