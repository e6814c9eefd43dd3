/* libsodium's SHA-256 and Ed25519 as the core wants them; doorsill_sodium.h says how to use it. */
#include "doorsill_sodium.h"

#include <sodium.h>

static int sha256(void *context, const uint8_t *data, size_t size, uint8_t *digest) {
  (void)context;
  return crypto_hash_sha256(digest, data, size) == 0;
}

static int ed25519_verify(void *context, const uint8_t *key, const uint8_t *message, size_t size,
                          const uint8_t *signature) {
  (void)context;
  return crypto_sign_verify_detached(signature, message, size, key) == 0;
}

const doorsill_crypto *doorsill_sodium(void) {
  static const doorsill_crypto crypto = {sha256, ed25519_verify, NULL};
  return sodium_init() < 0 ? NULL : &crypto; /* 1 means that it had started before */
}
