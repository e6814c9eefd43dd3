/* One screening: arguments are read on JavaScript's thread, pixels hashed and lists searched on a
 * thread of libuv's pool, and the verdict handed over on JavaScript's thread again. */
#include <stdlib.h>
#include <string.h>

#include "values.h"

enum { GROUNDS = DOORSILL_ALPHA_IGNORED + 1, DIGEST_BYTES = sizeof(doorsill_digests) };

typedef struct job {
  /* Filled from the arguments. `keep` holds the arguments themselves, and so all pixels. */
  napi_ref keep;
  const doorsill_list **lists;
  doorsill_pixels *pixels;
  doorsill_digests *digests;
  uint32_t list_count, pixel_count, digest_count;
  uint32_t reading;
  doorsill_policy policy;
  const uint8_t *cancelled; /* one byte of JavaScript's, not 0 once nobody waits any more */
  bool is_card;
  /* Made on the other thread: a view for each picture over each ground that makes a difference. */
  doorsill_pdq *hashes;
  doorsill_view *views;
  uint32_t *pixels_of; /* the view's picture, */
  uint8_t *ground_of;  /* and its ground */
  uint32_t view_count;
  doorsill_status status;
  bool stopped;
  doorsill_verdict verdict;
  napi_async_work work;
  napi_deferred deferred;
} job;

/* Hashes of what a person would send do not stay in memory; volatile, so that this stays. */
static void wipe(doorsill_pdq *hashes, size_t count) {
  volatile uint8_t *byte = (volatile uint8_t *)hashes;
  for (size_t left = count * sizeof *hashes; left; left--) *byte++ = 0;
}

static void free_job(napi_env env, job *j) {
  if (j->hashes) wipe(j->hashes, (size_t)j->pixel_count * GROUNDS);
  if (j->work) napi_delete_async_work(env, j->work);
  if (j->keep) napi_delete_reference(env, j->keep);
  free(j->lists);
  free(j->pixels);
  free(j->digests);
  free(j->hashes);
  free(j->views);
  free(j->pixels_of);
  free(j->ground_of);
  free(j);
}

/* --- Arguments --- */

/* calloc of at least one, so that NULL always means that there is no memory. */
static void *zeros(size_t count, size_t size) { return calloc(count ? count : 1, size); }

static uint32_t bytes_a_pixel(uint32_t format) {
  static const uint8_t bytes[] = {0, 1, 3, 4, 4, 4, 4, 2};
  return format < sizeof bytes ? bytes[format] : 0;
}

/* Whether all rows lie within the bytes; a negative stride begins with the last row. */
static bool read_pixels(napi_env env, napi_value value, doorsill_pixels *pixels) {
  const uint8_t *data;
  size_t size;
  double width, height, format, stride;
  if (!get_bytes(env, value, "data", &data, &size) || !get_number(env, value, "width", &width) ||
      !get_number(env, value, "height", &height) || !get_number(env, value, "format", &format) ||
      !get_number(env, value, "stride", &stride))
    return false;
  if (!(width >= 1 && width <= DOORSILL_MAX_SIDE && height >= 1 && height <= DOORSILL_MAX_SIDE &&
        format >= DOORSILL_GRAY && format <= DOORSILL_GRAY16 && stride >= -1e9 && stride <= 1e9))
    return false;
  *pixels = (doorsill_pixels){data, (ptrdiff_t)stride, (uint32_t)width, (uint32_t)height,
                              (uint32_t)format};
  const size_t line = (size_t)pixels->width * bytes_a_pixel(pixels->format);
  const size_t step = (size_t)(pixels->stride < 0 ? -pixels->stride : pixels->stride);
  const size_t all = step * (pixels->height - 1) + line;
  if (step < line || all > size) return false;
  if (pixels->stride < 0) pixels->data += step * (pixels->height - 1);
  return true;
}

static bool read_policy(napi_env env, napi_value value, doorsill_policy *policy) {
  const uint8_t *evidence, *outcome;
  size_t evidence_size, outcome_size, quenched_size;
  double limit;
  if (!get_bytes(env, value, "onEvidence", &evidence, &evidence_size) ||
      !get_bytes(env, value, "onOutcome", &outcome, &outcome_size) ||
      !get_bytes(env, value, "quenched", &policy->quenched, &quenched_size) ||
      !get_number(env, value, "pdqLimit", &limit) || evidence_size != sizeof policy->on_evidence ||
      outcome_size != sizeof policy->on_outcome || !(limit >= 0 && limit <= UINT16_MAX))
    return false;
  memcpy(policy->on_evidence, evidence, evidence_size);
  memcpy(policy->on_outcome, outcome, outcome_size);
  policy->pdq_limit = (uint16_t)limit;
  policy->quenched_count = quenched_size / DOORSILL_ID_BYTES;
  return true;
}

static bool read_arguments(napi_env env, job *j, const napi_value *values) {
  napi_value each;
  const uint8_t *data;
  size_t size;
  if (napi_get_array_length(env, values[0], &j->list_count) != napi_ok ||
      napi_get_array_length(env, values[1], &j->pixel_count) != napi_ok ||
      napi_get_array_length(env, values[2], &j->digest_count) != napi_ok ||
      j->pixel_count > DOORSILL_MAX_VIEWS / GROUNDS)
    return false;
  j->lists = zeros(j->list_count, sizeof *j->lists);
  j->pixels = zeros(j->pixel_count, sizeof *j->pixels);
  j->digests = zeros(j->digest_count, sizeof *j->digests);
  if (!j->lists || !j->pixels || !j->digests) return false;
  for (uint32_t i = 0; i < j->list_count; i++)
    if (napi_get_element(env, values[0], i, &each) != napi_ok ||
        !(j->lists[i] = list_of(env, each)))
      return false;
  for (uint32_t i = 0; i < j->pixel_count; i++)
    if (napi_get_element(env, values[1], i, &each) != napi_ok ||
        !read_pixels(env, each, &j->pixels[i]))
      return false;
  for (uint32_t i = 0; i < j->digest_count; i++) {
    if (napi_get_element(env, values[2], i, &each) != napi_ok ||
        !bytes_of(env, each, &data, &size) || size != DIGEST_BYTES)
      return false;
    memcpy(&j->digests[i], data, DIGEST_BYTES);
  }
  return napi_get_value_uint32(env, values[3], &j->reading) == napi_ok &&
         read_policy(env, values[4], &j->policy) &&
         bytes_of(env, values[5], &j->cancelled, &size) && size >= 1 &&
         napi_get_value_bool(env, values[6], &j->is_card) == napi_ok;
}

/* --- On the other thread --- */

static bool is_cancelled(const job *j) { return *(const volatile uint8_t *)j->cancelled != 0; }

/* Makes the views of one picture. Pixels with alpha are hashed over every ground, and grounds that
 * change nothing are left out: where nothing is transparent, all of them. */
static doorsill_status hash_pixels(job *j, uint32_t picture, void *workspace, size_t size) {
  const doorsill_pixels *pixels = &j->pixels[picture];
  const bool alpha = pixels->format == DOORSILL_RGBA || pixels->format == DOORSILL_BGRA;
  const uint32_t first = j->view_count;
  for (uint8_t ground = 0; ground < (alpha ? GROUNDS : 1) && !is_cancelled(j); ground++) {
    doorsill_pdq *pdq = &j->hashes[j->view_count];
    const doorsill_status status = doorsill_pdq_hash(pixels, ground, workspace, size, pdq);
    if (status != DOORSILL_OK) return status;
    if (ground && memcmp(pdq, &j->hashes[first], sizeof *pdq) == 0) continue;
    j->views[j->view_count] = (doorsill_view){.pdq = pdq};
    j->pixels_of[j->view_count] = picture;
    j->ground_of[j->view_count++] = ground;
  }
  return DOORSILL_OK;
}

static doorsill_status hash_all(job *j) {
  size_t size = 0;
  for (uint32_t i = 0; i < j->pixel_count; i++) {
    const size_t needed = doorsill_pdq_workspace(j->pixels[i].width, j->pixels[i].height);
    if (needed > size) size = needed;
  }
  void *workspace = malloc(size ? size : 1);
  const size_t most = (size_t)j->pixel_count * GROUNDS;
  j->hashes = zeros(most, sizeof *j->hashes);
  j->views = zeros(most, sizeof *j->views);
  j->pixels_of = zeros(most, sizeof *j->pixels_of);
  j->ground_of = zeros(most, sizeof *j->ground_of);
  doorsill_status status = DOORSILL_NO_MEMORY;
  if (workspace && j->hashes && j->views && j->pixels_of && j->ground_of) status = DOORSILL_OK;
  for (uint32_t i = 0; i < j->pixel_count && status == DOORSILL_OK && !is_cancelled(j); i++)
    status = hash_pixels(j, i, workspace, size);
  free(workspace);
  return status;
}

static void execute(napi_env env, void *data) {
  (void)env;
  job *j = data;
  j->status = hash_all(j);
  j->stopped = is_cancelled(j);
  if (j->status != DOORSILL_OK || j->stopped) return;
  if (j->is_card)
    j->status = doorsill_self_test(j->lists, j->list_count, j->views, &j->policy, NULL, 0);
  if (j->status == DOORSILL_OK)
    j->status = doorsill_screen(j->lists, j->list_count, j->views, j->view_count, j->digests,
                                j->digest_count, j->reading, &j->policy, NULL, 0, &j->verdict);
}

/* --- The verdict --- */

static void put_text(napi_env env, napi_value object, const char *name, const doorsill_list *list,
                     doorsill_text kind, uint32_t key) {
  size_t length = 0;
  const char *words = doorsill_list_text(list, kind, key, "en", &length);
  put(env, object, name, text(env, words, length));
}

static napi_value match_of(napi_env env, const job *j, const doorsill_match *match) {
  static const char hex[] = "0123456789abcdef";
  const doorsill_list *list = j->lists[match->list];
  const bool by_digest = match->hasher == DOORSILL_NO_HASHER;
  doorsill_entry entry = {0};
  doorsill_hasher_info hasher = {0};
  if (doorsill_list_entry(list, match->entry, &entry) != DOORSILL_OK) return NULL;
  if (!by_digest && doorsill_list_hasher(list, match->hasher, &hasher) != DOORSILL_OK) return NULL;
  char id[2 * DOORSILL_ID_BYTES];
  for (size_t i = 0; i < sizeof entry.id; i++) {
    id[2 * i] = hex[entry.id[i] >> 4];
    id[2 * i + 1] = hex[entry.id[i] & 15];
  }
  napi_value made, is_test;
  napi_create_object(env, &made);
  put_text(env, made, "list", list, DOORSILL_TEXT_LIST, 0);
  put(env, made, "entry", text(env, id, sizeof id));
  put_text(env, made, "category", list, DOORSILL_TEXT_CATEGORY, entry.category);
  put_text(env, made, "message", list, DOORSILL_TEXT_MESSAGE, entry.category);
  put_text(env, made, "help", list, DOORSILL_TEXT_HELP, entry.category);
  put_text(env, made, "appeal", list, DOORSILL_TEXT_APPEAL, entry.category);
  put(env, made, "hasher", text(env, by_digest ? "digest" : hasher.name, NAPI_AUTO_LENGTH));
  put(env, made, "distance", number(env, match->distance));
  put(env, made, "profile", number(env, match->profile));
  put(env, made, "evidence", number(env, match->evidence));
  put(env, made, "action", number(env, match->action));
  put(env, made, "view", number(env, by_digest ? 0 : j->pixels_of[match->view]));
  put(env, made, "ground", number(env, by_digest ? 0 : j->ground_of[match->view]));
  napi_get_boolean(env, entry.flags & DOORSILL_ENTRY_TEST, &is_test);
  put(env, made, "test", is_test);
  return made;
}

static napi_value verdict_of(napi_env env, const job *j) {
  const doorsill_verdict *verdict = &j->verdict;
  napi_value made, matches;
  napi_create_object(env, &made);
  put(env, made, "outcome", number(env, verdict->outcome));
  put(env, made, "action", number(env, verdict->action));
  put(env, made, "evidence", number(env, verdict->evidence));
  put(env, made, "reason", text(env, doorsill_verdict_reason(verdict), NAPI_AUTO_LENGTH));
  put(env, made, "quality", number(env, verdict->quality));
  put(env, made, "views", number(env, verdict->views));
  napi_create_array_with_length(env, verdict->match_count, &matches);
  for (uint32_t i = 0; i < verdict->match_count; i++) {
    napi_value match = match_of(env, j, &verdict->matches[i]);
    if (match) napi_set_element(env, matches, i, match);
  }
  put(env, made, "matches", matches);
  return made;
}

static napi_value cancelled(napi_env env) {
  napi_value error = NULL;
  napi_create_error(env, text(env, "DOORSILL_CANCELLED", NAPI_AUTO_LENGTH),
                    text(env, "The screening was cancelled.", NAPI_AUTO_LENGTH), &error);
  return error;
}

static void complete(napi_env env, napi_status work, void *data) {
  job *j = data;
  if (work != napi_ok || j->stopped)
    napi_reject_deferred(env, j->deferred, cancelled(env));
  else if (j->status != DOORSILL_OK)
    napi_reject_deferred(env, j->deferred, error_of(env, j->status, NULL));
  else
    napi_resolve_deferred(env, j->deferred, verdict_of(env, j));
  free_job(env, j);
}

napi_value screen(napi_env env, napi_callback_info info) {
  napi_value values[7], promise, name, kept;
  size_t count = 7;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count != 7)
    return refuse(env, "screen takes seven arguments");
  job *j = zeros(1, sizeof *j);
  if (!j || !read_arguments(env, j, values)) {
    if (j) free_job(env, j);
    return refuse(env, "the views are no pixels, or a list, digest or policy is none");
  }
  name = text(env, "doorsill", NAPI_AUTO_LENGTH);
  if (napi_create_array_with_length(env, 7, &kept) == napi_ok) {
    for (uint32_t i = 0; i < 7; i++) napi_set_element(env, kept, i, values[i]);
    if (napi_create_reference(env, kept, 1, &j->keep) == napi_ok &&
        napi_create_async_work(env, NULL, name, execute, complete, j, &j->work) == napi_ok &&
        napi_create_promise(env, &j->deferred, &promise) == napi_ok) {
      if (napi_queue_async_work(env, j->work) == napi_ok) return promise;
      napi_reject_deferred(env, j->deferred, error_of(env, DOORSILL_NO_MEMORY, NULL));
      free_job(env, j);
      return promise;
    }
  }
  free_job(env, j);
  napi_throw(env, error_of(env, DOORSILL_NO_MEMORY, NULL));
  return NULL;
}
