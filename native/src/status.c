/* What the library says of itself: versions, and words for its numbers. */
#include <string.h>

#include "internal.h"

const char *doorsill_version(void) { return DOORSILL_VERSION; }

const char *doorsill_status_text(doorsill_status status) {
  switch (status) {
    case DOORSILL_OK:
      return "It worked.";
    case DOORSILL_BAD_ARGUMENT:
      return "An argument is one that no correct caller passes.";
    case DOORSILL_SMALL_WORKSPACE:
      return "The workspace is too small.";
    case DOORSILL_NO_MEMORY:
      return "There is not enough memory.";
    case DOORSILL_NO_FILE:
      return "The file cannot be opened or read.";
    case DOORSILL_NOT_A_LIST:
      return "This is not a doorsill hash list.";
    case DOORSILL_NEWER_FORMAT:
      return "This hash list is written for a newer reader; update doorsill.";
    case DOORSILL_DAMAGED_LIST:
      return "This hash list is damaged; fetch it again.";
    case DOORSILL_BAD_TRUST:
      return "This is no trust policy that can show what is asked for.";
    case DOORSILL_BAD_PROOF:
      return "This proof or its manifest is not well-formed.";
    case DOORSILL_NOT_TRUSTED:
      return "Too few of those whom the trust policy names have signed.";
    case DOORSILL_OTHER_POLICY:
      return "The release is under another trust policy.";
    case DOORSILL_OTHER_LIST:
      return "The list is not the one that the manifest names.";
    case DOORSILL_ROLLED_BACK:
      return "The release is older than the accepted one, or from another branch.";
    case DOORSILL_STALE:
      return "The signatures of the witnesses are too old.";
    case DOORSILL_BAD_DELTA:
      return "This delta does not make the next list from this one; fetch the whole list.";
    case DOORSILL_NOT_WIRED:
      return "The test card does not match; do not claim that pictures are checked.";
  }
  return "An unknown status.";
}

const char *doorsill_verdict_reason(const doorsill_verdict *verdict) {
  static const char *const outcomes[] = {
      "No entry of the lists is near.",
      "It matches an entry.",
      "It has too little detail to be compared; only its digests were.",
      "Some part of it cannot be read.",
      "It is not a picture; only its digests were compared.",
  };
  static const char *const matches[] = {
      "It matches an entry.",
      "It is near an entry by one hash, and a second hash disagrees.",
      "It is near an entry by the neural hash alone.",
      "It is near an entry by one hash; no second one was compared.",
      "It is near an entry by both hashes.",
      "It is the same file as an entry.",
  };
  if (verdict->outcome == DOORSILL_MATCH && verdict->evidence <= DOORSILL_EXACT)
    return matches[verdict->evidence];
  return verdict->outcome <= DOORSILL_OUT_OF_SCOPE ? outcomes[verdict->outcome]
                                                   : "An unknown outcome.";
}

void doorsill_wipe(void *memory, size_t size) {
#if defined(__GNUC__)
  memset(memory, 0, size);
  __asm__ volatile("" : : "r"(memory) : "memory"); /* which may read it, for all that is known */
#else
  volatile unsigned char *byte = memory;
  while (size--) *byte++ = 0;
#endif
}
