#include "values.h"

#include <stdio.h>
#include <string.h>

static const char *name_of(doorsill_status status) {
  switch (status) {
    case DOORSILL_OK:
      return "DOORSILL_OK";
    case DOORSILL_BAD_ARGUMENT:
      return "DOORSILL_BAD_ARGUMENT";
    case DOORSILL_SMALL_WORKSPACE:
      return "DOORSILL_SMALL_WORKSPACE";
    case DOORSILL_NO_MEMORY:
      return "DOORSILL_NO_MEMORY";
    case DOORSILL_NO_FILE:
      return "DOORSILL_NO_FILE";
    case DOORSILL_NOT_A_LIST:
      return "DOORSILL_NOT_A_LIST";
    case DOORSILL_NEWER_FORMAT:
      return "DOORSILL_NEWER_FORMAT";
    case DOORSILL_DAMAGED_LIST:
      return "DOORSILL_DAMAGED_LIST";
    case DOORSILL_BAD_DELTA:
      return "DOORSILL_BAD_DELTA";
    case DOORSILL_BAD_TRUST:
      return "DOORSILL_BAD_TRUST";
    case DOORSILL_BAD_PROOF:
      return "DOORSILL_BAD_PROOF";
    case DOORSILL_NOT_TRUSTED:
      return "DOORSILL_NOT_TRUSTED";
    case DOORSILL_OTHER_POLICY:
      return "DOORSILL_OTHER_POLICY";
    case DOORSILL_OTHER_LIST:
      return "DOORSILL_OTHER_LIST";
    case DOORSILL_ROLLED_BACK:
      return "DOORSILL_ROLLED_BACK";
    case DOORSILL_STALE:
      return "DOORSILL_STALE";
    case DOORSILL_NOT_WIRED:
      return "DOORSILL_NOT_WIRED";
    default: /* of a newer core */
      return "DOORSILL_ERROR";
  }
}

napi_value error_of(napi_env env, doorsill_status status, const char *what) {
  char message[512];
  const char *why = doorsill_status_text(status);
  if (what)
    snprintf(message, sizeof message, "%s (%s)", why, what);
  else
    snprintf(message, sizeof message, "%s", why);
  napi_value error = NULL;
  napi_create_error(env, text(env, name_of(status), NAPI_AUTO_LENGTH),
                    text(env, message, NAPI_AUTO_LENGTH), &error);
  return error;
}

napi_value refuse(napi_env env, const char *what) {
  napi_throw_type_error(env, "DOORSILL_BAD_ARGUMENT", what);
  return NULL;
}

napi_value number(napi_env env, uint32_t value) {
  napi_value made = NULL;
  napi_create_uint32(env, value, &made);
  return made;
}

napi_value text(napi_env env, const char *value, size_t length) {
  napi_value made = NULL;
  if (value)
    napi_create_string_utf8(env, value, length, &made);
  else
    napi_get_null(env, &made);
  return made;
}

void put(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

bool get_number(napi_env env, napi_value object, const char *name, double *value) {
  napi_value field;
  return napi_get_named_property(env, object, name, &field) == napi_ok &&
         napi_get_value_double(env, field, value) == napi_ok;
}

bool bytes_of(napi_env env, napi_value value, const uint8_t **data, size_t *size) {
  bool is_array = false;
  napi_typedarray_type type;
  void *start = NULL;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array) return false;
  if (napi_get_typedarray_info(env, value, &type, size, &start, NULL, NULL) != napi_ok)
    return false;
  *data = start;
  return type == napi_uint8_array || type == napi_uint8_clamped_array;
}

bool get_bytes(napi_env env, napi_value object, const char *name, const uint8_t **data,
               size_t *size) {
  napi_value field;
  return napi_get_named_property(env, object, name, &field) == napi_ok &&
         bytes_of(env, field, data, size);
}
