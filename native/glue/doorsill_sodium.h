/* The primitives that checking a release takes, from libsodium, for hosts written in C or C++.
 * Compile doorsill_sodium.c with your program and link libsodium:
 *
 *     doorsill_release_check(&trust, proof, proof_size, list, list_size, &last, now,
 *                            doorsill_sodium(), &release, &detail)
 */
#ifndef DOORSILL_SODIUM_H
#define DOORSILL_SODIUM_H

#include "doorsill.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns libsodium's primitives; NULL if libsodium does not start. */
const doorsill_crypto *doorsill_sodium(void);

#ifdef __cplusplus
}
#endif

#endif
