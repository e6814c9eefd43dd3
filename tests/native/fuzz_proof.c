/* Feeds the checking of releases whatever the fuzzer invents: policy, proof and list, each behind
 * its length. The primitives are toys that agree to almost everything, or nothing behind the first
 * signature would ever be reached: every digest is zeros, and a signature holds unless its first
 * byte is odd. Build: clang -fsanitize=fuzzer,address,undefined. */
#include <stdlib.h>
#include <string.h>

#include "doorsill.h"

static int toy_sha256(void *context, const uint8_t *data, size_t size, uint8_t *digest) {
  volatile uint8_t sum = 0; /* every byte is read, so that a sanitizer sees a wrong length */
  (void)context;
  for (size_t i = 0; i < size; i++) sum = (uint8_t)(sum + data[i]);
  memset(digest, 0, 32);
  return 1;
}

static int toy_verify(void *context, const uint8_t *key, const uint8_t *message, size_t size,
                      const uint8_t *signature) {
  uint8_t digest[32];
  (void)key;
  return toy_sha256(context, message, size, digest) && !(signature[0] & 1);
}

/* Takes a text behind its length of two bytes, into memory of exactly its size. */
static uint8_t *take(const uint8_t **data, size_t *size, size_t *length) {
  *length = *size >= 2 ? (size_t)(*data)[0] | (size_t)(*data)[1] << 8 : 0;
  if (*size >= 2) *data += 2, *size -= 2;
  if (*length > *size) *length = *size;
  uint8_t *copy = malloc(*length ? *length : 1);
  if (!copy) abort();
  memcpy(copy, *data, *length);
  *data += *length;
  *size -= *length;
  return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const doorsill_crypto crypto = {toy_sha256, toy_verify, NULL};
  const uint8_t choice = size ? data[0] : 0;
  if (size) data++, size--;
  size_t text_size, other_size, proof_size, list_size;
  uint8_t *text = take(&data, &size, &text_size), *other = take(&data, &size, &other_size);
  uint8_t *proof = take(&data, &size, &proof_size), *list = take(&data, &size, &list_size);
  const doorsill_trust trust = {(const char *)text, text_size, 1 + choice % 3u};
  const doorsill_trust next = {(const char *)other, other_size, 1 + choice % 3u};
  const doorsill_accepted last = {choice >> 4, {0}, {0}};
  doorsill_release release;
  const char *detail = NULL;
  uint32_t tier = 0;
  if (doorsill_trust_check(&trust, &crypto, &tier, &detail) != DOORSILL_OK && !detail) abort();
  detail = NULL;
  if (doorsill_release_check(&trust, proof, proof_size, list_size ? list : NULL, list_size, &last,
                             choice & 4 ? 1800000000 : 0, &crypto, &release,
                             &detail) == DOORSILL_OK) {
    if (release.tier < trust.tier || release.epoch + 1 < last.size) abort();
    if (!memchr(release.list, 0, sizeof release.list)) abort();
  } else if (!detail) {
    abort();
  }
  if (doorsill_trust_link(&trust, &next, proof, proof_size, &last, &crypto, &release, &detail) ==
          DOORSILL_OK &&
      release.epoch < last.size)
    abort();
  free(text);
  free(other);
  free(proof);
  free(list);
  return 0;
}
