#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::access {

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
  Caller(std::string name, std::vector<Grant> grants) : name_(std::move(name)), grants_(std::move(grants)) {}
  // May do everything: where nobody has to say who they are.
  static const std::shared_ptr<const Caller>& anyone();

  const std::string& name() const {
    return name_;
  }  // Of the token or key, or the certificate's subject. Never a secret.
  const std::vector<Grant>& grants() const { return grants_; }
  // `topic` is empty where the right is asked for at all ("may this caller produce anywhere?").
  bool may(Right right, std::string_view topic = {}) const;

 private:
  std::string name_;
  std::vector<Grant> grants_;
};

// What doors ask before they act. No caller: nothing in front of the doors identifies callers (tests, a closed machine), all may.
inline bool may(const std::shared_ptr<const Caller>& caller, Right right, std::string_view topic = {}) {
  return caller == nullptr || caller->may(right, topic);
}

}  // namespace pinflow::access
