/* The manifest of a release: what its leaf in the log says. native/FORMAT.md is the law. */
#include <string.h>

#include "proof.h"

static const char *const fixed[] = {
    "doorsill-manifest/v1", "list", "epoch", "sha256", "size", "issued", "use_until", "policy",
    "policy_before"};

/* Takes a line "KEY VALUE" with this key off the text. */
static int take_value(doorsill_span *text, const char *key, doorsill_span *value) {
  doorsill_span rest = *text, line;
  if (!doorsill_take_words(&rest, key) || !doorsill_take_words(&rest, " ")) return 0;
  if (!doorsill_take_line(&rest, &line) || line.size == 0) return 0;
  *value = line;
  *text = rest;
  return 1;
}

static int take_number(doorsill_span *text, const char *key, uint64_t *number) {
  doorsill_span value;
  return take_value(text, key, &value) && doorsill_number(value, number);
}

static int take_digest(doorsill_span *text, const char *key, uint8_t *digest) {
  doorsill_span value;
  return take_value(text, key, &value) && doorsill_hex(value, digest, DOORSILL_HASH);
}

static int take_list(doorsill_span *text, doorsill_release *release) {
  doorsill_span value;
  if (!take_value(text, "list", &value) || value.size >= sizeof release->list) return 0;
  memcpy(release->list, value.at, value.size);
  release->list[value.size] = 0;
  return 1;
}

static int take_policy(doorsill_span *text, doorsill_release *release) {
  doorsill_span value, version;
  return take_value(text, "policy", &value) && doorsill_take_until(&value, ' ', &version) &&
         doorsill_number(version, &release->policy_version) && release->policy_version > 0 &&
         doorsill_hex(value, release->policy, DOORSILL_HASH);
}

/* A fact that this reader only passes by: its key must be a word, and none that came before. */
static int is_fact(doorsill_span line) {
  doorsill_span key;
  if (!doorsill_take_until(&line, ' ', &key) || key.size == 0 || line.size == 0) return 0;
  for (size_t i = 0; i < key.size; i++) {
    const uint8_t c = key.at[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return 0;
  }
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (doorsill_says(key, fixed[i])) return 0;
  return 1;
}

const char *doorsill_read_manifest(doorsill_span text, doorsill_release *release) {
  doorsill_span line;
  memset(release, 0, sizeof *release);
  if (!doorsill_is_text(text, 1)) return "the manifest holds bytes that are no plain text";
  if (!doorsill_take_line(&text, &line) || !doorsill_says(line, fixed[0]))
    return "the manifest does not begin like one; it may be for a newer doorsill";
  if (!take_list(&text, release)) return "the manifest does not say which list it is about";
  if (!take_number(&text, "epoch", &release->epoch) ||
      !take_digest(&text, "sha256", release->sha256) ||
      !take_number(&text, "size", &release->list_bytes))
    return "the manifest does not say which file it is about";
  if (!take_number(&text, "issued", &release->issued) ||
      !take_number(&text, "use_until", &release->use_until))
    return "the manifest does not say from when to when it is good";
  if (!take_policy(&text, release)) return "the manifest does not name its trust policy";
  doorsill_span before = text;
  if (doorsill_take_words(&before, "policy_before ") && /* few releases have one */
      !take_digest(&text, "policy_before", release->policy_before))
    return "the manifest does not name the trust policy that was before";
  while (text.size)
    if (!doorsill_take_line(&text, &line) || !is_fact(line))
      return "a line of the manifest is no fact, or one that came before";
  return NULL;
}
