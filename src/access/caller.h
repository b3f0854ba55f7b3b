#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::access {

class Allowance;

// What a caller may do. Produce and consume are granted for topics (streams) by pattern; query means reading tables, live metrics,
// questions and metadata; admin means everything.
enum class Right { kProduce, kConsume, kQuery, kAdmin };

struct Grant {
  Right right = Right::kQuery;
  std::string topics = "*";  // A topic's name; '*' in it stands for any run of characters.
  friend bool operator==(const Grant&, const Grant&) = default;
};

// Who asks, once it is known. A value that never changes; shared by the requests of one caller.
class Caller final {
 public:
  Caller(std::string name, std::vector<Grant> grants, std::shared_ptr<Allowance> allowance = nullptr)
      : name_(std::move(name)), grants_(std::move(grants)), allowance_(std::move(allowance)) {}
  // May do everything: where nobody has to say who they are.
  static const std::shared_ptr<const Caller>& anyone();
  // Who showed no credentials, and what such callers may do. What it may not, it may be asked for credentials for (401, not 403).
  static std::shared_ptr<const Caller> anonymous(std::vector<Grant> grants);

  // Of the token or key, or the certificate's subject. Never a secret.
  const std::string& name() const { return name_; }
  const std::vector<Grant>& grants() const { return grants_; }
  bool is_anonymous() const { return anonymous_; }
  // `topic` is empty where the right is asked for at all ("may this caller produce anywhere?").
  bool may(Right right, std::string_view topic = {}) const;
  // The rates it is held to; null: none.
  const std::shared_ptr<Allowance>& allowance() const { return allowance_; }

 private:
  std::string name_;
  std::vector<Grant> grants_;
  std::shared_ptr<Allowance> allowance_;  // Shared with the other requests of the caller, of before and after a reload.
  bool anonymous_ = false;
};

// What doors ask before they act. No caller: nothing in front of the doors identifies callers (tests, a closed machine), all may.
inline bool may(const std::shared_ptr<const Caller>& caller, Right right, std::string_view topic = {}) {
  return caller == nullptr || caller->may(right, topic);
}

// Doors tell how many records a request wants stored, once they know, so that a limit of records holds from the next request on.
void spend_records(const std::shared_ptr<const Caller>& caller, std::uint64_t count);

}  // namespace pinflow::access
