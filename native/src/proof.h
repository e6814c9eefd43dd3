/* What the checking of a release is made of; proof.c puts it together. */
#ifndef DOORSILL_PROOF_H
#define DOORSILL_PROOF_H

#include "doorsill.h"
#include "lines.h"

enum {
  DOORSILL_HASH = 32,
  DOORSILL_MAX_LOGS = 32,
  DOORSILL_MAX_NODES = 128, /* witnesses and groups */
  DOORSILL_NO_NODE = -1
};

/* A public key of the policy. Of a key that this version cannot use, `key` is the digest. */
typedef struct doorsill_key {
  doorsill_span name;
  uint8_t id[4];
  uint8_t type; /* of signed-note */
  uint8_t key[DOORSILL_HASH];
} doorsill_key;

/* A witness, or a group of what was defined before it. */
typedef struct doorsill_node {
  doorsill_span name;
  int parent;       /* the one group that it is a member of */
  uint32_t needs;   /* members that must have signed; 0 for a witness */
  uint32_t witness; /* its number among the witnesses */
  doorsill_key key; /* of a witness */
} doorsill_node;

/* A tlog-policy, read. */
typedef struct doorsill_parties {
  doorsill_key logs[DOORSILL_MAX_LOGS];
  doorsill_node nodes[DOORSILL_MAX_NODES];
  int log_count, node_count;
  uint32_t witness_count;
  int quorum;               /* a node, DOORSILL_NO_NODE for `quorum none` */
  int witnesses, approvers; /* the nodes of these names */
  uint8_t digest[DOORSILL_HASH];
} doorsill_parties;

enum { DOORSILL_ED25519 = 0x01, DOORSILL_COSIGNATURE = 0x04, DOORSILL_ML_DSA_44 = 0x06 };

/* Reads a policy text. Returns NULL, or a sentence about what is wrong with it. */
const char *doorsill_read_parties(const doorsill_trust *trust, const doorsill_crypto *crypto,
                                  doorsill_parties *parties);

/* Tells which nodes these cosigners (bits by number of witness) satisfy. */
void doorsill_satisfied(const doorsill_parties *parties, uint64_t cosigners,
                        uint8_t satisfied[DOORSILL_MAX_NODES]);

/* Reads a manifest into the release. Returns NULL, or a sentence about what is wrong with it. */
const char *doorsill_read_manifest(doorsill_span text, doorsill_release *release);

#endif
