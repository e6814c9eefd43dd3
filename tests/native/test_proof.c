/* The checking of releases, with libsodium, on the vectors that Python's tests made with hashlib
 * and PyNaCl: every answer must be the same. Then each is asked again with a primitive that fails,
 * and an honest proof is bent in every bit and cut at every byte. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doorsill_sodium.h"

enum { MAX_TEXTS = 1024, MAX_LINE = 1 << 17 };

static int passed, failed;

static void claim(int holds, const char *what) {
  holds ? passed++ : failed++;
  if (!holds) printf("FAILED: %s\n", what);
}

typedef struct text {
  uint8_t *data; /* in memory of exactly its size */
  size_t size;
} text;

static text texts[MAX_TEXTS];
static size_t text_count;

typedef struct question {
  char kind[16], outcome[16], state[256], fields[4][16];
  unsigned tier;
  unsigned long long now;
} question;

static const char *const outcomes[] = {
    [DOORSILL_OK] = "ok",
    [DOORSILL_BAD_TRUST] = "bad_trust",
    [DOORSILL_BAD_PROOF] = "bad_proof",
    [DOORSILL_NOT_TRUSTED] = "not_trusted",
    [DOORSILL_OTHER_POLICY] = "other_policy",
    [DOORSILL_OTHER_LIST] = "other_list",
    [DOORSILL_ROLLED_BACK] = "rolled_back",
    [DOORSILL_STALE] = "stale",
};

/* --- Primitives that fail when they are told to --- */

static int calls_left = -1; /* -1: they never fail */

static int may_work(void) { return calls_left < 0 || calls_left-- > 0; }

static int frail_sha256(void *context, const uint8_t *data, size_t size, uint8_t *digest) {
  return may_work() && doorsill_sodium()->sha256(context, data, size, digest);
}

static int frail_verify(void *context, const uint8_t *key, const uint8_t *message, size_t size,
                        const uint8_t *signature) {
  return may_work() && doorsill_sodium()->ed25519_verify(context, key, message, size, signature);
}

static const doorsill_crypto crypto = {frail_sha256, frail_verify, NULL};

/* --- The vectors --- */

static text field(const char *number) {
  static const text none = {NULL, 0};
  return *number == '-' ? none : texts[strtoul(number, NULL, 10)];
}

static doorsill_accepted memory(const char *state) {
  doorsill_accepted last;
  char root[65], digest[65];
  unsigned long long size = 0;
  memset(&last, 0, sizeof last);
  if (sscanf(state, "%llu:%64[0-9a-f]:%64[0-9a-f]", &size, root, digest) == 3) {
    last.size = size;
    sodium_hex2bin(last.root, 32, root, 64, NULL, NULL, NULL);
    sodium_hex2bin(last.sha256, 32, digest, 64, NULL, NULL, NULL);
  }
  return last;
}

static doorsill_status ask(const question *question, const char **detail) {
  const text policy = field(question->fields[0]), other = field(question->fields[1]);
  const text proof = field(question->fields[2]), list = field(question->fields[3]);
  const doorsill_trust trust = {(const char *)policy.data, policy.size, question->tier};
  const doorsill_trust next = {(const char *)other.data, other.size, question->tier};
  const doorsill_accepted memory_of = memory(question->state);
  const doorsill_accepted *last = question->state[0] == '-' ? NULL : &memory_of;
  doorsill_release release;
  uint32_t tier;
  if (question->kind[0] == 't') return doorsill_trust_check(&trust, &crypto, &tier, detail);
  if (question->kind[0] == 'l')
    return doorsill_trust_link(&trust, &next, proof.data, proof.size, last, &crypto, &release,
                               detail);
  return doorsill_release_check(&trust, proof.data, proof.size, list.data, list.size, last,
                                question->now, &crypto, &release, detail);
}

static void check_question(const question *question) {
  const char *detail = NULL;
  const doorsill_status status = ask(question, &detail);
  claim(outcomes[status] && strcmp(outcomes[status], question->outcome) == 0, question->outcome);
  claim(status == DOORSILL_OK || detail != NULL, "a refusal says why");
  claim(ask(question, NULL) == status, "who does not ask why gets the same answer");
  if (status != DOORSILL_OK) return;
  for (int call = 0;; call++) { /* the primitives fail once, at this call */
    calls_left = call;
    const doorsill_status frail = ask(question, &detail);
    const int has_failed = calls_left < 0;
    calls_left = -1;
    if (!has_failed) break;
    claim(frail != DOORSILL_OK, "a failing primitive verifies nothing");
  }
}

static int read_vectors(const char *path, question *honest) {
  static char line[MAX_LINE];
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    question question;
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "text ", 5) == 0) {
      text *made = &texts[text_count++];
      uint8_t *raw = malloc(strlen(line));
      if (text_count == MAX_TEXTS || !raw) abort();
      if (sodium_base642bin(raw, strlen(line), line + 5, strlen(line + 5), NULL, &made->size, NULL,
                            sodium_base64_VARIANT_ORIGINAL))
        abort();
      made->data = malloc(made->size ? made->size : 1);
      memcpy(made->data, raw, made->size);
      free(raw);
      continue;
    }
    if (sscanf(line, "%15s %15s %u %llu %255s %15s %15s %15s %15s", question.kind, question.outcome,
               &question.tier, &question.now, question.state, question.fields[0],
               question.fields[1], question.fields[2], question.fields[3]) != 9)
      abort();
    check_question(&question);
    if (question.kind[0] == 'r' && strcmp(question.outcome, "ok") == 0 &&
        field(question.fields[2]).size > field(honest->fields[2]).size)
      *honest = question;
  }
  fclose(file);
  return 1;
}

/* --- Bent proofs --- */

/* Asks about a proof with one byte changed, or cut there. It may only be accepted if what is
 * bent is a signature that was not needed. */
static void bend(const question *honest) {
  const text proof = field(honest->fields[2]);
  question bent = *honest;
  const char *detail;
  text *slot = &texts[text_count];
  snprintf(bent.fields[2], sizeof bent.fields[2], "%zu", text_count);
  slot->data = malloc(proof.size);
  for (size_t at = 0; at < proof.size; at++) {
    slot->size = proof.size;
    memcpy(slot->data, proof.data, proof.size);
    slot->data[at] ^= (uint8_t)(1u << (at % 8));
    const uint8_t *note = NULL;
    for (size_t i = 0; i + 2 < proof.size && !note; i++)
      if (memcmp(proof.data + i, "\n\xE2\x80", 3) == 0) note = proof.data + i;
    if (ask(&bent, &detail) == DOORSILL_OK) {
      claim(proof.data + at > note, "only in the signatures can a byte be without meaning");
    }
  }
  free(slot->data);
  for (size_t size = 0; size < proof.size; size++) {
    slot->data = malloc(size ? size : 1);
    slot->size = size;
    memcpy(slot->data, proof.data, size);
    if (ask(&bent, &detail) == DOORSILL_OK)
      claim(proof.data[size - 1] == '\n', "a cut in the middle of a line is seen");
    free(slot->data);
  }
}

/* --- What no correct caller does --- */

static void check_arguments(const question *honest) {
  const text policy = field(honest->fields[0]), proof = field(honest->fields[2]);
  const doorsill_crypto half[] = {{NULL, frail_verify, NULL}, {frail_sha256, NULL, NULL}};
  doorsill_trust trust = {(const char *)policy.data, policy.size, 0};
  doorsill_release release;
  const char *detail = NULL;
  claim(doorsill_trust_check(NULL, &crypto, NULL, NULL) == DOORSILL_BAD_ARGUMENT, "no trust");
  claim(doorsill_trust_check(&trust, &crypto, NULL, NULL) == DOORSILL_BAD_ARGUMENT, "tier 0");
  trust.tier = 4;
  claim(doorsill_trust_check(&trust, &crypto, NULL, &detail) == DOORSILL_BAD_ARGUMENT, "tier 4");
  trust.tier = 2;
  claim(doorsill_trust_check(&trust, &crypto, NULL, &detail) == DOORSILL_OK,
        "the tier is not asked");
  claim(doorsill_trust_check(&trust, NULL, NULL, &detail) == DOORSILL_BAD_ARGUMENT, "no crypto");
  for (int i = 0; i < 2; i++)
    claim(doorsill_trust_check(&trust, &half[i], NULL, &detail) == DOORSILL_BAD_ARGUMENT, "half");
  claim(doorsill_release_check(&trust, NULL, 0, NULL, 0, NULL, 0, &crypto, &release, NULL) ==
            DOORSILL_BAD_ARGUMENT,
        "no proof");
  claim(doorsill_release_check(&trust, proof.data, proof.size, NULL, 0, NULL, 0, &crypto, NULL,
                               NULL) == DOORSILL_BAD_ARGUMENT,
        "no result");
  claim(doorsill_release_check(&trust, proof.data, proof.size, NULL, 0, NULL, UINT64_MAX, &crypto,
                               &release, NULL) == DOORSILL_BAD_ARGUMENT,
        "no time");
  claim(doorsill_release_check(&trust, proof.data, proof.size, NULL, 0, NULL, 0, &crypto, &release,
                               NULL) == DOORSILL_OK,
        "a proof alone");
  claim(doorsill_trust_link(&trust, &trust, NULL, 0, NULL, &crypto, &release, NULL) ==
            DOORSILL_BAD_ARGUMENT,
        "no link");
  claim(doorsill_trust_link(&trust, &trust, proof.data, proof.size, NULL, &crypto, NULL, NULL) ==
            DOORSILL_BAD_ARGUMENT,
        "no result of a link");
  claim(doorsill_trust_link(&trust, &trust, proof.data, proof.size, NULL, &crypto, &release,
                            NULL) == DOORSILL_OTHER_POLICY,
        "a link to where we are");
  trust.text = NULL;
  claim(doorsill_trust_check(&trust, &crypto, NULL, NULL) == DOORSILL_BAD_ARGUMENT, "no text");
}

int main(int argc, char **argv) {
  char path[4096];
  question honest;
  memset(&honest, 0, sizeof honest);
  strcpy(honest.fields[2], "-");
  snprintf(path, sizeof path, "%s/releases.txt", argc > 1 ? argv[1] : "tests/data/vectors");
  if (!doorsill_sodium() || !read_vectors(path, &honest) || honest.fields[2][0] == '-') {
    printf("FAILED: %s cannot be used\n0 passed, 1 failed\n", path);
    return 1;
  }
  bend(&honest);
  check_arguments(&honest);
  for (size_t i = 0; i < text_count; i++) free(texts[i].data);
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
