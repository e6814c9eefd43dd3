/* doorsill as a Node module: lists are opened here, pictures screened in job.c.
 *
 * index.js is what a host calls; it checks arguments in words. This side checks them once more, as
 * far as memory goes. Node's own crypto brings the primitives for signed lists. */
#include <stdlib.h>
#include <string.h>

#include "values.h"

/* What an external of `open` holds: the list, and the private bytes that it stands on. */
typedef struct opened {
  doorsill_list *list;
  uint8_t *data;
} opened;

static const napi_type_tag list_tag = {0xd00a511100000001, 0x6c697374};

doorsill_list *list_of(napi_env env, napi_value value) {
  bool is_list = false;
  void *found = NULL;
  if (napi_check_object_type_tag(env, value, &list_tag, &is_list) != napi_ok || !is_list ||
      napi_unwrap(env, value, &found) != napi_ok)
    return NULL;
  return ((opened *)found)->list;
}

static void close_list(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  opened *o = data;
  doorsill_list_close(o->list);
  free(o->data);
  free(o);
}

/* --- Signed lists: the primitives are functions of JavaScript, called while `open` runs --- */

typedef struct primitives {
  napi_env env;
  napi_value sha256; /* (data) => Buffer of 32 bytes */
  napi_value verify; /* (key, message, signature) => boolean */
} primitives;

static napi_value copied(napi_env env, const uint8_t *data, size_t size) {
  napi_value made = NULL;
  napi_create_buffer_copy(env, size, data, NULL, &made);
  return made;
}

/* NULL, and no exception left, where the function throws: an answer that is missing is a no. */
static napi_value call(const primitives *p, napi_value function, size_t count, napi_value *values) {
  napi_value self, result = NULL;
  napi_get_undefined(p->env, &self);
  if (napi_call_function(p->env, self, function, count, values, &result) == napi_ok) return result;
  napi_get_and_clear_last_exception(p->env, &result);
  return NULL;
}

static int sha256(void *context, const uint8_t *data, size_t size, uint8_t *digest) {
  const primitives *p = context;
  napi_handle_scope scope;
  if (napi_open_handle_scope(p->env, &scope) != napi_ok) return 0;
  napi_value values[] = {copied(p->env, data, size)};
  napi_value result = call(p, p->sha256, 1, values);
  const uint8_t *made = NULL;
  size_t length = 0;
  const int good = result && bytes_of(p->env, result, &made, &length) && length == 32;
  if (good) memcpy(digest, made, 32);
  napi_close_handle_scope(p->env, scope);
  return good;
}

static int verify(void *context, const uint8_t *key, const uint8_t *message, size_t size,
                  const uint8_t *signature) {
  const primitives *p = context;
  napi_handle_scope scope;
  if (napi_open_handle_scope(p->env, &scope) != napi_ok) return 0;
  napi_value values[] = {copied(p->env, key, 32), copied(p->env, message, size),
                         copied(p->env, signature, 64)};
  napi_value result = call(p, p->verify, 3, values);
  bool good = false;
  if (!result || napi_get_value_bool(p->env, result, &good) != napi_ok) good = false;
  napi_close_handle_scope(p->env, scope);
  return good;
}

/* Checks that the list is a release of those whom `trust` ({policy, tier, proof, now, sha256,
 * verify}) names; now is 0 for one that came with the app. */
static doorsill_status check_release(napi_env env, napi_value trust, const opened *o, size_t size,
                                     uint32_t *tier, const char **detail) {
  primitives p = {env, NULL, NULL};
  const uint8_t *policy = NULL, *proof = NULL;
  size_t policy_size = 0, proof_size = 0;
  double least = 0, now = 0;
  if (!get_bytes(env, trust, "policy", &policy, &policy_size) ||
      !get_bytes(env, trust, "proof", &proof, &proof_size) ||
      !get_number(env, trust, "tier", &least) || !(least >= 0 && least <= 3) ||
      !get_number(env, trust, "now", &now) || !(now >= 0 && now < 1e15) ||
      napi_get_named_property(env, trust, "sha256", &p.sha256) != napi_ok ||
      napi_get_named_property(env, trust, "verify", &p.verify) != napi_ok)
    return DOORSILL_BAD_ARGUMENT;
  const doorsill_trust asked = {(const char *)policy, policy_size, (uint32_t)least};
  const doorsill_crypto crypto = {sha256, verify, &p};
  doorsill_release release;
  const doorsill_status status = doorsill_release_check(
      &asked, proof, proof_size, o->data, size, NULL, (uint64_t)now, &crypto, &release, detail);
  if (status == DOORSILL_OK) *tier = release.tier;
  return status;
}

static napi_value described(napi_env env, const doorsill_list *list, uint32_t tier) {
  doorsill_list_info info;
  size_t length = 0;
  napi_value made;
  doorsill_list_describe(list, &info);
  napi_create_object(env, &made);
  const char *name = doorsill_list_text(list, DOORSILL_TEXT_LIST, 0, "en", &length);
  put(env, made, "name", text(env, name ? name : "unnamed list", name ? length : NAPI_AUTO_LENGTH));
  put(env, made, "entries", number(env, info.entries - info.test_entries));
  napi_value epoch, demo;
  napi_create_double(env, (double)info.epoch, &epoch);
  napi_get_boolean(env, info.flags & DOORSILL_LIST_DEMO, &demo);
  put(env, made, "epoch", epoch);
  put(env, made, "demo", demo);
  put(env, made, "tier", number(env, tier));
  return made;
}

/* open(bytes, trust or null): an object that `screen` takes, which says what the list is. */
static napi_value open_list(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2, size = 0;
  const uint8_t *data = NULL;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count != 2 ||
      !bytes_of(env, values[0], &data, &size))
    return refuse(env, "open takes the bytes of a list and what they are trusted by");
  opened *o = calloc(1, sizeof *o);
  if (o) o->data = malloc(size ? size : 1);
  if (!o || !o->data) {
    free(o);
    napi_throw(env, error_of(env, DOORSILL_NO_MEMORY, NULL));
    return NULL;
  }
  if (size) memcpy(o->data, data, size); /* JavaScript could change its own */
  const char *detail = NULL;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, values[1], &type);
  uint32_t tier = DOORSILL_UNSIGNED;
  doorsill_status status = DOORSILL_OK;
  if (type != napi_null) status = check_release(env, values[1], o, size, &tier, &detail);
  if (status == DOORSILL_OK) status = doorsill_list_open(o->data, size, &o->list, &detail);
  napi_value made = status == DOORSILL_OK ? described(env, o->list, tier) : NULL;
  if (made && napi_wrap(env, made, o, close_list, NULL, NULL) == napi_ok) {
    napi_type_tag_object(env, made, &list_tag);
    return made;
  }
  close_list(env, o, NULL);
  napi_throw(env, error_of(env, status == DOORSILL_OK ? DOORSILL_NO_MEMORY : status, detail));
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"open", NULL, open_list, NULL, NULL, NULL, napi_enumerable, NULL},
      {"screen", NULL, screen, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  put(env, exports, "version", text(env, doorsill_version(), NAPI_AUTO_LENGTH));
  return exports;
}
