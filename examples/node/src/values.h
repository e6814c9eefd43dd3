/* Values of JavaScript in and out, shortened. Where a call fails, an exception is pending. */
#ifndef DOORSILL_NODE_VALUES_H
#define DOORSILL_NODE_VALUES_H

#include <doorsill.h>
#include <node_api.h>
#include <stdbool.h>

/* The error that a status stands for: `code` is its name, "DOORSILL_NOT_A_LIST". */
napi_value error_of(napi_env env, doorsill_status status, const char *what);

/* Throws a TypeError: what JavaScript passed cannot be read as that. Returns NULL. */
napi_value refuse(napi_env env, const char *what);

napi_value number(napi_env env, uint32_t value);
napi_value text(napi_env env, const char *value, size_t length); /* NULL is null */
void put(napi_env env, napi_value object, const char *name, napi_value value);

/* Fields of an object; false where they are missing or of another type. */
bool get_number(napi_env env, napi_value object, const char *name, double *value);
bool get_bytes(napi_env env, napi_value object, const char *name, const uint8_t **data,
               size_t *size);

/* The bytes of a Uint8Array or Buffer, borrowed. */
bool bytes_of(napi_env env, napi_value value, const uint8_t **data, size_t *size);

/* The list in an external of `open`. */
doorsill_list *list_of(napi_env env, napi_value value);

/* screen(lists, views, digests, reading, policy, cancelled, isCard): a promise of a verdict. */
napi_value screen(napi_env env, napi_callback_info info);

#endif
