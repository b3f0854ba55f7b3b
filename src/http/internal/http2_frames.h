#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

// HTTP/2 frames by hand, for tests: what no library would send, and what a session sends, taken apart.
namespace pinflow::http::internal {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string big_endian(std::uint64_t number, int bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes));
  return out;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload) {
  return big_endian(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) + big_endian(id, 4) +
         std::string(payload);
}

// A string of HPACK, not packed.
inline std::string hpack_string(std::string_view text) {
  std::string out;
  if (text.size() < 127) {
    out += static_cast<char>(text.size());
  } else {
    out += static_cast<char>(127);
    std::size_t rest = text.size() - 127;
    for (; rest >= 128; rest >>= 7) out += static_cast<char>(128 | (rest & 127));
    out += static_cast<char>(rest);
  }
  return out += text;
}

// Each field as a literal that enters no table.
inline std::string header_block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += '\0' + hpack_string(name) + hpack_string(value);
  return out;
}

inline std::string headers(std::uint32_t id, const Fields& fields, std::uint8_t flags) {
  return frame(1, flags, id, header_block(fields));
}
inline std::string data(std::uint32_t id, std::string_view bytes, std::uint8_t flags = 0) {
  return frame(0, flags, id, bytes);
}
inline std::string reset(std::uint32_t id, std::uint32_t code) {
  return frame(3, 0, id, big_endian(code, 4));
}
inline std::string settings(std::string_view entries = "") {
  return frame(4, 0, 0, entries);
}
inline std::string window_update(std::uint32_t id, std::uint32_t increment) {
  return frame(8, 0, id, big_endian(increment, 4));
}

inline Fields request_fields(std::string method, std::string path, const Fields& more) {
  Fields fields{{":method", std::move(method)}, {":scheme", "http"}, {":path", std::move(path)}, {":authority", "h"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline Fields get(std::string path, const Fields& more = {}) {
  return request_fields("GET", std::move(path), more);
}
inline Fields post(std::string path, const Fields& more = {}) {
  return request_fields("POST", std::move(path), more);
}

// The client's end of a connection: takes apart what the session sends.
class FramePeer {
 public:
  struct Stream {
    int status = 0;
    int interim = 0;
    Fields fields;
    std::string body;
    bool ended = false;
    std::optional<std::uint32_t> reset;
    std::string field(std::string_view name) const {
      for (const auto& [key, value] : fields) {
        if (key == name) return value;
      }
      return "";
    }
  };

  FramePeer() { nghttp2_hd_inflate_new(&inflater_); }
  FramePeer(const FramePeer&) = delete;
  FramePeer& operator=(const FramePeer&) = delete;
  ~FramePeer() { nghttp2_hd_inflate_del(inflater_); }

  void take(std::string_view bytes) {
    pending_ += bytes;
    while (pending_.size() >= 9) {
      const std::size_t size = number(pending_, 0, 3);
      if (pending_.size() < 9 + size) return;
      const std::string whole = pending_.substr(0, 9 + size);
      pending_.erase(0, 9 + size);
      take_frame(static_cast<std::uint8_t>(whole[3]), static_cast<std::uint8_t>(whole[4]),
                 static_cast<std::uint32_t>(number(whole, 5, 4)), whole.substr(9));
    }
  }
  std::size_t credit(std::uint32_t id) { return window(id); }
  void spend(std::uint32_t id, std::size_t count) {
    window(id) -= count;
    window(0) -= count;
  }

  std::map<std::uint32_t, Stream> streams;
  std::map<int, int> frames;  // How many of each type came.
  std::optional<std::uint32_t> gone_away;

 private:
  static std::size_t number(std::string_view text, std::size_t from, std::size_t bytes) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) out = out << 8 | static_cast<std::uint8_t>(text[from + i]);
    return out;
  }
  std::size_t& window(std::uint32_t id) {
    return windows_.try_emplace(id, id == 0 ? 65'535 : stream_window_).first->second;
  }
  void take_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, const std::string& payload) {
    ++frames[type];
    if (type == 0) {
      streams[id].body += payload;
      streams[id].ended = (flags & kEndStream) != 0;
    } else if (type == 1) {
      take_headers(streams[id], payload);
      streams[id].ended = (flags & kEndStream) != 0;
    } else if (type == 3) {
      streams[id].reset = static_cast<std::uint32_t>(number(payload, 0, 4));
    } else if (type == 4 && (flags & kAck) == 0) {
      for (std::size_t i = 0; i + 6 <= payload.size(); i += 6) {
        if (number(payload, i, 2) == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) stream_window_ = number(payload, i + 2, 4);
      }
    } else if (type == 7) {
      gone_away = static_cast<std::uint32_t>(number(payload, 4, 4));
    } else if (type == 8) {
      window(id) += number(payload, 0, 4);
    }
  }
  void take_headers(Stream& stream, const std::string& block) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    Fields fields;
    for (;;) {
      nghttp2_nv field{};
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
      if (used < 0) return;
      in += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(std::string(reinterpret_cast<const char*>(field.name), field.namelen),
                            std::string(reinterpret_cast<const char*>(field.value), field.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    const int status = std::stoi(fields.at(0).second);
    if (status < 200) {
      stream.interim = status;
      return;
    }
    stream.status = status;
    stream.fields = std::move(fields);
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string pending_;
  std::size_t stream_window_ = 65'535;
  std::map<std::uint32_t, std::size_t> windows_;
};

}  // namespace pinflow::http::internal
