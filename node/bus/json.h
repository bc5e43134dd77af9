/* SPDX-License-Identifier: MPL-2.0 */
/*
 * JSON in and out, for the bus.
 * It owns the limits of what is read. It never trusts a parser with depth: brackets are counted
 * before one sees them.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#define JSON_DEPTH_MAX 16
#define JSON_BYTES_MAX (256 * 1024) /* of a request; answers may be longer */

/* The value these bytes hold, or NULL. The caller frees it. */
JsonNode *json_read(const char *text, gsize length);
/* The same without a limit on the length, for what our own node says. */
JsonNode *json_read_answer(const char *text, gsize length);
/* On one line, without a newline. The caller frees it. */
char *json_write(JsonNode *node);

/* The member, or a default when it is absent or of another kind. Strings are borrowed. */
const char *json_text(JsonObject *object, const char *name, const char *otherwise);
gint64 json_int(JsonObject *object, const char *name, gint64 otherwise);
double json_real(JsonObject *object, const char *name);
gboolean json_flag(JsonObject *object, const char *name);
JsonArray *json_list(JsonObject *object, const char *name);

/* The object of a builder's finished value; frees the builder. The caller frees the node. */
JsonNode *json_built(JsonBuilder *builder);
JsonBuilder *json_begin_object(void);
JsonBuilder *json_begin_array(void);
/* Adds one member. Text that is no UTF-8 is made so; NULL is "". */
void json_put_text(JsonBuilder *builder, const char *name, const char *text);
void json_put_int(JsonBuilder *builder, const char *name, gint64 number);
void json_put_real(JsonBuilder *builder, const char *name, double number);
void json_put_flag(JsonBuilder *builder, const char *name, gboolean flag);
/* Adds a member that is an object, to be ended by json_builder_end_object. */
void json_put_begin(JsonBuilder *builder, const char *name);
