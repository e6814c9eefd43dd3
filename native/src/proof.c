/* Whether a release may be accepted: the nine rules of native/FORMAT.md, here and nowhere else.
 *
 * The formats are those of c2sp.org: tlog-proof, tlog-checkpoint, signed-note, tlog-cosignature;
 * tree hashes are RFC 6962's. Everything in a proof is a stranger's word until it is checked. */
#include "proof.h"

#include <stdio.h>
#include <string.h>

enum {
  MAX_PATH = 63,
  MAX_CHECKPOINT = 1024,        /* bytes of its text, without signatures */
  MAX_SIGNATURE = 4 + 8 + 2420, /* key id, time, ML-DSA-44 */
  NOTE_SIGNATURE = 4 + 64,      /* key id, Ed25519 */
  COSIGNATURE = 4 + 8 + 64,     /* key id, time, Ed25519 */
  LIST_EPOCH = 24,              /* where the header of a list has it */
  LIST_HEADER = 64,
  HEAD_BYTES = sizeof "cosignature/v1\ntime 18446744073709551615\n"
};

/* A proof, taken apart. */
typedef struct proof {
  uint8_t leaf[1 + DOORSILL_MAX_MANIFEST]; /* RFC 6962: a zero, then the manifest */
  size_t leaf_size;
  uint64_t index;
  uint8_t path[MAX_PATH][DOORSILL_HASH];
  size_t path_length;
  doorsill_span checkpoint; /* the text that is signed */
  doorsill_span origin;
  uint64_t size;
  uint8_t root[DOORSILL_HASH];
  doorsill_span signatures;
} proof;

/* What the signatures of a proof come to. */
typedef struct voices {
  uint64_t all;   /* bit w: witness w has signed, and not in the future */
  uint64_t fresh; /* and not long ago */
} voices;

static doorsill_status fail(const char **detail, doorsill_status status, const char *text) {
  if (detail) *detail = text;
  return status;
}

/* --- Rule 1: the form --- */

static int read_hash(doorsill_span line, uint8_t hash[DOORSILL_HASH]) {
  return doorsill_base64(line, hash, DOORSILL_HASH) == DOORSILL_HASH;
}

static const char *read_checkpoint(doorsill_span text, proof *proof) {
  doorsill_span line;
  const uint8_t *begin = text.at;
  if (!doorsill_is_text(text, 0)) return "the checkpoint holds bytes that are no text";
  if (!doorsill_take_line(&text, &proof->origin) || proof->origin.size == 0)
    return "the checkpoint has no origin";
  if (!doorsill_take_line(&text, &line) || !doorsill_number(line, &proof->size))
    return "the checkpoint has no size";
  if (!doorsill_take_line(&text, &line) || !read_hash(line, proof->root))
    return "the checkpoint has no root hash";
  do { /* lines of extensions, signed like the rest */
    proof->checkpoint = (doorsill_span){begin, (size_t)(text.at - begin)};
    if (!doorsill_take_line(&text, &line)) return "the checkpoint has no signatures";
  } while (line.size);
  if (proof->checkpoint.size > MAX_CHECKPOINT) return "the checkpoint is too long";
  proof->signatures = text;
  return NULL;
}

static const char *read_proof(doorsill_span text, proof *proof) {
  doorsill_span line;
  if (text.size > DOORSILL_MAX_PROOF) return "the proof is too large";
  if (!doorsill_take_line(&text, &line) || !doorsill_says(line, "c2sp.org/tlog-proof@v1"))
    return "this does not begin like a tlog-proof";
  if (!doorsill_take_line(&text, &line) || !doorsill_take_words(&line, "extra "))
    return "the proof carries no manifest";
  proof->leaf[0] = 0;
  proof->leaf_size = 1 + doorsill_base64(line, proof->leaf + 1, DOORSILL_MAX_MANIFEST);
  if (proof->leaf_size == 1) return "the manifest is no base64, or too long";
  if (!doorsill_take_line(&text, &line) || !doorsill_take_words(&line, "index ") ||
      !doorsill_number(line, &proof->index))
    return "the proof has no index";
  for (proof->path_length = 0;; proof->path_length++) {
    if (!doorsill_take_line(&text, &line)) return "the proof has no checkpoint";
    if (line.size == 0) break;
    if (proof->path_length == MAX_PATH || !read_hash(line, proof->path[proof->path_length]))
      return "the path of the proof is no list of hashes";
  }
  return read_checkpoint(text, proof);
}

/* --- Rules 2 and 3: who has signed --- */

static int is_key(const doorsill_key *key, doorsill_span name, const uint8_t *id) {
  return doorsill_same(key->name, name) && memcmp(key->id, id, sizeof key->id) == 0;
}

/* The text that a witness signs: what is said in tlog-cosignature, and the checkpoint. */
static int verify_cosignature(const doorsill_key *key, const proof *proof, const uint8_t *signature,
                              uint64_t *time, const doorsill_crypto *crypto) {
  char message[HEAD_BYTES + MAX_CHECKPOINT];
  *time = 0;
  for (int i = 4; i < 12; i++) *time = *time << 8 | signature[i];
  const size_t head = (size_t)snprintf(message, HEAD_BYTES, "cosignature/v1\ntime %llu\n",
                                       (unsigned long long)*time);
  memcpy(message + head, proof->checkpoint.at, proof->checkpoint.size);
  return crypto->ed25519_verify(crypto->context, key->key, (const uint8_t *)message,
                                head + proof->checkpoint.size, signature + 12);
}

/* Weighs one signature line. Returns a sentence if it makes the whole note worthless. */
static const char *weigh(doorsill_span name, const uint8_t *signature, size_t size,
                         const doorsill_parties *parties, const proof *proof, uint64_t now,
                         const doorsill_crypto *crypto, voices *voices, int *logged) {
  for (int i = 0; i < parties->log_count; i++) {
    const doorsill_key *key = &parties->logs[i];
    if (!is_key(key, name, signature) || key->type != DOORSILL_ED25519) continue;
    if (size != NOTE_SIGNATURE ||
        !crypto->ed25519_verify(crypto->context, key->key, proof->checkpoint.at,
                                proof->checkpoint.size, signature + 4))
      return "the signature of the log is bad";
    if (doorsill_same(name, proof->origin)) *logged = 1;
  }
  for (int i = 0; i < parties->node_count; i++) {
    const doorsill_node *node = &parties->nodes[i];
    uint64_t time;
    if (node->needs || !is_key(&node->key, name, signature) ||
        node->key.type != DOORSILL_COSIGNATURE)
      continue;
    if (size != COSIGNATURE || !verify_cosignature(&node->key, proof, signature, &time, crypto))
      return "the signature of a witness or approver is bad";
    if (time > INT64_MAX || (now && time > now + DOORSILL_SKEW)) continue;
    voices->all |= 1ULL << node->witness;
    if (time + DOORSILL_FRESH >= now) voices->fresh |= 1ULL << node->witness;
  }
  return NULL;
}

static const char *read_signatures(const doorsill_parties *parties, const proof *proof,
                                   uint64_t now, const doorsill_crypto *crypto, voices *voices,
                                   int *logged) {
  doorsill_span rest = proof->signatures, line, name;
  memset(voices, 0, sizeof *voices);
  *logged = 0;
  for (int count = 0; rest.size; count++) {
    uint8_t signature[MAX_SIGNATURE];
    if (count == DOORSILL_MAX_SIGNATURES) return "the checkpoint has too many signatures";
    if (!doorsill_take_line(&rest, &line) || !doorsill_take_words(&line, "\xE2\x80\x94 ") ||
        !doorsill_take_until(&line, ' ', &name) || !doorsill_is_key_name(name))
      return "a signature line is not well-formed";
    const size_t size = doorsill_base64(line, signature, sizeof signature);
    if (size <= 4) return "a signature is no base64, or of no known length";
    const char *wrong = weigh(name, signature, size, parties, proof, now, crypto, voices, logged);
    if (wrong) return wrong;
  }
  return NULL;
}

/* --- Rule 4: whether they are enough --- */

static int meets(const doorsill_parties *parties, uint64_t cosigners, int node) {
  uint8_t satisfied[DOORSILL_MAX_NODES];
  if (node == DOORSILL_NO_NODE) return 0;
  doorsill_satisfied(parties, cosigners, satisfied);
  return satisfied[node];
}

static uint32_t tier_of(const doorsill_parties *parties, uint64_t cosigners) {
  if (!meets(parties, cosigners, parties->witnesses)) return DOORSILL_SIGNED;
  return meets(parties, cosigners, parties->approvers) ? DOORSILL_APPROVED : DOORSILL_WITNESSED;
}

/* Rules 2 to 4 under one policy. */
static doorsill_status check_signatures(const doorsill_parties *parties, uint32_t tier,
                                        const proof *proof, uint64_t now,
                                        const doorsill_crypto *crypto, doorsill_release *release,
                                        const char **detail) {
  voices voices;
  int logged;
  const char *wrong = read_signatures(parties, proof, now, crypto, &voices, &logged);
  if (wrong) return fail(detail, DOORSILL_NOT_TRUSTED, wrong);
  if (!logged)
    return fail(detail, DOORSILL_NOT_TRUSTED,
                "no log of the trust policy has signed the checkpoint");
  if (parties->quorum != DOORSILL_NO_NODE && !meets(parties, voices.all, parties->quorum))
    return fail(detail, DOORSILL_NOT_TRUSTED, "too few have signed for the policy's quorum");
  release->cosigners = voices.all;
  release->tier = tier_of(parties, voices.all);
  if (release->tier < tier)
    return fail(detail, DOORSILL_NOT_TRUSTED,
                release->tier == DOORSILL_SIGNED ? "too few witnesses have signed"
                                                 : "too few approvers have signed");
  if (meets(parties, voices.fresh, parties->witnesses)) return DOORSILL_OK;
  if (tier > DOORSILL_SIGNED)
    return fail(detail, DOORSILL_STALE, "too few witnesses have signed in the last 72 hours");
  release->tier = DOORSILL_SIGNED;
  return DOORSILL_OK;
}

/* --- Rule 5: the leaf in its tree --- */

/* RFC 6962: the hash of a node is that of a one, its left and its right child. */
static int join(uint8_t hash[DOORSILL_HASH], const uint8_t *left, const uint8_t *right,
                const doorsill_crypto *crypto) {
  uint8_t node[1 + 2 * DOORSILL_HASH] = {1};
  memcpy(node + 1, left, DOORSILL_HASH);
  memcpy(node + 1 + DOORSILL_HASH, right, DOORSILL_HASH);
  return crypto->sha256(crypto->context, node, sizeof node, hash);
}

/* Goes from the last leaf of a tree to its root, and to the root of the tree without that leaf:
 * whose subtrees are exactly the hashes on the path. */
static int climb(const proof *proof, const doorsill_crypto *crypto, uint8_t root[DOORSILL_HASH],
                 uint8_t before[DOORSILL_HASH]) {
  if (!crypto->sha256(crypto->context, proof->leaf, proof->leaf_size, root) ||
      !crypto->sha256(crypto->context, proof->leaf, 0, before))
    return 0;
  for (size_t i = 0; i < proof->path_length; i++) {
    const uint8_t *left = proof->path[i];
    if (i == 0) memcpy(before, left, DOORSILL_HASH);
    if (!join(root, left, root, crypto)) return 0;
    if (i > 0 && !join(before, left, before, crypto)) return 0;
  }
  return 1;
}

static const char *check_leaf(const proof *proof, const doorsill_release *release,
                              const doorsill_crypto *crypto, uint8_t before[DOORSILL_HASH]) {
  uint8_t root[DOORSILL_HASH];
  size_t turns = 0;
  if (proof->index != release->epoch || proof->size != release->epoch + 1)
    return "the release is not the last leaf of its tree, or not of its epoch";
  if (!doorsill_says(proof->origin, release->list)) return "the manifest is of another list";
  for (uint64_t left = proof->index; left; left &= left - 1) turns++;
  if (proof->path_length != turns || !climb(proof, crypto, root, before) ||
      memcmp(root, proof->root, sizeof root) != 0)
    return "the manifest is not in the log's tree";
  return NULL;
}

/* --- Rules 6 and 8: the list, and what was accepted before --- */

static doorsill_status check_list(const uint8_t *list, size_t size, const doorsill_release *release,
                                  const doorsill_crypto *crypto, const char **detail) {
  uint8_t digest[DOORSILL_HASH];
  uint64_t epoch = 0;
  if (size != release->list_bytes || size < LIST_HEADER ||
      !crypto->sha256(crypto->context, list, size, digest) ||
      memcmp(digest, release->sha256, sizeof digest) != 0)
    return fail(detail, DOORSILL_OTHER_LIST, "the list is not the one that was signed");
  for (int i = 7; i >= 0; i--) epoch = epoch << 8 | list[LIST_EPOCH + i];
  if (epoch != release->epoch)
    return fail(detail, DOORSILL_OTHER_LIST, "the list is of another epoch than its manifest");
  return DOORSILL_OK;
}

static doorsill_status check_memory(const doorsill_accepted *last, const doorsill_release *release,
                                    const uint8_t before[DOORSILL_HASH], const char **detail) {
  if (!last || last->size == 0) return DOORSILL_OK;
  if (release->epoch + 1 < last->size)
    return fail(detail, DOORSILL_ROLLED_BACK, "the release is older than the accepted one");
  if (release->epoch + 1 == last->size &&
      (memcmp(release->root, last->root, sizeof last->root) != 0 ||
       memcmp(release->sha256, last->sha256, sizeof last->sha256) != 0))
    return fail(detail, DOORSILL_ROLLED_BACK,
                "another release of the accepted epoch: the log has forked; tell others");
  if (release->epoch == last->size && memcmp(before, last->root, sizeof last->root) != 0)
    return fail(detail, DOORSILL_ROLLED_BACK,
                "the release does not follow the accepted one: the log has forked; tell others");
  return DOORSILL_OK;
}

/* --- All of it --- */

static doorsill_status read_release(doorsill_span text, proof *proof, doorsill_release *release,
                                    const char **detail) {
  const char *wrong = read_proof(text, proof);
  if (!wrong)
    wrong = doorsill_read_manifest((doorsill_span){proof->leaf + 1, proof->leaf_size - 1}, release);
  return wrong ? fail(detail, DOORSILL_BAD_PROOF, wrong) : DOORSILL_OK;
}

/* Rules 2 to 5. */
static doorsill_status check_proof(const doorsill_parties *parties, uint32_t tier,
                                   const proof *proof, uint64_t now, const doorsill_crypto *crypto,
                                   doorsill_release *release, uint8_t before[DOORSILL_HASH],
                                   const char **detail) {
  const doorsill_status signatures =
      check_signatures(parties, tier, proof, now, crypto, release, detail);
  if (signatures != DOORSILL_OK && signatures != DOORSILL_STALE) return signatures;
  const char *wrong = check_leaf(proof, release, crypto, before);
  if (wrong) return fail(detail, DOORSILL_NOT_TRUSTED, wrong);
  memcpy(release->root, proof->root, sizeof release->root);
  return signatures;
}

static doorsill_status read_trust(const doorsill_trust *trust, const doorsill_crypto *crypto,
                                  doorsill_parties *parties, const char **detail) {
  if (!trust || !trust->text || !crypto || !crypto->sha256 || !crypto->ed25519_verify ||
      trust->tier < DOORSILL_SIGNED || trust->tier > DOORSILL_APPROVED)
    return fail(detail, DOORSILL_BAD_ARGUMENT, "an argument is missing, or no tier");
  const char *wrong = doorsill_read_parties(trust, crypto, parties);
  if (!wrong && tier_of(parties, UINT64_MAX) < trust->tier)
    wrong = "the trust policy has no group `witnesses` or `approvers` to show this tier";
  return wrong ? fail(detail, DOORSILL_BAD_TRUST, wrong) : DOORSILL_OK;
}

doorsill_status doorsill_trust_check(const doorsill_trust *trust, const doorsill_crypto *crypto,
                                     uint32_t *tier, const char **detail) {
  doorsill_parties parties;
  const doorsill_status status = read_trust(trust, crypto, &parties, detail);
  if (status == DOORSILL_OK && tier) *tier = tier_of(&parties, UINT64_MAX);
  return status;
}

doorsill_status doorsill_release_check(const doorsill_trust *trust, const void *proof_text,
                                       size_t proof_size, const void *list, size_t list_size,
                                       const doorsill_accepted *last, uint64_t now,
                                       const doorsill_crypto *crypto, doorsill_release *release,
                                       const char **detail) {
  doorsill_parties parties;
  proof proof;
  doorsill_release found;
  uint8_t before[DOORSILL_HASH];
  if (!proof_text || !release || now > INT64_MAX)
    return fail(detail, DOORSILL_BAD_ARGUMENT, "an argument is missing, or no time");
  doorsill_status status = read_trust(trust, crypto, &parties, detail);
  if (status != DOORSILL_OK) return status;
  status = read_release((doorsill_span){proof_text, proof_size}, &proof, &found, detail);
  if (status != DOORSILL_OK) return status;
  const doorsill_status freshness =
      check_proof(&parties, trust->tier, &proof, now, crypto, &found, before, detail);
  if (freshness != DOORSILL_OK && freshness != DOORSILL_STALE) return freshness;
  if (memcmp(found.policy, parties.digest, sizeof found.policy) != 0)
    return fail(detail, DOORSILL_OTHER_POLICY, "the release is under another trust policy");
  status = check_memory(last, &found, before, detail);
  if (status == DOORSILL_OK && list) status = check_list(list, list_size, &found, crypto, detail);
  if (status != DOORSILL_OK) return status;
  if (freshness != DOORSILL_OK) return freshness; /* said last: it is the least of its faults */
  if (now && found.use_until < now)
    return fail(detail, DOORSILL_STALE, "the release is past its use_until");
  *release = found;
  return DOORSILL_OK;
}

doorsill_status doorsill_trust_link(const doorsill_trust *from, const doorsill_trust *to,
                                    const void *proof_text, size_t proof_size,
                                    const doorsill_accepted *last, const doorsill_crypto *crypto,
                                    doorsill_release *release, const char **detail) {
  doorsill_parties old_parties, new_parties;
  proof proof;
  doorsill_release found;
  uint8_t before[DOORSILL_HASH];
  if (!proof_text || !release) return fail(detail, DOORSILL_BAD_ARGUMENT, "an argument is missing");
  doorsill_status status = read_trust(from, crypto, &old_parties, detail);
  if (status == DOORSILL_OK) status = read_trust(to, crypto, &new_parties, detail);
  if (status == DOORSILL_OK)
    status = read_release((doorsill_span){proof_text, proof_size}, &proof, &found, detail);
  if (status == DOORSILL_OK)
    status = check_proof(&old_parties, from->tier, &proof, 0, crypto, &found, before, detail);
  if (status == DOORSILL_OK)
    status = check_proof(&new_parties, to->tier, &proof, 0, crypto, &found, before, detail);
  if (status != DOORSILL_OK) return status;
  if (memcmp(found.policy_before, old_parties.digest, sizeof found.policy) != 0 ||
      memcmp(found.policy, new_parties.digest, sizeof found.policy) != 0)
    return fail(detail, DOORSILL_OTHER_POLICY, "the link does not lead from the one to the other");
  if (last && found.epoch < last->size)
    return fail(detail, DOORSILL_ROLLED_BACK, "the link is older than the accepted release");
  status = check_memory(last, &found, before, detail);
  if (status == DOORSILL_OK) *release = found;
  return status;
}
