/* The trust policy: c2sp.org/tlog-policy, with keys in the notation of c2sp.org/signed-note. */
#include <string.h>

#include "proof.h"

enum { ML_DSA_44_BYTES = 1312, NAME_BYTES = 255 };

static int is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* Takes the next word off the line; 0 if there is none. */
static int take_word(doorsill_span *line, doorsill_span *word) {
  size_t begin = 0, end;
  while (begin < line->size && is_blank(line->at[begin])) begin++;
  for (end = begin; end < line->size && !is_blank(line->at[end]);) end++;
  *word = (doorsill_span){line->at + begin, end - begin};
  *line = (doorsill_span){line->at + end, line->size - end};
  return word->size > 0;
}

/* The id of a key: SHA-256 of name, newline, type and key, its first four bytes. */
static int has_its_id(const doorsill_key *key, const uint8_t *raw, size_t size,
                      const doorsill_crypto *crypto) {
  uint8_t told[NAME_BYTES + 2 + ML_DSA_44_BYTES], digest[DOORSILL_HASH];
  memcpy(told, key->name.at, key->name.size);
  told[key->name.size] = '\n';
  memcpy(told + key->name.size + 1, raw, size);
  return crypto->sha256(crypto->context, told, key->name.size + 1 + size, digest) &&
         memcmp(digest, key->id, sizeof key->id) == 0;
}

/* Reads NAME+ID+BASE64, the type and the key. */
static const char *read_key(doorsill_span word, uint8_t type, const doorsill_crypto *crypto,
                            doorsill_key *key) {
  doorsill_span id;
  uint8_t raw[1 + ML_DSA_44_BYTES];
  if (!doorsill_take_until(&word, '+', &key->name) || !doorsill_is_key_name(key->name) ||
      key->name.size > NAME_BYTES || !doorsill_take_until(&word, '+', &id) ||
      !doorsill_hex(id, key->id, sizeof key->id))
    return "a key of the trust policy is not written as name+id+key";
  const size_t size = doorsill_base64(word, raw, sizeof raw);
  key->type = raw[0];
  if (size == 1 + ML_DSA_44_BYTES && key->type == DOORSILL_ML_DSA_44) {
    if (!crypto->sha256(crypto->context, raw + 1, size - 1, key->key))
      return "the digest of a key could not be made";
  } else if (size == 1 + sizeof key->key && key->type == type) {
    memcpy(key->key, raw + 1, sizeof key->key);
  } else {
    return "a key of the trust policy is of a type that does not fit its place";
  }
  return has_its_id(key, raw, size, crypto) ? NULL : "a key of the trust policy has another's id";
}

static int find_node(const doorsill_parties *parties, doorsill_span name) {
  for (int i = 0; i < parties->node_count; i++)
    if (doorsill_same(parties->nodes[i].name, name)) return i;
  return DOORSILL_NO_NODE;
}

/* One key, one voice: under no second name, and no log is its own witness. */
static int is_known(const doorsill_parties *parties, const uint8_t *key) {
  for (int i = 0; i < parties->log_count; i++)
    if (memcmp(parties->logs[i].key, key, DOORSILL_HASH) == 0) return 1;
  for (int i = 0; i < parties->node_count; i++)
    if (!parties->nodes[i].needs && memcmp(parties->nodes[i].key.key, key, DOORSILL_HASH) == 0)
      return 1;
  return 0;
}

static const char *add_log(doorsill_span line, const doorsill_crypto *crypto,
                           doorsill_parties *parties) {
  doorsill_span word, url;
  doorsill_key key;
  if (parties->log_count == DOORSILL_MAX_LOGS) return "the trust policy names too many logs";
  if (!take_word(&line, &word)) return "a log of the trust policy has no key";
  if (take_word(&line, &url) && take_word(&line, &url))
    return "a line of the trust policy has more words than it should";
  const char *wrong = read_key(word, DOORSILL_ED25519, crypto, &key);
  if (wrong) return wrong;
  if (is_known(parties, key.key)) return "a key stands twice in the trust policy";
  parties->logs[parties->log_count++] = key;
  return NULL;
}

/* Adds a node of that name, to be filled. */
static const char *add_node(doorsill_span name, doorsill_parties *parties, doorsill_node **node) {
  if (parties->node_count == DOORSILL_MAX_NODES)
    return "the trust policy names too many witnesses and groups";
  if (doorsill_says(name, "none") || find_node(parties, name) != DOORSILL_NO_NODE)
    return "a name of the trust policy is defined twice, or is `none`";
  *node = &parties->nodes[parties->node_count];
  memset(*node, 0, sizeof **node);
  (*node)->name = name;
  (*node)->parent = DOORSILL_NO_NODE;
  return NULL;
}

static const char *add_witness(doorsill_span line, const doorsill_crypto *crypto,
                               doorsill_parties *parties) {
  doorsill_span name, word, url;
  doorsill_node *node;
  if (!take_word(&line, &name) || !take_word(&line, &word))
    return "a witness of the trust policy lacks a name or a key";
  if (take_word(&line, &url) && take_word(&line, &url))
    return "a line of the trust policy has more words than it should";
  const char *wrong = add_node(name, parties, &node);
  if (wrong) return wrong;
  if (parties->witness_count == DOORSILL_MAX_WITNESSES)
    return "the trust policy names too many witnesses";
  wrong = read_key(word, DOORSILL_COSIGNATURE, crypto, &node->key);
  if (wrong) return wrong;
  if (is_known(parties, node->key.key)) return "a key stands twice in the trust policy";
  node->witness = parties->witness_count++;
  parties->node_count++;
  return NULL;
}

static const char *add_group(doorsill_span line, doorsill_parties *parties) {
  doorsill_span name, word, rule;
  doorsill_node *node;
  uint64_t needs = 0, members = 0;
  if (!take_word(&line, &name) || !take_word(&line, &rule))
    return "a group of the trust policy lacks a name or a rule";
  const char *wrong = add_node(name, parties, &node);
  if (wrong) return wrong;
  for (; take_word(&line, &word); members++) {
    const int member = find_node(parties, word);
    if (member == DOORSILL_NO_NODE) return "a group of the trust policy has an unknown member";
    if (parties->nodes[member].parent != DOORSILL_NO_NODE)
      return "a name is a member twice in the trust policy";
    parties->nodes[member].parent = parties->node_count;
  }
  if (doorsill_says(rule, "all")) {
    needs = members;
  } else if (doorsill_says(rule, "any")) {
    needs = 1;
  } else if (!doorsill_number(rule, &needs)) {
    return "a group of the trust policy has no rule";
  }
  if (needs == 0 || needs > members) return "a group of the trust policy cannot be met";
  node->needs = (uint32_t)needs;
  parties->node_count++;
  return NULL;
}

static const char *set_quorum(doorsill_span line, doorsill_parties *parties, int *seen) {
  doorsill_span name, more;
  if (*seen) return "the trust policy has two quorum lines";
  *seen = 1;
  if (!take_word(&line, &name) || take_word(&line, &more))
    return "the quorum of the trust policy is not one name";
  parties->quorum = find_node(parties, name);
  if (parties->quorum == DOORSILL_NO_NODE && !doorsill_says(name, "none"))
    return "the quorum of the trust policy is not defined before it";
  return NULL;
}

static const char *read_line(doorsill_span line, const doorsill_crypto *crypto,
                             doorsill_parties *parties, int *has_quorum) {
  doorsill_span word;
  if (!take_word(&line, &word) || word.at[0] == '#') return NULL;
  if (doorsill_says(word, "log")) return add_log(line, crypto, parties);
  if (doorsill_says(word, "witness")) return add_witness(line, crypto, parties);
  if (doorsill_says(word, "group")) return add_group(line, parties);
  if (doorsill_says(word, "quorum")) return set_quorum(line, parties, has_quorum);
  return "a line of the trust policy begins with an unknown word";
}

static int is_inside(const doorsill_parties *parties, int node, int group) {
  while (node != DOORSILL_NO_NODE && node != group) node = parties->nodes[node].parent;
  return node == group;
}

const char *doorsill_read_parties(const doorsill_trust *trust, const doorsill_crypto *crypto,
                                  doorsill_parties *parties) {
  doorsill_span text = {(const uint8_t *)trust->text, trust->size}, line;
  int has_quorum = 0;
  memset(parties, 0, sizeof *parties);
  if (text.size > DOORSILL_MAX_TRUST) return "the trust policy is too large";
  for (size_t i = 0; i < text.size; i++)
    if ((text.at[i] < ' ' && text.at[i] != '\t' && text.at[i] != '\n') || text.at[i] == 0x7F)
      return "the trust policy holds control characters";
  if (!crypto->sha256(crypto->context, text.at, text.size, parties->digest))
    return "the digest of the trust policy could not be made";
  while (text.size) {
    if (!doorsill_take_line(&text, &line)) return "the last line of the trust policy has no end";
    const char *wrong = read_line(line, crypto, parties, &has_quorum);
    if (wrong) return wrong;
  }
  if (!has_quorum) return "the trust policy has no quorum line";
  if (parties->log_count == 0) return "the trust policy names no log";
  parties->witnesses = find_node(parties, (doorsill_span){(const uint8_t *)"witnesses", 9});
  parties->approvers = find_node(parties, (doorsill_span){(const uint8_t *)"approvers", 9});
  if (parties->witnesses != DOORSILL_NO_NODE && parties->approvers != DOORSILL_NO_NODE &&
      (is_inside(parties, parties->witnesses, parties->approvers) ||
       is_inside(parties, parties->approvers, parties->witnesses)))
    return "of the groups `witnesses` and `approvers` one stands inside the other";
  return NULL;
}

void doorsill_satisfied(const doorsill_parties *parties, uint64_t cosigners,
                        uint8_t satisfied[DOORSILL_MAX_NODES]) {
  uint32_t signed_members[DOORSILL_MAX_NODES] = {0};
  for (int i = 0; i < parties->node_count; i++) { /* members stand before their group */
    const doorsill_node *node = &parties->nodes[i];
    satisfied[i] =
        node->needs ? signed_members[i] >= node->needs : (uint8_t)(cosigners >> node->witness & 1);
    if (satisfied[i] && node->parent != DOORSILL_NO_NODE) signed_members[node->parent]++;
  }
}
