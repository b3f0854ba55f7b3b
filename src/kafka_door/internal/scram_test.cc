#include "kafka_door/internal/scram.h"

#include <gmock/gmock.h>

#include "base/base64.h"
#include "kafka_door/internal/authentication.h"

namespace pinflow::kafka_door::internal {
namespace {

constexpr auto kSha256 = SaslMechanism::kScramSha256;

std::string exclusive_or(std::string a, const std::string& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
  return a;
}

// What a client answers to our first message.
std::string final_message(SaslMechanism mechanism, const std::string& password, const std::string& bare,
                          const std::string& ours) {
  const std::string nonce = ours.substr(2, ours.find(',') - 2);
  const auto salt_at = ours.find(",s=") + 3;
  const std::string salt = *base64_decode(ours.substr(salt_at, ours.find(",i=") - salt_at));
  const int iterations = std::stoi(ours.substr(ours.find(",i=") + 3));
  const std::string salted = scram_salted_password(mechanism, password, salt, iterations);
  const std::string key = scram_hmac(mechanism, salted, "Client Key");
  std::string message = "c=biws,r=" + nonce;
  const std::string proof =
      exclusive_or(key, scram_hmac(mechanism, scram_hash(mechanism, key), bare + "," + ours + "," + message));
  return message + ",p=" + base64_encode(proof);
}

Credentials credentials() {
  const User users[] = {{"user", "pencil"}, {"a,b=c", "x"}};
  const SaslMechanism mechanisms[] = {SaslMechanism::kPlain, kSha256, SaslMechanism::kScramSha512};
  return *Credentials::derive(users, mechanisms);
}

// The exchange of RFC 7677, section 3.
TEST(Scram, ComputesWhatTheStandardShows) {
  const std::string bare = "n=user,r=rOprNGfwEbeRWgbNEkqO";
  const std::string ours = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  const std::string message = final_message(kSha256, "pencil", bare, ours);
  EXPECT_EQ(message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  const std::string salted = scram_salted_password(kSha256, "pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  const std::string covered = bare + "," + ours + "," + message.substr(0, message.find(",p="));
  EXPECT_EQ(base64_encode(scram_hmac(kSha256, scram_hmac(kSha256, salted, "Server Key"), covered)),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, LetsInWhoKnowsThePassword) {
  const Credentials known = credentials();
  for (const SaslMechanism mechanism : {kSha256, SaslMechanism::kScramSha512}) {
    for (const auto& [name, escaped, password] :
         {std::tuple("user", "user", "pencil"), std::tuple("a,b=c", "a=2Cb=3Dc", "x")}) {
      ScramServer server(mechanism, "ours");
      const std::string bare = std::string("n=") + escaped + ",r=theirs";
      const auto ours = server.first("n,," + bare, known);
      ASSERT_TRUE(ours);
      EXPECT_TRUE(ours->starts_with("r=theirsours,s="));
      EXPECT_EQ(server.user(), name);
      const auto last = server.final(final_message(mechanism, password, bare, *ours));
      ASSERT_TRUE(last);
      EXPECT_TRUE(last->starts_with("v="));
    }
  }
}

TEST(Scram, TellsStrangersAndWrongPasswordsNothingApart) {
  const Credentials known = credentials();
  for (const std::string name : {"user", "stranger"}) {
    ScramServer server(kSha256, "ours");
    const std::string bare = "n=" + name + ",r=theirs";
    const auto ours = server.first("n,," + bare, known);
    ASSERT_TRUE(ours) << "a stranger gets a salt, too";
    EXPECT_EQ(*ours, *ScramServer(kSha256, "ours").first("n,," + bare, known)) << "the same each time";
    const auto last = server.final(final_message(kSha256, "wrong", bare, *ours));
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code, ErrorCode::kNotFound);
  }
}

TEST(Scram, RefusesWhatIsNotTheExchange) {
  const Credentials known = credentials();
  for (const std::string first :
       {"", "n,,", "p=tls-unique,,n=user,r=x", "n,,r=x,n=user", "n,,n=user,r=", "n,,n==2X,r=x", "n,,n=,r=x",
        "n,a=other,n=user,r=x", "n,,n=user,r=x,tokenauth=true"}) {
    EXPECT_FALSE(ScramServer(kSha256, "ours").first(first, known)) << first;
  }
  const std::string bare = "n=user,r=theirs";
  for (const auto& [from, to] : {std::pair("r=theirs", "r=replayed"), std::pair("c=biws", "c=eSws"),
                                 std::pair(",p=", ",q="), std::pair("p=", "p=AA")}) {
    ScramServer server(kSha256, "ours");
    const auto ours = server.first("n,," + bare, known);
    std::string message = final_message(kSha256, "pencil", bare, *ours);
    message.replace(message.find(from), std::string_view(from).size(), to);
    EXPECT_FALSE(server.final(message)) << message;
  }
}

TEST(Authentication, TakesPlainPasswords) {
  const Credentials known = credentials();
  const auto attempt = [&](std::string_view token) {
    Authentication authentication(known);
    EXPECT_EQ(authentication.handshake("PLAIN", 1).error_code, kafka_wire::KafkaError::kNone);
    const bool failed = authentication.authenticate(token).failed;
    EXPECT_EQ(authentication.done(), !failed);
    return !failed;
  };
  using namespace std::string_view_literals;
  EXPECT_TRUE(attempt("\0user\0pencil"sv));
  EXPECT_TRUE(attempt("user\0user\0pencil"sv));
  EXPECT_FALSE(attempt("other\0user\0pencil"sv));
  EXPECT_FALSE(attempt("\0user\0penci"sv));
  EXPECT_FALSE(attempt("\0user\0"sv));
  EXPECT_FALSE(attempt("\0stranger\0pencil"sv));
  EXPECT_FALSE(attempt("\0stranger\0"sv));
  EXPECT_FALSE(attempt("user"sv));
  EXPECT_FALSE(attempt(""sv));
}

TEST(Authentication, KnowsItsStates) {
  const Credentials known = credentials();
  Authentication authentication(known);
  EXPECT_FALSE(authentication.done());
  EXPECT_FALSE(authentication.token_due());
  const auto refused = authentication.handshake("GSSAPI", 1);
  EXPECT_EQ(refused.error_code, kafka_wire::KafkaError::kUnsupportedSaslMechanism);
  EXPECT_THAT(refused.mechanisms, testing::ElementsAre("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"));
  EXPECT_EQ(authentication.handshake("PLAIN", 0).error_code, kafka_wire::KafkaError::kNone);
  EXPECT_TRUE(authentication.raw_tokens());
  EXPECT_EQ(authentication.handshake("PLAIN", 1).error_code, kafka_wire::KafkaError::kIllegalSaslState);
  const auto nobody = *Credentials::derive({}, {});
  Authentication open(nobody);
  EXPECT_TRUE(open.done());
  EXPECT_EQ(open.handshake("PLAIN", 1).error_code, kafka_wire::KafkaError::kIllegalSaslState);
}

}  // namespace
}  // namespace pinflow::kafka_door::internal
