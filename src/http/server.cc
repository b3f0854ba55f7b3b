#include "http/server.h"

#include <thread>

#include "http/internal/loop.h"
#include "net/tls.h"

namespace pinflow::http {

namespace {

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, std::unique_ptr<net::TlsServer> tls, Handler& handler, Logger& logger)
      : logger_(logger), tls_(std::move(tls)), loop_(options, tls_.get(), handler, logger) {}
  ~AsioServer() override { stop(std::chrono::milliseconds(0)); }

  Result<void> start() {
    TRY(loop_.listen());
    thread_ = std::thread([this] { loop_.run(); });
    logger_.info("HTTP is served", {{"addresses", loop_.addresses()},
                                    {"port", loop_.port()},
                                    {"certificate", tls_ == nullptr ? "none" : tls_->description()}});
    return {};
  }
  std::uint16_t port() const override { return loop_.port(); }
  std::size_t connections() const override { return loop_.connections(); }
  Result<void> reload_certificates() override {
    if (tls_ == nullptr) return {};
    TRY(tls_->reload());
    logger_.info("the HTTP door uses its certificate files anew", {{"certificate", tls_->description()}});
    return {};
  }
  void stop(std::chrono::milliseconds grace) override {
    if (!thread_.joinable()) return;
    loop_.stop(grace);
    thread_.join();
  }

 private:
  Logger& logger_;
  const std::unique_ptr<net::TlsServer> tls_;
  internal::Loop loop_;
  std::thread thread_;
};

Result<std::unique_ptr<net::TlsServer>> load_tls(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return fail(ErrorCode::kInvalid, "http.tls_certificate and http.tls_key go together; one of them is not set");
  }
  if (!files.enabled()) {
    if (files.client_ca.empty()) return nullptr;
    return fail(ErrorCode::kInvalid, "http.tls_client_ca needs http.tls_certificate and http.tls_key");
  }
  if (files.require_client_certificate && files.client_ca.empty()) {
    return fail(ErrorCode::kInvalid, "http.tls_require_client_certificate needs http.tls_client_ca");
  }
  return net::TlsServer::load({.certificate = files.certificate,
                               .key = files.key,
                               .client_ca = files.client_ca,
                               .require_client_certificate = files.require_client_certificate,
                               .protocols = {"h2", "http/1.1", "http/1.0"},
                               .section = "http"});
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(const ServerOptions& options, Handler& handler, Logger& logger) {
  TRY_ASSIGN(auto tls, load_tls(options.tls));
  auto server = std::make_unique<AsioServer>(options, std::move(tls), handler, logger);
  TRY(server->start());
  return server;
}

}  // namespace pinflow::http
