/* Reading the texts that a release is made of: lines, words, numbers, hex, base64, UTF-8. */
#ifndef DOORSILL_LINES_H
#define DOORSILL_LINES_H

#include <stddef.h>
#include <stdint.h>

/* Some bytes of a text, borrowed. */
typedef struct doorsill_span {
  const uint8_t *at;
  size_t size;
} doorsill_span;

/* Each returns 1, or 0 and leaves its results as they are. */

/* Takes the next line off the text; the line is without its newline, which must be there. */
int doorsill_take_line(doorsill_span *text, doorsill_span *line);

/* Takes these characters off the beginning. */
int doorsill_take_words(doorsill_span *text, const char *expected);

/* Takes what stands before the first `end` off the text, and the `end`. */
int doorsill_take_until(doorsill_span *text, uint8_t end, doorsill_span *before);

int doorsill_same(doorsill_span a, doorsill_span b);
int doorsill_says(doorsill_span span, const char *words);

/* Decimal digits alone, no leading zero, below 2^63. */
int doorsill_number(doorsill_span span, uint64_t *value);

/* Exactly that many bytes in lower-case hex. */
int doorsill_hex(doorsill_span span, uint8_t *bytes, size_t count);

/* RFC 4648, section 4, padded, unused bits zero. Returns how many bytes it gave; 0 for none,
 * for more than `capacity`, and for anything else. */
size_t doorsill_base64(doorsill_span span, uint8_t *bytes, size_t capacity);

/* UTF-8 of the shortest form, without surrogates and control characters other than newline;
 * U+0080-9F count as such only where `strict` is set. */
int doorsill_is_text(doorsill_span span, int strict);

/* A key's name of signed-note: not empty, no plus, no Unicode space. Texts are looked through for
 * controls before. */
int doorsill_is_key_name(doorsill_span span);

#endif
