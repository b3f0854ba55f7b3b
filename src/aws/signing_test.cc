#include "aws/signing.h"

#include <gtest/gtest.h>

#include "aws/digest.h"

namespace pinflow::aws {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The examples of the S3 manual, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
struct Example {
  const char* name;
  const char* method;
  const char* path;
  const char* query;
  Headers headers;
  const char* body;
  const char* signature;
};

TEST(Signing, GivesTheSignaturesOfTheManualOfS3) {
  const std::vector<Example> examples{
      {"get",
       "GET",
       "/test.txt",
       "",
       {{"Range", "bytes=0-9"}},
       "",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"put",
       "PUT",
       "/test%24file.text",
       "",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "Welcome to Amazon S3.",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"lifecycle",
       "GET",
       "/",
       "lifecycle",
       {},
       "",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"list",
       "GET",
       "/",
       "max-keys=2&prefix=J",
       {},
       "",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}};
  for (const Example& example : examples) {
    Headers headers = example.headers;
    const std::string payload = to_hex(sha256(example.body));
    headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
    headers.emplace_back("x-amz-content-sha256", payload);
    headers.emplace_back("x-amz-date", "20130524T000000Z");
    const std::string value =
        sign({example.method, example.path, example.query, headers},
             {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, {"20130524", "us-east-1", "s3"},
             *parse_amz_time("20130524T000000Z"), payload, PathForm::kAsSent);
    EXPECT_TRUE(value.ends_with(std::string("Signature=") + example.signature)) << example.name << ": " << value;
  }
}

TEST(Signing, HashesAreThoseOfTheStandards) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace pinflow::aws
