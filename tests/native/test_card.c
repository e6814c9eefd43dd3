/* The self-test of hosts: it holds with the test card's hashes and fails with anything less. */
#include <stdio.h>
#include <string.h>

#include "doorsill.h"

static int passed, failed;

static void claim(int holds, const char *what) {
  holds ? passed++ : failed++;
  if (!holds) printf("FAILED: %s\n", what);
}

/* The card's hash in profile full, as published in sdk/doorsill/testcard.py. */
static const uint8_t card_hash[32] = {
    0x19, 0xa3, 0x34, 0x5a, 0x79, 0xb1, 0x3d, 0x4a, 0x7c, 0xa5, 0x9c, 0x5a, 0xda, 0x27, 0xc4, 0xdc,
    0xc2, 0x3c, 0x3b, 0x3b, 0xc0, 0x7c, 0x23, 0x3b, 0x33, 0xd8, 0xa4, 0x86, 0x3f, 0xc8, 0xd8, 0xa6};

static doorsill_list *load(const char *folder, const char *name) {
  char path[4096];
  doorsill_list *list = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  claim(doorsill_list_load(path, &list, NULL) == DOORSILL_OK, name);
  return list;
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : "tests/data/vectors";
  doorsill_list *good = load(folder, "pixels.dsl");
  doorsill_list *other = load(folder, "list.dsl"); /* its test entry is not the test card */
  if (!good || !other) return 1;
  const doorsill_list *const lists[] = {good, other};
  doorsill_policy policy;
  doorsill_policy_default(&policy);
  doorsill_pdq pdq;
  memset(&pdq, 0, sizeof pdq);
  memcpy(pdq.hash[DOORSILL_FULL][0], card_hash, sizeof card_hash);
  pdq.quality[DOORSILL_FULL] = 100;
  doorsill_view card = {NULL, &pdq, NULL, 0};

  claim(doorsill_self_test(lists, 1, &card, &policy, NULL, 0) == DOORSILL_OK, "the card matches");
  claim(doorsill_self_test(lists, 2, &card, &policy, NULL, 0) == DOORSILL_NOT_WIRED,
        "every list must carry it");
  claim(doorsill_self_test(lists, 0, &card, &policy, NULL, 0) == DOORSILL_NOT_WIRED,
        "no list, no protection");
  claim(doorsill_self_test(NULL, 1, &card, &policy, NULL, 0) == DOORSILL_BAD_ARGUMENT &&
            doorsill_self_test(lists, 1, NULL, &policy, NULL, 0) == DOORSILL_BAD_ARGUMENT &&
            doorsill_self_test(lists, 1, &card, NULL, NULL, 0) == DOORSILL_BAD_ARGUMENT,
        "no correct caller leaves anything out");

  policy.quenched = (const uint8_t *)"\xd0"
                                     "card!"; /* its id in pixels.dsl */
  policy.quenched_count = 1;
  claim(doorsill_self_test(lists, 1, &card, &policy, NULL, 0) == DOORSILL_NOT_WIRED,
        "a policy that ignores the card is noticed");
  doorsill_policy_default(&policy);

  pdq.quality[DOORSILL_FULL] = 49;
  claim(doorsill_self_test(lists, 1, &card, &policy, NULL, 0) == DOORSILL_NOT_WIRED,
        "a blurred card is noticed");
  pdq.quality[DOORSILL_FULL] = 100;
  pdq.hash[DOORSILL_FULL][0][0] ^= 0xFF;
  memset(pdq.hash[DOORSILL_FULL][0] + 8, 0x5a, 16);
  claim(doorsill_self_test(lists, 1, &card, &policy, NULL, 0) == DOORSILL_NOT_WIRED,
        "another hash is noticed");

  static uint8_t gray[64 * 64], workspace[1 << 20];
  const doorsill_pixels pixels = {gray, 64, 64, 64, DOORSILL_GRAY};
  card.pdq = NULL;
  card.pixels = &pixels;
  claim(doorsill_self_test(lists, 1, &card, &policy, workspace, sizeof workspace) ==
            DOORSILL_NOT_WIRED,
        "a decoder that gives nothing is noticed");
  claim(doorsill_self_test(lists, 1, &card, &policy, workspace, 1) == DOORSILL_SMALL_WORKSPACE,
        "a small workspace is refused");
  doorsill_list_close(good);
  doorsill_list_close(other);
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
