#include "log/internal/producer_ids.h"

#include <algorithm>

#include "log/internal/bytes.h"
#include "log/internal/sealed_file.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kMagic = "PFID";
constexpr std::int64_t kBlock = 1'000;

}  // namespace

Result<std::int64_t> ProducerIds::next() {
  const std::scoped_lock lock(mutex_);
  if (next_ == end_) {
    TRY_ASSIGN(const std::int64_t begin, end_ > 0 ? Result<std::int64_t>(end_) : stored());
    std::string content;
    append_big_endian<std::int64_t>(content, begin + kBlock);
    TRY(disk_.write_file(path_, seal(kMagic, content)));
    next_ = begin;
    end_ = begin + kBlock;
  }
  return next_++;
}

Result<std::int64_t> ProducerIds::stored() const {
  const auto bytes = disk_.read_file(path_);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return 0;
  TRY(bytes);
  const auto content = unseal(kMagic, *bytes);
  if (!content && content.error().code == ErrorCode::kInvalid)
    return fail(Error(content.error()).with_context(path_.string()));
  std::int64_t end = 0;
  std::string_view rest = content.value_or(std::string_view());
  if (take_big_endian(rest, end) && rest.empty() && end >= 0) return end;
  // A thousand ids a millisecond since 1970 were never given out by counting from 0.
  end = std::max<std::int64_t>(clock_.now().time_since_epoch().count(), 0) * kBlock;
  logger_.error("the file of producer ids is damaged; it begins anew behind all ids of before",
                {{"file", path_.string()}, {"next", end}});
  return end;
}

}  // namespace pinflow::log
