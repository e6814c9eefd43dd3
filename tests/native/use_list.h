/* Uses every part of an open list, so that a sanitizer sees whatever a bad one can cause. */
#ifndef DOORSILL_USE_LIST_H
#define DOORSILL_USE_LIST_H

#include <stdlib.h>
#include <string.h>

#include "doorsill.h"

static void use_list(const doorsill_list *list) {
  doorsill_list_info info;
  doorsill_list_describe(list, &info);
  for (uint32_t entry = 0; entry < info.entries && entry < 64; entry++) {
    doorsill_entry found;
    if (doorsill_list_entry(list, entry, &found) != DOORSILL_OK) abort();
  }
  for (uint32_t kind = 0; kind <= DOORSILL_TEXT_APPEAL; kind++) {
    for (uint32_t key = 0; key < 3; key++) {
      size_t length = 0;
      const char *text = doorsill_list_text(list, kind, key, "de", &length);
      for (size_t i = 0; text && i < length; i++)
        if ((unsigned char)text[i] < 0x20) abort(); /* no control gets past the reader */
    }
  }
  doorsill_code codes[DOORSILL_MAX_HASHERS];
  memset(codes, 0, sizeof codes);
  for (uint32_t i = 0; i < info.hashers; i++) {
    doorsill_hasher_info hasher;
    if (doorsill_list_hasher(list, i, &hasher) != DOORSILL_OK) abort();
    memcpy(codes[i].model, hasher.model, sizeof hasher.model);
    codes[i].width = hasher.width;
    doorsill_hit hits[4];
    size_t found = 0;
    const uint8_t query[DOORSILL_MAX_WIDTH / 8] = {0};
    if (doorsill_search(list, i, query, 1, hasher.width / 4u, hits, 4, &found) != DOORSILL_OK)
      abort();
  }
  doorsill_pdq pdq;
  memset(&pdq, 0, sizeof pdq);
  pdq.quality[0] = pdq.quality[1] = 100;
  doorsill_digests digests;
  memset(&digests, 0, sizeof digests);
  doorsill_policy policy;
  doorsill_policy_default(&policy);
  const doorsill_view view = {NULL, &pdq, codes, info.hashers};
  doorsill_verdict verdict;
  if (doorsill_screen(&list, 1, &view, 1, &digests, 1, DOORSILL_READ_WHOLE, &policy, NULL, 0,
                      &verdict) != DOORSILL_OK)
    abort();
}

#endif
