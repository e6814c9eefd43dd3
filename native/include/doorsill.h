/* doorsill - compare a picture with hash lists on the device, before it is sent.
 *
 * Most hosts need four calls, in this order:
 *
 *     doorsill_list_load    read a hash list from a file
 *     doorsill_workspace    how much scratch memory a picture of this size needs
 *     doorsill_screen       pixels and file digests in, a verdict out
 *     doorsill_list_close
 *
 * and one more before the first, where lists come from a network: doorsill_release_check, who
 * published it, and that everyone gets the same one.
 *
 * The core takes decoded pixels, never encoded images. It opens no socket, starts no
 * thread, prints nothing and asks no clock. Every function may be called from any thread;
 * an open list is read-only and may be shared by all of them.
 *
 * Functions that can fail return a doorsill_status and leave their results untouched then.
 */
#ifndef DOORSILL_H
#define DOORSILL_H

#include <stddef.h>
#include <stdint.h>

/* The version of library, package and documentation, written here and nowhere else. */
#define DOORSILL_VERSION "0.1.0"

#ifndef DOORSILL_API
#if defined(_WIN32) && defined(DOORSILL_SHARED)
#ifdef DOORSILL_BUILD
#define DOORSILL_API __declspec(dllexport)
#else
#define DOORSILL_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define DOORSILL_API __attribute__((visibility("default")))
#else
#define DOORSILL_API
#endif
#endif

/* A check whose answer is thrown away is no check. */
#if defined(__GNUC__)
#define DOORSILL_CHECK __attribute__((warn_unused_result))
#else
#define DOORSILL_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --- What follows, up to the end mark, is also what the Python binding is made from. --- */
/* [cdef] */

typedef enum doorsill_status {
  DOORSILL_OK = 0,
  DOORSILL_BAD_ARGUMENT = 1,    /* a pointer, size or enum value that no correct caller passes */
  DOORSILL_SMALL_WORKSPACE = 2, /* the workspace is smaller than doorsill_workspace says */
  DOORSILL_NO_MEMORY = 3,       /* only doorsill_list_open and doorsill_list_load allocate */
  DOORSILL_NO_FILE = 4,         /* the list file cannot be opened or read, or is no regular one */
  DOORSILL_NOT_A_LIST = 5,      /* the bytes do not begin like a hash list */
  DOORSILL_NEWER_FORMAT = 6,    /* written for a newer reader: update doorsill */
  DOORSILL_DAMAGED_LIST = 7,    /* cut short, or a field contradicts another */
  DOORSILL_BAD_DELTA = 8,       /* no delta, not for this base, cut short, or contradicts itself */
  DOORSILL_BAD_TRUST = 9,       /* the trust policy is no tlog-policy, or cannot show the tier */
  DOORSILL_BAD_PROOF = 10,      /* the proof or its manifest is not well-formed */
  DOORSILL_NOT_TRUSTED = 11,    /* too few of those whom the policy names have signed */
  DOORSILL_OTHER_POLICY = 12,   /* good, but the policy has changed: walk its links first */
  DOORSILL_OTHER_LIST = 13,     /* the list is not the one that the manifest names */
  DOORSILL_ROLLED_BACK = 14,    /* older than what was accepted, or from another branch */
  DOORSILL_STALE = 15,          /* its witnesses' signatures are too old for a new release */
  DOORSILL_NOT_WIRED = 16       /* the test card does not match: claim no protection */
} doorsill_status;

/* One English sentence, static. */
DOORSILL_API const char *doorsill_status_text(doorsill_status status);

/* The version of the library that is running; DOORSILL_VERSION is the header's. */
DOORSILL_API const char *doorsill_version(void);

/* The kernel in use: "portable", "avx2", "avx512" or "neon". The best one that the processor
 * has, or the one named by the environment variable DOORSILL_KERNEL, read once. */
DOORSILL_API const char *doorsill_kernel(void);

/* Changes the kernel for the whole process, for tests and benchmarks.
 * DOORSILL_BAD_ARGUMENT if this processor or build has no kernel of that name. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_use_kernel(const char *name);

/* --- Pixels and their PDQ hash --- */

typedef enum doorsill_format {
  DOORSILL_GRAY = 1, /* 1 byte a pixel */
  DOORSILL_RGB = 2,  /* 3 bytes */
  DOORSILL_RGBX = 3, /* 4 bytes, the last one ignored */
  DOORSILL_BGRX = 4,
  DOORSILL_RGBA = 5, /* 4 bytes, alpha not premultiplied */
  DOORSILL_BGRA = 6,
  DOORSILL_GRAY16 = 7 /* 2 bytes in native order; 65535 is white */
} doorsill_format;

/* What shows through transparent pixels. doorsill_screen hashes all four, since a receiver may
 * see any: pages are white or dark, a picture can cancel out on both and show on grey, and
 * programs that re-encode drop the alpha. */
typedef enum doorsill_ground {
  DOORSILL_WHITE = 0,
  DOORSILL_BLACK = 1,
  DOORSILL_MID_GRAY = 2,     /* 128 */
  DOORSILL_ALPHA_IGNORED = 3 /* the colours as if nothing were transparent */
} doorsill_ground;

/* Decoded pixels, borrowed for the length of a call. Rows lie `stride` bytes apart, from
 * the top one at `data`; a negative stride is a picture stored bottom-up. */
typedef struct doorsill_pixels {
  const uint8_t *data;
  ptrdiff_t stride;
  uint32_t width;
  uint32_t height;
  uint32_t format; /* doorsill_format */
} doorsill_pixels;

/* Says in `found` whether any pixel is other than opaque; those of a format without alpha are not.
 * For hosts that hash in bands; doorsill_screen looks by itself. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_has_alpha(const doorsill_pixels *pixels,
                                                               int *found);

/* The two ways in which publishers' tools hash pixels. A list says which one it holds;
 * `unknown` lists are searched with both. FORMAT.md has the details. */
enum {
  DOORSILL_FULL = 0,   /* full-size pixels, as python-threatexchange does */
  DOORSILL_CPP512 = 1, /* subsampled to 512x512, as Meta's C++ tool does */
  DOORSILL_UNKNOWN = 2,
  DOORSILL_PROFILES = 2, /* how many a picture is hashed by */
  DOORSILL_ORIENTATIONS = 8,
  DOORSILL_PDQ_BYTES = 32,
  DOORSILL_MAX_SIDE = 65535 /* pixels; a picture with a larger side is refused */
};

/* The PDQ hashes of one picture. Orientation 0 is the picture as given; FORMAT.md names
 * the other seven flips and quarter turns. Quality is 0..100; a side under 5 pixels, after
 * the subsampling of `cpp512`, gives hashes of zeros and quality 0. */
typedef struct doorsill_pdq {
  uint8_t hash[2][8][32]; /* [profile][orientation], bytes in the order of the usual hex */
  uint8_t quality[2];     /* [profile] */
} doorsill_pdq;

/* Hashing in bands, for hosts whose pixels do not lie in one buffer: begin, rows from top
 * to bottom in any portions, end. The state lies in the caller's workspace, at least
 * doorsill_pdq_workspace bytes (under 4 MB up to 100 megapixels) at any alignment. */
typedef struct doorsill_hashing doorsill_hashing;
DOORSILL_API size_t doorsill_pdq_workspace(uint32_t width, uint32_t height);
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_pdq_begin(void *workspace, size_t size,
                                                               uint32_t width, uint32_t height,
                                                               uint32_t format, uint32_t ground,
                                                               doorsill_hashing **hashing);
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_pdq_rows(doorsill_hashing *hashing,
                                                              const uint8_t *rows, ptrdiff_t stride,
                                                              uint32_t count);
/* DOORSILL_BAD_ARGUMENT unless all rows have come. Zeroes what the workspace held of the pixels;
 * of a hashing that is given up the caller wipes it. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_pdq_end(doorsill_hashing *hashing,
                                                             doorsill_pdq *pdq);

/* How certain a hash's low-frequency bits are, for questions to a sealing server (SEALED.md): for
 * each of the 121 lowest, how far its coefficient lies from the median, as 16 octaves of 16 steps:
 * code c stands for (16 + c % 16) << c / 16, in 64ths; 0 and 255 for all that is less or more. By
 * profile, then by the four ways in which flips turn signs; doorsill_margins_turned knows them. */
enum { DOORSILL_MARGINS = 121 };
typedef struct doorsill_margins {
  uint8_t sets[2][4][121];
} doorsill_margins;

/* After all rows have come and before doorsill_pdq_end; DOORSILL_BAD_ARGUMENT else. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_pdq_margins(const doorsill_hashing *hashing,
                                                                 doorsill_margins *margins);

/* Those of one profile's hash in one of its eight orientations, in the order of the second plane
 * (doorsill_pdq_planes), whose first 121 bits they are. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_margins_turned(const doorsill_margins *margins,
                                                                    uint32_t profile,
                                                                    uint32_t orientation,
                                                                    uint8_t turned[121]);

/* The same for pixels that do lie in one buffer. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_pdq_hash(const doorsill_pixels *pixels,
                                                              uint32_t ground, void *workspace,
                                                              size_t size, doorsill_pdq *pdq);

/* Pixels for a neural hasher, whose card says how large: the picture squashed to a square of
 * `side` pixels (at most DOORSILL_MAX_RESIZED), each the mean of the area that it covers, to the
 * nearest, halves up, in whole numbers: the same bytes on every processor. `rgb` takes
 * 3 * side * side bytes. Works in bands as the PDQ hash does, in under 2.7 MB whatever the size. */
enum { DOORSILL_MAX_RESIZED = 512 };
typedef struct doorsill_resizing doorsill_resizing;
DOORSILL_API size_t doorsill_resize_workspace(uint32_t width, uint32_t height, uint32_t side);
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_resize_begin(void *workspace, size_t size,
                                                                  uint32_t width, uint32_t height,
                                                                  uint32_t format, uint32_t ground,
                                                                  uint32_t side,
                                                                  doorsill_resizing **resizing);
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_resize_rows(doorsill_resizing *resizing,
                                                                 const uint8_t *rows,
                                                                 ptrdiff_t stride, uint32_t count);
/* Once, after all rows; DOORSILL_BAD_ARGUMENT before, or a second time. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_resize_end(doorsill_resizing *resizing,
                                                                uint8_t *rgb);

/* The Hamming distance of two hashes of that many bytes. */
DOORSILL_API uint32_t doorsill_distance(const uint8_t *a, const uint8_t *b, size_t bytes);

/* --- Hash lists --- */

/* An open hash list. Its file may come from anywhere: every offset, length and count is
 * checked before use, so that a hostile file is refused or harmless, never a crash. Whether
 * its publisher is trusted is the caller's question, asked before. */
typedef struct doorsill_list doorsill_list;

/* Opens the list in these bytes, which must stay in place, unchanged, until it is closed
 * (so: private memory, or a mapped memfd with F_SEAL_WRITE, F_SEAL_SHRINK and F_SEAL_GROW, which
 * processes can share; a mapped file can be cut or altered under you). `detail`, if not
 * NULL, gets a static sentence about what is wrong. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_list_open(const void *data, size_t size,
                                                               doorsill_list **list,
                                                               const char **detail);

/* Reads a regular file into memory of the list's own and opens it. What does not begin like a list
 * of its size takes no memory. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_list_load(const char *path,
                                                               doorsill_list **list,
                                                               const char **detail);

/* Zeroes and frees what the list owns. NULL is allowed. */
DOORSILL_API void doorsill_list_close(doorsill_list *list);

enum {
  DOORSILL_SHA256 = 0,
  DOORSILL_SHA1 = 1,
  DOORSILL_MD5 = 2,
  DOORSILL_DIGESTS = 3,
  DOORSILL_MAX_HASHERS = 8,
  DOORSILL_MAX_WIDTH = 512, /* bits */
  DOORSILL_NAME_BYTES = 24,
  DOORSILL_ID_BYTES = 6,
  DOORSILL_MODEL_BYTES = 32,
  DOORSILL_ENTRY_SEED = 1, /* entry flag: not yet reviewed by its publisher, never more than WARN */
  DOORSILL_ENTRY_TEST = 2, /* entry flag: the published test card */
  DOORSILL_ENTRY_WARN = 4, /* entry flag: its publisher asks for no more than WARN */
  DOORSILL_LIST_DEMO = 1   /* list flag: harmless pictures, for demonstrations */
};

typedef struct doorsill_list_info {
  uint64_t epoch;
  uint64_t size;    /* bytes */
  uint32_t flags;   /* DOORSILL_LIST_DEMO */
  uint32_t entries; /* the test card's among them */
  uint32_t test_entries;
  uint32_t withdrawn;
  uint32_t categories; /* keys of texts are below this */
  uint32_t publishers; /* likewise */
  uint32_t hashers;
  uint32_t digests[3]; /* rows, by DOORSILL_SHA256, _SHA1, _MD5 */
} doorsill_list_info;

typedef struct doorsill_hasher_info {
  char name[24]; /* "pdq", or a model's name; ends with a NUL */
  uint8_t model[32];
  uint32_t rows;
  uint16_t width;   /* bits */
  uint16_t limit;   /* the greatest distance that is a match */
  uint16_t quality; /* the least quality of a picture that may match */
  uint8_t profile;  /* DOORSILL_FULL, _CPP512 or _UNKNOWN */
} doorsill_hasher_info;

typedef struct doorsill_entry {
  uint64_t publishers; /* bit p is set if publisher p vouches for it */
  uint16_t category;
  uint16_t flags;
  uint8_t id[6]; /* the publisher's */
} doorsill_entry;

DOORSILL_API void doorsill_list_describe(const doorsill_list *list, doorsill_list_info *info);
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_list_hasher(const doorsill_list *list,
                                                                 uint32_t index,
                                                                 doorsill_hasher_info *info);
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_list_entry(const doorsill_list *list,
                                                                uint32_t index,
                                                                doorsill_entry *entry);

/* Texts of a list, plain UTF-8 without control or bidi characters, at most 500 characters. */
typedef enum doorsill_text {
  DOORSILL_TEXT_LIST = 0,      /* the list's name (key 0) */
  DOORSILL_TEXT_PUBLISHER = 1, /* the name of publisher `key` */
  DOORSILL_TEXT_CATEGORY = 2,  /* the name of category `key` */
  DOORSILL_TEXT_MESSAGE = 3,   /* what a person is told for category `key` */
  DOORSILL_TEXT_HELP = 4,      /* an https link to help */
  DOORSILL_TEXT_APPEAL = 5     /* an https link to appeal */
} doorsill_text;

/* The text in `language` ("de"), else in English, else in whichever comes first. Borrowed
 * from the list, not NUL-terminated. NULL and length 0 if the list has none. */
DOORSILL_API const char *doorsill_list_text(const doorsill_list *list, uint32_t kind, uint32_t key,
                                            const char *language, size_t *length);

/* For writers of lists: splits `count` PDQ hashes, 32 bytes each, into the two planes of
 * 16 bytes a row in which lists store them, the highest frequencies first (FORMAT.md). */
DOORSILL_API void doorsill_pdq_planes(const uint8_t *hashes, size_t count, uint8_t *plane1,
                                      uint8_t *plane2);

/* One row found by a search. */
typedef struct doorsill_hit {
  uint32_t row;
  uint32_t entry;
  uint16_t query;
  uint16_t distance;
} doorsill_hit;

/* Finds all rows of the list's hasher `index` within `radius` of any of the `count` queries
 * (at most 16, each width/8 bytes, one behind another), exactly. Keeps the `capacity`
 * nearest, sorted by distance, row and query, and says in `found` how many there were.
 * The radius may be at most a quarter of the width. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_search(const doorsill_list *list,
                                                            uint32_t index, const uint8_t *queries,
                                                            size_t count, uint32_t radius,
                                                            doorsill_hit *hits, size_t capacity,
                                                            size_t *found);

/* Finds the row nearest to any of the `count` queries (at most 16) in a column of 128-bit rows,
 * such as the clear plane of a sealed list (SEALED.md); of equals the first row and query. `hit`,
 * whose entry is the row, is left as it was if there is none within `radius`, at most 32; `found`
 * says. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_nearest(const uint8_t *plane, uint32_t rows,
                                                             const uint8_t *queries, size_t count,
                                                             uint32_t radius, doorsill_hit *hit,
                                                             int *found);

/* --- Deltas: from one release of a list to the next --- */

typedef struct doorsill_delta_info {
  uint64_t base_size;   /* bytes of the list that it is for, */
  uint64_t result_size; /* and of the list that it makes */
  uint8_t base_sha256[32];
  uint8_t result_sha256[32];
} doorsill_delta_info;

/* What a delta says of itself. Compare base_sha256 with the digest of the list that you have, and
 * result_size with what you are willing to hold, before you apply it. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_delta_describe(const void *delta, size_t size,
                                                                    doorsill_delta_info *info,
                                                                    const char **detail);

/* Makes the next release, info.result_size bytes, from the whole file of the last one. A delta may
 * come from anywhere: it is refused or makes some bytes, and only if their SHA-256 is the one that
 * the manifest of the new release names are they that release. Base and result do not overlap;
 * after an error the result is undefined. Allocates nothing. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_delta_apply(const void *base, size_t base_size,
                                                                 const void *delta, size_t size,
                                                                 void *result, size_t capacity,
                                                                 const char **detail);

/* --- Releases: who published a list, and that everyone gets the same one --- */

/* The primitives, brought by the host from a library that it trusts already; native/glue has
 * libsodium's. Each returns 1, or 0 for "no" and for any trouble. `ed25519_verify` is that of
 * RFC 8032 over the whole message. */
typedef struct doorsill_crypto {
  int (*sha256)(void *context, const uint8_t *data, size_t size, uint8_t *digest);
  int (*ed25519_verify)(void *context, const uint8_t *key, const uint8_t *message, size_t size,
                        const uint8_t *signature);
  void *context;
} doorsill_crypto;

/* What a release's signatures show, the weakest first. */
typedef enum doorsill_tier {
  DOORSILL_UNSIGNED = 0,
  DOORSILL_SIGNED = 1,    /* by its publisher: safe against mirrors and networks */
  DOORSILL_WITNESSED = 2, /* and independent witnesses saw that everyone gets the same */
  DOORSILL_APPROVED = 3   /* and approvers rebuilt and checked it */
} doorsill_tier;

/* Whom the host believes: a tlog-policy text (FORMAT.md), borrowed, and the least tier that
 * will do, at least DOORSILL_SIGNED. */
typedef struct doorsill_trust {
  const char *text;
  size_t size;
  uint32_t tier; /* doorsill_tier */
} doorsill_trust;

/* What the host remembers of the release that it accepted last; all zero before the first. */
typedef struct doorsill_accepted {
  uint64_t size; /* of the log's tree: epoch + 1 */
  uint8_t root[32];
  uint8_t sha256[32]; /* of the list file */
} doorsill_accepted;

enum {
  DOORSILL_MAX_TRUST = 65536, /* bytes of a trust policy */
  DOORSILL_MAX_PROOF = 65536, /* bytes of a proof */
  DOORSILL_MAX_MANIFEST = 4096,
  DOORSILL_MAX_SIGNATURES = 64,
  DOORSILL_MAX_WITNESSES = 64, /* approvers among them */
  DOORSILL_FRESH = 259200,     /* seconds, 72 hours: the greatest age of a witness's signature */
  DOORSILL_SKEW = 3600         /* seconds that another's clock may run ahead */
};

/* What a release's manifest and signatures say. */
typedef struct doorsill_release {
  char list[256];      /* whose release it is: the log's origin; ends with a NUL */
  uint64_t epoch;      /* the log's tree has epoch + 1 leaves */
  uint64_t list_bytes; /* size of the list file */
  uint64_t issued;     /* POSIX seconds, as the next */
  uint64_t use_until;  /* after it, go on matching and say that the list is stale */
  uint64_t policy_version;
  uint64_t cosigners; /* bit i: the i-th `witness` line of the policy has signed */
  uint32_t tier;      /* doorsill_tier that the signatures reach */
  uint8_t root[32];
  uint8_t sha256[32];        /* of the list file */
  uint8_t policy[32];        /* SHA-256 of the policy in force */
  uint8_t policy_before[32]; /* of the one before, zeros if this release does not change it */
} doorsill_release;

/* Reads a trust policy. `tier` gets the highest tier that it can show. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_trust_check(const doorsill_trust *trust,
                                                                 const doorsill_crypto *crypto,
                                                                 uint32_t *tier,
                                                                 const char **detail);

/* Checks a release by the nine rules of FORMAT.md. `list` NULL looks at the proof alone, before
 * the list is fetched. `last` NULL is a list that came with the app. `now` is in POSIX seconds,
 * 0 to open again what was accepted: no freshness is asked then. `detail`, if not NULL, gets
 * a static sentence about what is wrong. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_release_check(
    const doorsill_trust *trust, const void *proof, size_t proof_size, const void *list,
    size_t list_size, const doorsill_accepted *last, uint64_t now, const doorsill_crypto *crypto,
    doorsill_release *release, const char **detail);

/* Checks one link of the chain from an old policy to the one that a release brought. From
 * then on `to` takes the place of `from`. */
DOORSILL_API DOORSILL_CHECK doorsill_status
doorsill_trust_link(const doorsill_trust *from, const doorsill_trust *to, const void *proof,
                    size_t proof_size, const doorsill_accepted *last, const doorsill_crypto *crypto,
                    doorsill_release *release, const char **detail);

/* --- Screening --- */

typedef enum doorsill_outcome {
  DOORSILL_CLEAR = 0,
  DOORSILL_MATCH = 1,
  DOORSILL_UNHASHABLE = 2,  /* too little detail for a perceptual hash; digests were checked */
  DOORSILL_UNREADABLE = 3,  /* claims to be a picture, cannot be read in full */
  DOORSILL_OUT_OF_SCOPE = 4 /* not a picture: only digests were checked */
} doorsill_outcome;

/* Strongest last, so that they can be compared. */
typedef enum doorsill_evidence {
  DOORSILL_NO_EVIDENCE = 0,
  DOORSILL_CONTRADICTED = 1, /* a second hash exists and is far from the entry's */
  DOORSILL_NEURAL_ONLY = 2,
  DOORSILL_SINGLE = 3, /* PDQ alone, md5 alone or sha1 alone: no second hash was compared */
  DOORSILL_AGREED = 4, /* PDQ, and the neural hash is not far from the same entry's */
  DOORSILL_EXACT = 5   /* sha256, or sha1 and md5 of one entry together */
} doorsill_evidence;

/* Mildest first, so that they can be compared. */
typedef enum doorsill_action {
  DOORSILL_SEND = 0,
  DOORSILL_WARN = 1, /* not sent until the person confirms, in neutral words */
  DOORSILL_BLOCK = 2
} doorsill_action;

/* A neural hash of a view, made by the host with the model that this digest names. */
typedef struct doorsill_code {
  uint8_t model[32];
  uint8_t bytes[64]; /* width / 8 of them count */
  uint16_t width;    /* bits */
} doorsill_code;

/* One view: pixels, or a PDQ that was made before (`pdq` wins where both are given), and
 * the neural hashes of the same pixels, if any. Pixels with alpha below 255 are hashed once
 * for each doorsill_ground. */
typedef struct doorsill_view {
  const doorsill_pixels *pixels;
  const doorsill_pdq *pdq;
  const doorsill_code *codes;
  size_t code_count;
} doorsill_view;

/* The digests of one file: of the bytes that will be sent, or of the original that the
 * host re-encoded. All three are always given. */
typedef struct doorsill_digests {
  uint8_t sha256[32];
  uint8_t sha1[20];
  uint8_t md5[16];
} doorsill_digests;

/* How much of the file the views stand for; what the host knows and the core cannot. */
typedef enum doorsill_reading {
  DOORSILL_READ_WHOLE = 0,
  DOORSILL_READ_PARTLY = 1, /* some part that a viewer may show was not read */
  DOORSILL_NOT_A_PICTURE = 2
} doorsill_reading;

/* The host's rules. Fill with doorsill_policy_default and change what differs. There EXACT and
 * SINGLE block and all other evidence warns: AGREED too, for who has the model can make a harmless
 * picture meet both hashes (models/lintel/README.md). A view without a neural hash, where others of
 * the picture have one of a model that the entry has too, leads to no more than if both agreed. */
typedef struct doorsill_policy {
  uint8_t on_evidence[6];  /* action by doorsill_evidence; [0] is not used */
  uint8_t on_outcome[5];   /* action by doorsill_outcome; [DOORSILL_MATCH] is not used */
  uint16_t pdq_limit;      /* no PDQ distance above this matches, whatever the list says */
  const uint8_t *quenched; /* ids of entries that this host ignores, 6 bytes each, sorted */
  size_t quenched_count;
} doorsill_policy;

DOORSILL_API void doorsill_policy_default(doorsill_policy *policy);

enum {
  DOORSILL_MAX_MATCHES = 16,
  DOORSILL_MAX_VIEWS = 4096, /* in one call */
  DOORSILL_NO_HASHER = 255,
  DOORSILL_VIA_SHA256 = 1, /* match: which digests were equal */
  DOORSILL_VIA_SHA1 = 2,
  DOORSILL_VIA_MD5 = 4
};

/* One entry of one list that the picture matched, on its strongest evidence. */
typedef struct doorsill_match {
  uint32_t list; /* index into `lists` */
  uint32_t entry;
  uint32_t view;       /* index into `views`; 0 for digests */
  uint16_t distance;   /* 0 for digests */
  uint16_t via;        /* DOORSILL_VIA_* bits, 0 for hashes */
  uint8_t hasher;      /* index of the list's hasher, DOORSILL_NO_HASHER for digests */
  uint8_t profile;     /* by which PDQ of the picture matched */
  uint8_t orientation; /* in which it matched, 0..7 */
  uint8_t ground;      /* over which, for pixels with alpha */
  uint8_t evidence;    /* doorsill_evidence */
  uint8_t action;      /* doorsill_action */
} doorsill_match;

typedef struct doorsill_verdict {
  uint32_t outcome;  /* doorsill_outcome */
  uint32_t action;   /* doorsill_action */
  uint32_t evidence; /* doorsill_evidence, of the match that decided */
  uint32_t quality;  /* the best of all views, 0..100 */
  uint32_t views;    /* how many PDQ hashes were searched, four for a view with alpha */
  uint32_t match_count;
  doorsill_match matches[16]; /* what decided comes first; further ones are left out */
} doorsill_verdict;

/* How much workspace doorsill_screen needs for these views. Views that carry a ready PDQ
 * need next to nothing. */
DOORSILL_API size_t doorsill_workspace(const doorsill_view *views, size_t view_count);

/* Screens one picture: hashes its views, searches the lists, weighs the evidence and decides.
 * Allocates nothing and makes no system call. `digests` are those of the file and, if the
 * host re-encoded it, of its original; there may be none where the host has only pixels.
 * Without a list it is DOORSILL_BAD_ARGUMENT: nothing was compared, so nothing is clear. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_screen(
    const doorsill_list *const *lists, size_t list_count, const doorsill_view *views,
    size_t view_count, const doorsill_digests *digests, size_t digest_count, uint32_t reading,
    const doorsill_policy *policy, void *workspace, size_t size, doorsill_verdict *verdict);

/* Screens the published test card (testcard.png, installed beside the library), decoded by the
 * host as any picture is, against each list by its pixels alone. To be run at start: unless it is
 * DOORSILL_OK, decoder, hashes, search, list or policy are not wired as they should be, and the
 * host must not claim that pictures are checked. Without a list it is DOORSILL_NOT_WIRED. */
DOORSILL_API DOORSILL_CHECK doorsill_status doorsill_self_test(const doorsill_list *const *lists,
                                                               size_t list_count,
                                                               const doorsill_view *card,
                                                               const doorsill_policy *policy,
                                                               void *workspace, size_t size);

/* The rule that decided, as one neutral English sentence, static. */
DOORSILL_API const char *doorsill_verdict_reason(const doorsill_verdict *verdict);

/* [/cdef] */

#ifdef __cplusplus
}
#endif
#endif
