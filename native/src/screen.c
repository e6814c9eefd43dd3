/* Screening: hash the views, search the lists, weigh the evidence, decide.
 *
 * Every host language gets its verdict from here. Each find is weighed at once and only the
 * strongest DOORSILL_MAX_MATCHES entries are kept, so that neither a list full of
 * near-duplicates nor a picture with many frames needs memory, and no flood of mild matches
 * can push out the one that blocks. */
#include <string.h>

#include "list.h"

enum {
  PDQ_LIMIT = 31, /* the distance that Meta's PDQ paper recommends for a match */
  MAX_MODELS = 16 /* by which a host hashes; if more, the rest are looked for in the views */
};

/* What is being screened, handed down to the callbacks of a scan. */
typedef struct screening {
  const doorsill_list *const *lists;
  const doorsill_policy *policy;
  doorsill_verdict *verdict;
  int hashable; /* some view could be compared, or no list has hashes to compare with */
  /* Where the search stands now. */
  uint32_t list;
  uint32_t view;
  uint8_t hasher;
  uint8_t ground;
  uint8_t first_profile;
  const doorsill_view *codes; /* the view's neural codes */
  int has_opinion;            /* and what they say of the entry that PDQ found last */
  uint8_t opinion;
  uint32_t asked_of;
  const doorsill_view *views; /* all of the picture's */
  size_t view_count;
  const doorsill_code *models[MAX_MODELS]; /* a code of each model that any view was hashed by */
  size_t model_count;                      /* beyond MAX_MODELS if there are more */
} screening;

void doorsill_policy_default(doorsill_policy *policy) {
  static const doorsill_policy usual = {
      {DOORSILL_SEND, DOORSILL_WARN, DOORSILL_WARN, DOORSILL_BLOCK, DOORSILL_WARN, DOORSILL_BLOCK},
      {DOORSILL_SEND, DOORSILL_SEND, DOORSILL_SEND, DOORSILL_WARN, DOORSILL_SEND},
      PDQ_LIMIT,
      NULL,
      0,
  };
  *policy = usual;
}

/* --- Weighing --- */

static int is_quenched(const doorsill_policy *policy, const uint8_t *id) {
  size_t low = 0, high = policy->quenched_count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = memcmp(policy->quenched + DOORSILL_ID_BYTES * middle, id, DOORSILL_ID_BYTES);
    if (order == 0) return 1;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return 0;
}

static int is_stronger(const doorsill_match *a, const doorsill_match *b) {
  if (a->action != b->action) return a->action > b->action;
  if (a->evidence != b->evidence) return a->evidence > b->evidence;
  if (a->distance != b->distance) return a->distance < b->distance;
  if (a->list != b->list) return a->list < b->list;
  return a->entry < b->entry;
}

/* Puts a match in its place among the strongest, one for each entry. */
static void keep(doorsill_verdict *verdict, const doorsill_match *match) {
  doorsill_match *matches = verdict->matches;
  uint32_t at = verdict->match_count;
  for (uint32_t i = 0; i < verdict->match_count; i++) {
    if (matches[i].entry != match->entry || matches[i].list != match->list) continue;
    if (!is_stronger(match, &matches[i])) return;
    at = i;
    break;
  }
  if (at == DOORSILL_MAX_MATCHES) {
    if (!is_stronger(match, &matches[--at])) return;
  } else if (at == verdict->match_count) {
    verdict->match_count++;
  }
  for (; at && is_stronger(match, &matches[at - 1]); at--) matches[at] = matches[at - 1];
  matches[at] = *match;
}

/* Weighs one find, which leads to *most* at the most. */
static void weigh(screening *s, doorsill_match *match, uint8_t most) {
  doorsill_entry entry;
  if (doorsill_list_entry(s->lists[s->list], match->entry, &entry) != DOORSILL_OK) return;
  if (is_quenched(s->policy, entry.id)) return;
  match->list = s->list;
  match->view = s->view;
  match->action = s->policy->on_evidence[match->evidence];
  /* A publisher may lower, never raise. */
  if ((entry.flags & (DOORSILL_ENTRY_SEED | DOORSILL_ENTRY_WARN)) && match->action > DOORSILL_WARN)
    match->action = DOORSILL_WARN;
  if (match->action > most) match->action = most;
  keep(s->verdict, match);
}

/* --- Digests --- */

static const uint8_t *digest_of(const doorsill_digests *digests, uint32_t kind) {
  return kind == DOORSILL_SHA256 ? digests->sha256
         : kind == DOORSILL_SHA1 ? digests->sha1
                                 : digests->md5;
}

static uint32_t owner_of(const doorsill_list *list, uint32_t kind, uint32_t row) {
  return doorsill_u32(list->digest_entries[kind].data + 4 * (size_t)row);
}

/* Whether an entry has this digest: of one digest the entries stand in their order. */
static int has_digest(const doorsill_list *list, uint32_t kind, const uint8_t *key,
                      uint32_t entry) {
  uint32_t low = doorsill_first_digest(list, kind, key), high = list->info.digests[kind];
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (doorsill_is_digest(list, kind, middle, key) && owner_of(list, kind, middle) < entry)
      low = middle + 1;
    else
      high = middle;
  }
  return doorsill_is_digest(list, kind, low, key) && owner_of(list, kind, low) == entry;
}

/* Which digests of an entry equal the file's, as DOORSILL_VIA_* bits. */
static uint16_t equal_digests(const doorsill_list *list, const doorsill_digests *digests,
                              uint32_t entry) {
  uint16_t via = 0;
  for (uint32_t kind = 0; kind < DOORSILL_DIGESTS; kind++)
    if (has_digest(list, kind, digest_of(digests, kind), entry))
      via |= (uint16_t)(DOORSILL_VIA_SHA256 << kind);
  return via;
}

/* md5 and sha1 can each be forged to collide; both at once, for one entry, cannot. */
static uint8_t digest_evidence(uint16_t via) {
  const int both = (via & DOORSILL_VIA_SHA1) && (via & DOORSILL_VIA_MD5);
  return (via & DOORSILL_VIA_SHA256) || both ? DOORSILL_EXACT : DOORSILL_SINGLE;
}

static void screen_digests(screening *s, const doorsill_digests *digests) {
  const doorsill_list *list = s->lists[s->list];
  for (uint32_t kind = 0; kind < DOORSILL_DIGESTS; kind++) {
    const uint8_t *key = digest_of(digests, kind);
    uint32_t row = doorsill_first_digest(list, kind, key);
    for (; doorsill_is_digest(list, kind, row, key); row++) {
      doorsill_match match = {0};
      match.entry = owner_of(list, kind, row);
      match.via = equal_digests(list, digests, match.entry);
      match.evidence = digest_evidence(match.via);
      match.hasher = DOORSILL_NO_HASHER;
      weigh(s, &match, DOORSILL_BLOCK);
    }
  }
}

/* --- Hashes --- */

static int is_by(const doorsill_code *code, const uint8_t *model, uint32_t width) {
  return code->width == width && memcmp(code->model, model, sizeof code->model) == 0;
}

static const doorsill_code *code_for(const doorsill_view *view, const doorsill_hasher_info *info) {
  for (size_t i = 0; i < view->code_count; i++)
    if (is_by(&view->codes[i], info->model, info->width)) return &view->codes[i];
  return NULL;
}

/* The greatest distance at which a neural hash agrees with PDQ on an entry: a quarter of the way
 * from a match to chance. To find an entry alone it must meet no stranger among millions; asked
 * about the one entry that PDQ found, it has only to tell two pictures apart, and must not disown a
 * mild edit. */
static uint32_t agreement(const doorsill_hasher_info *info) {
  uint32_t chance = info->width / 2;
  return info->limit + (chance - info->limit) / 4;
}

/* What the neural hashes say of an entry that PDQ found. */
static uint8_t second_opinion(const screening *s, uint32_t entry) {
  const doorsill_list *list = s->lists[s->list];
  uint8_t evidence = DOORSILL_SINGLE;
  for (uint32_t h = 0; h < list->info.hashers; h++) {
    const doorsill_rows *rows = &list->rows[h];
    const doorsill_code *code = rows->is_pdq ? NULL : code_for(s->codes, &rows->info);
    if (!code) continue;
    for (uint32_t row = doorsill_first_row(rows, entry);
         row < rows->info.rows && doorsill_row_entry(rows, row) == entry; row++) {
      if (doorsill_row_distance(rows, code->bytes, row) <= agreement(&rows->info))
        return DOORSILL_AGREED;
      evidence = DOORSILL_CONTRADICTED;
    }
  }
  return evidence;
}

/* Notes by which models any view was hashed, once: hits are many, and so are views. */
static void note_models(screening *s) {
  for (size_t i = 0; i < s->view_count; i++)
    for (size_t k = 0; k < s->views[i].code_count && s->model_count <= MAX_MODELS; k++) {
      const doorsill_code *code = &s->views[i].codes[k];
      size_t known = 0;
      while (known < s->model_count && !is_by(s->models[known], code->model, code->width)) known++;
      if (known < s->model_count) continue;
      if (known < MAX_MODELS) s->models[known] = code;
      s->model_count++;
    }
}

/* Whether any view was hashed by this hasher. */
static int is_coded(const screening *s, const doorsill_hasher_info *info) {
  for (size_t i = 0; i < s->model_count && i < MAX_MODELS; i++)
    if (is_by(s->models[i], info->model, info->width)) return 1;
  if (s->model_count > MAX_MODELS)
    for (size_t i = 0; i < s->view_count; i++)
      if (code_for(&s->views[i], info)) return 1;
  return 0;
}

/* Whether the host hashed other views of the picture by a second hasher that the entry has, and
 * this one not: hosts do so for the first views alone. */
static int was_spared(const screening *s, uint32_t entry) {
  const doorsill_list *list = s->lists[s->list];
  for (uint32_t h = 0; h < list->info.hashers; h++) {
    const doorsill_rows *rows = &list->rows[h];
    if (rows->is_pdq || !is_coded(s, &rows->info)) continue;
    const uint32_t row = doorsill_first_row(rows, entry);
    if (row < rows->info.rows && doorsill_row_entry(rows, row) == entry) return 1;
  }
  return 0;
}

static void on_pdq_hit(void *context, uint32_t row, uint32_t query, uint32_t distance) {
  screening *s = context;
  doorsill_match match = {0};
  match.entry = doorsill_row_entry(&s->lists[s->list]->rows[s->hasher], row);
  if (!s->has_opinion || s->asked_of != match.entry) { /* an entry's rows come one after another */
    s->opinion = second_opinion(s, match.entry);
    s->asked_of = match.entry;
    s->has_opinion = 1;
  }
  match.evidence = s->opinion;
  match.distance = (uint16_t)distance;
  match.hasher = s->hasher;
  match.profile = (uint8_t)(s->first_profile + query / DOORSILL_ORIENTATIONS);
  match.orientation = (uint8_t)(query % DOORSILL_ORIENTATIONS);
  match.ground = s->ground;
  /* Else a picture made to meet an entry by PDQ alone would do more harm as a late frame. */
  const int spared = match.evidence == DOORSILL_SINGLE && was_spared(s, match.entry);
  weigh(s, &match, spared ? s->policy->on_evidence[DOORSILL_AGREED] : DOORSILL_BLOCK);
}

/* Where PDQ found the same entry in this view, it has been kept as AGREED already. */
static void on_neural_hit(void *context, uint32_t row, uint32_t query, uint32_t distance) {
  screening *s = context;
  doorsill_match match = {0};
  (void)query;
  match.entry = doorsill_row_entry(&s->lists[s->list]->rows[s->hasher], row);
  match.evidence = DOORSILL_NEURAL_ONLY;
  match.distance = (uint16_t)distance;
  match.hasher = s->hasher;
  weigh(s, &match, DOORSILL_BLOCK);
}

/* Searches one section with a PDQ in every orientation and profile that it may hold. */
static void search_pdq(screening *s, const doorsill_rows *rows, const doorsill_pdq *pdq) {
  uint8_t queries[DOORSILL_MAX_QUERIES * DOORSILL_PDQ_BYTES];
  const uint8_t *hashes[DOORSILL_PROFILES];
  size_t profiles = 0;
  for (uint8_t profile = 0; profile < DOORSILL_PROFILES; profile++) {
    if (rows->info.profile != DOORSILL_UNKNOWN && rows->info.profile != profile) continue;
    if (pdq->quality[profile] < rows->info.quality) continue;
    if (profiles == 0) s->first_profile = profile;
    hashes[profiles++] = pdq->hash[profile][0];
  }
  for (size_t i = 0; i < profiles * DOORSILL_ORIENTATIONS; i++) {
    uint8_t *query = queries + DOORSILL_PDQ_BYTES * i;
    doorsill_pdq_planes(
        hashes[i / DOORSILL_ORIENTATIONS] + DOORSILL_PDQ_BYTES * (i % DOORSILL_ORIENTATIONS), 1,
        query, query + DOORSILL_PLANE_BYTES);
  }
  const uint32_t limit =
      rows->info.limit < s->policy->pdq_limit ? rows->info.limit : s->policy->pdq_limit;
  if (profiles == 0) return;
  s->hashable = 1;
  s->has_opinion = 0;
  doorsill_scan(rows, queries, profiles * DOORSILL_ORIENTATIONS, limit, on_pdq_hit, s);
  doorsill_wipe(queries, sizeof queries);
}

static void search_lists(screening *s, size_t list_count, const doorsill_pdq *pdq) {
  for (int profile = 0; profile < DOORSILL_PROFILES; profile++)
    if (pdq->quality[profile] > s->verdict->quality) s->verdict->quality = pdq->quality[profile];
  s->verdict->views++;
  for (s->list = 0; s->list < list_count; s->list++) {
    const doorsill_list *list = s->lists[s->list];
    for (s->hasher = 0; s->hasher < list->info.hashers; s->hasher++) {
      const doorsill_rows *rows = &list->rows[s->hasher];
      const doorsill_code *code = rows->is_pdq ? NULL : code_for(s->codes, &rows->info);
      if (rows->is_pdq) search_pdq(s, rows, pdq);
      if (!code) continue;
      s->hashable = 1;
      doorsill_scan(rows, code->bytes, 1, rows->info.limit, on_neural_hit, s);
    }
  }
}

/* --- Views --- */

static doorsill_status screen_view(screening *s, size_t list_count, const doorsill_view *view,
                                   void *workspace, size_t size) {
  s->codes = view;
  s->ground = DOORSILL_WHITE;
  if (view->pdq) {
    search_lists(s, list_count, view->pdq);
    return DOORSILL_OK;
  }
  doorsill_pdq pdq;
  doorsill_status status = DOORSILL_OK;
  for (;;) {
    status = doorsill_pdq_hash(view->pixels, s->ground, workspace, size, &pdq);
    if (status != DOORSILL_OK) break;
    search_lists(s, list_count, &pdq);
    if (s->ground == DOORSILL_ALPHA_IGNORED || !doorsill_sees_through(view->pixels)) break;
    s->ground++;
  }
  doorsill_wipe(&pdq, sizeof pdq);
  return status;
}

size_t doorsill_workspace(const doorsill_view *views, size_t view_count) {
  size_t most = 0;
  for (size_t i = 0; i < view_count; i++) {
    if (views[i].pdq || !views[i].pixels) continue;
    const size_t size = doorsill_pdq_workspace(views[i].pixels->width, views[i].pixels->height);
    if (size > most) most = size;
  }
  return most;
}

/* --- Deciding --- */

static int has_hashes(const doorsill_list *const *lists, size_t list_count) {
  for (size_t i = 0; i < list_count; i++)
    if (lists[i]->info.hashers) return 1;
  return 0;
}

static void decide(const screening *s, uint32_t reading) {
  doorsill_verdict *verdict = s->verdict;
  if (verdict->match_count)
    verdict->outcome = DOORSILL_MATCH;
  else if (reading == DOORSILL_READ_PARTLY)
    verdict->outcome = DOORSILL_UNREADABLE;
  else if (reading == DOORSILL_NOT_A_PICTURE)
    verdict->outcome = DOORSILL_OUT_OF_SCOPE;
  else
    verdict->outcome = s->hashable ? DOORSILL_CLEAR : DOORSILL_UNHASHABLE;
  if (verdict->outcome != DOORSILL_MATCH) {
    verdict->action = s->policy->on_outcome[verdict->outcome];
    return;
  }
  verdict->action = verdict->matches[0].action;
  verdict->evidence = verdict->matches[0].evidence;
  const uint8_t unread = s->policy->on_outcome[DOORSILL_UNREADABLE];
  if (reading == DOORSILL_READ_PARTLY && unread > verdict->action) verdict->action = unread;
}

static int is_valid_policy(const doorsill_policy *policy) {
  if (!policy || (policy->quenched_count && !policy->quenched)) return 0;
  for (size_t i = 0; i < sizeof policy->on_evidence; i++)
    if (policy->on_evidence[i] > DOORSILL_BLOCK) return 0;
  for (size_t i = 0; i < sizeof policy->on_outcome; i++)
    if (policy->on_outcome[i] > DOORSILL_BLOCK) return 0;
  return policy->pdq_limit <= DOORSILL_PDQ_BYTES * 8 / 4;
}

static int is_valid_view(const doorsill_view *view) {
  if ((!view->pdq && !view->pixels) || (view->code_count && !view->codes)) return 0;
  for (size_t i = 0; i < view->code_count; i++)
    if (view->codes[i].width > DOORSILL_MAX_WIDTH) return 0;
  return 1;
}

doorsill_status doorsill_screen(const doorsill_list *const *lists, size_t list_count,
                                const doorsill_view *views, size_t view_count,
                                const doorsill_digests *digests, size_t digest_count,
                                uint32_t reading, const doorsill_policy *policy, void *workspace,
                                size_t size, doorsill_verdict *verdict) {
  if (!list_count || !lists || (view_count && !views) || (digest_count && !digests) ||
      view_count > DOORSILL_MAX_VIEWS || reading > DOORSILL_NOT_A_PICTURE ||
      !is_valid_policy(policy) || !verdict)
    return DOORSILL_BAD_ARGUMENT;
  for (size_t i = 0; i < list_count; i++)
    if (!lists[i]) return DOORSILL_BAD_ARGUMENT;
  for (size_t i = 0; i < view_count; i++)
    if (!is_valid_view(&views[i])) return DOORSILL_BAD_ARGUMENT;
  doorsill_verdict result = {0};
  screening s = {0};
  s.lists = lists;
  s.policy = policy;
  s.verdict = &result;
  s.views = views;
  s.view_count = view_count;
  s.hashable = !has_hashes(lists, list_count);
  note_models(&s);
  for (s.list = 0; s.list < list_count; s.list++)
    for (size_t i = 0; i < digest_count; i++) screen_digests(&s, &digests[i]);
  for (s.view = 0; s.view < view_count; s.view++) {
    const doorsill_status status = screen_view(&s, list_count, &views[s.view], workspace, size);
    if (status != DOORSILL_OK) return status;
  }
  decide(&s, reading);
  *verdict = result;
  return DOORSILL_OK;
}

/* Whether a verdict on the test card is what a list's card must give: found, and by no hash denied.
 */
static int is_card(const doorsill_list *list, const doorsill_verdict *verdict) {
  int found = 0;
  for (uint32_t i = 0; i < verdict->match_count; i++) {
    const doorsill_match *match = &verdict->matches[i];
    doorsill_entry entry;
    if (doorsill_list_entry(list, match->entry, &entry) != DOORSILL_OK) continue;
    if (!(entry.flags & DOORSILL_ENTRY_TEST)) continue;
    if (match->evidence == DOORSILL_CONTRADICTED) return 0;
    found = 1;
  }
  return found;
}

doorsill_status doorsill_self_test(const doorsill_list *const *lists, size_t list_count,
                                   const doorsill_view *card, const doorsill_policy *policy,
                                   void *workspace, size_t size) {
  if (!card) return DOORSILL_BAD_ARGUMENT;
  int wired = list_count > 0;
  for (size_t i = 0; i < list_count; i++) {
    doorsill_verdict verdict;
    const doorsill_status status =
        doorsill_screen(lists ? lists + i : NULL, 1, card, 1, NULL, 0, DOORSILL_READ_WHOLE, policy,
                        workspace, size, &verdict);
    if (status != DOORSILL_OK) return status;
    wired &= is_card(lists[i], &verdict);
  }
  return wired ? DOORSILL_OK : DOORSILL_NOT_WIRED;
}
